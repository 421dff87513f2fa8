#include "cli/key_load.h"

#include "base/io.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

void key_protect_process(void)
{
	struct rlimit none = {0};
	(void)!setrlimit(RLIMIT_CORE, &none);
	(void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A seed in the clear is the owner's alone. Its group may read (systemd shows credentials so), but
 * write only the owner. */
static st_t check_mode(const struct stat *s, struct err *e)
{
	if (s->st_mode & (S_IWGRP | S_IRWXO))
		return fail(e, ST_UNSUPPORTED, 0,
		            "a private key without encryption that others may read or change; "
		            "'chmod 600' it, and make a new one if somebody did");
	return ST_OK;
}

static st_t read_file(const char *path, struct secret *file, struct keyfile *ret, struct err *e)
{
	struct stat s;
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &s))
		return fail(e, (st_t)-errno, 0, "%s", strerror(errno));
	if (!S_ISREG(s.st_mode))
		return fail(e, ST_UNSUPPORTED, 0, "not a file");
	TRY(key_read_all(fd, KEYFILE_SIZE_MAX, file, e));
	TRY(keyfile_parse(rd_make(file->data, file->len), ret, e));
	return ret->encrypted ? ST_OK : check_mode(&s, e);
}

/* The first cause, with the file that it is about. */
static st_t about(const char *path, st_t st, const struct err *why, struct err *e)
{
	return st == ST_OK ? st : fail(e, st, why->off, "%s: %s", path, why->text);
}

st_t key_read(const char *path, struct secret *ret_file, struct keyfile *ret, struct err *e)
{
	struct secret file = {0};
	struct keyfile k;
	struct err why = {0};
	if (!strncmp(path, "pkcs11:", 7))
		return fail(e, ST_UNSUPPORTED, 0, "%s: this version reads keys from files only", path);
	key_protect_process();
	st_t st = read_file(path, &file, &k, &why);
	if (st != ST_OK) {
		secret_done(&file);
		return about(path, st, &why, e);
	}
	*ret_file = file;
	*ret = k;
	return ST_OK;
}

st_t key_open(const char *path, const struct keyfile *k, const struct key_pass_opts *pass,
              struct loaded_key *ret, struct err *e)
{
	struct secret phrase = {0};
	struct signer *signer;
	struct err why = {0};
	if (k->encrypted)
		TRY(key_passphrase(pass, path, false, &phrase, e));
	st_t st = keyfile_open(k, phrase.data, phrase.len, &signer, &why);
	secret_done(&phrase);
	TRY(about(path, st, &why, e));
	*ret = (struct loaded_key){.signer = signer, .kind = k->kind, .key = k->key};
	return ST_OK;
}

st_t key_load(const char *where, const struct key_pass_opts *pass, struct loaded_key *ret,
              struct err *e)
{
	struct secret file;
	struct keyfile k;
	TRY(key_read(where, &file, &k, e));
	st_t st = key_open(where, &k, pass, ret, e);
	secret_done(&file);
	return st;
}

void key_unload(struct loaded_key *k)
{
	signer_free(k->signer);
	*k = (struct loaded_key){0};
}
