#include "cli/update_evidence.h"

#include "base/io.h"
#include "cli/report_json.h"
#include "cli/update_show.h"
#include "crypto/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Named by link and content, so that what is refused again and again is kept once. */
st_t evidence_refuse(const struct update_evidence *v, struct update_place *place,
                     enum chain_link link, const char *reason, int64_t now,
                     char ret_name[EVIDENCE_NAME_MAX], struct err *e)
{
	char hex[17], when[SHOW_TIME_MAX], text[1024];
	uint8_t sum[32];
	struct buf b = {0};
	show_time(now, when);
	snprintf(text, sizeof text, "%s\n%s: %s\n", when, chain_link_name(link), reason);
	st_t st = evidence_write(v, &b, e);
	if (st == ST_OK)
		st = digest_bytes(DIGEST_SHA256, b.data, b.len, sum, e);
	if (st == ST_OK) {
		hex_encode(sum, 8, hex);
		snprintf(ret_name, EVIDENCE_NAME_MAX, "%s-%s", chain_link_name(link), hex);
		st = update_refused_keep(place, now, ret_name, rd_make(b.data, b.len),
		                         rd_make(text, strlen(text)), e);
	}
	buf_done(&b);
	return st;
}
