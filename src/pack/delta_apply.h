/* What the parts of the applier share: its state, the body it reads, the file it writes. */
#ifndef VITRINE_PACK_DELTA_APPLY_H
#define VITRINE_PACK_DELTA_APPLY_H

#include "pack/delta_inside.h"

#include <zstd.h>

/* The body, unpacked as it is asked for. */
struct delta_body {
	ZSTD_DCtx *d;
	int fd;
	uint64_t off; /* in the delta */
	ZSTD_inBuffer in;
	size_t pos, len; /* in out[] */
	bool ended;      /* the frame is complete */
	uint8_t raw[DELTA_CHUNK], out[DELTA_CHUNK];
};

struct delta_apply {
	int old_fd, out_fd;
	uint64_t old_size, new_size, new_off;
	struct delta_body body;
	struct delta_script space[DELTA_SPACES_MAX];
	uint32_t nspaces;
	uint64_t nruns;
	struct delta_dir dir[DELTA_DERIVED_MAX];
	uint32_t ndirs;
	uint8_t work[DELTA_CHUNK];
	size_t out_len;
	uint64_t out_off; /* in the new file, of out[0] */
	uint8_t out[DELTA_CHUNK];
};

/* Steps of an edit, one at a time, from the body or from the runs of a space. */
struct delta_step {
	uint64_t old, keep, insert; /* records */
};

struct delta_steps {
	const struct delta_script *space; /* NULL: in the body */
	size_t i;
	uint64_t old;  /* where the last step ended */
	uint64_t left; /* records of the table that are still to be made */
};

/* ST_MALFORMED, with the place in the new file. */
st_t delta_malformed(const struct delta_apply *a, struct err *e, const char *what);

/* ---- delta_body.c ---- */

st_t delta_body_take(struct delta_body *b, void *ret, size_t n, struct err *e);

/* The body ends here, its frame too, and so does the delta. */
st_t delta_body_end(struct delta_body *b, struct err *e);

st_t delta_take_number(struct delta_apply *a, uint64_t *ret, struct err *e);

/* A number of at most `max`. */
st_t delta_take_up_to(struct delta_apply *a, uint64_t max, uint64_t *ret, struct err *e);

/* The number of a space that there is. */
st_t delta_take_space(struct delta_apply *a, uint64_t *ret, struct err *e);

/* ---- delta_edit.c ---- */

/* ret: a step that makes something, within the old file or space and what is left to be made. */
st_t delta_next_step(struct delta_apply *a, struct delta_steps *s, struct delta_step *ret,
                     struct err *e);
st_t delta_apply_edit(struct delta_apply *a, struct err *e);

/* ---- delta_names.c ---- */

st_t delta_apply_names(struct delta_apply *a, struct err *e);

/* ---- delta_apply.c: what is written ---- */

st_t delta_put(struct delta_apply *a, const uint8_t *p, size_t n, struct err *e);

#endif
