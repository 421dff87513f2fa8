/* What clamscan prints, line by line. */
#include "cli/clamscan.h"

#include "cli/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clamscan counts data in blocks of this size. */
#define BLOCK 4096

static const char ruler[] =
    "\n-------------------------------------------------------------------------------\n\n";

static FILE *open_log(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
	if (fd >= 0 && !f)
		close(fd);
	return f;
}

st_t clam_out_init(struct clam_out *out, const struct clam_opts *o, struct session *session)
{
	*out = (struct clam_out){.o = o, .session = session, .start_ns = clock_now_ns()};
	clock_gettime(CLOCK_REALTIME, &out->start_time);
	if (!o->log)
		return ST_OK;
	out->log = open_log(o->log);
	if (!out->log) {
		fprintf(stderr, "ERROR: Failed to open log file %s: %s\n", o->log, strerror(errno));
		fputs("ERROR: Problem with internal logger.\n", stderr);
		return ST_IO;
	}
	fputs(ruler, out->log);
	return ST_OK;
}

void clam_out_done(struct clam_out *out)
{
	if (out->log)
		fclose(out->log);
	out->log = NULL;
}

/* Appends formatted text, the whole of it escaped. */
static void put_escaped(FILE *f, const char *text)
{
	text_put(f, text, TEXT_CLAMSCAN);
	putc('\n', f);
}

