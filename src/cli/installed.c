#include "cli/installed.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/update_health.h"
#include "cli/update_home.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINK_PREFIX "releases/"

/* The link's text, checked; "" where there is none. */
static st_t read_link(const char *path, char ret[UPDATE_ID_MAX], struct err *e)
{
	char target[sizeof LINK_PREFIX + UPDATE_ID_MAX];
	ret[0] = '\0';
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ST_OK;
	if (n < 0)
		return fail_errno(e, "%s", path);
	target[n] = '\0';
	const char *id = target + sizeof LINK_PREFIX - 1;
	if (strncmp(target, LINK_PREFIX, sizeof LINK_PREFIX - 1) || strchr(id, '/') ||
	    strlen(id) >= UPDATE_ID_MAX)
		return fail(e, ST_MALFORMED, 0, "%.150s: does not lead to a release", path);
	memcpy(ret, id, strlen(id) + 1);
	return ST_OK;
}

/* By its own name, not through the link: an update may switch it meanwhile. */
st_t installed_open(struct installed *i, struct err *e)
{
	char path[PATH_MAX];
	const char *state = home_state_path(NULL);
	*i = (struct installed){.fd = -1};
	if (strlen(state) > sizeof path - 128)
		return fail(e, ST_LIMIT, 0, "%.100s: too long", state);
	snprintf(path, sizeof path, "%s/" UPDATE_SET_DEFAULT "/current", state);
	TRY(read_link(path, i->id, e));
	if (!i->id[0])
		return ST_OK;
	snprintf(path, sizeof path, "%s/" UPDATE_SET_DEFAULT "/releases/%s/main.vdb", state, i->id);
	i->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (i->fd < 0)
		return fail_errno(e, "%s", path);
	return ST_OK;
}

void installed_close(struct installed *i)
{
	fd_closep(&i->fd);
}

/* ---- falling back ---- */

/* Whether samples that are clean are clean with it, without anything of the customer's. */
static st_t try_samples(int vdb_fd, struct err *e)
{
	struct health_report report;
	struct health_request rq = {.vdb_fd = vdb_fd};
	return update_health(&rq, &report, e);
}

/* What is to be tried next: what became active since, else what was active before. */
static int candidate(const struct update_state *s)
{
	if (s->current >= 0 && !(s->v[s->current].flags & UPDATE_FAILED))
		return s->current;
	return update_state_previous(s);
}

/* Marks what fails, in memory, until one is good. */
static int find_good(struct home *h, const char *failed, int *ret_fd)
{
	struct update_state *s = &h->state;
	int i = home_find(h, failed);
	while (i >= 0) {
		struct err e = {0};
		s->v[i].flags |= UPDATE_FAILED;
		i = candidate(s);
		if (i < 0)
			break;
		st_t st = home_open_file(h, i, "main.vdb", ret_fd, &e);
		if (st == ST_OK)
			st = try_samples(*ret_fd, &e);
		if (st == ST_OK)
			return i;
		say("release %s is no better: %s", s->v[i].id, e.text);
		fd_closep(ret_fd);
	}
	return -1;
}

/* The switch holds what is left, as for who goes back by hand. Here that it failed is enough: once
 * it is whole again an update may activate it. */
static st_t switch_to(struct home *h, int to, struct err *e)
{
	struct update_state *s = &h->state;
	uint32_t held = s->current >= 0 ? s->v[s->current].flags & UPDATE_HELD : 0;
	char left[UPDATE_ID_MAX] = "";
	if (s->current >= 0)
		memcpy(left, s->v[s->current].id, sizeof left);
	TRY(update_activate(h->place, s, (size_t)to, (int64_t)time(NULL), UPDATE_RELEASES_MAX, e));
	int from = left[0] ? home_find(h, left) : -1;
	if (from < 0 || held)
		return ST_OK;
	s->v[from].flags &= ~(uint32_t)UPDATE_HELD;
	return update_state_write(h->place, s, e);
}

/* For all scans and updates to come; good -1: there is none. `found` was read without the lock:
 * what it says is looked up again. */
static st_t record(const struct home *found, int good, struct err *e)
{
	struct home h;
	home_init(&h, NULL, NULL);
	st_t st = home_open(&h, UPDATE_SET_DEFAULT, true, e);
	for (size_t i = 0; st == ST_OK && i < found->state.n; i++) {
		int at = home_find(&h, found->state.v[i].id);
		if (at >= 0 && found->state.v[i].flags & UPDATE_FAILED)
			h.state.v[at].flags |= UPDATE_FAILED;
	}
	int to = st == ST_OK && good >= 0 ? home_find(&h, found->state.v[good].id) : -1;
	if (st == ST_OK && good >= 0 && to < 0)
		st = fail(e, ST_CONFLICT, 0, "the state has changed meanwhile");
	if (st == ST_OK)
		st = update_state_write(h.place, &h.state, e);
	if (st == ST_OK && to >= 0 && h.state.current != to)
		st = switch_to(&h, to, e);
	home_done(&h);
	return st;
}

static int fall_back(struct installed *in, const struct err *why)
{
	struct home h;
	struct err e = {0};
	int fd = -1, good = -1;
	home_init(&h, NULL, NULL);
	if (home_open(&h, UPDATE_SET_DEFAULT, false, &e) == ST_OK)
		good = find_good(&h, in->id, &fd);
	if (good < 0) {
		/* An update fetches it again if it is damaged. One of another format is not to blame. */
		if (why->st != ST_UNSUPPORTED)
			(void)!record(&h, -1, NULL);
		say("signatures %s are broken (%s) and there is no earlier release that works: run "
		    "'vitrine update'%s%s", in->id, why->text, e.text[0] ? "; " : "", e.text);
		home_done(&h);
		return -1;
	}
	say("WARNING: signatures %s are broken: %s", in->id, why->text);
	say("WARNING: scanning with the release before, %s", h.state.v[good].id);
	if (record(&h, good, &e) == ST_OK)
		say("WARNING: %s is active from now on; %s is marked as failed", h.state.v[good].id,
		    in->id);
	else
		say("WARNING: this run only (%s); run 'vitrine rollback' as who owns %s", e.text,
		    h.state_path);
	snprintf(in->id, sizeof in->id, "%s", h.state.v[good].id);
	home_done(&h);
	return fd;
}

int installed_replace(void *ctx, const char *what_happened)
{
	struct installed *in = ctx;
	struct err e = {0};
	(void)what_happened;
	if (in->fd < 0)
		return -1;
	st_t st = try_samples(in->fd, &e);
	return st > ST_OK ? fall_back(in, &e) : -1;
}
