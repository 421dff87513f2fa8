#include "cli/text.h"

#include <string.h>
#include <unistd.h>

/* Continuation bytes of a character whose first byte is c; -1 if none begins so. */
static int tail_bytes(uint8_t c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

size_t utf8_next(const char *s, size_t n, uint32_t *ret_code)
{
	static const uint8_t first_bits[4] = {0x7f, 0x1f, 0x0f, 0x07};
	static const uint32_t smallest[4] = {0, 0x80, 0x800, 0x10000};
	int tail = n ? tail_bytes((uint8_t)s[0]) : -1;
	if (tail < 0 || (size_t)tail >= n)
		return 0;
	uint32_t code = (uint8_t)s[0] & first_bits[tail];
	for (int i = 1; i <= tail; i++) {
		uint8_t c = (uint8_t)s[i];
		if ((c & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code <= 0xdfff;
	if (code < smallest[tail] || code > 0x10ffff || surrogate)
		return 0;
	*ret_code = code;
	return (size_t)tail + 1;
}

/* Characters that a terminal obeys, or that make a line read differently from what it says. */
static bool acts_on_terminal(uint32_t code)
{
	bool control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
	bool line_end = code == 0x2028 || code == 0x2029;
	bool direction = code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
	                 (code >= 0x2066 && code <= 0x2069);
	return control || line_end || direction;
}

static void add_escape(struct buf *b, uint8_t c, enum text_mode mode)
{
	static const char named[] = "\n\t\r\\", letters[] = "ntr\\";
	const char *p = c ? strchr(named, c) : NULL;
	if (c == '\\' && mode == TEXT_CLAMSCAN) {
		buf_u8(b, c);
		return;
	}
	char out[8];
	int n = p ? snprintf(out, sizeof out, "\\%c", letters[p - named])
	          : snprintf(out, sizeof out, "\\x%02x", c);
	buf_add(b, out, (size_t)n);
}

/* Length of the run at s that is printed as it is. */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '\\')
		i++;
	return i;
}

void text_add(struct buf *b, const char *s, enum text_mode mode)
{
	size_t n = strlen(s);
	while (n) {
		size_t run = plain_run(s, n);
		buf_add(b, s, run);
		s += run;
		n -= run;
		if (!n)
			return;
		uint32_t code = 0;
		size_t k = utf8_next(s, n, &code);
		bool raw = k == 0 && mode == TEXT_CLAMSCAN && (uint8_t)s[0] >= 0xa0;
		bool plain = raw || (k > 0 && code != '\\' && !acts_on_terminal(code));
		k = k ? k : 1;
		for (size_t i = 0; !plain && i < k; i++)
			add_escape(b, (uint8_t)s[i], mode);
		if (plain)
			buf_add(b, s, k);
		s += k;
		n -= k;
	}
}

void text_put(FILE *f, const char *s, enum text_mode mode)
{
	size_t n = strlen(s);
	if (plain_run(s, n) == n) {
		fwrite_unlocked(s, 1, n, f);
		return;
	}
	struct buf b = {0};
	text_add(&b, s, mode);
	if (b.oom)
		fputs("(out of memory)", f);
	else
		fwrite_unlocked(b.data, 1, b.len, f);
	buf_done(&b);
}

/* Length of the run of an answer that is printed as it is. */
static size_t answer_run(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && ((s[i] >= 0x20 && s[i] < 0x7f) || s[i] == '\n'))
		i++;
	return i;
}

/* One character, or one byte that is none. */
static size_t put_answer_code(FILE *f, const char *s, size_t n, bool json)
{
	uint32_t code = 0;
	size_t k = utf8_next(s, n, &code);
	if (k > 0 && !acts_on_terminal(code)) {
		fwrite_unlocked(s, 1, k, f);
		return k;
	}
	if (json)
		fprintf(f, "\\u%04x", k ? (unsigned)code : 0xfffdu);
	for (size_t i = 0; !json && i < (k ? k : 1); i++)
		fprintf(f, "\\x%02x", (unsigned)(uint8_t)s[i]);
	return k ? k : 1;
}

void text_put_answer(FILE *f, const char *s, size_t n, bool json)
{
	while (n) {
		size_t run = answer_run(s, n);
		fwrite_unlocked(s, 1, run, f);
		s += run;
		n -= run;
		if (!n)
			return;
		size_t k = put_answer_code(f, s, n, json);
		s += k;
		n -= k;
	}
}

void text_size(char *ret, size_t n, uint64_t bytes)
{
	if (bytes < 1000)
		snprintf(ret, n, "%u B", (unsigned)bytes);
	else if (bytes < 1000000)
		snprintf(ret, n, "%.1f kB", (double)bytes / 1e3);
	else if (bytes < 1000000000)
		snprintf(ret, n, "%.1f MB", (double)bytes / 1e6);
	else
		snprintf(ret, n, "%.2f GB", (double)bytes / 1e9);
}

bool text_exe_dir(char *ret, size_t n)
{
	ssize_t k = readlink("/proc/self/exe", ret, n - 1);
	if (k <= 0 || (size_t)k >= n - 1)
		return false;
	ret[k] = '\0';
	char *slash = strrchr(ret, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return true;
}
