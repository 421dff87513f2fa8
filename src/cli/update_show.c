#include "cli/update_show.h"

#include "cli/report_json.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct word {
	const char *plain, *mark, *json;
};

/* The JSON words are an interface. */
static const struct word words[] = {
    [SHOW_PASSED] = {"ok", "\x1b[32m\u2713\x1b[0m", "passed"},
    [SHOW_REFUSED] = {"REFUSED", "\x1b[1;31m\u2717 REFUSED\x1b[0m", "refused"},
    [SHOW_NOT_ASKED] = {"not asked", "\x1b[2m\u2013\x1b[0m", "not-asked"},
    [SHOW_WAITING] = {"waits", "\x1b[33m\u2026 waits\x1b[0m", "waiting"},
    [SHOW_UNCHECKED] = {"no answer", "\x1b[33m? no answer\x1b[0m", "unchecked"},
};

/* What the C library would find out from the locale. */
static bool terminal_has_utf8(void)
{
	const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	for (size_t i = 0; i < 3; i++) {
		const char *v = getenv(names[i]);
		if (v && v[0])
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

void show_init(struct update_show *s, bool json, bool quiet)
{
	*s = (struct update_show){.json = json, .quiet = quiet, .refused = CHAIN_LINKS};
	s->marks = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && terminal_has_utf8();
}

void show_json_text(FILE *f, const char *key, const char *value)
{
	fprintf(f, ",\"%s\":", key);
	(void)!json_put_string(f, value);
}

/* Why a link did not hold, for programs: an interface too. A time that is over is a freeze here. */
static const char *reason_word(st_t why)
{
	static const char *const of[] = {
	    [ST_OK] = "none",           [ST_TRUNCATED] = "truncated",     [ST_MALFORMED] = "malformed",
	    [ST_LIMIT] = "limit",       [ST_UNSUPPORTED] = "unsupported", [ST_ENCRYPTED] = "encrypted",
	    [ST_BAD_SUM] = "digest",    [ST_TIMEOUT] = "expired",         [ST_BAD_SIG] = "signature",
	    [ST_BAD_PROOF] = "proof",   [ST_NOT_FOUND] = "not-found",     [ST_CONFLICT] = "conflict",
	};
	if (why == (st_t)-ETIMEDOUT)
		return "timeout";
	if (why < ST_OK)
		return "system";
	return (size_t)why < sizeof of / sizeof of[0] ? of[why] : "other";
}

static void put_json(enum chain_link link, enum show_word word, st_t why, const char *text)
{
	printf("{\"link\":\"%s\",\"outcome\":\"%s\"", chain_link_name(link), words[word].json);
	if (word == SHOW_REFUSED || word == SHOW_UNCHECKED)
		show_json_text(stdout, "why", reason_word(why));
	show_json_text(stdout, "text", text);
	puts("}");
}

static void put_line(const struct update_show *s, enum chain_link link, enum show_word word,
                     const char *text)
{
	if (s->marks)
		printf("%s %-10s ", words[word].mark, chain_link_name(link));
	else
		printf("%-9s %-10s ", words[word].plain, chain_link_name(link));
	text_put(stdout, text, TEXT_EXACT);
	putchar('\n');
}

void show_link(struct update_show *s, enum chain_link link, enum show_word word, st_t why,
               const char *text)
{
	bar_clear(&s->bar);
	if (word == SHOW_REFUSED) {
		s->refused = link;
		snprintf(s->reason, sizeof s->reason, "%s", text[0] ? text : st_name(why));
	}
	if (s->json)
		put_json(link, word, why, text);
	else if (!s->quiet || word == SHOW_REFUSED)
		put_line(s, link, word, text);
	fflush(stdout);
}

void show_reason(struct update_show *s, const char *text)
{
	bar_clear(&s->bar);
	snprintf(s->reason, sizeof s->reason, "%s", text);
	if (s->json)
		return; /* the last object has it */
	fputs("REFUSED ", stdout);
	text_put(stdout, text, TEXT_EXACT);
	putchar('\n');
}

void show_mirror(struct update_show *s, const char *url, st_t why, const char *text)
{
	bar_clear(&s->bar);
	if (!s->json)
		return;
	fputs("{\"mirror\":", stdout);
	(void)!json_put_string(stdout, url);
	show_json_text(stdout, "outcome", words[why < ST_OK ? SHOW_UNCHECKED : SHOW_REFUSED].json);
	if (s->refused != CHAIN_LINKS)
		show_json_text(stdout, "link", chain_link_name(s->refused));
	show_json_text(stdout, "why", reason_word(why));
	show_json_text(stdout, "text", text);
	puts("}");
	fflush(stdout);
}

void show_event(struct update_show *s, const struct chain_event *ev)
{
	static const enum show_word of[] = {
	    [CHAIN_PASSED] = SHOW_PASSED,
	    [CHAIN_REFUSED] = SHOW_REFUSED,
	    [CHAIN_NOT_ASKED] = SHOW_NOT_ASKED,
	};
	enum show_word word = of[ev->outcome];
	if (word == SHOW_REFUSED && ev->why < ST_OK)
		word = SHOW_UNCHECKED;
	show_link(s, ev->link, word, ev->why, ev->text);
}

void show_progress(struct update_show *s, const char *what, uint64_t done, uint64_t size)
{
	if (!what) {
		bar_clear(&s->bar);
		s->what[0] = '\0';
		return;
	}
	if (strcmp(what, s->what)) {
		bar_clear(&s->bar);
		snprintf(s->what, sizeof s->what, "%s", what);
		bar_init(&s->bar, isatty(STDERR_FILENO) && !s->quiet, "bytes");
	}
	bar_tick(&s->bar, done, size);
}

void show_time(int64_t t, char ret[SHOW_TIME_MAX])
{
	time_t v = (time_t)t;
	struct tm tm;
	if (!gmtime_r(&v, &tm) || !strftime(ret, SHOW_TIME_MAX, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(ret, SHOW_TIME_MAX, "%" PRId64, t);
}
