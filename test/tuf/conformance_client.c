/* A program that TUF's conformance suite (theupdateframework/tuf-conformance) drives: src/tuf with
 * files and plain HTTP around it, in one process. For tests only: the client that people run parses
 * in a jail. Reads the time through libc, as the suite moves the clock. In the suite's folder:
 *
 *   python3 -m pytest -q tuf_conformance --entrypoint BUILD/test/tuf/tuf-conformance-client
 *
 * usage: tuf-conformance-client --metadata-dir D [--metadata-url U] [--target-base-url U]
 *            [--target-dir D] [--target-name P]... init ROOT | refresh | download */
#include "tuf/client.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 64
#define ROOT_FILE_MAX ((size_t)1 << 20)

struct options {
	const char *metadata_dir, *metadata_url, *target_url, *target_dir;
	const char *target[TARGETS_MAX];
	size_t ntargets;
};

struct body {
	struct buf *out;
	size_t max;
	bool over;
};

static size_t take_body(char *p, size_t size, size_t n, void *ctx)
{
	struct body *b = ctx;
	if (size * n > b->max - b->out->len) {
		b->over = true;
		return 0;
	}
	buf_add(b->out, p, size * n);
	return size * n;
}

static st_t get_url(const char *url, size_t max, struct buf *ret, struct err *e)
{
	struct body b = {.out = ret, .max = ret->len + max};
	long code = 0;
	CURL *c = curl_easy_init();
	if (!c)
		return fail(e, ST_NOMEM, 0, "libcurl cannot start");
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &b);
	curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
	CURLcode rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	curl_easy_cleanup(c);
	if (b.over)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", url, max);
	if (code == 404 || code == 403)
		return fail(e, ST_NOT_FOUND, 0, "%s: HTTP status %ld", url, code);
	if (rc != CURLE_OK)
		return fail(e, ST_IO, 0, "%s: %s", url, curl_easy_strerror(rc));
	return buf_check(ret, e, url);
}

/* base + "/" + name, the slash only if it is missing, with a NUL. */
static void join(const char *base, const char *name, struct buf *ret)
{
	size_t n = strlen(base);
	buf_add(ret, base, n);
	if (n == 0 || base[n - 1] != '/')
		buf_u8(ret, '/');
	buf_add(ret, name, strlen(name) + 1);
}

static st_t get_metadata(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e)
{
	const struct options *o = ctx;
	struct buf url = {0};
	join(o->metadata_url, path, &url);
	st_t st = buf_check(&url, e, "URL");
	if (st == ST_OK)
		st = get_url((const char *)url.data, max, ret, e);
	buf_done(&url);
	return st;
}

static st_t read_path(const char *path, size_t max, struct buf *ret, struct err *e)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return errno == ENOENT ? ST_NOT_FOUND : fail_errno(e, "%s", path);
	uint8_t block[4096];
	size_t total = 0;
	for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0 && total <= max; total += n)
		buf_add(ret, block, n);
	fclose(f);
	if (total > max)
		return fail(e, ST_LIMIT, 0, "%s: more than %zu bytes", path, max);
	return buf_check(ret, e, path);
}

static st_t write_path(const char *path, struct rd bytes, struct err *e)
{
	char tmp[4200];
	size_t n = rd_left(&bytes);
	snprintf(tmp, sizeof tmp, "%s.new", path);
	FILE *f = fopen(tmp, "wb");
	if (!f)
		return fail_errno(e, "%s", tmp);
	bool good = n == 0 || fwrite(rd_take(&bytes, n), 1, n, f) == n;
	good = fclose(f) == 0 && good;
	if (!good || rename(tmp, path))
		return fail_errno(e, "%s", path);
	return ST_OK;
}

static void store_path(const struct options *o, const char *name, char ret[4096])
{
	snprintf(ret, 4096, "%s/%s", o->metadata_dir, name);
}

static st_t store_get(void *ctx, const char *name, size_t max, struct buf *ret, struct err *e)
{
	char path[4096];
	store_path(ctx, name, path);
	return read_path(path, max, ret, e);
}

static st_t store_put(void *ctx, const char *name, struct rd bytes, struct err *e)
{
	char path[4096];
	store_path(ctx, name, path);
	return write_path(path, bytes, e);
}

static st_t store_remove(void *ctx, const char *name, struct err *e)
{
	char path[4096];
	store_path(ctx, name, path);
	return unlink(path) && errno != ENOENT ? fail_errno(e, "%s", path) : ST_OK;
}

