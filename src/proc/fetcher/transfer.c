/* One request in libcurl. What it says to the server is the same for every client that asks the
 * same: no name of a program, no cookie, no session of an earlier connection, no encodings. */
#include "proc/fetcher/inside.h"

#include "base/num.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Headers of an answer; ordinary ones have less than 2 KiB. */
#define HEADERS_MAX 65536

/* Slower than this for that long is as good as dead. */
#define LOW_SPEED_BYTES 64L
#define LOW_SPEED_S 30L

/* From here on a status is not the file that was asked for. */
#define STATUS_NO_FILE 300

static void free_transfer(struct transfer *t)
{
	curl_slist_free_all(t->headers);
	buf_done(&t->body);
	buf_done(&t->part);
	free(t);
}

/* What others wrote becomes printable ASCII, as the frame demands. */
static void copy_printable(char *ret, size_t cap, const char *s)
{
	size_t n = strnlen(s, cap - 1);
	for (size_t i = 0; i < n; i++)
		ret[i] = s[i] < ' ' || s[i] > '~' ? '?' : s[i];
	ret[n] = '\0';
}

void transfer_fail(struct transfer *t, const char *why)
{
	static struct frame f;
	f = (struct frame){.type = FRAME_FAILED, .id = t->id};
	copy_printable(f.error, sizeof f.error, why);
	fetcher_say(t->f, &f);
	free_transfer(t);
}

/* ---- receiving ---- */

static void say_parts(struct transfer *t)
{
	static struct frame f;
	size_t at = 0;
	for (; t->part.len - at > FRAME_BYTES_MAX; at += FRAME_BYTES_MAX) {
		f.type = FRAME_PART;
		f.id = t->id;
		f.bytes = rd_make(t->part.data + at, FRAME_BYTES_MAX);
		fetcher_say(t->f, &f);
	}
	if (at > 0)
		memmove(t->part.data, t->part.data + at, t->part.len - at);
	t->part.len -= at;
}

static bool is_no_file(struct transfer *t)
{
	if (t->status == 0)
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	return t->status >= STATUS_NO_FILE;
}

/* The body of an answer that is an error is kept until its end is known, for it may be left out. */
static size_t take_bytes(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	bool no_file = is_no_file(t);
	uint64_t max = no_file ? num_min_u64(t->max, FRAME_BYTES_MAX) : t->max;
	n *= size;
	if (n > max - t->size) {
		t->cut = no_file;
		t->refused = no_file ? NULL : "the answer is longer than allowed";
		return CURL_WRITEFUNC_ERROR;
	}
	t->size += n;
	buf_add(&t->part, p, n);
	if (t->part.oom)
		return CURL_WRITEFUNC_ERROR;
	say_parts(t);
	return n;
}

static bool has_name(const char *line, size_t n, const char *name)
{
	size_t len = strlen(name);
	return n > len && line[len] == ':' && !strncasecmp(line, name, len);
}

/* "Content-Encoding: gzip" or identity, as the value of a header line. */
static bool is_known_encoding(const char *line, size_t n)
{
	static const char *const known[] = {"gzip", "x-gzip", "identity"};
	size_t at = strcspn(line, ":") + 1;
	while (at < n && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (n > at && strchr(" \t\r\n", line[n - 1]))
		n--;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (n - at == strlen(known[i]) && !strncasecmp(line + at, known[i], n - at))
			return true;
	return false;
}

/* curl has a NUL behind the line. */
static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	n *= size;
	t->header_bytes += n;
	if (t->header_bytes > HEADERS_MAX)
		t->refused = "the headers are too long";
	else if (has_name(p, n, "Content-Encoding") && !is_known_encoding(p, n))
		t->refused = "a content encoding that was not asked for";
	return t->refused ? 0 : n;
}

/* ---- settings ---- */

/* The first setting that fails is kept: a transfer without all of them must not begin. */
static void set_long(struct transfer *t, CURLoption o, long v, CURLcode *bad)
{
	if (*bad == CURLE_OK)
		*bad = curl_easy_setopt(t->easy, o, v);
}

static void set_ptr(struct transfer *t, CURLoption o, const void *v, CURLcode *bad)
{
	if (*bad == CURLE_OK)
		*bad = curl_easy_setopt(t->easy, o, v);
}

static bool is_https(const char *url)
{
	return !strncmp(url, "https:", 6);
}

static void set_target(struct transfer *t, CURLcode *bad)
{
	set_ptr(t, CURLOPT_URL, t->url, bad);
	set_ptr(t, CURLOPT_PROTOCOLS_STR, "http,https", bad);
	set_long(t, CURLOPT_DISALLOW_USERNAME_IN_URL, 1, bad);
	set_long(t, CURLOPT_FOLLOWLOCATION, 0, bad);
	set_ptr(t, CURLOPT_PROXY, t->f->proxy, bad); /* "" is none; the environment is empty too */
	set_long(t, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS, bad);
	set_long(t, CURLOPT_PIPEWAIT, is_https(t->url), bad);
	set_long(t, CURLOPT_NOSIGNAL, 1, bad);
	/* gzip is undone if it comes; set_headers() keeps curl from asking for it. */
	set_ptr(t, CURLOPT_ACCEPT_ENCODING, "gzip", bad);
}

/* CURLOPT_CAPATH and CURLOPT_CAINFO have defaults: the system's certificates. curl copies the blob
 * for each connection. */
