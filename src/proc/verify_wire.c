#include "proc/verify_wire.h"

#include "net/wire.h"
#include "sandbox/roles.h"

#include <stddef.h>
#include <unistd.h>

#define OFF(m) offsetof(struct verify_frame, m)
#define LEN(m) sizeof(((struct verify_frame *)NULL)->m)
#define U32(m, hi) {WIRE_U32, OFF(m), (hi), 0}
#define U64(m, hi) {WIRE_U64, OFF(m), (hi), 0}
#define ANY(m) U64(m, UINT64_MAX)
#define LINE(m) {WIRE_LINE, OFF(m), LEN(m), 0}
#define TEXT(m) {WIRE_TEXT, OFF(m), LEN(m), 0}
#define BYTES(m) {WIRE_BYTES, OFF(m), LEN(m), 0}
#define BOOLS(m) {WIRE_BOOLS, OFF(m), LEN(m), 0}
#define REST {WIRE_REST, OFF(bytes), VERIFY_BYTES_MAX, 1}

_Static_assert(sizeof(bool) == 1 && sizeof(size_t) == 8, "fields as they are");

#define FIELDS_MAX 40

static const struct {
	const char *name;
	enum verify_side from;
	struct wire_field fields[FIELDS_MAX];
} frames[VERIFY_TYPES] = {
	[VERIFY_REQUEST] = {"REQUEST", VERIFY_PARENT, {ANY(now), ANY(seen), U32(flags, VERIFY_FLAGS),
	                    BYTES(have), U64(policy_size, UPDATE_POLICY_MAX),
	                    U32(mirror, UPDATE_MIRRORS_MAX)}},
	[VERIFY_POLICY] = {"POLICY", VERIFY_PARENT, {REST}},
	[VERIFY_HELLO] = {"HELLO", VERIFY_CHILD, {U32(missing, SANDBOX_MISSING_ALL),
	                  U32(landlock_abi, 255)}},
	[VERIFY_ALIVE] = {"ALIVE", VERIFY_CHILD, {{WIRE_END, 0, 0, 0}}},
	[VERIFY_EVENT] = {"EVENT", VERIFY_CHILD, {U32(link, CHAIN_LINKS - 1),
	                  U32(outcome, CHAIN_NOT_ASKED), U32(status, UINT32_MAX), TEXT(event_text)}},
	[VERIFY_PROGRESS] = {"PROGRESS", VERIFY_CHILD, {TEXT(what), ANY(done), ANY(size)}},
	[VERIFY_KEEP] = {"KEEP", VERIFY_CHILD, {LINE(path), U64(keep_size, VERIFY_KEEP_MAX)}},
	[VERIFY_KEPT] = {"KEPT", VERIFY_CHILD, {REST}},
	[VERIFY_END] = {"END", VERIFY_CHILD, {U32(status, UINT32_MAX), TEXT(text), ANY(moved),
	                ANY(requests),
	                ANY(release.version), ANY(release.vdb.size), BYTES(release.vdb.sha256),
	                ANY(release.source.size), BYTES(release.source.sha256), BOOLS(release.pua),
	                BOOLS(release.strict), BOOLS(release.clamav),
	                U32(release.database, UINT32_MAX), ANY(release.root), ANY(release.timestamp),
	                ANY(release.snapshot), ANY(release.targets), ANY(release.timestamp_expires),
	                ANY(release.log_index), BYTES(release.entry), TEXT(release.origin),
	                ANY(release.tree_size), BYTES(release.tree_root),
	                U64(release.cosigned.log, POLICY_ITEMS_MAX - 1),
	                BOOLS(release.cosigned.cosigned), BYTES(release.cosigned.time),
	                U64(release.cosigned.ncosigned, POLICY_ITEMS_MAX),
	                BOOLS(release.published_by), BOOLS(release.rebuilt_by),
	                ANY(release.vdb_packed.size), BYTES(release.vdb_packed.sha256),
	                ANY(release.source_packed.size), BYTES(release.source_packed.sha256),
	                ANY(release.tiles_from), U32(mirrors, (1u << UPDATE_MIRRORS_MAX) - 1),
	                U32(mirror, UPDATE_MIRRORS_MAX)}},
};

void verify_frame_write(const struct verify_frame *f, struct buf *b)
{
	buf_u32le(b, (uint32_t)f->type);
	wire_write(frames[f->type].fields, f, b);
}

static bool has_status(enum verify_type t)
{
	return t == VERIFY_EVENT || t == VERIFY_END;
}

/* What the table cannot say. */
static bool fields_agree(const struct verify_frame *f)
{
	const struct policy_verdict *v = &f->release.cosigned;
	size_t n = 0;
	if (has_status(f->type) && (f->status < ST_MIN_ || f->status > ST_CONFLICT))
		return false;
	if (f->type == VERIFY_KEEP)
		return update_path_good(f->path);
	if (f->type != VERIFY_END)
		return true;
	for (size_t i = 0; i < POLICY_ITEMS_MAX; i++)
		n += v->cosigned[i];
	return n == v->ncosigned && (f->status != ST_OK || f->release.version > 0);
}

st_t verify_frame_read(struct rd in, enum verify_side from, struct verify_frame *ret,
                       struct err *e)
{
	uint32_t type = rd_u32le(&in);
	TRY(rd_check(&in, e, "verifier: frame"));
	if (type >= VERIFY_TYPES || frames[type].from != from)
		return fail(e, ST_MALFORMED, 0, "verifier: frame %u out of turn", type);
	ret->type = (enum verify_type)type;
	if (!wire_read(frames[type].fields, &in, ret) || !fields_agree(ret))
		return fail(e, ST_MALFORMED, in.pos, "verifier: frame %s: bad field", frames[type].name);
	return ST_OK;
}

st_t verify_frame_send(int sock, const struct verify_frame *f, struct err *e)
{
	struct buf b = {0};
	verify_frame_write(f, &b);
	st_t st = buf_check(&b, e, "verifier");
	if (st == ST_OK)
		st = ipc_send(sock, b.data, b.len, -1, true, e);
	buf_done(&b);
	return st;
}

st_t verify_frame_recv(int sock, enum verify_side from, struct ipc_packet *packet,
                       struct verify_frame *ret, struct err *e)
{
	enum ipc_got got;
	TRY(ipc_recv(sock, true, packet, &got, e));
	if (got != IPC_PACKET)
		return fail(e, (st_t)-EPIPE, 0, "the other side ended");
	if (packet->fd >= 0) {
		close(packet->fd);
		return fail(e, ST_MALFORMED, 0, "verifier: a frame with a descriptor");
	}
	return verify_frame_read(rd_make(packet->bytes, packet->len), from, ret, e);
}
