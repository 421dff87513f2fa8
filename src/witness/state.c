#include "witness/state.h"

#include "base/io.h"
#include "base/num.h"
#include "tlog/checkpoint.h"
#include "tlog/note.h"
#include "witness/config.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "VWit": says whose file it is (SQLite's application_id). */
#define STATE_APPLICATION 0x56576974
/* Version of the tables (SQLite's user_version). */
#define STATE_VERSION 1

/* synchronous=EXTRA is FULL (a sync at every commit) and, before the write-ahead log is in use, a
 * sync of the folder when the journal is removed: a journal that came back after a power cut would
 * undo the whole file.
 * The cache of pages holds a hundred thousand logs; more are read from the file again. */
#define STATE_SQL_OPEN                   \
	"PRAGMA locking_mode=EXCLUSIVE;"     \
	"PRAGMA trusted_schema=OFF;"         \
	"PRAGMA cell_size_check=ON;"         \
	"PRAGMA temp_store=MEMORY;"          \
	"PRAGMA cache_size=-65536;"          \
	"PRAGMA mmap_size=0;"                \
	"PRAGMA synchronous=EXTRA;"

static const char sql_create[] =
    "CREATE TABLE witness (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;"
    "CREATE TABLE log ("
    " id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 32)," /* SHA-256 of the origin */
    " origin TEXT NOT NULL,"
    " size INTEGER NOT NULL CHECK (size >= 0),"
    " root BLOB NOT NULL CHECK (length(root) = 32),"
    " time INTEGER NOT NULL CHECK (time > 0)," /* of the cosignature */
    " note BLOB NOT NULL" /* the checkpoint, signed and cosigned */
    ") STRICT, WITHOUT ROWID;";

enum query { Q_BEGIN, Q_GET, Q_INSERT, Q_UPDATE, Q_COMMIT, Q_ROLLBACK, Q_NOTE, QUERIES };

static const char *const sql[QUERIES] = {
    [Q_BEGIN] = "BEGIN IMMEDIATE",
    [Q_GET] = "SELECT size, root, time FROM log WHERE id = ?1",
    [Q_INSERT] = "INSERT INTO log (id, origin, size, root, time, note)"
                 " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [Q_UPDATE] = "UPDATE log SET size = ?3, root = ?4, time = ?5, note = ?6"
                 " WHERE id = ?1 AND origin = ?2 AND size = ?7 AND root = ?8"
                 " AND (?3 > ?7 OR (?3 = ?7 AND ?4 = ?8))",
    [Q_COMMIT] = "COMMIT",
    [Q_ROLLBACK] = "ROLLBACK",
    [Q_NOTE] = "SELECT note FROM log WHERE id = ?1",
};

struct state {
	sqlite3 *db;
	sqlite3_stmt *q[QUERIES];
	pthread_mutex_t lock;
	bool broken; /* invariant 3 */
};

static st_t fail_db(sqlite3 *db, const char *what, struct err *e)
{
	int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
	const char *text = db ? sqlite3_errmsg(db) : "out of memory";
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return fail(e, ST_NOMEM, 0, "state: %s: out of memory", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(e, ST_CONFLICT, 0, "state: another process has it open: end that one first");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return fail(e, ST_MALFORMED, 0, "state: damaged, or no state of a witness (%s)", text);
	default:
		return fail(e, ST_IO, 0, "state: %s: %s", what, text);
	}
}

static st_t run(struct state *s, const char *text, const char *what, struct err *e)
{
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? ST_OK
	                                                                 : fail_db(s->db, what, e);
}

static st_t get_number(struct state *s, const char *text, int64_t *ret, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
	rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(q, 0);
	st_t st = rc == SQLITE_ROW ? ST_OK : fail_db(s->db, "read", e);
	(void)sqlite3_finalize(q);
	return st;
}

static st_t prepare_all(struct state *s, struct err *e)
{
	for (int i = 0; i < QUERIES; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->q[i], NULL))
			return fail_db(s->db, "prepare", e);
	return ST_OK;
}

