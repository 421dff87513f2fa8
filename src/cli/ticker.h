/* A line on the terminal for work whose total is not known: what is done, and for how long. It
 * appears after a second. */
#ifndef VITRINE_CLI_TICKER_H
#define VITRINE_CLI_TICKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

struct ticker {
	bool on;
	const char *what; /* "compiling" */
	pthread_t thread;
	sem_t end;
};

/* Nothing is shown if not `on` or where stderr is no terminal. */
void ticker_start(struct ticker *t, bool on, const char *what);

/* Takes the line away. */
void ticker_stop(struct ticker *t);

#endif
