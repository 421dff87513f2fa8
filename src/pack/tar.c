/* The ustar format of POSIX.1-1988, one spelling of it. A header that is read is compared with the
 * one that we would write for the same name and size, so there is no second way to say anything.
 *
 *   OFFSET SIZE MEANING
 *   0      100  name; NUL behind it unless it is full
 *   100    8    mode, uid and gid in the next two fields: seven octal digits, NUL
 *   124    12   size, mtime in the next field: eleven octal digits, NUL
 *   148    8    sum of all bytes, this field counted as blanks: six octal digits, NUL, blank
 *   156    1    kind: '0', a regular file
 *   157    100  name of a link: empty
 *   257    8    "ustar", NUL, "00"
 *   265    64   names of owner and group: empty
 *   329    16   device numbers, 0: seven octal digits, NUL, twice
 *   345    155  prefix: stands in front of the name, with a "/" between
 *
 * Runs in the publisher's programs and in the jailed vitrine-verifier. */
#include "pack/tar.h"

#include "base/io.h"
#include "base/num.h"

#include <string.h>

#define NAME_SIZE 100
#define PREFIX_SIZE 155
#define SUM_OFF 148
#define SUM_SIZE 8

/* What differs, in words: fields of a header in order, by where they end. */
static const struct {
	uint16_t end;
	const char *what;
} fields[] = {
	{100, "the name"},          {108, "the mode is not 0644"}, {116, "the owner is not 0"},
	{124, "the group is not 0"}, {136, "the size"},            {148, "the time is not 0"},
	{156, "the checksum"},      {157, "not a regular file"},   {257, "it names a link"},
	{265, "it is not ustar"},   {297, "it names an owner"},    {329, "it names a group"},
	{345, "device numbers"},    {500, "the prefix"},           {TAR_BLOCK, "bytes at its end"},
};

uint32_t tar_padding(uint64_t size)
{
	return (uint32_t)(-size & (TAR_BLOCK - 1));
}

static bool part_good(const char *p, size_t n)
{
	return n > 0 && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.');
}

/* Invariant 2 of the header file. */
static bool name_good(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == '\\')
			return false;
	for (size_t start = 0; start <= n;) {
		const char *slash = memchr(name + start, '/', n - start);
		size_t end = slash ? (size_t)(slash - name) : n;
		if (!part_good(name + start, end - start))
			return false;
		start = end + 1;
	}
	return true;
}

/* Length of the prefix: 0 if the name fits alone, else the longest that leaves a name. As GNU tar
 * does. */
static st_t split(const char *name, size_t n, size_t *ret, struct err *e)
{
	*ret = 0;
	if (n <= NAME_SIZE)
		return ST_OK;
	size_t at = num_min_size(n - 1, PREFIX_SIZE);
	while (at > 0 && name[at] != '/')
		at--;
	if (at == 0 || n - at - 1 > NAME_SIZE)
		return fail(e, ST_LIMIT, 0, "tar: the name of a member is too long for ustar");
	*ret = at;
	return ST_OK;
}

/* Octal digits and a NUL, `width` bytes together. */
static void put_octal(uint8_t *p, unsigned width, uint64_t v)
{
	p[width - 1] = 0;
	for (unsigned i = width - 1; i-- > 0; v >>= 3)
		p[i] = (uint8_t)('0' + (v & 7));
}

static void put_sum(uint8_t *h)
{
	unsigned sum = 0;
	memset(h + SUM_OFF, ' ', SUM_SIZE);
	for (unsigned i = 0; i < TAR_BLOCK; i++)
		sum += h[i];
	put_octal(h + SUM_OFF, SUM_SIZE - 1, sum);
}

st_t tar_header_make(const char *name, uint64_t size, uint8_t ret[TAR_BLOCK], struct err *e)
{
	size_t n = strnlen(name, TAR_NAME_MAX + 1), prefix;
	if (n > TAR_NAME_MAX)
		return fail(e, ST_LIMIT, 0, "tar: the name of a member has more than %d bytes",
		            TAR_NAME_MAX);
	if (!name_good(name, n))
		return fail(e, ST_MALFORMED, 0, "tar: the name of a member is no relative path of "
		                                "printable ASCII without \".\", \"..\" and \"\\\"");
	if (size >= TAR_SIZE_MAX)
		return fail(e, ST_LIMIT, 0, "tar: a member has 8 GiB or more");
	TRY(split(name, n, &prefix, e));
	size_t skip = prefix ? prefix + 1 : 0;
	memset(ret, 0, TAR_BLOCK);
	memcpy(ret, name + skip, n - skip);
	put_octal(ret + 100, 8, 0644);
	put_octal(ret + 108, 8, 0);
	put_octal(ret + 116, 8, 0);
	put_octal(ret + 124, 12, size);
	put_octal(ret + 136, 12, 0);
	ret[156] = '0';
	memcpy(ret + 257, "ustar\0" "00", 8);
	put_octal(ret + 329, 8, 0);
	put_octal(ret + 337, 8, 0);
	memcpy(ret + 345, name, prefix);
	put_sum(ret);
	return ST_OK;
}