/* The blob of a column, to be read before the statement moves on. */
static struct rd column_blob(sqlite3_stmt *q, int i)
{
	const void *p = sqlite3_column_blob(q, i);
	return rd_make(p, (size_t)sqlite3_column_bytes(q, i));
}

static st_t read_record(sqlite3_stmt *q, int first, struct state_record *ret, struct err *e)
{
	int64_t size = sqlite3_column_int64(q, first);
	struct rd root = column_blob(q, first + 1);
	int64_t time = sqlite3_column_int64(q, first + 2);
	if (size < 0 || root.len != TLOG_HASH || time <= 0)
		return fail(e, ST_MALFORMED, 0, "state: damaged: a record that no witness writes");
	*ret = (struct state_record){.known = true, .size = (uint64_t)size, .time = (uint64_t)time};
	rd_copy(&root, ret->root.b, TLOG_HASH);
	return ST_OK;
}

/* A record must say the same as the note that is kept with it. */
static st_t check_row(sqlite3_stmt *q, struct note *note, struct err *e)
{
	struct state_record rec;
	struct rd id = column_blob(q, 0), origin = column_blob(q, 1), text = column_blob(q, 5);
	struct tlog_hash want;
	struct checkpoint cp;
	TRY(read_record(q, 2, &rec, e));
	if (!witness_origin_id(origin.base, origin.len, &want))
		return fail(e, ST_NOMEM, 0, "state: cannot hash an origin");
	bool ok = id.len == TLOG_HASH && rd_peek(&id, want.b, TLOG_HASH) &&
	          note_parse(text, note, NULL) == ST_OK &&
	          checkpoint_parse(note->text, &cp, NULL) == ST_OK && cp.origin.len == origin.len &&
	          rd_peek(&origin, cp.origin.base, cp.origin.len) && cp.size == rec.size &&
	          tlog_hash_equal(&cp.root, &rec.root);
	if (ok)
		return ST_OK;
	return fail(e, ST_MALFORMED, 0,
	            "state: damaged: the record of '%.*s' is not that of the checkpoint kept with it",
	            (int)num_min_size(origin.len, 80), (const char *)origin.base);
}

static st_t check_rows(struct state *s, struct err *e)
{
	sqlite3_stmt *q = NULL;
	struct note *note = calloc(1, sizeof *note);
	if (!note)
		return fail(e, ST_NOMEM, 0, "state: out of memory");
	st_t st = ST_OK;
	int rc = sqlite3_prepare_v2(s->db, "SELECT id, origin, size, root, time, note FROM log", -1, &q,
	                            NULL);
	while (st == ST_OK && rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		st = check_row(q, note, e);
		rc = SQLITE_OK;
	}
	if (st == ST_OK && rc != SQLITE_DONE)
		st = fail_db(s->db, "read", e);
	(void)sqlite3_finalize(q);
	free(note);
	return st;
}

/* Texts that are read here: a mode, the name of a witness, what an integrity check found. */
#define STATE_TEXT 512

/* The first column of the one row that a statement returns. */
static st_t get_text(struct state *s, const char *text, const char *what, char ret[STATE_TEXT],
                     struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, text, -1, &q, NULL);
	rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
	const char *got = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
	st_t st = got ? ST_OK : fail_db(s->db, what, e);
	if (got)
		snprintf(ret, STATE_TEXT, "%s", got);
	(void)sqlite3_finalize(q);
	return st;
}

/* The answer to this pragma is the mode that is on, whatever was asked for. */
static st_t use_wal(struct state *s, struct err *e)
{
	char mode[STATE_TEXT];
	TRY(get_text(s, "PRAGMA journal_mode=WAL", "write-ahead log", mode, e));
	if (strcmp(mode, "wal") != 0)
		return fail(e, ST_IO, 0, "state: no write-ahead log can be used here");
	return ST_OK;
}

