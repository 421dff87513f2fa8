/* Folders and configuration of a log. */
#include "cli/log_place.h"

#include "base/io.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_FIRST_LINE "vitrine-log v1"
#define CONFIG_MAX ((size_t)16 << 10)
#define PRIVATE_SUFFIX ".private"

/* What is durable within a folder is lost with the folder's own name. One that is there already may
 * be of an attempt that was interrupted before this. */
static st_t sync_name(int dir, const char *path, struct err *e)
{
	AUTO_FD above = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (above < 0 || fsync(above))
		return fail_errno(e, "%s: cannot make its name durable in the folder above", path);
	return ST_OK;
}

static st_t open_folder(const char *path, mode_t mode, bool make, char ret_real[PATH_MAX],
                        int *ret_fd, struct err *e)
{
	if (make && mkdir(path, mode) && errno != EEXIST)
		return fail_errno(e, "%s", path);
	if (!realpath(path, ret_real))
		return fail_errno(e, "%s", path);
	*ret_fd = open(ret_real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_fd < 0)
		return fail_errno(e, "%s", path);
	return make ? sync_name(*ret_fd, path, e) : ST_OK;
}

st_t log_place_open(const char *dir, const char *private_dir, bool make, struct log_place *ret,
                    struct err *e)
{
	char beside[PATH_MAX + sizeof PRIVATE_SUFFIX];
	*ret = (struct log_place){.dir_fd = -1, .private_fd = -1};
	st_t st = open_folder(dir, 0777, make, ret->dir, &ret->dir_fd, e);
	if (st == ST_OK && !private_dir) {
		snprintf(beside, sizeof beside, "%s" PRIVATE_SUFFIX, ret->dir);
		private_dir = beside;
		if (strcmp(ret->dir, "/") == 0)
			st = fail(e, ST_CONFLICT, 0, "/: nothing can be beside it; use --private");
	}
	if (st == ST_OK)
		st = open_folder(private_dir, 0700, make, ret->private_dir, &ret->private_fd, e);
	if (st != ST_OK)
		log_place_done(ret);
	return st;
}

void log_place_done(struct log_place *p)
{
	fd_closep(&p->dir_fd);
	fd_closep(&p->private_fd);
}

