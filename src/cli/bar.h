/* A progress bar on stderr for work whose total is known: what is done, its rate, the time left. It
 * appears after a second, and only on a terminal. */
#ifndef VITRINE_CLI_BAR_H
#define VITRINE_CLI_BAR_H

#include <stdbool.h>
#include <stdint.h>

struct bar {
	bool on;
	bool drawn;
	const char *unit; /* "entries" */
	uint64_t start_ns, last_ns;
};

/* `on` is false where stderr is no terminal. */
void bar_init(struct bar *b, bool on, const char *unit);
void bar_tick(struct bar *b, uint64_t done, uint64_t total);

/* Takes it away, before something else is written and at the end. */
void bar_clear(struct bar *b);

#endif
