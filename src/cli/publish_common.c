#include "cli/publish_common.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ONLINE_FILE "online"
#define ONLINE_MAX ((size_t)64 << 10)

/* -- keys ------------------------------------------------------------------------------------- */

static bool may_sign(enum keyfile_kind kind, enum note_type type)
{
	/* Keys for notes were used before there was a kind for it. */
	return (kind == KEYFILE_PUBLISHER || kind == KEYFILE_NOTE) && type == NOTE_ED25519;
}

static st_t check_kind(const char *path, enum keyfile_kind kind, enum note_type type, struct err *e)
{
	if (may_sign(kind, type))
		return ST_OK;
	return fail(e, ST_UNSUPPORTED, 0, "%.160s: a key of a %s, not of a publisher ('vitrine key new "
	            "--for publisher')", path, keyfile_kind_name(kind));
}

static st_t from_vkey(struct rd text, struct attest_key *ret, struct err *e)
{
	struct note_key k;
	struct rd line;
	if (!text_line(&text, &line))
		line = rd_sub(&text, rd_left(&text));
	TRY(note_key_parse(line, &k, e));
	if (k.type != NOTE_ED25519)
		return fail(e, ST_UNSUPPORTED, 0, "a vkey of type 0x%02x: publishers sign with Ed25519 "
		            "(0x01)", (unsigned)k.type);
	attest_key_from_ed25519(k.pub, ret);
	return ST_OK;
}

static st_t from_keyfile(const char *path, struct attest_key *ret, struct err *e)
{
	struct secret file;
	struct keyfile k;
	TRY(key_read(path, &file, &k, e));
	st_t st = check_kind(path, k.kind, k.key.type, e);
	if (st == ST_OK)
		attest_key_from_ed25519(k.key.pub, ret);
	secret_done(&file);
	return st;
}

static bool begins(const struct buf *b, const char *s)
{
	size_t n = strlen(s);
	return b->len >= n && memcmp(b->data, s, n) == 0;
}

static bool has(const struct buf *b, const char *s)
{
	return memmem(b->data, b->len, s, strlen(s)) != NULL;
}

st_t publish_key_read(const char *where, struct attest_key *ret, bool *ret_private, struct err *e)
{
	struct buf b = {0};
	struct err why = {0};
	st_t st;
	*ret_private = false;
	AUTO_FD fd = open(where, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT && strchr(where, '+')) {
		st = from_vkey(rd_make(where, strlen(where)), ret, &why);
		return st == ST_OK ? st : fail(e, st, 0, "%.100s: no file, and no vkey: %.120s", where,
		                               why.text);
	}
	if (fd < 0)
		return fail_errno(e, "%s", where);
	TRY(io_read_up_to(fd, ATTEST_KEY_FILE_MAX, where, &b, e));
	*ret_private = begins(&b, "vitrine key ");
	bool pem = has(&b, "-----BEGIN ");
	struct rd in = rd_make(b.data, b.len);
	if (*ret_private)
		st = from_keyfile(where, ret, e);
	else
		st = pem ? attest_key_parse_pem(in, ret, &why) : from_vkey(in, ret, &why);
	buf_done(&b);
	return st == ST_OK ? st : fail(e, st, 0, "%.100s: %.150s", where, why.text);
}

st_t publish_keys_read(const struct str_list *where, struct publish_role_keys *ret, struct err *e)
{
	for (size_t i = 0; i < where->n; i++) {
		bool private;
		if (ret->n == PUBLISH_KEYS_MAX)
			return fail(e, ST_LIMIT, 0, "more than %d keys", PUBLISH_KEYS_MAX);
		TRY(publish_key_read(where->v[i], &ret->v[ret->n].key, &private, e));
		ret->n++;
	}
	return ST_OK;
}

static bool is_loaded(const struct publish_cmd *c, const struct attest_key *k)
{
	for (size_t i = 0; i < c->nsigners; i++) {
		struct attest_key own;
		attest_key_from_ed25519(c->signer[i]->pub, &own);
		if (attest_key_equal(&own, k))
			return true;
	}
	return false;
}

static st_t load_one(struct publish_cmd *c, const char *path, struct err *e)
{
	struct loaded_key *k = &c->loaded[c->nsigners];
	if (c->nsigners == PUBLISH_KEYS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d keys", PUBLISH_KEYS_MAX);
	TRY(key_load(path, &c->pass, k, e));
	c->signer[c->nsigners++] = k->signer;
	return ST_OK;
}

static st_t load_list(struct publish_cmd *c, const struct str_list *paths, bool all, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		struct attest_key k;
		bool private;
		TRY(publish_key_read(paths->v[i], &k, &private, e));
		if (!private && all)
			return fail(e, ST_UNSUPPORTED, 0, "%.160s: a public key: it cannot sign", paths->v[i]);
		if (private && !is_loaded(c, &k))
			TRY(load_one(c, paths->v[i], e));
	}
	return ST_OK;
}

