#include "cli/key_write.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/key_load.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool key_write_check(const char *command, const struct key_write *w)
{
	const char *why = NULL;
	if (!w->out)
		why = "an output (-o FILE) is needed";
	else if (w->no_passphrase && key_pass_given(&w->pass))
		why = "--no-passphrase, or a passphrase";
	if (why)
		say("%s: %s; try 'vitrine %s --help'", command, why, command);
	return !why;
}

static st_t sync_folder(const char *path, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 1;
	if (n >= sizeof folder)
		return fail(e, ST_LIMIT, 0, "%s: name too long", path);
	memcpy(folder, slash ? path : ".", n);
	folder[n] = '\0';
	AUTO_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return fail_errno(e, "%s", folder);
	return ST_OK;
}

static st_t write_tmp(const char *tmp, const struct buf *file, struct err *e)
{
	AUTO_FD fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(e, "%s", tmp);
	st_t st = io_write_all(fd, file->data, file->len, e);
	if (st == ST_OK && fsync(fd))
		st = fail_errno(e, "%s", tmp);
	if (st != ST_OK)
		unlink(tmp);
	return st;
}

/* A link is never made over a file that exists: a key cannot be lost to another one. */
static st_t save(const char *path, const struct buf *file, struct err *e)
{
	char tmp[PATH_MAX];
	int k = snprintf(tmp, sizeof tmp, "%s.tmp.%ld", path, (long)getpid());
	if (k < 0 || (size_t)k >= sizeof tmp)
		return fail(e, ST_LIMIT, 0, "%s: name too long", path);
	TRY(write_tmp(tmp, file, e));
	st_t st = link(tmp, path) ? fail_errno(e, "%s", path) : ST_OK;
	unlink(tmp);
	return st == ST_OK ? sync_folder(path, e) : st;
}

static void tell(const struct key_write *w, const char *name)
{
	if (w->no_passphrase)
		say("WARNING: %s is NOT ENCRYPTED: whoever reads it can sign as %s", w->out, name);
	else
		say("%s: written, encrypted; without its passphrase the key is lost", w->out);
}

static st_t print_vkey(const struct note_key *key, struct err *e)
{
	struct buf b = {0};
	note_key_format(key, &b);
	buf_u8(&b, '\n');
	st_t st = buf_check(&b, e, "vkey");
	if (st == ST_OK && (fwrite(b.data, 1, b.len, stdout) != b.len || fflush(stdout)))
		st = fail_errno(e, "the key is written, but its vkey could not be printed "
		                   "('vitrine key show' does)");
	buf_done(&b);
	return st;
}

static st_t make_and_save(const struct key_write *w, struct keyfile_new *n, struct err *e)
{
	struct note_key key;
	struct buf file = {0};
	st_t st = keyfile_make(n, &file, &key, e);
	if (st == ST_OK)
		st = save(w->out, &file, e);
	secret_buf_done(&file);
	TRY(st);
	tell(w, n->name);
	return print_vkey(&key, e);
}

/* A key that cannot be is refused before anybody thinks of a passphrase for it. */
static st_t check_early(const struct key_write *w, const struct keyfile_new *n, struct err *e)
{
	enum note_type type;
	if (n->alg == SIGNER_MLDSA44 && !mldsa44_available())
		return fail(e, ST_UNSUPPORTED, 0, "ML-DSA-44 needs libcrypto 3.5 or later");
	if (!note_name_valid(rd_make(n->name, strlen(n->name))))
		return fail(e, ST_MALFORMED, 0, "no name for a key (1 to %d bytes, no blanks, no +): '%s'",
		            NOTE_NAME_MAX, n->name);
	if (access(w->out, F_OK) == 0)
		return fail(e, (st_t)-EEXIST, 0, "%s: exists; a key is never written over", w->out);
	return keyfile_note_type(n->kind, n->alg, &type, e);
}

st_t key_write(const struct key_write *w, const char *name, const uint8_t *seed, struct err *e)
{
	struct secret phrase = {0};
	struct keyfile_new n = {.kind = KEYFILE_LOG, .name = name, .seed = seed,
	                        .cost = SCRYPT_DEFAULT, .random = &random_system};
	/* The table of options lets nothing else through. */
	if (w->kind)
		(void)keyfile_kind_find(rd_make(w->kind, strlen(w->kind)), &n.kind);
	n.alg = w->algorithm && !strcasecmp(w->algorithm, "ml-dsa-44") ? SIGNER_MLDSA44
	                                                               : SIGNER_ED25519;
	key_protect_process();
	TRY(check_early(w, &n, e));
	if (!w->no_passphrase) {
		TRY(key_passphrase(&w->pass, w->out, true, &phrase, e));
		n.pass = phrase.data;
		n.npass = phrase.len;
	}
	st_t st = make_and_save(w, &n, e);
	secret_done(&phrase);
	return st;
}
