#include "cli/scan_report.h"

#include "cli/cli.h"
#include "cli/text.h"

#include <string.h>

#define RED "\x1b[1;31m"
#define YELLOW "\x1b[1;33m"
#define NORMAL "\x1b[0m"

static void put_marked(const struct scan_report *r, FILE *f, const char *colour, const char *text)
{
	bool on = r->colour && f == stdout;
	fprintf(f, "%s%s%s", on ? colour : "", text, on ? NORMAL : "");
}

static void put_found(const struct scan_report *r, const struct run_item *it)
{
	for (size_t i = 0; i < it->result.nevents; i++) {
		const struct pool_event *ev = &it->result.events[i];
		if (!ev->found)
			continue;
		text_put(stdout, it->path, TEXT_EXACT);
		fputs(": ", stdout);
		text_put(stdout, ev->text, TEXT_EXACT);
		putc_unlocked(' ', stdout);
		put_marked(r, stdout, RED, "FOUND");
		if (r->verbose && ev->inner[0]) {
			fputs(" in ", stdout);
			text_put(stdout, ev->inner, TEXT_EXACT);
		}
		putc_unlocked('\n', stdout);
	}
}

static void put_reason(FILE *f, const struct pool_event *ev)
{
	text_put(f, ev->text[0] ? ev->text : st_name(ev->why), TEXT_EXACT);
	if (!ev->inner[0])
		return;
	fputs(", ", f);
	text_put(f, ev->inner, TEXT_EXACT);
}

/* One line: the first reason, and how many more there are. All of them are in the JSON. */
static void put_incomplete(const struct scan_report *r, const struct run_item *it)
{
	FILE *f = r->infected ? stderr : stdout;
	const struct pool_event *first = NULL;
	size_t more = 0;
	for (size_t i = 0; i < it->result.nevents; i++) {
		if (it->result.events[i].found)
			continue;
		more += first != NULL;
		first = first ? first : &it->result.events[i];
	}
	text_put(f, it->path, TEXT_EXACT);
	fputs(": ", f);
	put_marked(r, f, YELLOW, "NOT FULLY SCANNED");
	fputs(" (", f);
	if (first)
		put_reason(f, first);
	if (more)
		fprintf(f, "; and %zu more", more);
	fputs(first ? ")\n" : "no reason given)\n", f);
}

static void put_plain(const struct run_item *it, const char *what)
{
	text_put(stdout, it->path, TEXT_EXACT);
	fprintf(stdout, ": %s\n", what);
}

static const char *const verdict_words[] = {
    [VERDICT_CLEAN] = "clean",
    [VERDICT_FOUND] = "found",
    [VERDICT_INCOMPLETE] = "incomplete",
};

static void put_action(const struct quarantine_result *q, enum quarantine_action action)
{
	if (action == ACTION_REMOVE)
		say("removed '%s'", q->real);
	else
		say("%s '%s' to '%s'", action == ACTION_MOVE ? "moved" : "copied", q->real, q->target);
}

/* True if something was done, and then what. */
static bool act(struct scan_report *r, const struct run_item *it, struct quarantine_result *ret)
{
	const struct quarantine *q = &r->session->quarantine;
	struct err why = {0};
	if (q->action == ACTION_NONE || it->result.verdict != VERDICT_FOUND || it->fd < 0)
		return false;
	st_t st = quarantine_file(q, it->fd, ret, &why);
	progress_clear(&r->session->progress);
	if (st == ST_OK) {
		if (!r->quiet)
			put_action(ret, q->action);
		return true;
	}
	r->sum.errors++;
	say("%s: left where it is: %s", it->path, why.text);
	return false;
}

static void show_text(const struct scan_report *r, const struct run_item *it)
{
	enum verdict v = it->result.verdict;
	if (v == VERDICT_FOUND && !r->quiet)
		put_found(r, it);
	if (v == VERDICT_INCOMPLETE && !r->quiet)
		put_incomplete(r, it);
	if (v == VERDICT_CLEAN && r->verbose && !r->infected)
		put_plain(it, "OK");
}

