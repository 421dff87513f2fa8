#include "cli/update_evidence.h"

#include "base/io.h"
#include "base/num.h"
#include "cli/report_json.h"
#include "cli/update_show.h"
#include "crypto/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* For everybody to check. */
#define FILE_MODE 0644

st_t evidence_init(struct update_evidence *v, struct err *e)
{
	*v = (struct update_evidence){0};
	return update_bundle_new(&v->bundle, e);
}

void evidence_done(struct update_evidence *v)
{
	update_bundle_free(v->bundle);
	v->bundle = NULL;
}

st_t evidence_keep(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	struct update_evidence *v = ctx;
	v->sum += bytes.len;
	if (v->sum > EVIDENCE_SUM_MAX)
		return fail(e, ST_LIMIT, 0, "more than %" PRIu64 " bytes of evidence", EVIDENCE_SUM_MAX);
	return update_bundle_add(v->bundle, path, bytes, e);
}

/* ---- the bundle ---- */

st_t evidence_write(const struct update_evidence *v, struct buf *ret, struct err *e)
{
	struct stat sb;
	AUTO_FD fd = memfd_create("evidence", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "evidence");
	TRY(update_bundle_write(v->bundle, fd, e));
	if (fstat(fd, &sb) != 0)
		return fail_errno(e, "evidence");
	return io_read_up_to(fd, (size_t)sb.st_size, "evidence", ret, e);
}

/* ---- summary ---- */

static void put_hex(FILE *f, const char *key, const uint8_t sum[32])
{
	char hex[65];
	hex_encode(sum, 32, hex);
	fprintf(f, ",\"%s\":\"%s\"", key, hex);
}

static void put_parties(FILE *f, const char *key, const struct attest_parties *parties,
                        const bool *by)
{
	const char *comma = "";
	fprintf(f, ",\"%s\":[", key);
	for (size_t i = 0; i < parties->n; i++) {
		if (!by[i])
			continue;
		fputs(comma, f);
		(void)!json_put_string(f, parties->v[i].name);
		comma = ",";
	}
	fputc(']', f);
}

static void put_witnesses(FILE *f, const struct policy *p, const struct policy_verdict *v)
{
	const char *comma = "";
	fputs(",\"witnesses\":[", f);
	for (size_t i = 0; i < p->nwitnesses; i++) {
		if (!v->cosigned[i])
			continue;
		fprintf(f, "%s{\"name\":", comma);
		(void)!json_put_string(f, p->witnesses[i].name);
		fprintf(f, ",\"time\":%" PRIu64 "}", v->time[i]);
		comma = ",";
	}
	fputc(']', f);
}

static void put_summary(FILE *f, const struct chain_release *r, const struct update_policy *p,
                        int64_t now)
{
	fprintf(f, "{\"set\":\"%s\",\"version\":%" PRIu64 ",\"accepted\":%" PRId64, p->set, r->version,
	        now);
	fprintf(f, ",\"size\":%" PRIu64, r->vdb.size);
	put_hex(f, "sha256", r->vdb.sha256);
	put_hex(f, "source_sha256", r->source.sha256);
	fprintf(f, ",\"database\":%u", r->database);
	put_parties(f, "published_by", &p->publishers, r->published_by);
	show_json_text(f, "origin", r->origin);
	fprintf(f, ",\"log_index\":%" PRIu64, r->log_index);
	put_hex(f, "entry", r->entry);
	fprintf(f, ",\"tree_size\":%" PRIu64, r->tree_size);
	put_hex(f, "tree_root", r->tree_root);
	put_witnesses(f, p->logs, &r->cosigned);
	put_parties(f, "rebuilt_by", &p->rebuilders, r->rebuilt_by);
	fprintf(f, ",\"root\":%" PRIu64 ",\"timestamp\":%" PRIu64 ",\"snapshot\":%" PRIu64, r->root,
	        r->timestamp, r->snapshot);
	fprintf(f, ",\"targets\":%" PRIu64 ",\"timestamp_expires\":%" PRId64 "}\n", r->targets,
	        r->timestamp_expires);
}

