/* sigtool on signature containers: what they say of themselves, what proves it, what is in them. */
#include "explain/sigtool.h"

#include "base/num.h"
#include "cvd/cvd.h"
#include "explain/sigtool_member.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

_Static_assert(CVD_NAME_MAX <= SIGTOOL_MEMBER_NAME, "names of members fit");

/* The name by which the container is opened. */
static const char *opened_as(const char *path)
{
	return cvd_kind_of(path) == CVD_KINDS ? "container.cvd" : path;
}

static st_t open_container(const struct explain_object *file, const char *path, struct cvd *ret,
                           struct err *e)
{
	struct cvd_input in = {
	    .file = {opened_as(path), file->data, file->len},
	    .keys = &cvd_production_keys,
	};
	return cvd_open(&in, ret, e);
}

/* Shorter files count as filled with blanks: sigtool shows what there is. */
static st_t read_header(const struct explain_object *file, struct cvd_header *ret, struct err *e)
{
	char text[CVD_HEADER_BYTES];
	size_t n = num_min_size(file->len, sizeof text);
	memset(text, ' ', sizeof text);
	memcpy(text, file->data, n);
	return cvd_header_read(text, sizeof text, ret, e);
}

static void put(struct out *o, const char *label, const char *text)
{
	out_raw(o, label, strlen(label));
	out_raw(o, text, strlen(text));
	out_raw(o, "\n", 1);
}

static void put_number(struct out *o, const char *label, uint32_t n)
{
	char text[16];
	snprintf(text, sizeof text, "%" PRIu32, n);
	put(o, label, text);
}

static void put_header(struct out *o, struct cvd_header *h, const char *path)
{
	/* The fields are separated by colons, so that of the time is written with a dash. */
	char *dash = strchr(h->time, '-');
	if (dash)
		*dash = ':';
	put(o, "File: ", path);
	put(o, "Build time: ", h->time);
	put_number(o, "Version: ", h->version);
	put_number(o, "Signatures: ", h->sigs);
	put_number(o, "Functionality level: ", h->flevel);
	put(o, "Builder: ", h->builder);
	if (cvd_kind_of(path) != CVD_PUBLISHED)
		return;
	put(o, "MD5: ", h->md5);
	put(o, "Digital signature: ", h->dsig);
}

/* sigtool's words for what failed. */
static const char *word_failure(const struct explain_object *file, st_t st)
{
	if (file->len < CVD_HEADER_BYTES)
		return "Broken or not a CVD file";
	return st == ST_BAD_SUM ? "Can't verify database integrity" : "Malformed database";
}

st_t sigtool_info(struct out *o, const struct explain_object *file, const char *path,
                  struct err *e)
{
	struct cvd_header h;
	struct cvd c = {0};
	if (read_header(file, &h, NULL) != ST_OK)
		return fail(e, ST_MALFORMED, 0, "cvdinfo: Can't read/parse CVD header of %.200s", path);
	put_header(o, &h, path);
	if (cvd_kind_of(path) == CVD_UNSIGNED) {
		put(o, "Verification: ", "Unsigned container");
		return o->st;
	}
	st_t st = open_container(file, path, &c, NULL);
	cvd_done(&c);
	if (st > ST_OK)
		return fail(e, st, 0, "cvdinfo: Verification: %s", word_failure(file, st));
	if (st == ST_OK)
		put(o, "Verification OK", ".");
	return st == ST_OK ? o->st : st;
}

static void put_member(struct out *o, const struct cvd_member *m)
{
	uint8_t head[SIGTOOL_MEMBER_HEAD] = {0};
	memcpy(head, m->name, strnlen(m->name, CVD_NAME_MAX - 1));
	for (unsigned i = 0; i < 8; i++)
		head[SIGTOOL_MEMBER_NAME + i] = (uint8_t)((uint64_t)m->n >> (8 * i));
	out_raw(o, head, sizeof head);
	out_raw(o, m->p, m->n);
}

st_t sigtool_unpack(struct out *o, const struct explain_object *file, const char *path,
                    struct err *e)
{
	struct cvd c = {0};
	st_t st = open_container(file, path, &c, NULL);
	if (st == ST_OK)
		put_member(o, &c.info);
	for (size_t i = 0; st == ST_OK && i < c.nmembers && o->st == ST_OK; i++)
		put_member(o, &c.members[i]);
	cvd_done(&c);
	if (st > ST_OK)
		return fail(e, st, 0, "unpack: %.200s is not a valid CVD", path);
	return st == ST_OK ? o->st : st;
}
