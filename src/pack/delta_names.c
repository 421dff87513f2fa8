/* A list of names made of the old one. Runs in the jailed vitrine-verifier. */
#include "pack/delta_apply.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

/* Names that are written: the one before, how many, room that is left. */
struct name_out {
	uint8_t name[DELTA_NAME_MAX];
	size_t len;
	uint64_t n, left;
	struct buf record;
};

static st_t put_name(struct delta_apply *a, struct name_out *o, const uint8_t *name, size_t len,
                     struct err *e)
{
	o->record.len = 0;
	delta_name_put(o->n++ % DELTA_NAME_BLOCK ? o->name : NULL, o->len, name, len, &o->record);
	TRY(buf_check(&o->record, e, "delta"));
	if (o->record.len > o->left)
		return delta_malformed(a, e, "more names than the table has room for");
	o->left -= o->record.len;
	memmove(o->name, name, len);
	o->len = len;
	return delta_put(a, o->record.data, o->record.len, e);
}

/* A name of the delta: what it shares with the one before, then the rest. */
static st_t new_name(struct delta_apply *a, struct name_out *o, struct err *e)
{
	uint8_t name[DELTA_NAME_MAX];
	uint64_t shared = 0, rest = 0;
	TRY(delta_take_up_to(a, o->len, &shared, e));
	TRY(delta_take_up_to(a, DELTA_NAME_MAX - shared, &rest, e));
	memcpy(name, o->name, shared);
	TRY(delta_body_take(&a->body, name + shared, rest, e));
	return put_name(a, o, name, shared + rest, e);
}

static st_t names_run(struct delta_apply *a, struct delta_names *old, uint64_t *old_at,
                      const struct delta_step *s, struct name_out *o, struct err *e)
{
	for (; *old_at < s->old; (*old_at)++)
		TRY(delta_names_next(old, e));
	for (uint64_t i = 0; i < s->keep; i++, (*old_at)++) {
		TRY(delta_names_next(old, e));
		TRY(put_name(a, o, old->name, old->len, e));
	}
	for (uint64_t i = 0; i < s->insert; i++)
		TRY(new_name(a, o, e));
	return ST_OK;
}

static st_t names_all(struct delta_apply *a, struct delta_names *old,
                      const struct delta_script *space, struct name_out *o, struct err *e)
{
	struct delta_steps steps = {.space = space, .left = space->new_n};
	uint64_t at = 0;
	while (steps.left) {
		struct delta_step s;
		TRY(delta_next_step(a, &steps, &s, e));
		TRY(names_run(a, old, &at, &s, o, e));
	}
	return o->left == 0 ? ST_OK : delta_malformed(a, e, "fewer names than the table has room for");
}

st_t delta_apply_names(struct delta_apply *a, struct err *e)
{
	uint64_t off = 0, len = 0, new_len = 0, space = 0;
	TRY(delta_take_up_to(a, a->old_size, &off, e));
	TRY(delta_take_up_to(a, a->old_size - off, &len, e));
	TRY(delta_take_up_to(a, a->new_size - a->new_off, &new_len, e));
	TRY(delta_take_space(a, &space, e));
	struct delta_names *old = calloc(1, sizeof *old);
	if (!old)
		return fail(e, ST_NOMEM, 0, "delta: out of memory");
	old->in = (struct delta_in){.fd = a->old_fd, .off = off, .end = off + len};
	struct name_out o = {.left = new_len};
	st_t st = names_all(a, old, &a->space[space], &o, e);
	free(old);
	buf_done(&o.record);
	a->new_off += new_len;
	return st;
}
