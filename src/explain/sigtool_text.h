/* Inside of explain/: signature text in pieces, for sigtool's answers. */
#ifndef VITRINE_EXPLAIN_SIGTOOL_TEXT_H
#define VITRINE_EXPLAIN_SIGTOOL_TEXT_H

#include "explain/out.h"

struct piece {
	const uint8_t *p;
	size_t len;
};

struct sigtool_lines {
	const uint8_t *p;
	size_t len, at;
};

/* The next line without its end ("\n", "\r\n"); false behind the last. */
static inline bool sigtool_next_line(struct sigtool_lines *l, struct piece *ret)
{
	if (l->at >= l->len)
		return false;
	size_t from = l->at;
	while (l->at < l->len && l->p[l->at] != '\n')
		l->at++;
	*ret = (struct piece){l->p + from, l->at - from};
	l->at++;
	if (ret->len && ret->p[ret->len - 1] == '\r')
		ret->len--;
	return true;
}

static inline int sigtool_fields(struct piece line, char separator)
{
	int n = 1;
	for (size_t i = 0; i < line.len; i++)
		n += line.p[i] == separator;
	return n;
}

/* Field n of a line, from 0; empty behind the last. */
static inline struct piece sigtool_field(struct piece line, char separator, int n)
{
	size_t from = 0, i = 0;
	for (; i < line.len; i++) {
		if (line.p[i] != separator)
			continue;
		if (n-- == 0)
			return (struct piece){line.p + from, i - from};
		from = i + 1;
	}
	return n == 0 ? (struct piece){line.p + from, i - from} : (struct piece){line.p, 0};
}

#endif
