/* Telling the operator's hook of alerts. One that fails is tried again with the following looks: an
 * alert is said once by the monitor, and a mail server that was away for a minute must not be the
 * reason that nobody hears of it. */
#ifndef VITRINE_CLI_MONITOR_TELL_H
#define VITRINE_CLI_MONITOR_TELL_H

#include <stdbool.h>
#include <stddef.h>

/* Lines that wait at most; further ones are given up. */
#define TELL_WAITING_MAX 200u
/* A hook that refuses a line so often means it. */
#define TELL_TRIES_MAX 10u

struct tell_line {
	char *json;
	unsigned tries;
};

/* All zeroes: no hook. */
struct teller {
	char *const *hook; /* argv; NULL: none */
	struct tell_line waiting[TELL_WAITING_MAX];
	size_t n;
	bool lost; /* a line was given up */
};

/* Runs the hook with the line. If it fails that is said and the line waits. */
void tell_hook(struct teller *t, const char *json);

/* Each line that waits once more, until the hook hangs. */
void tell_again(struct teller *t);

/* False: there are lines that the hook never took. */
bool tell_is_complete(const struct teller *t);

void tell_done(struct teller *t);

#endif
