/* Plug-in interface of everything that has children: archives now, documents and mail later.
 * One file per format (or per library that reads several) defines one `const struct format`; the
 * table in formats.c lists them; scan/ knows nothing but this header. */
#ifndef VITRINE_PARSE_FORMAT_H
#define VITRINE_PARSE_FORMAT_H

#include "base/rd.h"
#include "parse/filetype.h"
#include "verify/member.h"

/* One child of a container. */
struct member {
	const char *name;   /* as stored, bytes; valid until the next call; never NULL */
	bool has_size;
	uint64_t size;      /* as declared: a hint, hostile */
	bool encrypted;     /* without a password reading gives ST_ENCRYPTED */
	bool is_regular;    /* folders, links and devices have no content */
	bool whole;         /* whole() is worth a try */
	bool has_facts;     /* clamscan compares such members with signatures */
	struct member_facts facts; /* all but what is of the container itself */
	uint64_t guess;     /* without has_size: how long it may be; a hint, hostile; 0: no idea */
};

/* What whole() came to. */
enum whole {
	WHOLE_DONE,   /* the buffer holds all of the child: read() must not be called for it */
	WHOLE_LARGER, /* it does not fit: a larger buffer may help */
	WHOLE_NO,     /* not this way */
};

struct format_ctx; /* of the plug-in */

struct format {
	const char *name; /* for messages: "zip" */

	/* How sure the format is that it can open an object of this type: 0 no … 100 surely. */
	int (*bid)(enum file_type type, struct rd in);

	/* Opens the object; `in` stays valid until close. */
	st_t (*open)(struct rd in, enum file_type type, struct format_ctx **ret, struct err *e);

	/* The same with passwords to try on encrypted children, a list that ends with NULL. May be
	 * NULL: then they cannot be read. */
	st_t (*open_with)(struct rd in, enum file_type type, const char *const *passwords,
	                  struct format_ctx **ret, struct err *e);

	/* The next child. *ret_end is set, and *ret not, when there are no more. A status > 0 says the
	 * rest of the container cannot be read; children before it were good. */
	st_t (*next)(struct format_ctx *c, struct member *ret, bool *ret_end, struct err *e);

	/* Up to cap bytes of the current child; *ret_n is 0 at its end. */
	st_t (*read)(struct format_ctx *c, void *buf, size_t cap, size_t *ret_n, struct err *e);

	/* Before the first read() of a child: its first bytes, if they stand in the container as they
	 * are. *ret is then a region of `in`, else it is empty; read() gives what follows. May be
	 * NULL. */
	st_t (*in_place)(struct format_ctx *c, struct rd *ret, struct err *e);

	/* Before the first read() or in_place() of a child with `whole`: all of it into buf, unless it
	 * is longer than cap bytes or anything about it is unusual. Then buf holds rubbish and read()
	 * gives the child from its start. May be NULL. */
	enum whole (*whole)(struct format_ctx *c, void *buf, size_t cap, size_t *ret_n);

	void (*close)(struct format_ctx *c);
};

/* The format with the highest bid, or NULL if nothing opens this object. */
const struct format *format_for(enum file_type type, struct rd in);

#endif
