#include "proc/broker/pool_file.h"

#include "base/io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Opening, sending and answering cost about as much as scanning this many bytes. */
#define COST_PER_FILE ((uint64_t)256 << 10)

void pool_result_done(struct pool_result *r)
{
	for (size_t i = 0; i < r->nevents; i++) {
		free(r->events[i].text);
		free(r->events[i].inner);
	}
	free(r->events);
	*r = (struct pool_result){0};
}

st_t file_new(uint64_t id, int fd, struct file **ret, struct err *e)
{
	AUTO_FD own = fd;
	struct stat sb;
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "fstat");
	struct file *f = calloc(1, sizeof *f);
	if (!f)
		return fail(e, ST_NOMEM, 0, "pool: out of memory");
	f->fd = own;
	f->result.id = id;
	f->result.size = S_ISREG(sb.st_mode) ? (uint64_t)sb.st_size : 0;
	own = -1;
	*ret = f;
	return ST_OK;
}

void file_free(struct file *f)
{
	if (!f)
		return;
	fd_closep(&f->fd);
	pool_result_done(&f->result);
	free(f);
}

uint64_t file_cost(const struct file *f)
{
	return COST_PER_FILE + f->result.size;
}

static struct pool_event *new_event(struct file *f)
{
	struct pool_result *r = &f->result;
	if (r->nevents < f->cap_events)
		return &r->events[r->nevents];
	size_t cap = f->cap_events ? f->cap_events * 2 : 4;
	struct pool_event *p = realloc(r->events, cap * sizeof *p);
	if (!p)
		return NULL;
	r->events = p;
	f->cap_events = cap;
	return &p[r->nevents];
}

static st_t add(struct file *f, struct pool_event ev, const char *text, const char *inner,
                struct err *e)
{
	struct pool_event *p = new_event(f);
	ev.text = strdup(text);
	ev.inner = strdup(inner);
	if (!p || !ev.text || !ev.inner) {
		free(ev.text);
		free(ev.inner);
		return fail(e, ST_NOMEM, 0, "pool: out of memory");
	}
	*p = ev;
	f->result.nevents++;
	return ST_OK;
}

/* The limit is what a worker may say; the pool's own last word has a place behind it. */
static st_t check_count(const struct file *f, struct err *e)
{
	if (f->result.nevents < MSG_EVENTS_MAX)
		return ST_OK;
	return fail(e, ST_MALFORMED, 0, "too many events of one file");
}

st_t file_add_found(struct file *f, const struct msg_found *m, struct err *e)
{
	TRY(check_count(f, e));
	struct pool_event ev = {.found = true, .official = m->official};
	TRY(add(f, ev, m->name, m->inner, e));
	f->found = true;
	return ST_OK;
}

st_t file_add_incomplete(struct file *f, st_t why, const char *text, const char *inner,
                         struct err *e)
{
	TRY(check_count(f, e));
	TRY(add(f, (struct pool_event){.why = why}, text, inner, e));
	f->incomplete = true;
	return ST_OK;
}

st_t file_give_up(struct file *f, st_t why, const char *text, struct err *e)
{
	TRY(add(f, (struct pool_event){.why = why}, text, "", e));
	f->result.verdict = f->found ? VERDICT_FOUND : VERDICT_INCOMPLETE;
	return ST_OK;
}

void file_again(struct file *f)
{
	uint64_t id = f->result.id, size = f->result.size;
	pool_result_done(&f->result);
	f->result = (struct pool_result){.id = id, .size = size};
	f->cap_events = 0;
	f->found = f->incomplete = false;
}

st_t file_done(struct file *f, const struct msg_done *m, struct err *e)
{
	struct pool_result *r = &f->result;
	r->verdict = f->found        ? VERDICT_FOUND
	             : f->incomplete ? VERDICT_INCOMPLETE
	                             : VERDICT_CLEAN;
	if (m->verdict != (uint32_t)r->verdict)
		return fail(e, ST_MALFORMED, 0, "verdict and events disagree");
	msg_text(r->type_name, sizeof r->type_name, m->type_name);
	r->bytes_read = m->bytes_read;
	r->bytes_scanned = m->bytes_scanned;
	r->objects = m->objects;
	return ST_OK;
}

void queue_push(struct file_queue *q, struct file *f)
{
	if (!q->head)
		q->tail = &q->head;
	f->next = NULL;
	*q->tail = f;
	q->tail = &f->next;
	q->n++;
	q->cost += file_cost(f);
}

void queue_push_front(struct file_queue *q, struct file *f)
{
	f->next = q->head;
	if (!q->head)
		q->tail = &f->next;
	q->head = f;
	q->n++;
	q->cost += file_cost(f);
}

struct file *queue_pop(struct file_queue *q)
{
	struct file *f = q->head;
	if (!f)
		return NULL;
	q->head = f->next;
	q->n--;
	q->cost -= file_cost(f);
	return f;
}

void queue_free(struct file_queue *q)
{
	for (struct file *f; (f = queue_pop(q));)
		file_free(f);
}

void queue_move_front(struct file_queue *to, struct file_queue *from)
{
	for (struct file *f; (f = queue_pop(to));)
		queue_push(from, f);
	*to = *from;
	if (!to->head)
		to->tail = &to->head;
	*from = (struct file_queue){0};
}
