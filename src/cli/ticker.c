#include "cli/ticker.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Says on the terminal that work goes on: "WHAT, 5 s". */
static void *tick(void *ctx)
{
	struct ticker *t = ctx;
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	for (unsigned seconds = 1;; seconds++) {
		until.tv_sec++;
		if (!sem_timedwait(&t->end, &until))
			return NULL;
		fprintf(stderr, "\r%s, %u s\x1b[K", t->what, seconds);
	}
}

void ticker_start(struct ticker *t, bool on, const char *what)
{
	*t = (struct ticker){.what = what};
	t->on = on && isatty(STDERR_FILENO) && !sem_init(&t->end, 0, 0) &&
	        !pthread_create(&t->thread, NULL, tick, t);
}

void ticker_stop(struct ticker *t)
{
	if (!t->on)
		return;
	sem_post(&t->end);
	pthread_join(t->thread, NULL);
	sem_destroy(&t->end);
	fputs("\r\x1b[K", stderr);
}