static st_t check_pages(struct state *s, struct err *e)
{
	char text[STATE_TEXT];
	TRY(get_text(s, "PRAGMA integrity_check(1)", "integrity check", text, e));
	return strcmp(text, "ok") == 0 ? ST_OK : fail(e, ST_MALFORMED, 0, "state: damaged: %s", text);
}

/* No witness has an empty name: that stands for none. */
static st_t check_name(struct state *s, const char *witness, struct err *e)
{
	char name[STATE_TEXT];
	TRY(get_text(s, "SELECT coalesce((SELECT name FROM witness), '')", "read", name, e));
	if (name[0] == '\0')
		return fail(e, ST_MALFORMED, 0, "state: damaged: no name of a witness");
	if (strcmp(name, witness) != 0)
		return fail(e, ST_CONFLICT, 0, "state: it is that of the witness '%s', not of '%s'", name,
		            witness);
	return ST_OK;
}

static st_t check_old(struct state *s, const struct state_opts *o, struct err *e)
{
	int64_t application = 0, version = 0;
	TRY(get_number(s, "PRAGMA application_id", &application, e));
	TRY(get_number(s, "PRAGMA user_version", &version, e));
	if (application != STATE_APPLICATION)
		return fail(e, ST_MALFORMED, 0,
		            "state: not that of a witness (if --create was interrupted: remove the file)");
	if (version != STATE_VERSION)
		return fail(e, ST_UNSUPPORTED, 0,
		            "state: version %lld, this program knows %d: use the program that wrote it",
		            (long long)version, STATE_VERSION);
	TRY(use_wal(s, e));
	TRY(check_pages(s, e));
	TRY(check_name(s, o->witness, e));
	return check_rows(s, e);
}

/* All in one transaction: a power cut leaves an empty file, which is no state, or a whole one. */
static st_t make_new(struct state *s, const struct state_opts *o, struct err *e)
{
	char mark[128];
	snprintf(mark, sizeof mark, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
	         STATE_APPLICATION, STATE_VERSION);
	sqlite3_stmt *q = NULL;
	TRY(use_wal(s, e));
	TRY(run(s, "BEGIN IMMEDIATE", "begin", e));
	TRY(run(s, sql_create, "create", e));
	TRY(run(s, mark, "create", e));
	int rc = sqlite3_prepare_v2(s->db, "INSERT INTO witness (name) VALUES (?1)", -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(q, 1, o->witness, -1, SQLITE_STATIC);
	rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
	st_t st = rc == SQLITE_DONE ? ST_OK : fail_db(s->db, "create", e);
	(void)sqlite3_finalize(q);
	return st == ST_OK ? run(s, "COMMIT", "create", e) : st;
}

/* The name of a new file is durable only when its folder is. */
static st_t sync_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return fail(e, ST_NOMEM, 0, "state: out of memory");
	AUTO_FD fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	st_t st = fd >= 0 && fsync(fd) == 0 ? ST_OK : fail_errno(e, "state: %s", dir);
	free(dir);
	return st;
}

/* Made here, not by SQLite, so that an old file is never taken for a new one, nor a new one made
 * where an old one should be. */
static st_t make_file(const char *path, struct err *e)
{
	AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return fail(e, ST_CONFLICT, 0, "state: '%s' is there already: leave out --create", path);
	return fd < 0 ? fail_errno(e, "state: %s", path) : ST_OK;
}

static st_t check_file(const char *path, struct err *e)
{
	struct stat sb;
	bool there = stat(path, &sb) == 0;
	if (there && !S_ISREG(sb.st_mode))
		return fail(e, ST_MALFORMED, 0, "state: '%s' is no file", path);
	/* The write-ahead log is found by name: by the other one, what it holds would be forgotten. */
	if (there && sb.st_nlink != 1)
		return fail(e, ST_CONFLICT, 0, "state: '%s' has a second name (a hard link): remove one",
		            path);
	if (there)
		return ST_OK;
	if (errno == ENOENT)
		return fail(
			e, ST_NOT_FOUND, 0,
			"state: '%s' is not there. A witness that lost its state may sign a second view "
			"of a log; only for a witness that never cosigned: --create",
			path);
	return fail_errno(e, "state: %s", path);
}

