/* Which request runs when: first come, first served per host, hosts in turn. The time limit of a
 * request runs from its start, so waiting here costs it nothing. */
#include "proc/fetcher/inside.h"

#include <stdlib.h>
#include <string.h>

/* "https://host:port" of an URL that fetch_url_is_good(). */
static size_t key_of(const char *url)
{
	size_t scheme = strcspn(url, ":") + 3;
	return scheme + strcspn(url + scheme, "/?");
}

static struct host *find_host(struct fetcher *f, const char *url)
{
	size_t n = key_of(url);
	struct host **at = &f->hosts;
	for (; *at; at = &(*at)->next)
		if (!strncmp((*at)->key, url, n) && (*at)->key[n] == '\0')
			return *at;
	struct host *h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	memcpy(h->key, url, n);
	h->last = &h->first;
	*at = h;
	return h;
}

bool queue_add(struct fetcher *f, struct transfer *t)
{
	struct host *h = find_host(f, t->url);
	if (!h)
		return false;
	t->host = h;
	*h->last = t;
	h->last = &t->next;
	f->waiting++;
	return true;
}

static void start_one(struct fetcher *f, struct host *h)
{
	struct transfer *t = h->first;
	h->first = t->next;
	if (!h->first)
		h->last = &h->first;
	t->next = NULL;
	f->waiting--;
	if (!transfer_start(t))
		return;
	h->active++;
	f->active++;
	t->next = f->running;
	f->running = t;
}

/* One of each host in turn, until no host may start another. */
void queue_start(struct fetcher *f)
{
	bool some = true;
	while (some && f->waiting > 0) {
		some = false;
		for (struct host *h = f->hosts; h && f->active < ACTIVE_MAX; h = h->next) {
			if (!h->first || h->active >= f->per_host)
				continue;
			start_one(f, h);
			some = true;
		}
	}
}

static void forget_host(struct fetcher *f, struct host *gone)
{
	struct host **at = &f->hosts;
	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	free(gone);
}

struct transfer *queue_find_active(struct fetcher *f, uint64_t id)
{
	struct transfer *t = f->running;
	while (t && t->id != id)
		t = t->next;
	return t;
}

void queue_ended(struct transfer *t)
{
	struct fetcher *f = t->f;
	struct host *h = t->host;
	struct transfer **at = &f->running;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	h->active--;
	f->active--;
	if (h->active == 0 && !h->first)
		forget_host(f, h);
}
