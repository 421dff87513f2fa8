#include "cli/dbheads.h"

#include <stdlib.h>
#include <string.h>

struct heads {
	size_t *index; /* of the sources that are containers */
	struct compile_head *head;
	size_t n;
};

static void heads_done(struct heads *h)
{
	free(h->index);
	free(h->head);
}

/* Reads the headers of the sources that `want` wants. */
static st_t heads_read(const struct db_set *s, bool (*want)(const struct db_set *s, size_t i),
                       struct heads *ret, struct err *e)
{
	*ret = (struct heads){0};
	struct broker_source *v = calloc(s->n + 1, sizeof *v);
	ret->index = calloc(s->n + 1, sizeof *ret->index);
	ret->head = calloc(s->n + 1, sizeof *ret->head);
	st_t st = v && ret->index && ret->head ? ST_OK
	                                       : fail(e, ST_NOMEM, 0, "databases: out of memory");
	for (size_t i = 0; st == ST_OK && i < s->n; i++) {
		if (!want(s, i))
			continue;
		v[ret->n] = (struct broker_source){.name = s->v[i].path, .fd = s->v[i].fd};
		ret->index[ret->n++] = i;
	}
	if (st == ST_OK)
		st = broker_heads(v, ret->n, &(struct compile_opts){0}, ret->head, e);
	free(v);
	return st;
}

static bool is_daily(const struct db_set *s, size_t i)
{
	const struct db_source *x = &s->v[i];
	return x->from_dir && (!strcmp(x->name, "daily.cvd") || !strcmp(x->name, "daily.cld"));
}

st_t dbheads_daily(const struct db_set *s, struct compile_head *ret, struct err *e)
{
	struct heads h;
	*ret = (struct compile_head){0};
	st_t st = heads_read(s, is_daily, &h, e);
	for (size_t i = 0; st == ST_OK && i < h.n; i++)
		if (h.head[i].known && (!ret->known || h.head[i].version > ret->version))
			*ret = h.head[i];
	heads_done(&h);
	return st;
}

/* The .cld beside the .cvd `i` (as sources of a folder are sorted, it stands before), or `i`. */
static size_t twin_of(const struct db_set *s, size_t i)
{
	const struct db_source *x = &s->v[i];
	size_t n = strlen(x->path);
	if (!x->container || !x->from_dir || strcmp(x->path + n - 4, ".cvd"))
		return i;
	for (size_t k = 0; k < s->n; k++) {
		const struct db_source *y = &s->v[k];
		if (y->container && y->from_dir && strlen(y->path) == n &&
		    !memcmp(x->path, y->path, n - 4) && !strcmp(y->path + n - 4, ".cld"))
			return k;
	}
	return i;
}

static bool has_twin(const struct db_set *s, size_t i)
{
	return twin_of(s, i) != i;
}

/* Index of the .cvd or of its twin: that which goes. */
static st_t loser(struct db_set *s, size_t cvd, bool *ret_same, size_t *ret, struct err *e)
{
	struct compile_head head[2];
	size_t cld = twin_of(s, cvd);
	const struct broker_source v[2] = {
	    {.name = s->v[cvd].path, .fd = s->v[cvd].fd},
	    {.name = s->v[cld].path, .fd = s->v[cld].fd},
	};
	TRY(broker_heads(v, 2, &(struct compile_opts){0}, head, e));
	*ret_same = head[0].version == head[1].version;
	*ret = head[1].known && head[1].version > head[0].version ? cvd : cld;
	return ST_OK;
}

st_t dbheads_drop_duplicates(struct db_set *s,
                             void (*dropped)(const char *path, const char *kept, bool same),
                             struct err *e)
{
	for (size_t i = 0; i < s->n;) {
		bool same;
		size_t out;
		if (!has_twin(s, i)) {
			i++;
			continue;
		}
		TRY(loser(s, i, &same, &out, e));
		dropped(s->v[out].path, s->v[out == i ? twin_of(s, i) : i].path, same);
		db_set_remove(s, out);
		i = 0;
	}
	return ST_OK;
}