static void show_scanned(struct scan_report *r, struct run_item *it)
{
	struct quarantine_result moved;
	enum verdict v = it->result.verdict;
	r->sum.files++;
	r->sum.bytes += it->size;
	r->sum.bytes_scanned += it->result.bytes_scanned;
	r->sum.found += v == VERDICT_FOUND;
	r->sum.incomplete += v == VERDICT_INCOMPLETE;
	r->session->progress.found = r->sum.found;
	if (v != VERDICT_CLEAN)
		progress_clear(&r->session->progress);
	if (!r->json)
		show_text(r, it);
	bool acted = act(r, it, &moved);
	if (!r->json || (r->infected && v == VERDICT_CLEAN))
		return;
	struct json_file file = {
	    .path = it->path,
	    .verdict = verdict_words[v],
	    .result = &it->result,
	    .size = it->size,
	    .action = r->session->quarantine.action,
	    .moved = acted ? &moved : NULL,
	};
	json_put_file(stdout, &file);
}

/* Something that could not be read: said on stderr, and in the JSON. */
static void show_error(struct scan_report *r, const struct run_item *it, const char *what)
{
	char text[256];
	snprintf(text, sizeof text, "%s%s%s", what, it->error ? ": " : "",
	         it->error ? strerror(it->error) : "");
	r->sum.errors++;
	progress_clear(&r->session->progress);
	say("%s: %s", it->path, text);
	struct json_file file = {.path = it->path, .verdict = "error", .error = text};
	if (r->json)
		json_put_file(stdout, &file);
}

static void show_too_deep(struct scan_report *r, const struct run_item *it)
{
	struct json_file file = {
	    .path = it->path,
	    .verdict = "incomplete",
	    .error = "directory recursion limit",
	};
	r->sum.incomplete++;
	progress_clear(&r->session->progress);
	if (r->json)
		json_put_file(stdout, &file);
	else if (r->infected)
		say("%s: not fully scanned (directory recursion limit)", it->path);
	else if (!r->quiet)
		put_plain(it, "NOT FULLY SCANNED (directory recursion limit)");
}

static void show_skipped(struct scan_report *r, const struct run_item *it, const char *why)
{
	r->sum.skipped++;
	if (!r->verbose || r->infected)
		return;
	struct json_file file = {.path = it->path, .verdict = "skipped", .error = why};
	progress_clear(&r->session->progress);
	if (r->json)
		json_put_file(stdout, &file);
	else
		put_plain(it, why);
}

static void show_empty(struct scan_report *r, const struct run_item *it)
{
	struct json_file file = {.path = it->path, .verdict = "clean"};
	r->sum.files++;
	if (r->infected)
		return;
	if (r->json)
		json_put_file(stdout, &file);
	else if (r->verbose)
		put_plain(it, "OK");
}

st_t scan_report_show(void *ctx, struct run_item *item, struct err *e)
{
	struct scan_report *r = ctx;
	switch (item->kind) {
	case WALK_FILE:
		show_scanned(r, item);
		break;
	case WALK_EMPTY:
		show_empty(r, item);
		break;
	case WALK_SYMLINK:
		show_skipped(r, item, "symbolic link, not followed");
		break;
	case WALK_EXCLUDED:
		show_skipped(r, item, "excluded");
		break;
	case WALK_SKIPPED:
		show_skipped(r, item, "not a regular file");
		break;
	case WALK_DIR:
		r->sum.dirs++;
		break;
	case WALK_SPECIAL:
		show_error(r, item, "not a regular file or folder");
		break;
	case WALK_MISSING:
		show_error(r, item, "cannot be found");
		break;
	case WALK_NO_FILE:
		show_error(r, item, "cannot be opened");
		break;
	case WALK_NO_DIR:
		show_error(r, item, "folder cannot be read");
		break;
	case WALK_TOO_DEEP:
		show_too_deep(r, item);
		break;
	}
	return ferror(stdout) ? fail(e, ST_IO, 0, "stdout: cannot write results") : ST_OK;
}

void scan_report_summary(const struct scan_report *r)
{
	const struct scan_summary *s = &r->sum;
	char size[32];
	if (r->json) {
		json_put_summary(stdout, s);
		return;
	}
	text_size(size, sizeof size, s->bytes);
	fprintf(stderr, "\n%llu files, %s in %.2f s (%.0f MB/s), %llu folders, %llu skipped\n",
	        (unsigned long long)s->files, size, s->seconds,
	        s->seconds > 0 ? (double)s->bytes / 1e6 / s->seconds : 0, (unsigned long long)s->dirs,
	        (unsigned long long)s->skipped);
	fprintf(stderr, "found %llu, not fully scanned %llu, errors %llu, signatures known %llu\n",
	        (unsigned long long)s->found, (unsigned long long)s->incomplete,
	        (unsigned long long)s->errors, (unsigned long long)s->signatures);
}
