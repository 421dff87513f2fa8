/* Verifies an update in vitrine-verifier and prints what was said:
 *   verify_probe --policy FILE --tuf DIR [--spool DIR] [--folder DIR | --bundle FILE] [--now N]
 *                [--seen N] [--source] [--evidence-only] [--old-vdb FILE] [--old-source FILE]
 *                [--verifier PROGRAM] [--keep]
 * The policy is an expanded one. Lines: "event LINK OUTCOME STATUS TEXT", "keep PATH SIZE", "end
 * STATUS TEXT", "cost BYTES REQUESTS PEAK_KB SENT" (SENT -1: unknown). */
#include "proc/broker/verify.h"

#include "base/io.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show_event(void *ctx, const struct chain_event *ev)
{
	static const char *const outcome[] = {"passed", "refused", "not-asked"};
	(void)ctx;
	printf("event %s %s %s %s\n", chain_link_name(ev->link), outcome[ev->outcome],
	       st_name(ev->why), ev->text);
}

static st_t show_kept(void *ctx, const char *path, struct rd bytes, struct err *e)
{
	(void)e;
	if (ctx)
		printf("keep %s %zu\n", path, rd_left(&bytes));
	return ST_OK;
}

static int open_or_die(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		exit(2);
	}
	return fd;
}

static struct rd read_policy(const char *path)
{
	static struct buf text;
	struct err e = {0};
	AUTO_FD fd = open_or_die(path, O_RDONLY);
	if (io_read_up_to(fd, UPDATE_POLICY_MAX, path, &text, &e) != ST_OK)
		exit(2);
	return rd_make(text.data, text.len);
}

struct options {
	struct verify_request rq;
	bool keep;
};

static bool take_flag(struct options *o, const char *a)
{
	if (!strcmp(a, "--source"))
		return o->rq.want_source = true;
	if (!strcmp(a, "--evidence-only"))
		return o->rq.evidence_only = true;
	return !strcmp(a, "--keep") && (o->keep = true);
}

static bool take_option(struct options *o, const char *a, const char *v)
{
	struct verify_request *rq = &o->rq;
	if (!strcmp(a, "--policy"))
		rq->policy = read_policy(v);
	else if (!strcmp(a, "--tuf"))
		rq->tuf_fd = open_or_die(v, O_RDONLY | O_DIRECTORY);
	else if (!strcmp(a, "--spool"))
		rq->spool_fd = open_or_die(v, O_RDONLY | O_DIRECTORY);
	else if (!strcmp(a, "--folder"))
		rq->folder_fd = open_or_die(v, O_PATH | O_DIRECTORY);
	else if (!strcmp(a, "--bundle"))
		rq->bundle_fd = open_or_die(v, O_RDONLY);
	else if (!strcmp(a, "--old-vdb"))
		rq->old_vdb_fd = open_or_die(v, O_RDONLY);
	else if (!strcmp(a, "--old-source"))
		rq->old_source_fd = open_or_die(v, O_RDONLY);
	else if (!strcmp(a, "--now"))
		rq->now = strtoll(v, NULL, 10);
	else if (!strcmp(a, "--seen"))
		rq->seen = strtoll(v, NULL, 10);
	else if (!strcmp(a, "--verifier"))
		rq->verifier_path = v;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct options o = {.rq = {.tuf_fd = -1, .spool_fd = -1, .old_vdb_fd = -1,
	                           .old_source_fd = -1, .folder_fd = -1, .bundle_fd = -1,
	                           .stop_fd = -1}};
	for (int i = 1; i < argc; i++) {
		if (take_flag(&o, argv[i]))
			continue;
		if (i + 1 == argc || !take_option(&o, argv[i], argv[i + 1]))
			return 2;
		i++;
	}
	struct verify_out out = {.event = show_event, .keep = show_kept, .ctx = o.keep ? &o : NULL};
	static struct chain_release release;
	struct verify_cost cost;
	struct err e = {0};
	st_t st = broker_verify(&o.rq, &out, &release, &cost, &e);
	printf("end %s %s\n", st_name(st), e.text);
	printf("cost %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 "\n", cost.bytes, cost.requests,
	       cost.peak_kb, (int64_t)cost.sent);
	return st == ST_OK ? 0 : 1;
}