static st_t read_name(const uint8_t *h, char ret[TAR_NAME_MAX + 1])
{
	const char *name = (const char *)h, *prefix = (const char *)h + 345;
	size_t n = strnlen(name, NAME_SIZE), k = strnlen(prefix, PREFIX_SIZE);
	if (k > 0) {
		memcpy(ret, prefix, k);
		ret[k++] = '/';
	}
	if (k + n > TAR_NAME_MAX)
		return ST_LIMIT;
	memcpy(ret + k, name, n);
	ret[k + n] = '\0';
	return ST_OK;
}

static bool read_size(const uint8_t *p, uint64_t *ret)
{
	uint64_t v = 0;
	for (unsigned i = 0; i < 11; i++) {
		if (p[i] < '0' || p[i] > '7')
			return false;
		v = v << 3 | (uint64_t)(p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool in_sum(unsigned at)
{
	return at >= SUM_OFF && at < SUM_OFF + SUM_SIZE;
}

/* The checksum is wrong with whatever else is, so it is named last. */
static const char *first_difference(const uint8_t *a, const uint8_t *b)
{
	unsigned at = 0, k = 0;
	while (at < TAR_BLOCK && (a[at] == b[at] || in_sum(at)))
		at++;
	if (at == TAR_BLOCK)
		at = SUM_OFF;
	while (fields[k].end <= at)
		k++;
	return fields[k].what;
}

/* The header itself: what it says is what we would have written. */
static st_t read_header(const uint8_t *h, uint64_t off, struct tar_member *ret, struct err *e)
{
	uint8_t good[TAR_BLOCK];
	if (read_name(h, ret->name) != ST_OK)
		return fail(e, ST_LIMIT, off, "tar: the name of a member is too long");
	if (!read_size(h + 124, &ret->size))
		return fail(e, ST_MALFORMED, off,
		            "tar: the size of a member is not eleven octal digits");
	TRY(tar_header_make(ret->name, ret->size, good, e));
	if (memcmp(h, good, TAR_BLOCK))
		return fail(e, ST_MALFORMED, off, "tar: header: %s", first_difference(h, good));
	return ST_OK;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;
	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return !any;
}

static st_t read_exactly(const struct tar_reader *t, void *ret, size_t n, uint64_t off,
                         struct err *e)
{
	size_t got;
	if (off > t->size || n > t->size - off)
		return fail(e, ST_TRUNCATED, off, "tar: the archive ends before its two zero blocks");
	TRY(io_pread_full(t->fd, ret, n, off, &got, e));
	if (got < n)
		return fail(e, ST_TRUNCATED, off, "tar: the file became shorter");
	return ST_OK;
}

/* "At the end of the archive file there shall be two 512-byte blocks filled with binary zeros"
 * (POSIX pax, ustar); here also nothing behind. */
static st_t read_end(const struct tar_reader *t, struct err *e)
{
	uint8_t second[TAR_BLOCK];
	TRY(read_exactly(t, second, TAR_BLOCK, t->off + TAR_BLOCK, e));
	if (!all_zero(second, TAR_BLOCK))
		return fail(e, ST_MALFORMED, t->off, "tar: one zero block between members");
	if (t->size - t->off != 2 * TAR_BLOCK)
		return fail(e, ST_MALFORMED, t->off, "tar: bytes behind the two zero blocks");
	return ST_OK;
}

static st_t check_padding(const struct tar_reader *t, const struct tar_member *m, struct err *e)
{
	uint8_t pad[TAR_BLOCK];
	uint32_t n = tar_padding(m->size);
	if (m->size > t->size - m->off)
		return fail(e, ST_TRUNCATED, m->off, "tar: a member ends behind the archive");
	TRY(read_exactly(t, pad, n, m->off + m->size, e));
	if (!all_zero(pad, n))
		return fail(e, ST_MALFORMED, m->off, "tar: padding that is not zero");
	return ST_OK;
}

static st_t check_order(const struct tar_reader *t, bool free_first, const char *name,
                        struct err *e)
{
	if (t->n >= TAR_MEMBERS_MAX)
		return fail(e, ST_LIMIT, t->off, "tar: more than %u members", TAR_MEMBERS_MAX);
	bool free = t->n == 0 || (t->n == 1 && free_first);
	int order = strcmp(t->last, name);
	if ((!free && order >= 0) || (t->n > 0 && order == 0))
		return fail(e, ST_MALFORMED, t->off, "tar: names do not ascend");
	return ST_OK;
}

st_t tar_reader_next(struct tar_reader *t, bool free_first, struct tar_member *ret, bool *ret_more,
                     struct err *e)
{
	uint8_t head[TAR_BLOCK];
	struct tar_member m;
	TRY(read_exactly(t, head, TAR_BLOCK, t->off, e));
	if (all_zero(head, TAR_BLOCK)) {
		TRY(read_end(t, e));
		*ret_more = false;
		return ST_OK;
	}
	TRY(read_header(head, t->off, &m, e));
	TRY(check_order(t, free_first, m.name, e));
	m.off = t->off + TAR_BLOCK;
	TRY(check_padding(t, &m, e));
	t->off = m.off + m.size + tar_padding(m.size);
	t->n++;
	memcpy(t->last, m.name, sizeof t->last);
	*ret = m;
	*ret_more = true;
	return ST_OK;
}
