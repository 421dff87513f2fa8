#include "proc/msg.h"

#include "base/num.h"
#include "base/rd.h"
#include "cvd/cvd.h"
#include "sandbox/roles.h"
#include "scan/scan.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct rule {
	const char *name;
	enum msg_party from, to;
	uint32_t allowed, next;
	unsigned fds;
};

static const struct rule rules[MSG_TYPES] = {
#define X(n, f, t, a, x, d) [MSG_##n] = {#n, f, t, a, x, d},
#include "proc/ipc.def"
#undef X
};

enum field_kind {
	F_END,
	F_U32, /* at most `max` */
	F_U64,
	F_ST,   /* any status but ST_OK */
	F_TEXT, /* at most `max` bytes with NUL */
};

struct field {
	uint8_t kind;
	uint16_t off; /* in struct msg */
	uint32_t max;
};

#define OFF(m) offsetof(struct msg, m)
#define U64(m) {F_U64, OFF(m), 0}
#define U32(m) {F_U32, OFF(m), UINT32_MAX}
#define UPTO(m, n) {F_U32, OFF(m), (n)}
#define BOOL(m) UPTO(m, 1)
#define STATUS(m) {F_ST, OFF(m), 0}
#define TEXT(m) {F_TEXT, OFF(m), sizeof ((struct msg *)NULL)->m}

#define FIELDS_MAX 24

static const struct field fields[MSG_TYPES][FIELDS_MAX] = {
	[MSG_SETUP] = {U64(setup.max_scansize), U64(setup.max_filesize),
	               U64(setup.max_scriptnormalize), U64(setup.max_htmlnormalize),
	               U64(setup.max_htmlnotags), U64(setup.pcre_max_filesize),
	               U32(setup.pcre_match_limit), U32(setup.pcre_recmatch_limit),
	               BOOL(setup.no_normalize), BOOL(setup.no_html), BOOL(setup.no_image_hash),
	               U32(setup.max_recursion), U32(setup.max_files),
	               U32(setup.max_scantime_ms), BOOL(setup.all_matches),
	               BOOL(setup.archives), BOOL(setup.detect_pua), BOOL(setup.no_pe),
	               U32(setup.cpumask), BOOL(setup.pua_exclude),
	               BOOL(setup.heuristics_first), TEXT(setup.pua_categories)},
	[MSG_HELLO] = {U64(hello.signatures), UPTO(hello.missing, SANDBOX_MISSING_ALL),
	               U32(hello.landlock_abi)},
	[MSG_HELLO_FAIL] = {STATUS(fail.why), U64(fail.off), TEXT(fail.text)},
	[MSG_SCAN] = {U64(scan.id), U32(scan.stripe_index), U32(scan.stripe_count)},
	[MSG_FOUND] = {U64(found.id), BOOL(found.official), TEXT(found.name), TEXT(found.inner)},
	[MSG_INCOMPLETE] = {U64(incomplete.id), STATUS(incomplete.why), TEXT(incomplete.text),
	                    TEXT(incomplete.inner)},
	[MSG_DONE] = {U64(done.id), UPTO(done.verdict, VERDICT_INCOMPLETE), TEXT(done.type_name),
	              U64(done.bytes_read), U64(done.bytes_scanned), U64(done.objects)},
	[MSG_SCAN_FAIL] = {U64(fail.id), STATUS(fail.why), U64(fail.off), TEXT(fail.text)},
	[MSG_OPTIONS] = {BOOL(options.strict), BOOL(options.clamav), BOOL(options.pua),
	                 BOOL(options.heads), BOOL(options.bundle), U64(options.now)},
	[MSG_SOURCE] = {TEXT(source.name), UPTO(source.role, MSG_SOURCE_ROLES - 1)},
	[MSG_COMPILE] = {U32(compile.nsources)},
	[MSG_SKIPPED] = {TEXT(skipped.file), U32(skipped.line), TEXT(skipped.why)},
	[MSG_INACTIVE] = {TEXT(inactive.what), U64(inactive.n)},
	[MSG_CONTAINER] = {U32(container.index), U32(container.version), U32(container.sigs),
	                   U32(container.flevel), U64(container.stime)},
	[MSG_ORIGIN] = {TEXT(origin.file), TEXT(origin.sha256), TEXT(origin.signer),
	                UPTO(origin.scheme, CVD_SCHEMES - 1), U32(origin.version)},
	[MSG_COMPILED] = {U64(compiled.size), U64(compiled.sigs), U64(compiled.hashes_file),
	                  U64(compiled.hashes_section), U64(compiled.hashes_trust),
	                  U64(compiled.nskipped), U64(compiled.out_of_level),
	                  UPTO(compiled.missing, SANDBOX_MISSING_ALL), U32(compiled.landlock_abi)},
	[MSG_REFUSED] = {STATUS(fail.why), U64(fail.off), TEXT(fail.text)},
	[MSG_INSPECT] = {UPTO(inspect.op, INSPECT_OPS - 1), BOOL(inspect.json), TEXT(inspect.text),
	                 TEXT(inspect.name)},
	[MSG_INPUT] = {UPTO(input.what, INSPECT_INPUTS - 1)},
	[MSG_INSPECTED] = {UPTO(inspected.outcome, INSPECT_OUTCOMES - 1), U64(inspected.size)},
	[MSG_INSPECT_FAIL] = {STATUS(fail.why), U64(fail.off), TEXT(fail.text)},
};

