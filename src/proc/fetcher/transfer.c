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
#define STATUS_OK 200
#define STATUS_PART 206

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

void transfer_fail(struct transfer *t, enum fetch_failure failure, const char *why)
{
	static struct frame f;
	f = (struct frame){.type = FRAME_FAILED, .id = t->id, .failure = failure};
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
	if (t->post)
		return t->status >= STATUS_NO_FILE;
	return t->status != STATUS_OK && t->status != STATUS_PART;
}

/* RFC 9110, 15.3.7: "A client MUST inspect a 206 response's [...] Content-Range". A server without
 * ranges answers 200 with all of the file: what is before `from` is left out. */
static bool place_answer(struct transfer *t)
{
	bool part = !t->post && t->status == STATUS_PART;
	if (part && t->from == 0)
		t->refused = "a part of a file, where all of it was asked for";
	else if (part && t->range != RANGE_GOOD)
		t->refused = "another part of the file than was asked for (Content-Range)";
	else if (part && t->encoded)
		t->refused = "a part of a file in a content encoding";
	else if (!part && t->from > 0 && t->status == STATUS_OK)
		t->skip = t->from;
	return t->refused == NULL;
}

/* Bytes before `from`. */
static size_t leave_out(struct transfer *t, size_t n)
{
	uint64_t out = num_min_u64(t->skip, n);
	t->skip -= out;
	return (size_t)out;
}

/* The body of an answer that is an error is kept until its end is known, for it may be left out. */
static size_t take_bytes(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	bool no_file = is_no_file(t);
	uint64_t max = no_file ? num_min_u64(t->max, FRAME_BYTES_MAX) : t->max;
	if (!t->placed && !place_answer(t))
		return CURL_WRITEFUNC_ERROR;
	t->placed = true;
	n *= size;
	size_t out = leave_out(t, n);
	if (n - out > max - t->size) {
		t->cut = no_file;
		t->failure = FETCH_TOO_LONG;
		t->refused = no_file ? NULL : "the answer is longer than allowed";
		return CURL_WRITEFUNC_ERROR;
	}
	t->size += n - out;
	buf_add(&t->part, p + out, n - out);
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

static bool is_identity(const char *line)
{
	const char *v = strchr(line, ':') + 1;
	return !strncasecmp(v + strspn(v, " \t"), "identity", 8);
}

/* RFC 9110, 14.4: "Content-Range: bytes FIRST-LAST/LENGTH", LENGTH may be "*". */
static bool range_begins_at(const char *line, uint64_t from)
{
	char *end;
	const char *v = strchr(line, ':') + 1;
	v += strspn(v, " \t");
	if (strncasecmp(v, "bytes ", 6) || v[6] < '0' || v[6] > '9')
		return false;
	errno = 0;
	unsigned long long first = strtoull(v + 6, &end, 10);
	return errno == 0 && *end == '-' && first == from;
}

/* The head of an answer begins (of the last one, where there are several: 100, proxies). */
static void begin_head(struct transfer *t)
{
	t->range = RANGE_NONE;
	t->encoded = false;
}

/* Two of them that differ are none. */
static void note_range(struct transfer *t, const char *line)
{
	bool good = range_begins_at(line, t->from) && t->range != RANGE_BAD;
	t->range = good ? RANGE_GOOD : RANGE_BAD;
}

/* curl has a NUL behind the line. */
static size_t take_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	n *= size;
	t->header_bytes += n;
	if (!strncmp(p, "HTTP/", 5))
		begin_head(t);
	if (has_name(p, n, "Content-Range"))
		note_range(t, p);
	if (has_name(p, n, "Content-Encoding"))
		t->encoded = t->encoded || !is_identity(p);
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
	/* What was compared with the scope is what is sent: curl takes no dots away. */
	set_long(t, CURLOPT_PATH_AS_IS, 1, bad);
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

/* curl looks at the rate after at most 100 buffers: they are to hold about a second's bytes. */
static void set_bandwidth(struct transfer *t, CURLcode *bad)
{
	uint64_t buffer = num_max_u64(num_min_u64(t->bandwidth / 100, CURL_MAX_WRITE_SIZE), 1024);
	set_long(t, CURLOPT_BUFFERSIZE, (long)buffer, bad);
	if (*bad == CURLE_OK)
		*bad = curl_easy_setopt(t->easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)t->bandwidth);
}

static void set_limits(struct transfer *t, CURLcode *bad)
{
	uint32_t connect = t->f->connect_ms < t->timeout_ms ? t->f->connect_ms : t->timeout_ms;
	set_long(t, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms, bad);
	set_long(t, CURLOPT_CONNECTTIMEOUT_MS, (long)connect, bad);
	set_long(t, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES, bad);
	set_long(t, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S, bad);
	if (t->bandwidth)
		set_bandwidth(t, bad);
}

static void add_header(struct transfer *t, const char *line, CURLcode *bad)
{
	struct curl_slist *l = curl_slist_append(t->headers, line);
	if (!l)
		*bad = CURLE_OUT_OF_MEMORY;
	else
		t->headers = l;
}

/* Not CURLOPT_RANGE, which would make curl judge the answer as well. */
static void add_range(struct transfer *t, CURLcode *bad)
{
	char line[64];
	snprintf(line, sizeof line, "Range: bytes=%llu-", (unsigned long long)t->from);
	add_header(t, line, bad);
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
	if (t->from)
		add_range(t, bad);
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
		transfer_fail(t, FETCH_FAILED, "out of memory");
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
	transfer_fail(t, FETCH_FAILED, bad ? curl_easy_strerror(bad) : "the transfer does not begin");
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

static enum fetch_failure failure_of(const struct transfer *t, CURLcode result)
{
	return result == CURLE_OPERATION_TIMEDOUT ? FETCH_TOO_SLOW : t->failure;
}

/* What is wrong with an answer that came whole; NULL: nothing. */
static const char *complaint(struct transfer *t)
{
	bool no_file = is_no_file(t);
	if (t->status < 100 || t->status > 999)
		return "no HTTP status";
	if (!no_file && !t->placed)
		(void)place_answer(t);
	if (!no_file && t->skip > 0)
		return "the file ends before the byte that was asked for";
	return t->refused;
}

void transfer_finish(struct transfer *t, CURLcode result)
{
	CURL *easy = t->easy;
	curl_multi_remove_handle(t->f->multi, easy);
	const char *bad = complaint(t);
	if (result != CURLE_OK && !t->cut)
		bad = reason(t, result);
	if (bad) {
		transfer_fail(t, failure_of(t, result), bad);
	} else {
		say_done(t);
		free_transfer(t);
	}
	curl_easy_cleanup(easy);
}

void transfer_cancel(struct transfer *t)
{
	CURL *easy = t->easy;
	curl_multi_remove_handle(t->f->multi, easy);
	transfer_fail(t, FETCH_FAILED, "not wanted any more");
	curl_easy_cleanup(easy);
}