st_t publish_cmd_load(struct publish_cmd *c, const struct str_list *paths, struct err *e)
{
	return load_list(c, paths, true, e);
}

st_t publish_cmd_load_private(struct publish_cmd *c, const struct str_list *where, struct err *e)
{
	return load_list(c, where, false, e);
}

/* -- the online keys -------------------------------------------------------------------------- */

st_t publish_online_write(struct publish_cmd *c, const struct str_list *paths, struct err *e)
{
	int dir = c->place.private_fd;
	AUTO_FD fd = openat(dir, ONLINE_FILE ".new",
	                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(e, "%s/" ONLINE_FILE, c->place.private_dir);
	for (size_t i = 0; i < paths->n; i++) {
		struct attest_key k;
		bool private;
		char real[PATH_MAX + 1];
		TRY(publish_key_read(paths->v[i], &k, &private, e));
		if (!private)
			continue;
		if (!realpath(paths->v[i], real))
			return fail_errno(e, "%s", paths->v[i]);
		size_t n = strlen(real);
		real[n] = '\n';
		TRY(io_write_all(fd, real, n + 1, e));
	}
	if (fsync(fd) || renameat(dir, ONLINE_FILE ".new", dir, ONLINE_FILE) || fsync(dir))
		return fail_errno(e, "%s/" ONLINE_FILE, c->place.private_dir);
	return ST_OK;
}

static st_t load_lines(struct publish_cmd *c, struct rd in, struct err *e)
{
	struct rd line;
	while (text_line(&in, &line)) {
		char path[PATH_MAX] = "";
		const char *one[] = {path};
		const struct str_list list = {.v = one, .n = 1};
		if (line.len >= sizeof path)
			return fail(e, ST_LIMIT, 0, "%.120s/" ONLINE_FILE ": a line is too long",
			            c->place.private_dir);
		rd_copy(&line, path, line.len);
		TRY(publish_cmd_load(c, &list, e));
	}
	return ST_OK;
}

st_t publish_online_load(struct publish_cmd *c, struct err *e)
{
	struct buf b = {0};
	if (c->online.n)
		return publish_cmd_load(c, &c->online, e);
	st_t st = log_read_file(c->place.private_fd, ONLINE_FILE, ONLINE_MAX, &b, NULL);
	if (st == ST_NOT_FOUND)
		return ST_OK; /* the missing signature is said */
	if (st == ST_OK)
		st = load_lines(c, rd_make(b.data, b.len), e);
	buf_done(&b);
	return st;
}

/* -- telling ---------------------------------------------------------------------------------- */

static uint64_t missing(const struct publish_staged *s, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += s[i].need - s[i].have;
	return sum;
}

static void tell_staged_text(const struct publish_cmd *c, const struct publish_staged *s)
{
	printf("staged     %s version %llu: %llu of %llu signatures\n", s->role,
	       (unsigned long long)s->version, (unsigned long long)s->have,
	       (unsigned long long)s->need);
	if (s->have >= s->need)
		return;
	fputs("  sign     vitrine publish sign ", stdout);
	text_put(stdout, c->place.private_dir, TEXT_CLAMSCAN);
	printf("/staged/%s.json --key KEYFILE\n", s->role);
	for (size_t i = 0; i < s->nmissing; i++)
		printf("  by       %s\n", s->missing[i]);
}

static void tell_staged_json(const struct publish_staged *s)
{
	printf("{\"staged\":\"%s\",\"version\":%llu,\"have\":%llu,\"need\":%llu,\"missing\":[", s->role,
	       (unsigned long long)s->version, (unsigned long long)s->have,
	       (unsigned long long)s->need);
	for (size_t i = 0; i < s->nmissing; i++)
		printf("%s\"%s\"", i ? "," : "", s->missing[i]);
	puts("]}");
}

static st_t row(struct publish_cmd *c, const char *role, struct err *e)
{
	int64_t expires;
	char when[32];
	struct tm tm;
	uint64_t version;
	TRY(publish_version(c->repo, role, &version, e));
	TRY(publish_expires(c->repo, role, &expires, e));
	time_t t = (time_t)expires;
	if (!gmtime_r(&t, &tm) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return fail(e, ST_LIMIT, 0, "%s: a time that is none", role);
	if (c->json)
		printf("{\"published\":\"%s\",\"version\":%llu,\"expires\":\"%s\"}\n", role,
		       (unsigned long long)version, when);
	else
		printf("published  %-10s version %llu, expires %s\n", role, (unsigned long long)version,
		       when);
	/* What only people can renew is said in time: when a quarter of a usual life is left. */
	if (expires - c->now < 23 * 86400 && (!strcmp(role, "root") || !strcmp(role, "targets")))
		say("%s expires %s; 'vitrine publish renew DIR %s' stages it anew", role, when, role);
	return ST_OK;
}

st_t publish_tell_published(struct publish_cmd *c, struct err *e)
{
	static const char *const roles[] = {"root", "targets", "snapshot", "timestamp"};
	for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
		TRY(row(c, roles[i], e));
	return ST_OK;
}

/* -- the end of a command --------------------------------------------------------------------- */

st_t publish_cmd_finish(struct publish_cmd *c, int *ret_code, struct err *e)
{
	struct publish_staged *s = calloc(PUBLISH_STAGED_MAX, sizeof *s);
	size_t n = 0;
	st_t st = s ? publish_online_load(c, e) : fail(e, ST_NOMEM, 0, "out of memory");
	if (st == ST_OK)
		st = publish_sign(c->repo, c->signer, c->nsigners, c->now, e);
	if (st == ST_OK)
		st = publish_staged(c->repo, s, &n, e);
	bool whole = st == ST_OK && missing(s, n) == 0;
	for (size_t i = 0; st == ST_OK && !whole && i < n; i++) {
		if (c->json)
			tell_staged_json(&s[i]);
		else
			tell_staged_text(c, &s[i]);
	}
	free(s);
	TRY(st);
	*ret_code = whole ? EXIT_CLEAN : EXIT_STAGED;
	if (!whole)
		return ST_OK;
	TRY(publish_commit(c->repo, c->signer, c->nsigners, c->now, e));
	return publish_tell_published(c, e);
}

st_t publish_cmd_open(struct publish_cmd *c, struct err *e)
{
	TRY(log_place_open(c->args.v[0], c->private_dir, false, &c->place, e));
	return publish_repo_open(&log_io_system, c->place.dir_fd, c->place.private_fd, &c->repo, e);
}

static st_t take_time(struct publish_cmd *c, struct err *e)
{
	c->now = (int64_t)time(NULL);
	if (c->time && !tuf_time(c->time, &c->now))
		return fail(e, ST_MALFORMED, 0, "--time %.40s: not as in 2026-11-24T12:00:00Z", c->time);
	return ST_OK;
}

static void done(struct publish_cmd *c)
{
	struct str_list *lists[] = {&c->key, &c->add, &c->remove, &c->online, &c->path, &c->root_key,
	                            &c->targets_key, &c->expires, &c->args};
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		str_list_done(lists[i]);
	publish_repo_free(c->repo);
	log_place_done(&c->place);
	for (size_t i = 0; i < PUBLISH_KEYS_MAX; i++)
		key_unload(&c->loaded[i]);
}

static int run(const struct publish_command *p, struct publish_cmd *c)
{
	struct err e = {0};
	int code = EXIT_ERROR;
	if (c->args.n < p->min_args || c->args.n > p->max_args) {
		say("%s: too %s arguments; try 'vitrine %s --help'", p->name,
		    c->args.n < p->min_args ? "few" : "many", p->name);
		return EXIT_ERROR;
	}
	st_t st = take_time(c, &e);
	if (st == ST_OK)
		st = p->run(c, &code, &e);
	if (st == ST_OK && (fflush(stdout) || ferror(stdout)))
		st = fail_errno(&e, "stdout");
	if (st != ST_OK)
		say_error(&e, st);
	return st == ST_OK ? code : EXIT_ERROR;
}

int publish_main(const struct publish_command *p, int argc, char **argv)
{
	struct publish_cmd *c = calloc(1, sizeof *c);
	struct str_list warned = {0};
	struct opt_error error = {0};
	int code = EXIT_ERROR;
	if (!c) {
		say("out of memory");
		return EXIT_ERROR;
	}
	c->name = p->name;
	c->place = (struct log_place){.dir_fd = -1, .private_fd = -1};
	if (!opts_read(&p->options, argc, argv, c, &c->args, &warned, &error)) {
		opts_say(&error, p->name);
	} else if (c->help) {
		fputs(p->usage, stdout);
		code = EXIT_CLEAN;
	} else {
		code = run(p, c);
	}
	str_list_done(&warned);
	done(c);
	free(c);
	return code;
}
