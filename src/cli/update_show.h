/* The links of the chain as they are said: a line for each on stdout, or an object of JSON; the
 * progress of downloads on stderr. Texts are of others and escaped. */
#ifndef VITRINE_CLI_UPDATE_SHOW_H
#define VITRINE_CLI_UPDATE_SHOW_H

#include "cli/bar.h"
#include "update/chain.h"

#include <stdio.h>

enum show_word {
	SHOW_PASSED,
	SHOW_REFUSED,
	SHOW_NOT_ASKED,
	SHOW_WAITING,
	SHOW_UNCHECKED, /* no network, no memory: nothing is known of this link */
};

struct update_show {
	bool json, quiet, marks; /* marks: ticks in colour, for terminals that can */
	struct bar bar;
	char what[64];           /* that the bar is about */
	enum chain_link refused; /* the link that did not hold; CHAIN_LINKS: none */
	char reason[512];
};

void show_init(struct update_show *s, bool json, bool quiet);

void show_link(struct update_show *s, enum chain_link link, enum show_word word, st_t why,
               const char *text);
void show_event(struct update_show *s, const struct chain_event *ev);

/* A refusal that no link is about. */
void show_reason(struct update_show *s, const char *text);

/* For programs: what a mirror serves was refused, at the link that was shown last, or (why below
 * ST_OK) could not be checked. */
void show_mirror(struct update_show *s, const char *url, st_t why, const char *text);

/* As struct verify_out's. what NULL: it is over, the bar goes. */
void show_progress(struct update_show *s, const char *what, uint64_t done, uint64_t size);

/* "2026-11-24 03:40 UTC". */
#define SHOW_TIME_MAX 32
void show_time(int64_t t, char ret[SHOW_TIME_MAX]);

/* ,"key":"value" with a comma before it. */
void show_json_text(FILE *f, const char *key, const char *value);

#endif
