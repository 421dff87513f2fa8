/* Files on their way through the pool, and the results that become of them. */
#ifndef VITRINE_PROC_BROKER_POOL_FILE_H
#define VITRINE_PROC_BROKER_POOL_FILE_H

#include "proc/broker/pool.h"
#include "proc/msg.h"

struct file {
	struct file *next;
	int fd; /* kept until the answer, for a second try with another worker */
	bool found, incomplete;
	size_t cap_events;
	struct pool_result result;
};

/* First in, first out. All-zero is empty. */
struct file_queue {
	struct file *head, **tail;
	size_t n;
	uint64_t cost; /* sum of file_cost() */
};

/* Takes fd over, on failure too. */
st_t file_new(uint64_t id, int fd, struct file **ret, struct err *e);
void file_free(struct file *f);

/* What scanning will take, in bytes: the size and a share for every file. */
uint64_t file_cost(const struct file *f);

/* Appends what a worker said. ST_MALFORMED: more events than MSG_EVENTS_MAX. */
st_t file_add_found(struct file *f, const struct msg_found *m, struct err *e);
st_t file_add_incomplete(struct file *f, st_t why, const char *text, const char *inner,
                         struct err *e);

/* The end of a file whose worker is lost: an event about the file itself, and the verdict. */
st_t file_give_up(struct file *f, st_t why, const char *text, struct err *e);

/* As if it had not been scanned yet. */
void file_again(struct file *f);

/* Takes the numbers of DONE over. ST_MALFORMED: the verdict is not what the events say. */
st_t file_done(struct file *f, const struct msg_done *m, struct err *e);

void queue_push(struct file_queue *q, struct file *f);
void queue_push_front(struct file_queue *q, struct file *f);
struct file *queue_pop(struct file_queue *q); /* NULL if empty */
void queue_free(struct file_queue *q);        /* and its files */

/* Puts all files of `from` before those of `to`. */
void queue_move_front(struct file_queue *to, struct file_queue *from);

#endif
