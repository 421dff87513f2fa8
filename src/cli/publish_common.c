#include "cli/publish_common.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "publish/release.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP 10 /* snapshots: `publish prune` */

#define ONLINE_FILE "online"
#define ONLINE_MAX ((size_t)64 << 10)

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

/* The private file has a path a line. */
static st_t read_online(struct publish_cmd *c, struct err *e)
{
	struct err why = {0};
	struct buf *b = &c->online_text;
	st_t st = log_read_file(c->place.private_fd, ONLINE_FILE, ONLINE_MAX, b, &why);
	if (st == ST_NOT_FOUND)
		return ST_OK; /* the signature that is missing is said */
	TRY(st == ST_OK ? st : fail(e, st, why.off, "%s", why.text));
	buf_u8(b, 0);
	TRY(buf_check(b, e, ONLINE_FILE));
	for (char *line = (char *)b->data, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (str_list_add(&c->online_known, line) != ST_OK)
			return fail(e, ST_NOMEM, 0, ONLINE_FILE ": out of memory");
	}
	return ST_OK;
}

static const struct str_list *online_keys(const struct publish_cmd *c)
{
	return c->online.n ? &c->online : &c->online_known;
}

st_t publish_online_check(struct publish_cmd *c, struct err *e)
{
	return publish_ring_check(online_keys(c), e);
}

st_t publish_online_load(struct publish_cmd *c, struct err *e)
{
	return publish_ring_load(&c->ring, online_keys(c), &c->pass, e);
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
		st = publish_sign(c->repo, c->ring.signer, c->ring.n, c->now, e);
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
	TRY(publish_commit(c->repo, c->ring.signer, c->ring.n, c->now, e));
	return publish_tell_published(c, e);
}

st_t publish_cmd_open(struct publish_cmd *c, struct err *e)
{
	TRY(log_place_open(c->args.v[0], c->private_dir, false, &c->place, e));
	TRY(read_online(c, e));
	return publish_repo_open(&log_io_system, c->place.dir_fd, c->place.private_fd, &c->repo, e);
}

bool publish_duration(const char *s, int64_t *ret)
{
	int64_t v = 0;
	size_t n = strspn(s, "0123456789");
	if (n == 0 || n > 9 || strlen(s) != n + 1 || !strchr("smhd", s[n]))
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (s[i] - '0');
	*ret = v * (s[n] == 'd' ? 86400 : s[n] == 'h' ? 3600 : s[n] == 'm' ? 60 : 1);
	return v > 0;
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
	                            &c->targets_key, &c->publisher_key, &c->expires, &c->rebuild,
	                            &c->args, &c->online_known};
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		str_list_done(lists[i]);
	publish_ring_done(&c->ring);
	publish_repo_free(c->repo);
	log_place_done(&c->place);
	buf_done(&c->online_text);
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
	c->log.quiet = c->quiet;
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
	c->deltas = PUBLISH_DELTAS;
	c->keep = KEEP;
	c->log.pass = &c->pass;
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