/* The longest message: FOUND, or SKIPPED. */
_Static_assert(MSG_NAME_MAX + MSG_PATH_MAX + 64 <= IPC_BYTES_MAX, "a message fits into a packet");

void msg_text(char *ret, size_t cap, const char *s)
{
	size_t n = strnlen(s, cap - 1);
	memcpy(ret, s, n);
	ret[n] = '\0';
}

static void write_field(const struct msg *m, const struct field *f, struct buf *b)
{
	const char *p = (const char *)m + f->off;
	size_t n;
	switch (f->kind) {
	case F_U64:
		buf_u64le(b, load_u64le(p));
		return;
	case F_TEXT:
		n = strnlen(p, f->max - 1);
		buf_u32le(b, (uint32_t)n);
		buf_add(b, p, n);
		return;
	default:
		buf_u32le(b, load_u32le(p));
	}
}

void msg_write(const struct msg *m, struct buf *b)
{
	buf_u32le(b, (uint32_t)m->type);
	for (const struct field *f = fields[m->type]; f->kind != F_END; f++)
		write_field(m, f, b);
}

static bool read_text(struct rd *r, char *dst, size_t cap)
{
	uint32_t n = rd_u32le(r);
	if (r->bad || n >= cap)
		return false;
	rd_copy(r, dst, n);
	dst[n] = '\0';
	return !memchr(dst, '\0', n);
}

static bool read_u32(struct rd *r, char *dst, uint32_t max)
{
	uint32_t v = rd_u32le(r);
	memcpy(dst, &v, sizeof v);
	return v <= max;
}

static bool read_st(struct rd *r, char *dst)
{
	int32_t v = (int32_t)rd_u32le(r);
	memcpy(dst, &v, sizeof v);
	return v >= ST_MIN_ && v <= ST_CONFLICT && v != ST_OK;
}

static bool read_field(struct rd *r, const struct field *f, struct msg *ret)
{
	char *p = (char *)ret + f->off;
	switch (f->kind) {
	case F_U64:
		memcpy(p, &(uint64_t){rd_u64le(r)}, sizeof(uint64_t));
		return true;
	case F_TEXT:
		return read_text(r, p, f->max);
	case F_ST:
		return read_st(r, p);
	default:
		return read_u32(r, p, f->max);
	}
}

/* The rule of a message if it may go from `from` in this state, else NULL. */
static const struct rule *rule_for(const struct msg_peer *p, uint32_t type, bool sending)
{
	if (type >= MSG_TYPES || !(rules[type].allowed & p->state))
		return NULL;
	enum msg_party sender = rules[type].from, receiver = rules[type].to;
	return p->self == (sending ? sender : receiver) ? &rules[type] : NULL;
}

static void advance(struct msg_peer *p, const struct rule *r)
{
	if (r->next != STAY)
		p->state = r->next;
}

st_t msg_parse(struct msg_peer *p, const void *bytes, size_t len, unsigned nfds, struct msg *ret,
               struct err *e)
{
	struct rd r = rd_make(bytes, len);
	uint32_t type = rd_u32le(&r);
	TRY(rd_check(&r, e, "message"));
	const struct rule *rule = rule_for(p, type, false);
	if (!rule || rule->fds != nfds)
		return fail(e, ST_MALFORMED, 0, "message %u out of turn", type);
	ret->type = (enum msg_type)type;
	for (const struct field *f = fields[type]; f->kind != F_END; f++)
		if (!read_field(&r, f, ret))
			return fail(e, ST_MALFORMED, r.pos, "message %s: bad field", rule->name);
	TRY(rd_check(&r, e, rule->name));
	if (rd_left(&r) > 0)
		return fail(e, ST_MALFORMED, r.pos, "message %s: too long", rule->name);
	advance(p, rule);
	return ST_OK;
}

st_t msg_send(struct msg_peer *p, const struct msg *m, int fd, bool wait, struct err *e)
{
	const struct rule *rule = rule_for(p, m->type, true);
	if (!rule || rule->fds != (fd >= 0))
		return fail(e, ST_MALFORMED, 0, "message %u out of turn", m->type);
	struct buf b = {0};
	msg_write(m, &b);
	st_t st = buf_check(&b, e, "message");
	if (st == ST_OK)
		st = ipc_send(p->sock, b.data, b.len, fd, wait, e);
	buf_done(&b);
	if (st == ST_OK)
		advance(p, rule);
	return st;
}

st_t msg_recv(struct msg_peer *p, bool wait, struct msg *ret, int *ret_fd, enum ipc_got *ret_got,
              struct err *e)
{
	struct ipc_packet in;
	TRY(ipc_recv(p->sock, wait, &in, ret_got, e));
	*ret_fd = -1;
	if (*ret_got != IPC_PACKET)
		return ST_OK;
	st_t st = msg_parse(p, in.bytes, in.len, in.fd >= 0, ret, e);
	if (st != ST_OK && in.fd >= 0)
		close(in.fd);
	if (st == ST_OK)
		*ret_fd = in.fd;
	return st;
}