static void set_trusted(struct transfer *t, CURLcode *bad)
{
	set_ptr(t, CURLOPT_CAPATH, NULL, bad);
	set_ptr(t, CURLOPT_CAINFO, NULL, bad);
	set_ptr(t, CURLOPT_PROXY_CAPATH, NULL, bad);
	set_ptr(t, CURLOPT_PROXY_CAINFO, NULL, bad);
	if (is_https(t->url))
		set_ptr(t, CURLOPT_CAINFO_BLOB, &t->f->trusted, bad);
	if (is_https(t->f->proxy))
		set_ptr(t, CURLOPT_PROXY_CAINFO_BLOB, &t->f->trusted, bad);
}

static void set_tls(struct transfer *t, CURLcode *bad)
{
	set_long(t, CURLOPT_SSL_VERIFYPEER, 1, bad);
	set_long(t, CURLOPT_SSL_VERIFYHOST, 2, bad);
	set_long(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, bad);
	/* A ticket of the last connection would tell the server that this is the same client. */
	set_long(t, CURLOPT_SSL_SESSIONID_CACHE, 0, bad);
	set_trusted(t, bad);
}

static void set_limits(struct transfer *t, CURLcode *bad)
{
	uint32_t connect = t->f->connect_ms < t->timeout_ms ? t->f->connect_ms : t->timeout_ms;
	set_long(t, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms, bad);
	set_long(t, CURLOPT_CONNECTTIMEOUT_MS, (long)connect, bad);
	set_long(t, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES, bad);
	set_long(t, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S, bad);
}

static void add_header(struct transfer *t, const char *line, CURLcode *bad)
{
	struct curl_slist *l = curl_slist_append(t->headers, line);
	if (!l)
		*bad = CURLE_OUT_OF_MEMORY;
	else
		t->headers = l;
}

/* A name without a value takes away what curl would say. */
static void set_headers(struct transfer *t, CURLcode *bad)
{
	char type[sizeof "Content-Type: " + FETCH_TYPE_MAX];
	snprintf(type, sizeof type, "Content-Type:%s%s", t->content_type[0] ? " " : "",
	         t->content_type);
	add_header(t, "Accept:", bad);
	add_header(t, "Accept-Encoding:", bad);
	add_header(t, "Expect:", bad);
	if (t->post)
		add_header(t, type, bad);
	set_ptr(t, CURLOPT_HTTPHEADER, t->headers, bad);
}

static void set_callbacks(struct transfer *t, CURLcode *bad)
{
	set_ptr(t, CURLOPT_PRIVATE, t, bad);
	set_ptr(t, CURLOPT_ERRORBUFFER, t->curl_error, bad);
	set_ptr(t, CURLOPT_WRITEDATA, t, bad);
	set_ptr(t, CURLOPT_HEADERDATA, t, bad);
	if (*bad == CURLE_OK)
		*bad = curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_bytes);
	if (*bad == CURLE_OK)
		*bad = curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_header);
}

static void set_body(struct transfer *t, CURLcode *bad)
{
	if (t->head)
		set_long(t, CURLOPT_NOBODY, 1, bad);
	if (!t->post)
		return;
	set_long(t, CURLOPT_POST, 1, bad);
	set_ptr(t, CURLOPT_POSTFIELDS, t->body.len ? (const void *)t->body.data : "", bad);
	set_long(t, CURLOPT_POSTFIELDSIZE, (long)t->body.len, bad);
}

/* ---- beginning and end ---- */

bool transfer_start(struct transfer *t)
{
	CURLcode bad = CURLE_OK;
	t->easy = curl_easy_init();
	if (!t->easy) {
		transfer_fail(t, "out of memory");
		return false;
	}
	set_target(t, &bad);
	set_tls(t, &bad);
	set_limits(t, &bad);
	set_headers(t, &bad);
	set_callbacks(t, &bad);
	set_body(t, &bad);
	if (bad == CURLE_OK && curl_multi_add_handle(t->f->multi, t->easy) == CURLM_OK)
		return true;
	curl_easy_cleanup(t->easy);
	transfer_fail(t, bad ? curl_easy_strerror(bad) : "the transfer does not begin");
	return false;
}

static void say_done(struct transfer *t)
{
	static struct frame f;
	const char *type = NULL;
	f = (struct frame){.type = FRAME_DONE, .id = t->id, .status = (uint32_t)t->status};
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
	copy_printable(f.content_type, sizeof f.content_type, type ? type : "");
	if (!t->cut) {
		f.size = t->size;
		f.bytes = rd_make(t->part.data, t->part.len);
	}
	fetcher_say(t->f, &f);
}

static const char *reason(const struct transfer *t, CURLcode result)
{
	if (t->part.oom)
		return "out of memory";
	if (t->refused)
		return t->refused;
	return t->curl_error[0] ? t->curl_error : curl_easy_strerror(result);
}

void transfer_finish(struct transfer *t, CURLcode result)
{
	CURL *easy = t->easy;
	curl_multi_remove_handle(t->f->multi, easy);
	(void)is_no_file(t);
	if ((result == CURLE_OK || t->cut) && t->status >= 100 && t->status <= 999) {
		say_done(t);
		free_transfer(t);
	} else {
		transfer_fail(t, result == CURLE_OK ? "no HTTP status" : reason(t, result));
	}
	curl_easy_cleanup(easy);
}