static st_t read_all(int fd, const char *path, size_t max, struct buf *ret, struct err *e)
{
	while (ret->len <= max) {
		uint8_t *p = buf_room(ret, 4096);
		if (!p)
			return fail(e, ST_NOMEM, 0, "%s: out of memory", path);
		ssize_t n = read(fd, p, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(e, "%s", path);
		if (n == 0)
			return ST_OK;
		ret->len += (size_t)n;
	}
	return fail(e, ST_LIMIT, max, "%s: longer than %zu bytes", path, max);
}

st_t log_read_file(int dir, const char *path, size_t max, struct buf *ret, struct err *e)
{
	AUTO_FD fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? fail(e, ST_NOT_FOUND, 0, "%s: not there", path)
		                       : fail_errno(e, "%s", path);
	return read_all(fd, path, max, ret, e);
}

/* Whole or not at all, and durable. */
static st_t write_file(int dir, const char *name, const void *p, size_t n, struct err *e)
{
	AUTO_FD fd = openat(dir, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(e, "%s", name);
	TRY(io_write_all(fd, p, n, e));
	if (fsync(fd) || renameat(dir, ".new", dir, name) || fsync(dir))
		return fail_errno(e, "%s", name);
	return ST_OK;
}

static bool is_same_policy(const struct log_place *p, struct rd policy)
{
	struct buf old = {0};
	st_t st = log_read_file(p->private_fd, "policy", POLICY_SIZE_MAX, &old, NULL);
	size_t n = rd_left(&policy);
	bool same = st == ST_NOT_FOUND ? n == 0
	                               : st == ST_OK && n == old.len && rd_peek(&policy, old.data, n);
	buf_done(&old);
	return same;
}

/* A log that is there is not changed by an init that is going to be refused; one that was
 * interrupted can be repeated as it was. */
static st_t check_old(const struct log_place *p, const struct buf *config, struct rd policy,
                      bool *ret_old, struct err *e)
{
	struct buf old = {0};
	st_t st = log_read_file(p->private_fd, "config", CONFIG_MAX, &old, NULL);
	bool same = st == ST_OK && old.len == config->len && !memcmp(old.data, config->data, old.len);
	buf_done(&old);
	*ret_old = st == ST_OK;
	if (st == ST_NOT_FOUND || (same && is_same_policy(p, policy)))
		return ST_OK;
	return fail(e, ST_CONFLICT, 0,
	            "%.120s: there is a log already, made with another key, key file or policy",
	            p->private_dir);
}

static st_t write_config(const struct log_place *p, const struct buf *config, struct rd policy,
                         struct err *e)
{
	bool old;
	size_t n = rd_left(&policy);
	TRY(check_old(p, config, policy, &old, e));
	if (n)
		TRY(write_file(p->private_fd, "policy", rd_take(&policy, n), n, e));
	else if (!old && unlinkat(p->private_fd, "policy", 0) && errno != ENOENT)
		return fail_errno(e, "%.120s/policy: cannot remove it", p->private_dir);
	return write_file(p->private_fd, "config", config->data, config->len, e);
}

st_t log_config_write(const struct log_place *p, const struct note_key *key, const char *key_path,
                      struct rd policy, struct err *e)
{
	struct buf b = {0};
	buf_text(&b, CONFIG_FIRST_LINE "\nvkey ");
	note_key_format(key, &b);
	buf_text(&b, "\nkey ");
	buf_text(&b, key_path);
	buf_text(&b, rd_left(&policy) ? "\npolicy yes\n" : "\npolicy no\n");
	st_t st = buf_check(&b, e, "log config");
	if (st == ST_OK)
		st = write_config(p, &b, policy, e);
	buf_done(&b);
	return st;
}

/* The value of a line "NAME VALUE". */
static bool read_line(struct rd *in, const char *name, struct rd *ret)
{
	size_t n = strlen(name);
	if (!text_line(in, ret) || !rd_peek(ret, name, n))
		return false;
	rd_skip(ret, n);
	bool space = rd_u8(ret) == ' ';
	*ret = rd_sub(ret, rd_left(ret));
	return space && !ret->bad;
}

static st_t parse_config(struct rd in, struct log_config *ret, bool *ret_policy, struct err *e)
{
	struct rd first, vkey, path, policy;
	if (!text_line(&in, &first) || !text_is(first, CONFIG_FIRST_LINE))
		return fail(e, ST_UNSUPPORTED, 0, "log config: the first line is not '"
		            CONFIG_FIRST_LINE "'");
	bool ok = read_line(&in, "vkey", &vkey) && read_line(&in, "key", &path) &&
	          read_line(&in, "policy", &policy) &&
	          (text_is(policy, "yes") || text_is(policy, "no"));
	size_t n = ok ? rd_left(&path) : 0;
	if (!n || n >= sizeof ret->key_path || rd_left(&in))
		return fail(e, ST_MALFORMED, 0, "log config: lines 'vkey VKEY', 'key PATH' and 'policy "
		            "yes|no' expected");
	*ret_policy = text_is(policy, "yes");
	rd_copy(&path, ret->key_path, n);
	return note_key_parse(vkey, &ret->key, e);
}

/* The config says whether there is a policy: with its file lost, a log would publish what no
 * witness has seen. */
static st_t read_policy(const struct log_place *p, struct policy **ret, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	st_t st = log_read_file(p->private_fd, "policy", POLICY_SIZE_MAX, &b, &why);
	if (st == ST_OK)
		st = policy_parse(rd_make(b.data, b.len), ret, &why);
	buf_done(&b);
	if (st == ST_NOT_FOUND)
		return fail(e, ST_CONFLICT, 0,
		            "%.120s/policy: missing; this log publishes nothing without it: restore it",
		            p->private_dir);
	return st == ST_OK ? ST_OK : fail(e, st, why.off, "%.80s/policy: %.160s", p->private_dir,
	                                  why.text);
}

st_t log_config_read(const struct log_place *p, struct log_config *ret, struct err *e)
{
	struct buf b = {0};
	bool policy = false;
	*ret = (struct log_config){0};
	st_t st = log_read_file(p->private_fd, "config", CONFIG_MAX, &b, NULL);
	if (st == ST_NOT_FOUND)
		return fail(e, st, 0, "%.120s: no log; 'vitrine log init' makes one", p->private_dir);
	if (st != ST_OK)
		st = fail(e, st, 0, "%.120s/config: cannot be read", p->private_dir);
	else
		st = parse_config(rd_make(b.data, b.len), ret, &policy, e);
	buf_done(&b);
	return st == ST_OK && policy ? read_policy(p, &ret->policy, e) : st;
}

void log_config_done(struct log_config *c)
{
	policy_free(c->policy);
	c->policy = NULL;
}
