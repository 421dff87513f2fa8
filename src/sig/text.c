/* Slices of a signature line, numbers as ClamAV reads them, and the reader's small helpers. */
#include "sig/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool str_cut(struct str s, char c, struct str *ret_head, struct str *ret_tail)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	if (!at) {
		*ret_head = s;
		*ret_tail = (struct str){s.p + s.n, 0};
		return false;
	}
	size_t n = (size_t)(at - s.p);
	*ret_head = (struct str){s.p, n};
	*ret_tail = (struct str){at + 1, s.n - n - 1};
	return true;
}

size_t str_split(struct str s, char sep, struct str *ret, size_t max)
{
	size_t n = 0;
	bool more = true;
	while (more) {
		struct str head;
		more = str_cut(s, sep, &head, &s);
		if (n < max)
			ret[n] = head;
		n++;
	}
	return n;
}

bool str_all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

struct str str_name(struct str s)
{
	static const char clam[] = " (Clam)";
	size_t n = sizeof clam - 1;
	if (s.n < n || !memchr(s.p, '(', s.n))
		return s;
	for (size_t i = 0; i + n <= s.n; i++) {
		if (!memcmp(s.p + i, clam, n))
			return (struct str){s.p, i};
	}
	return s;
}

bool str_all_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (hex_value(s.p[i]) < 0)
			return false;
	}
	return true;
}

uint64_t str_u64(struct str s)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return UINT64_MAX;
		v = v * 10 + digit;
	}
	return v;
}

uint32_t str_atoi(struct str s)
{
	size_t i = 0;
	while (i < s.n && (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')))
		i++;
	bool minus = i < s.n && s.p[i] == '-';
	if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
		i++;
	uint32_t v = (uint32_t)str_u64(str_from(s, i));
	return minus ? 0 - v : v;
}

int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

st_t sig_bad(struct sig_reader *r, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->why, sizeof r->why, fmt, ap);
	va_end(ap);
	for (char *c = r->why; *c; c++) { /* signature text may hold anything: no control characters */
		if ((unsigned char)*c < ' ' || (unsigned char)*c == 0x7f)
			*c = '?';
	}
	return ST_MALFORMED;
}

st_t sig_alloc(struct sig_reader *r, size_t n, size_t size, void *ret)
{
	size_t bytes;
	void *p = NULL;
	if (!__builtin_mul_overflow(n, size, &bytes))
		p = arena_alloc(&r->set->arena, bytes);
	if (!p)
		return fail(r->e, ST_NOMEM, 0, "out of memory for signatures");
	memcpy(ret, &p, sizeof p);
	return ST_OK;
}

void *sig_scratch(struct sig_reader *r, size_t size)
{
	if (size <= r->scratch_size)
		return r->scratch;
	void *p = realloc(r->scratch, size);
	if (!p)
		return NULL;
	r->scratch = p;
	r->scratch_size = size;
	return p;
}

bool sig_target_is_exe(uint32_t target)
{
	return target == 1 || target == 6 || target == 9;
}