static st_t open_all(struct state *s, const struct state_opts *o, struct err *e)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
	            SQLITE_OPEN_NOFOLLOW;
	/* A virtual file system of a test has no files that could be looked at here. */
	if (o->vfs && o->create)
		flags |= SQLITE_OPEN_CREATE;
	if (!o->vfs)
		TRY(o->create ? make_file(o->path, e) : check_file(o->path, e));
	if (sqlite3_open_v2(o->path, &s->db, flags, o->vfs) != SQLITE_OK)
		return fail_db(s->db, "open", e);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	TRY(run(s, STATE_SQL_OPEN, "open", e));
	TRY(o->create ? make_new(s, o, e) : check_old(s, o, e));
	if (o->create && !o->vfs)
		TRY(sync_folder(o->path, e));
	return prepare_all(s, e);
}

st_t state_open(const struct state_opts *o, struct state **ret, struct err *e)
{
	struct state *s = calloc(1, sizeof *s);
	if (!s || pthread_mutex_init(&s->lock, NULL)) {
		free(s);
		return fail(e, ST_NOMEM, 0, "state: out of memory");
	}
	st_t st = open_all(s, o, e);
	if (st == ST_OK)
		*ret = s;
	else
		state_close(s);
	return st;
}

void state_close(struct state *s)
{
	if (!s)
		return;
	for (int i = 0; i < QUERIES; i++)
		(void)sqlite3_finalize(s->q[i]);
	(void)sqlite3_close(s->db);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static st_t locked_number(struct state *s, const char *text, uint64_t *ret, struct err *e)
{
	int64_t v = 0;
	pthread_mutex_lock(&s->lock);
	st_t st = get_number(s, text, &v, e);
	pthread_mutex_unlock(&s->lock);
	if (st == ST_OK)
		*ret = (uint64_t)v;
	return st;
}

st_t state_latest_time(struct state *s, uint64_t *ret, struct err *e)
{
	return locked_number(s, "SELECT coalesce(max(time), 0) FROM log", ret, e);
}

st_t state_count(struct state *s, uint64_t *ret, struct err *e)
{
	return locked_number(s, "SELECT count(*) FROM log", ret, e);
}

/* Runs a statement that returns no row. */
static st_t step_done(struct state *s, enum query i, const char *what, struct err *e)
{
	int rc = sqlite3_step(s->q[i]);
	st_t st = rc == SQLITE_DONE ? ST_OK : fail_db(s->db, what, e);
	(void)sqlite3_reset(s->q[i]);
	(void)sqlite3_clear_bindings(s->q[i]);
	return st;
}

st_t state_begin(struct state *s, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	st_t st = s->broken
				  ? fail(e, ST_IO, 0, "state: an earlier write failed; start the witness anew")
				  : step_done(s, Q_BEGIN, "begin", e);
	if (st != ST_OK)
		pthread_mutex_unlock(&s->lock);
	return st;
}

st_t state_get(struct state *s, const struct tlog_hash *id, struct state_record *ret,
               struct err *e)
{
	sqlite3_stmt *q = s->q[Q_GET];
	if (sqlite3_bind_blob(q, 1, id->b, TLOG_HASH, SQLITE_STATIC) != SQLITE_OK)
		return fail_db(s->db, "read", e);
	int rc = sqlite3_step(q);
	st_t st = ST_OK;
	if (rc == SQLITE_ROW)
		st = read_record(q, 0, ret, e);
	else if (rc == SQLITE_DONE)
		*ret = (struct state_record){0};
	else
		st = fail_db(s->db, "read", e);
	(void)sqlite3_reset(q);
	return st;
}

static bool bind_record(sqlite3_stmt *q, const struct tlog_hash *id, struct rd origin,
                        const struct state_record *now, struct rd note)
{
	return sqlite3_bind_blob(q, 1, id->b, TLOG_HASH, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_text(q, 2, (const char *)origin.base, (int)origin.len, SQLITE_STATIC) ==
	           SQLITE_OK &&
	       sqlite3_bind_int64(q, 3, (int64_t)now->size) == SQLITE_OK &&
	       sqlite3_bind_blob(q, 4, now->root.b, TLOG_HASH, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_bind_int64(q, 5, (int64_t)now->time) == SQLITE_OK &&
	       sqlite3_bind_blob(q, 6, note.base, (int)note.len, SQLITE_STATIC) == SQLITE_OK;
}

st_t state_put(struct state *s, const struct tlog_hash *id, struct rd origin,
               const struct state_record *was, const struct state_record *now, struct rd note,
               struct err *e)
{
	enum query i = was->known ? Q_UPDATE : Q_INSERT;
	sqlite3_stmt *q = s->q[i];
	if (now->size > INT64_MAX || now->time > INT64_MAX || note.len > INT32_MAX)
		return fail(e, ST_LIMIT, 0, "state: a number above 2^63 - 1");
	bool ok = bind_record(q, id, origin, now, note);
	if (was->known)
		ok = ok && sqlite3_bind_int64(q, 7, (int64_t)was->size) == SQLITE_OK &&
		     sqlite3_bind_blob(q, 8, was->root.b, TLOG_HASH, SQLITE_STATIC) == SQLITE_OK;
	if (!ok)
		return fail_db(s->db, "write", e);
	int rc = sqlite3_step(q);
	st_t st = ST_OK;
	if ((rc & 0xff) == SQLITE_CONSTRAINT || (rc == SQLITE_DONE && sqlite3_changes(s->db) != 1))
		st = fail(e, ST_CONFLICT, 0, "state: the record is not the one that was seen");
	else if (rc != SQLITE_DONE)
		st = fail_db(s->db, "write", e);
	(void)sqlite3_reset(q);
	(void)sqlite3_clear_bindings(q);
	return st;
}

/* A file that was moved away or replaced is not the one that the next start will find: what is
 * written to it is forgotten by then. (A file system of a test may not know.) */
static st_t check_place(struct state *s, struct err *e)
{
	int moved = 0;
	(void)sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved ? fail(e, ST_IO, 0, "state: the file was moved, removed or replaced") : ST_OK;
}

st_t state_commit(struct state *s, struct err *e)
{
	st_t st = check_place(s, e);
	if (st == ST_OK)
		st = step_done(s, Q_COMMIT, "commit", e);
	if (st != ST_OK) {
		s->broken = true;
		(void)!step_done(s, Q_ROLLBACK, "rollback", NULL);
	}
	pthread_mutex_unlock(&s->lock);
	return st;
}

void state_rollback(struct state *s)
{
	s->broken = true;
	(void)!step_done(s, Q_ROLLBACK, "rollback", NULL);
	pthread_mutex_unlock(&s->lock);
}

st_t state_note(struct state *s, const struct tlog_hash *id, struct buf *ret, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	sqlite3_stmt *q = s->q[Q_NOTE];
	int rc = sqlite3_bind_blob(q, 1, id->b, TLOG_HASH, SQLITE_STATIC);
	rc = rc == SQLITE_OK ? sqlite3_step(q) : rc;
	st_t st;
	if (rc == SQLITE_ROW) {
		struct rd note = column_blob(q, 0);
		buf_add(ret, note.base, note.len);
		st = buf_check(ret, e, "state");
	} else if (rc == SQLITE_DONE) {
		st = fail(e, ST_NOT_FOUND, 0, "state: no checkpoint of this log was ever cosigned");
	} else {
		st = fail_db(s->db, "read", e);
	}
	(void)sqlite3_reset(q);
	pthread_mutex_unlock(&s->lock);
	return st;
}
