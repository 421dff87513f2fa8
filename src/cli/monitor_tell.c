#include "cli/monitor_tell.h"

#include "cli/cli.h"
#include "proc/broker/hook.h"

#include <stdlib.h>
#include <string.h>

static st_t run(const struct teller *t, const char *json)
{
	struct err why = {0};
	st_t st = hook_run(t->hook, json, &why);
	if (st != ST_OK)
		say("%s", why.text);
	return st;
}

void tell_hook(struct teller *t, const char *json)
{
	if (!t->hook || run(t, json) == ST_OK)
		return;
	char *copy = t->n < TELL_WAITING_MAX ? strdup(json) : NULL;
	if (!copy) {
		say("hook: too many lines wait for it; one is given up");
		t->lost = true;
		return;
	}
	t->waiting[t->n++] = (struct tell_line){.json = copy, .tries = 1};
}

/* True: the line is done with. */
static bool try_again(struct teller *t, struct tell_line *l, st_t *ret)
{
	*ret = run(t, l->json);
	if (*ret == ST_OK)
		return true;
	if (++l->tries < TELL_TRIES_MAX)
		return false;
	say("hook: it failed %u times with a line, which is given up", TELL_TRIES_MAX);
	t->lost = true;
	return true;
}

void tell_again(struct teller *t)
{
	size_t kept = 0;
	st_t st = ST_OK;
	for (size_t i = 0; i < t->n; i++) {
		struct tell_line l = t->waiting[i];
		if (st != ST_TIMEOUT && try_again(t, &l, &st))
			free(l.json);
		else
			t->waiting[kept++] = l;
	}
	t->n = kept;
}

bool tell_is_complete(const struct teller *t)
{
	return t->n == 0 && !t->lost;
}

void tell_done(struct teller *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->waiting[i].json);
	t->n = 0;
}