st_t evidence_summary(const struct chain_release *r, const struct update_policy *p, int64_t now,
                      struct buf *ret, struct err *e)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		return fail_errno(e, "summary");
	put_summary(f, r, p, now);
	bool bad = ferror(f) != 0;
	bad = fclose(f) != 0 || bad;
	if (!bad)
		buf_add(ret, text, n);
	free(text);
	return bad ? fail(e, ST_NOMEM, 0, "summary: out of memory") : buf_check(ret, e, "summary");
}

/* ---- refusals ---- */

/* Whole or not at all; a power cut may lose it. */
static st_t put_file(int dir, const char *name, struct rd bytes, struct err *e)
{
	static const char tmp[] = ".new";
	AUTO_FD fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (fd < 0)
		return fail_errno(e, "refused/%s", name);
	TRY(io_write_all(fd, bytes.base, bytes.len, e));
	if (renameat(dir, tmp, dir, name) != 0)
		return fail_errno(e, "refused/%s", name);
	return ST_OK;
}

struct kept {
	char name[EVIDENCE_NAME_MAX + 8];
	struct timespec time;
};

static int newest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;
	if (x->time.tv_sec != y->time.tv_sec)
		return x->time.tv_sec < y->time.tv_sec ? 1 : -1;
	if (x->time.tv_nsec != y->time.tv_nsec)
		return x->time.tv_nsec < y->time.tv_nsec ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* A refusal is two files. More than twice the limit is only there after a crash in between. */
static void forget_oldest(int dir)
{
	static struct kept v[4 * EVIDENCE_REFUSED_MAX];
	size_t n = 0;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct stat sb;
	for (struct dirent *de; d && n < ARRAY_LEN(v) && (de = readdir(d));) {
		if (de->d_name[0] == '.' || strlen(de->d_name) >= sizeof v[0].name ||
		    fstatat(dir, de->d_name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		snprintf(v[n].name, sizeof v[n].name, "%s", de->d_name);
		v[n++].time = sb.st_mtim;
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	qsort(v, n, sizeof v[0], newest_first);
	for (size_t i = 2 * EVIDENCE_REFUSED_MAX; i < n; i++)
		(void)!unlinkat(dir, v[i].name, 0);
}

static st_t put_reason(int dir, const char *name, enum chain_link link, const char *reason,
                       int64_t now, struct err *e)
{
	char file[EVIDENCE_NAME_MAX + 8], when[SHOW_TIME_MAX], text[1024];
	show_time(now, when);
	snprintf(text, sizeof text, "%s\n%s: %s\n", when, chain_link_name(link), reason);
	snprintf(file, sizeof file, "%s.txt", name);
	return put_file(dir, file, rd_make(text, strlen(text)), e);
}

st_t evidence_refuse(const struct update_evidence *v, int refused_fd, enum chain_link link,
                     const char *reason, int64_t now, char ret_name[EVIDENCE_NAME_MAX],
                     struct err *e)
{
	char hex[17], file[EVIDENCE_NAME_MAX + 8];
	uint8_t sum[32];
	struct buf b = {0};
	st_t st = evidence_write(v, &b, e);
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, sum, e);
	if (st == ST_OK) {
		hex_encode(sum, 8, hex);
		snprintf(ret_name, EVIDENCE_NAME_MAX, "%s-%s", chain_link_name(link), hex);
		snprintf(file, sizeof file, "%s.tar", ret_name);
		st = put_file(refused_fd, file, rd_make(b.data, b.len), e);
	}
	buf_done(&b);
	TRY(st);
	TRY(put_reason(refused_fd, ret_name, link, reason, now, e));
	forget_oldest(refused_fd);
	return ST_OK;
}