static st_t check_bytes(const struct tuf_target *t, const struct buf *b, struct err *e)
{
	struct tuf_sum s;
	TRY(tuf_sum_init(&s, e));
	st_t st = tuf_sum_add(&s, b->data, b->len, e);
	if (st == ST_OK)
		st = tuf_sum_check(&s, &t->file.hashes, &t->file.length, "target", e);
	tuf_sum_done(&s);
	return st;
}

/* Does nothing if the file is there already. */
static st_t fetch_target(const struct options *o, const struct tuf_target *t, const char *path,
                         struct err *e)
{
	struct buf b = {0}, url = {0};
	join(o->target_url, (const char *)t->url.data, &url);
	st_t st = read_path(path, t->file.length, &b, NULL);
	if (st == ST_OK && check_bytes(t, &b, NULL) == ST_OK) {
		buf_done(&b);
		buf_done(&url);
		return ST_OK;
	}
	b.len = 0;
	st = get_url((const char *)url.data, t->file.length, &b, e);
	if (st == ST_OK)
		st = check_bytes(t, &b, e);
	if (st == ST_OK)
		st = write_path(path, rd_make(b.data, b.len), e);
	buf_done(&b);
	buf_done(&url);
	return st;
}

static st_t download(const struct options *o, struct tuf_client *c, const char *name, struct err *e)
{
	struct tuf_target t;
	struct buf file = {0}, path = {0};
	TRY(tuf_find_target(c, name, &t, e));
	tuf_quote(name, false, &file);
	buf_u8(&file, 0);
	join(o->target_dir, (const char *)file.data, &path);
	st_t st = fetch_target(o, &t, (const char *)path.data, e);
	buf_done(&file);
	buf_done(&path);
	tuf_target_done(&t);
	return st;
}

static st_t init(const struct options *o, const char *root, struct err *e)
{
	struct buf b = {0};
	st_t st = read_path(root, ROOT_FILE_MAX, &b, e);
	if (st == ST_OK)
		st = store_put((void *)o, "root.json", rd_make(b.data, b.len), e);
	buf_done(&b);
	return st;
}

static st_t update(struct options *o, bool targets, struct err *e)
{
	struct tuf_fetch fetch = {.get = get_metadata, .ctx = o};
	struct tuf_store store = {.get = store_get, .put = store_put, .remove = store_remove, .ctx = o};
	struct tuf_client c;
	st_t st = tuf_refresh(&fetch, &store, (int64_t)time(NULL), &c, e);
	for (size_t i = 0; st == ST_OK && targets && i < o->ntargets; i++)
		st = download(o, &c, o->target[i], e);
	tuf_client_done(&c);
	return st;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	static const struct option long_options[] = {{"metadata-dir", 1, NULL, 'm'},
	                                             {"metadata-url", 1, NULL, 'u'},
	                                             {"target-base-url", 1, NULL, 'b'},
	                                             {"target-dir", 1, NULL, 'd'},
	                                             {"target-name", 1, NULL, 'n'},
	                                             {NULL, 0, NULL, 0}};
	for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
		if (c == '?' || (c == 'n' && o->ntargets == TARGETS_MAX))
			return false;
		if (c == 'n')
			o->target[o->ntargets++] = optarg;
		else
			*(c == 'm'   ? &o->metadata_dir
			  : c == 'u' ? &o->metadata_url
			  : c == 'b' ? &o->target_url
			             : &o->target_dir) = optarg;
	}
	return o->metadata_dir != NULL;
}

static st_t run(struct options *o, int n, char **word, struct err *e)
{
	if (n == 2 && strcmp(word[0], "init") == 0)
		return init(o, word[1], e);
	if (n == 1 && strcmp(word[0], "refresh") == 0 && o->metadata_url)
		return update(o, false, e);
	if (n == 1 && strcmp(word[0], "download") == 0 && o->metadata_url && o->target_url &&
	    o->target_dir)
		return update(o, true, e);
	return fail(e, ST_UNSUPPORTED, 0, "usage: see the head of conformance_client.c");
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct err e = {0};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	st_t st = read_options(argc, argv, &o) ? run(&o, argc - optind, argv + optind, &e)
	                                       : fail(&e, ST_UNSUPPORTED, 0, "unknown arguments");
	if (st != ST_OK)
		fprintf(stderr, "tuf-conformance-client: %s (%s)\n", e.text, st_name(st));
	curl_global_cleanup();
	return st == ST_OK ? 0 : 1;
}
