/* The limits of one file: what may be spent, and saying so when it is spent. */
#include "base/num.h"
#include "scan/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* As ClamAV's hard cap of MaxFileSize: one object is in memory as a whole. */
#define OBJECT_MAX ((UINT64_C(1) << 31) - 1)

void limits_normalise(struct scan_limits *l)
{
	if (l->max_scansize == 0)
		l->max_scansize = UINT64_MAX;
	if (l->max_filesize == 0 || l->max_filesize > OBJECT_MAX)
		l->max_filesize = OBJECT_MAX;
	if (l->max_recursion == 0 || l->max_recursion > LAYERS_MAX)
		l->max_recursion = LAYERS_MAX;
	if (l->max_files == 0)
		l->max_files = UINT32_MAX;
	uint64_t *const none[] = {&l->max_scriptnormalize, &l->max_htmlnormalize, &l->max_htmlnotags,
	                          &l->pcre_max_filesize};
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (*none[i] == 0)
			*none[i] = UINT64_MAX;
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void limits_start(struct scanner *s)
{
	uint64_t ms = s->opts.limits.max_scantime_ms;
	s->left = s->opts.limits.max_scansize;
	s->deadline_ns = ms ? now_ns() + ms * 1000000u : 0;
	engine_deadline(s->engine, s->deadline_ns);
}

st_t limits_check_time(struct scanner *s)
{
	if (s->stop || s->deadline_ns == 0 || now_ns() < s->deadline_ns)
		return ST_OK;
	char text[80];
	snprintf(text, sizeof text, "MaxScanTime reached: %" PRIu32 " ms",
	         s->opts.limits.max_scantime_ms);
	s->stop = true;
	return report_incomplete(s, ST_TIMEOUT, text);
}

/* Sizes as they are configured: whole mebibytes mostly. */
static st_t report_size(struct scanner *s, const char *what, uint64_t limit)
{
	char text[80];
	bool whole = limit % SCAN_MIB == 0;
	snprintf(text, sizeof text, "%s reached: %" PRIu64 " %s", what,
	         whole ? limit / SCAN_MIB : limit,
	         whole ? "MB" : "bytes");
	return report_incomplete(s, ST_LIMIT, text);
}

static st_t too_large(struct scanner *s)
{
	return report_size(s, "MaxFileSize", s->opts.limits.max_filesize);
}

static st_t too_much(struct scanner *s)
{
	return report_size(s, "MaxScanSize", s->opts.limits.max_scansize);
}

st_t limits_admit(struct scanner *s, uint64_t size, bool *ret_admitted)
{
	*ret_admitted = size <= s->opts.limits.max_filesize && size <= s->left;
	if (*ret_admitted)
		return ST_OK;
	if (size > s->opts.limits.max_filesize)
		return too_large(s);
	s->stop |= s->left == 0;
	return too_much(s);
}

st_t limits_spend(struct scanner *s, size_t n, uint64_t len, bool *ret_ok)
{
	bool paid = n <= s->left;
	s->left -= num_min_u64(n, s->left);
	*ret_ok = paid && len <= s->opts.limits.max_filesize;
	if (*ret_ok)
		return ST_OK;
	if (paid)
		return too_large(s);
	s->stop = true;
	return too_much(s);
}

st_t limits_count_object(struct scanner *s, bool *ret_ok)
{
	*ret_ok = s->stats->objects < s->opts.limits.max_files;
	if (*ret_ok) {
		s->stats->objects++;
		return ST_OK;
	}
	char text[80];
	snprintf(text, sizeof text, "MaxFiles reached: %" PRIu32, s->opts.limits.max_files);
	s->stop = true;
	return report_incomplete(s, ST_LIMIT, text);
}