static void put_message(struct clam_out *out, const char *kind, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void put_message(struct clam_out *out, const char *kind, const char *fmt, va_list ap)
{
	char *text = NULL;
	FILE *f = out->o->to_stdout ? stdout : stderr;
	if (vasprintf(&text, fmt, ap) < 0)
		return;
	progress_clear(&out->session->progress);
	fputs(kind, f);
	put_escaped(f, text);
	if (out->log) {
		fputs(kind, out->log);
		put_escaped(out->log, text);
	}
	free(text);
}

void clam_warn(struct clam_out *out, const char *fmt, ...)
{
	va_list ap;
	out->trouble = true;
	if (out->o->quiet)
		return;
	va_start(ap, fmt);
	put_message(out, "WARNING: ", fmt, ap);
	va_end(ap);
}

void clam_error(struct clam_out *out, const char *fmt, ...)
{
	va_list ap;
	out->trouble = true;
	va_start(ap, fmt);
	put_message(out, "ERROR: ", fmt, ap);
	va_end(ap);
}

/* "PATH: WHAT" on stdout, and in the log if `logged`. */
static void put_line(struct clam_out *out, const char *path, const char *what, bool logged)
{
	text_put(stdout, path, TEXT_CLAMSCAN);
	fputs(": ", stdout);
	text_put(stdout, what, TEXT_CLAMSCAN);
	putc_unlocked('\n', stdout);
	if (!logged || !out->log)
		return;
	text_put(out->log, path, TEXT_CLAMSCAN);
	fputs(": ", out->log);
	text_put(out->log, what, TEXT_CLAMSCAN);
	putc('\n', out->log);
}

/* Lines that -i and --quiet take away. */
static void put_note(struct clam_out *out, const char *path, const char *what)
{
	if (!out->o->infected && !out->o->quiet)
		put_line(out, path, what, true);
}

static void full_name(const struct pool_event *ev, struct buf *ret)
{
	buf_add(ret, ev->text, strlen(ev->text));
	if (!ev->official)
		buf_add(ret, ".UNOFFICIAL", 11);
	buf_add(ret, " FOUND", 7);
}

/* -a: where inside the file. */
static void put_inside(struct clam_out *out, const struct run_item *it,
                       const struct pool_event *ev, const char *found)
{
	const char *type = it->result.type_name;
	struct buf b = {0};
	if (!strncmp(type, "CL_TYPE_", 8))
		type += 8;
	buf_add(&b, it->path, strlen(it->path));
	buf_add(&b, ev->inner[0] ? "!(1)" : "!(0)", 4);
	if (ev->inner[0]) {
		buf_add(&b, type, strlen(type));
		buf_u8(&b, ':');
		buf_add(&b, ev->inner, strlen(ev->inner));
	}
	buf_u8(&b, '\0');
	if (!b.oom)
		put_line(out, (const char *)b.data, found, true);
	buf_done(&b);
}

static void put_found(struct clam_out *out, const struct run_item *it)
{
	out->infected++;
	for (size_t i = 0; i < it->result.nevents && !out->o->quiet; i++) {
		const struct pool_event *ev = &it->result.events[i];
		struct buf name = {0};
		if (!ev->found)
			continue;
		full_name(ev, &name);
		if (!name.oom) {
			put_line(out, it->path, (const char *)name.data, true);
			if (out->o->archive_verbose)
				put_inside(out, it, ev, (const char *)name.data);
		}
		buf_done(&name);
	}
	if (out->o->bell)
		fputc('\a', stderr);
}

/* clamscan says nothing of what it left out; we do, and end with 2. */
static void warn_incomplete(struct clam_out *out, const struct run_item *it)
{
	for (size_t i = 0; i < it->result.nevents; i++) {
		const struct pool_event *ev = &it->result.events[i];
		if (ev->found)
			continue;
		clam_warn(out, "%s: not fully scanned: %s%s%s%s", it->path,
		          ev->text[0] ? ev->text : st_name(ev->why), ev->inner[0] ? " (" : "", ev->inner,
		          ev->inner[0] ? ")" : "");
	}
}

/* True if the worker itself failed: then "OK" would be a lie even by clamscan's measure. A worker
 * that is gone cannot say so by a status; the pool does, in words that begin like this. */
static bool worker_failed(const struct run_item *it)
{
	static const char words[] = "scan worker ";
	for (size_t i = 0; i < it->result.nevents; i++) {
		const struct pool_event *ev = &it->result.events[i];
		if (!ev->found && (ev->why < 0 || !strncmp(ev->text, words, sizeof words - 1)))
			return true;
	}
	return false;
}

static void act(struct clam_out *out, const struct run_item *it)
{
	const struct quarantine *q = &out->session->quarantine;
	struct quarantine_result done;
	struct err why = {0};
	if (q->action == ACTION_NONE || it->fd < 0)
		return;
	if (quarantine_file(q, it->fd, &done, &why) != ST_OK) {
		out->errors++;
		clam_error(out, "%s: left where it is: %s", it->path, why.text);
		return;
	}
	if (out->o->quiet)
		return;
	struct buf b = {0};
	const char *words[] = {it->path, " (real path: '", done.real, "'): ",
	                       q->action == ACTION_MOVE   ? "moved to '"
	                       : q->action == ACTION_COPY ? "copied to '"
	                                                  : "Removed.",
	                       done.target, q->action == ACTION_REMOVE ? "" : "'"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		buf_add(&b, words[i], strlen(words[i]));
	buf_u8(&b, '\0');
	if (!b.oom)
		put_escaped(stdout, (const char *)b.data);
	if (!b.oom && out->log)
		put_escaped(out->log, (const char *)b.data);
	buf_done(&b);
}

static void show_scanned(struct clam_out *out, const struct run_item *it)
{
	enum verdict v = it->result.verdict;
	out->files++;
	out->read_blocks += it->size / BLOCK;
	out->scanned_blocks += it->result.bytes_scanned / BLOCK;
	out->session->progress.found = out->infected;
	if (out->o->verbose && !out->o->quiet) {
		fputs("Scanning ", stdout);
		put_escaped(stdout, it->path);
	}
	if (out->o->verbose && out->log) {
		fputs("Scanning ", out->log);
		put_escaped(out->log, it->path);
	}
	if (v == VERDICT_FOUND)
		put_found(out, it);
	bool ok = v != VERDICT_FOUND && !worker_failed(it);
	if (ok && !out->o->infected && !out->o->suppress_ok && !out->o->quiet)
		put_line(out, it->path, "OK", false);
	if (v != VERDICT_CLEAN)
		warn_incomplete(out, it);
	if (v == VERDICT_INCOMPLETE)
		out->trouble = true;
	if (v == VERDICT_FOUND)
		act(out, it);
}

static void show_missing(struct clam_out *out, const struct run_item *it)
{
	text_put(stderr, it->path, TEXT_CLAMSCAN);
	fprintf(stderr, ": %s\n", strerror(it->error));
	clam_warn(out, "%s: Can't access file", it->path);
}

/* With -i clamscan hides these lines; an unreadable file is named in any case. */
static void show_unreadable(struct clam_out *out, const struct run_item *it, const char *what)
{
	out->errors++;
	out->trouble = true;
	if (out->o->infected)
		clam_warn(out, "%s: %s", it->path, what);
	else
		put_note(out, it->path, what);
}

st_t clam_show(void *ctx, struct run_item *item, struct err *e)
{
	struct clam_out *out = ctx;
	switch (item->kind) {
	case WALK_FILE:
		show_scanned(out, item);
		break;
	case WALK_EMPTY:
		put_note(out, item->path, "Empty file");
		break;
	case WALK_SYMLINK:
		put_note(out, item->path, "Symbolic link");
		break;
	case WALK_EXCLUDED:
		put_note(out, item->path, "Excluded");
		break;
	case WALK_SKIPPED:
		break;
	case WALK_DIR:
		out->dirs++;
		break;
	case WALK_SPECIAL:
		clam_warn(out, "%s: Not supported file type", item->path);
		break;
	case WALK_MISSING:
		show_missing(out, item);
		break;
	case WALK_NO_FILE:
		show_unreadable(out, item,
		                item->error == EACCES ? "Access denied" : strerror(item->error));
		break;
	case WALK_NO_DIR:
		show_unreadable(out, item, "Can't open directory.");
		break;
	case WALK_TOO_DEEP:
		clam_warn(out, "%s: not fully scanned: directory recursion limit", item->path);
		break;
	}
	return ferror(stdout) ? fail(e, ST_IO, 0, "stdout: cannot write results") : ST_OK;
}

static void put_date(FILE *f, const char *label, time_t t)
{
	char text[32];
	struct tm tm;
	localtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y:%m:%d %H:%M:%S", &tm);
	fprintf(f, "%s%s\n", label, text);
}

static double blocks_mb(uint64_t blocks)
{
	return (double)blocks * BLOCK / (1 << 20);
}

static void put_summary_to(const struct clam_out *out, FILE *f, double seconds)
{
	double ratio = out->read_blocks ? (double)out->scanned_blocks / (double)out->read_blocks : 0;
	fputs("\n----------- SCAN SUMMARY -----------\n", f);
	fprintf(f, "Known viruses: %llu\n", (unsigned long long)out->known);
	fputs("Engine version: " CLAMAV_VERSION "\n", f);
	fprintf(f, "Scanned directories: %llu\n", (unsigned long long)out->dirs);
	fprintf(f, "Scanned files: %llu\n", (unsigned long long)out->files);
	fprintf(f, "Infected files: %llu\n", (unsigned long long)out->infected);
	if (out->errors)
		fprintf(f, "Total errors: %llu\n", (unsigned long long)out->errors);
	fprintf(f, "Data scanned: %.2f MB\n", blocks_mb(out->scanned_blocks));
	fprintf(f, "Data read: %.2f MB (ratio %.2f:1)\n", blocks_mb(out->read_blocks), ratio);
	fprintf(f, "Time: %.3f sec (%llu m %llu s)\n", seconds, (unsigned long long)seconds / 60,
	        (unsigned long long)seconds % 60);
	put_date(f, "Start Date: ", out->start_time.tv_sec);
	put_date(f, "End Date:   ", time(NULL));
}

void clam_put_summary(struct clam_out *out)
{
	double seconds = (double)(clock_now_ns() - out->start_ns) / 1e9;
	if (out->o->no_summary)
		return;
	if (!out->o->quiet)
		put_summary_to(out, stdout, seconds);
	if (out->log)
		put_summary_to(out, out->log, seconds);
}
