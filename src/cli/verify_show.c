#include "cli/verify_show.h"

#include "cli/text.h"
#include "cli/update_evidence.h"
#include "cli/update_show.h"
#include "crypto/digest.h"
#include "tlog/text.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A path with every character escaped. */
#define VERIFY_WORD_MAX 20000

/* ---- lines ---- */

/* The only way that texts of others get out. */
static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *fmt, ...)
{
	static char text[VERIFY_WORD_MAX + 4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	text_put(stdout, text, TEXT_CLAMSCAN);
	putchar('\n');
}

/* A path as one word of a shell. */
static void quote(const char *path, char ret[VERIFY_WORD_MAX])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "/._-+,:@%";
	size_t n = strlen(path), at = 0;
	if (n > 0 && strspn(path, plain) == n) {
		snprintf(ret, VERIFY_WORD_MAX, "%s", path);
		return;
	}
	ret[at++] = '\'';
	for (; *path && at < VERIFY_WORD_MAX - 6; path++) {
		if (*path == '\'') {
			memcpy(ret + at, "'\\''", 4);
			at += 4;
		} else {
			ret[at++] = *path;
		}
	}
	ret[at++] = '\'';
	ret[at] = '\0';
}

static void put_head(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put_head(const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	putchar('\n');
	put("%s", text);
}

static void put_hash(const char *what, const uint8_t sum[32])
{
	char hex[65];
	hex_encode(sum, 32, hex);
	put("  %-9s %s", what, hex);
}

static void put_time(const char *what, int64_t t)
{
	char when[SHOW_TIME_MAX];
	show_time(t, when);
	put("  %-9s %s", what, when);
}

/* The path in the evidence that ends so; NULL. */
static const char *look_for(const struct verify_view *v, const char *end)
{
	size_t n = strlen(end);
	for (size_t i = 0; i < v->files->n; i++) {
		const char *p = v->files->path[i];
		size_t len = strlen(p);
		if (len >= n && !strcmp(p + len - n, end))
			return p;
	}
	return NULL;
}

static const char *find(const struct verify_view *v, const char *end)
{
	const char *path = look_for(v, end);
	return path ? path : end;
}

static void put_pem(const char *file, const struct attest_key *k)
{
	struct buf b = {0};
	text_base64_add(&b, k->spki, k->nspki);
	buf_u8(&b, '\0');
	if (!b.oom)
		put("  check     echo %s | base64 -d | openssl pkey -pubin -inform DER -out %s",
		    (const char *)b.data, file);
	buf_done(&b);
}

/* DSSE v1: what is signed is "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body. */
static void put_dsse_check(const char *file, const char *key_file, const struct attest_key *k)
{
	put_pem(key_file, k);
	put("            jq -r .payload %s | base64 -d > body", file);
	put("            (printf 'DSSEv1 28 application/vnd.in-toto+json %%s ' $(wc -c < body); "
	    "cat body) > signed");
	put("            jq -r '.signatures[0].sig' %s | base64 -d > sig", file);
	if (k->alg == ATTEST_ED25519)
		put("            openssl pkeyutl -verify -pubin -inkey %s -rawin -in signed -sigfile sig",
		    key_file);
	else
		put("            openssl dgst -sha256 -verify %s -signature sig signed", key_file);
	put("            jq . body");
}

/* ---- items ---- */

static void put_release(const struct verify_view *v)
{
	put("Release     %s%s", v->release->id, v->active ? ", active" : "");
	if (v->release->seen) /* else the record was lost */
		put_time("accepted", v->release->seen);
	if (v->release->activated)
		put_time("activated", v->release->activated);
	put("  evidence  %s/evidence.tar", v->folder);
	put("  check     mkdir evidence && cd evidence && tar -xf %s/evidence.tar", v->folder);
	put("            (all commands below are meant in that folder)");
}

static void put_files(const struct verify_view *v)
{
	put_head("Database    %s/main.vdb, %" PRIu64 " bytes", v->folder, v->chain->vdb.size);
	put_hash("SHA-256", v->chain->vdb.sha256);
	put("  check     sha256sum %s/main.vdb", v->folder);
	put_head("Rule text   %s, %" PRIu64 " bytes",
	    v->source_kept ? "source.tar, kept" : "not kept here", v->chain->source.size);
	put_hash("SHA-256", v->chain->source.sha256);
	if (v->source_kept) {
		put("  check     sha256sum %s/source.tar", v->folder);
		put("            tar -tvf %s/source.tar", v->folder);
	}
	put("  check     vitrine verify --rebuild %s%s", v->release->id,
	    v->rebuilt ? " (was done: it makes the same database)" : "");
}

static void put_statement(const struct verify_view *v)
{
	const struct attest_parties *all = &v->policy->publishers;
	const char *file = find(v, ".release.dsse");
	put_head("Statement   in-toto, SLSA provenance, version %" PRIu64, v->chain->version);
	for (size_t i = 0; i < all->n; i++) {
		if (!v->chain->published_by[i])
			continue;
		put("  signed by %s", all->v[i].name);
		put_dsse_check(file, "publisher.pem", &all->v[i].key);
	}
}

static void put_log(const struct verify_view *v)
{
	const struct chain_release *c = v->chain;
	put_head("Log         %s", c->origin);
	put("  entry     number %" PRIu64, c->log_index);
	put_hash("leaf", c->entry);
	put("  check     (printf '\\000'; cat %s) | sha256sum", find(v, ".release.dsse"));
	put("            grep -E '^(log|witness|group|quorum) ' %s > log.policy", v->policy_path);
	put("            vitrine log verify --policy log.policy %s %s", find(v, ".release.tlog-proof"),
	    find(v, ".release.dsse"));
	put_head("Checkpoint  %" PRIu64 " entries", c->tree_size);
	put_hash("root", c->tree_root);
	for (size_t i = 0; i < v->policy->logs->nwitnesses; i++) {
		char when[SHOW_TIME_MAX];
		if (!c->cosigned.cosigned[i])
			continue;
		show_time((int64_t)c->cosigned.time[i], when);
		put("  witness   %s, %s", v->policy->logs->witnesses[i].name, when);
	}
	put("  check     awk 'seen; /^$/ { seen = 1 }' %s", find(v, ".release.tlog-proof"));
}

static const char *find_rebuild(const struct verify_view *v, size_t k, const char *ending)
{
	char end[64];
	snprintf(end, sizeof end, ".rebuild-%zu%s", k, ending);
	return look_for(v, end);
}

static void put_rebuilder(const struct attest_party *p, size_t i)
{
	char file[64];
	put("  built by  %s", p->name);
	snprintf(file, sizeof file, "rebuilder-%zu.pem", i + 1);
	put_pem(file, &p->key);
}

static void put_rebuilders(const struct verify_view *v)
{
	const struct attest_parties *all = &v->policy->rebuilders;
	put_head("Rebuilders  signatures are checked as the publisher's above, by these keys");
	for (size_t i = 0; i < all->n; i++)
		if (v->chain->rebuilt_by[i])
			put_rebuilder(&all->v[i], i);
	for (size_t k = 1; k <= CHAIN_REBUILDS_MAX; k++) {
		const char *verdict = find_rebuild(v, k, ".dsse");
		const char *proof = find_rebuild(v, k, ".tlog-proof");
		if (!verdict || !proof)
			break;
		put("  check     jq -r .payload %s | base64 -d | jq .", verdict);
		put("            vitrine log verify --policy log.policy %s %s", proof, verdict);
	}
}

static void put_metadata(const struct verify_view *v)
{
	const struct chain_release *c = v->chain;
	put_head("Metadata    root %" PRIu64 ", timestamp %" PRIu64 ", snapshot %" PRIu64
	    ", targets %" PRIu64, c->root, c->timestamp, c->snapshot, c->targets);
	put_time("expires", c->timestamp_expires);
	put("  check     jq '.signed | ._type, .version, .expires' metadata/*.json");
	put("            python3 -c 'from tuf.api.metadata import Metadata as M; m = \"metadata/\"; "
	    "M.from_file(m + \"%" PRIu64 ".root.json\").verify_delegate(\"timestamp\", "
	    "M.from_file(m + \"timestamp.json\"))'  # python-tuf", c->root);
}

void verify_show_text(const struct verify_view *given)
{
	static char folder[VERIFY_WORD_MAX], policy[VERIFY_WORD_MAX];
	struct verify_view quoted = *given, *v = &quoted;
	quote(given->folder, folder);
	quote(given->policy_path, policy);
	quoted.folder = folder;
	quoted.policy_path = policy;
	putchar('\n');
	put_release(v);
	put_files(v);
	put_statement(v);
	put_log(v);
	put_rebuilders(v);
	put_metadata(v);
	put_head("Verified: every link that the policy demands held when this release was accepted.");
}

st_t verify_show_json(const struct verify_view *v, struct err *e)
{
	struct buf b = {0};
	st_t st = evidence_summary(v->chain, v->policy, v->release->seen, &b, e);
	if (st == ST_OK) {
		printf("{\"result\":\"verified\"");
		show_json_text(stdout, "release", v->release->id);
		show_json_text(stdout, "folder", v->folder);
		printf(",\"active\":%s,\"rebuilt\":%s", v->active ? "true" : "false",
		       v->rebuilt ? "true" : "false");
		printf(",\"evidence\":%.*s}\n", (int)b.len - 1, (const char *)b.data);
	}
	buf_done(&b);
	return st;
}
