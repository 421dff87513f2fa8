/* What `vitrine log init` and `log add` have in common. The process reads files that the user named
 * before it is jailed, as bytes; what is in the log's folders and what witnesses answer it reads
 * in the jail. */
#include "cli/log_session.h"

#include "cli/cli.h"
#include "crypto/random.h"
#include "sandbox/roles.h"

#include <string.h>
#include <time.h>

/* For one checkpoint and all witnesses together: some ask others, or are slow to start. */
#define WITNESS_TIMEOUT_MS 30000

static uint64_t now_s(void)
{
	return (uint64_t)time(NULL);
}

/* C2SP tlog-tiles: "If the log is public, [...] the checkpoint MUST carry at least one Ed25519
 * signature by the log." */
st_t log_key_check(const char *path, enum keyfile_kind kind, const struct note_key *key,
                   struct err *e)
{
	if (kind == KEYFILE_LOG && key->type == NOTE_ED25519)
		return ST_OK;
	return fail(e, ST_UNSUPPORTED, 0,
	            "%.160s: not an Ed25519 key of a log ('vitrine key new --for log')", path);
}

static st_t load_key(const struct log_session_opts *o, struct loaded_key *ret, struct err *e)
{
	TRY(key_load(o->key, o->pass, ret, e));
	TRY(log_key_check(o->key, ret->kind, &ret->key, e));
	const struct note_key *want = o->expect;
	if (want && !note_key_equal(want, &ret->key))
		return fail(e, ST_CONFLICT, 0, "%.100s: not the key of this log, which is %.80s+%08x",
		            o->key, want->name, (unsigned)want->id);
	return ST_OK;
}

static bool has_url(const struct policy *p)
{
	for (size_t i = 0; i < p->nwitnesses; i++)
		if (p->witnesses[i].url)
			return true;
	return false;
}

/* Each witness: a checkpoint and a proof, some kB, and again where its size was another. The
 * process has the log's key, so there is an end to what it may say. */
#define SEND_MAX ((uint64_t)16 << 20)

/* POST only: that is how witnesses are asked (C2SP tlog-witness). */
static void allow_witnesses(const struct policy *p, struct fetch_scope *ret)
{
	*ret = (struct fetch_scope){.send_max = SEND_MAX};
	for (size_t i = 0; i < p->nwitnesses; i++)
		if (p->witnesses[i].url)
			fetch_scope_add(ret, p->witnesses[i].url, strlen(p->witnesses[i].url),
			                FETCH_MAY_POST);
}

static st_t start_witnesses(struct log_session *s, const struct log_session_opts *o, struct err *e)
{
	struct fetch_scope scope;
	const struct fetcher_opts f = {.ca_file = o->ca_file, .scope = &scope};
	if (!o->policy || !o->policy->nwitnesses)
		return ST_OK;
	allow_witnesses(o->policy, &scope);
	if (has_url(o->policy))
		TRY(fetcher_start(&f, &s->fetcher, &s->fetch, e));
	TRY(log_witnesses_init(&s->witnesses, o->policy, &s->fetch, WITNESS_TIMEOUT_MS, now_s, e));
	s->cosigners = log_witnesses_as_cosigners(&s->witnesses);
	s->o.cosigners = &s->cosigners;
	return ST_OK;
}

static st_t enter_jail(struct log_session *s, int out_dir, struct err *e)
{
	struct sandbox_report report;
	int rw[3] = {s->place->dir_fd, s->place->private_fd, out_dir};
	int socket = s->fetcher ? fetcher_socket(s->fetcher) : -1;
	const struct sandbox_paths paths = {.rw = rw, .nrw = out_dir < 0 ? 2 : 3};
	TRY(sandbox_preload(e));
	return sandbox_enter_self(ROLE_LOG_WRITE, &paths, &socket, socket < 0 ? 0 : 1, &report, e);
}

st_t log_session_open(struct log_place *place, const struct log_session_opts *o,
                      struct log_session *s, struct err *e)
{
	*s = (struct log_session){.place = place};
	TRY(random_fill(&random_system, s->o.seed, sizeof s->o.seed, e));
	TRY(load_key(o, &s->key, e));
	TRY(start_witnesses(s, o, e));
	TRY(enter_jail(s, o->out_dir, e));
	s->o.io = &log_io_system;
	s->o.private_dir = place->private_fd;
	s->o.signer = s->key.signer;
	s->o.key = &s->key.key;
	return log_store_open_folder(&log_io_system, place->dir_fd, &s->o.store, e);
}

void log_session_warn(const struct log_session *s)
{
	if (!s->o.cosigners)
		return;
	for (size_t i = 0; i < s->witnesses.policy->nwitnesses; i++) {
		const struct submit_outcome *o = &s->witnesses.outcome[i];
		if (s->witnesses.policy->witnesses[i].url && !o->cosigned && o->error[0])
			say("WARNING: published without witness %s: %s",
			    s->witnesses.policy->witnesses[i].name, o->error);
	}
}

void log_session_done(struct log_session *s)
{
	log_store_free(s->o.store);
	if (s->fetcher)
		fetcher_leave(s->fetcher);
	if (s->o.cosigners)
		log_witnesses_done(&s->witnesses);
	key_unload(&s->key);
}
