#include "cli/opts.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void str_list_done(struct str_list *l)
{
	free(l->v);
	*l = (struct str_list){0};
}

st_t str_list_add(struct str_list *l, const char *s)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		const char **v = reallocarray(l->v, cap, sizeof *v);
		if (!v)
			return ST_NOMEM;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = s;
	return ST_OK;
}

struct reader {
	const struct opt_table *table;
	int argc, at;
	char **argv;
	char *into;
	struct str_list *args, *warned;
	struct opt_error *error;
};

static bool refuse(struct reader *r, enum opt_problem what, const struct opt *opt)
{
	r->error->what = what;
	r->error->opt = opt;
	return false;
}

static bool read_bool(const char *s, bool *ret)
{
	static const char *const yes[] = {"yes", "true", "1"}, *const no[] = {"no", "false", "0"};
	for (size_t i = 0; i < 3; i++) {
		if (!strcasecmp(s, yes[i]) || !strcasecmp(s, no[i])) {
			*ret = !strcasecmp(s, yes[i]);
			return true;
		}
	}
	return false;
}

/* Digits and, with `units`, one of K M G; false for anything else and on overflow. */
static bool read_number(const char *s, bool units, uint64_t *ret)
{
	uint64_t v = 0;
	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	if (units && *s) {
		static const char letters[] = "kKmMgG";
		const char *unit = strchr(letters, *s++);
		unsigned shift = unit ? 10u * (unsigned)((unit - letters) / 2 + 1) : 0;
		if (!unit || v > UINT64_MAX >> shift)
			return false;
		v <<= shift;
	}
	*ret = v;
	return *s == '\0';
}

static bool is_choice(const char *choices, const char *s)
{
	size_t n = strlen(s);
	for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|') {
		if (n == strcspn(p, "|") && !strncasecmp(p, s, n))
			return true;
	}
	return false;
}

static bool store_bool(struct reader *r, const struct opt *o, const char *value)
{
	bool on = true;
	if (value && !read_bool(value, &on))
		return refuse(r, OPT_BAD_VALUE, o);
	if (o->off != OPT_NOWHERE)
		*(bool *)(void *)(r->into + o->off) = on;
	bool warn = o->warn == OPT_WARN_ANY || (on && o->warn == OPT_WARN_YES);
	if (warn && str_list_add(r->warned, o->name) != ST_OK)
		return refuse(r, OPT_MEMORY, o);
	return true;
}

static bool store_number(struct reader *r, const struct opt *o, const char *value)
{
	uint64_t v = 0;
	if (!read_number(value, o->kind == OPT_SIZE, &v))
		return refuse(r, OPT_BAD_VALUE, o);
	if (o->kind == OPT_COUNT && v > UINT32_MAX)
		return refuse(r, OPT_BAD_VALUE, o);
	if (o->off == OPT_NOWHERE)
		return true;
	if (o->kind == OPT_SIZE)
		*(uint64_t *)(void *)(r->into + o->off) = v;
	if (o->kind == OPT_COUNT)
		*(uint32_t *)(void *)(r->into + o->off) = (uint32_t)v;
	return true;
}

static bool store_text(struct reader *r, const struct opt *o, const char *value)
{
	if (o->kind == OPT_CHOICE && !is_choice(o->choices, value))
		return refuse(r, OPT_BAD_VALUE, o);
	if (o->off == OPT_NOWHERE)
		return true;
	if (o->kind != OPT_LIST) {
		*(const char **)(void *)(r->into + o->off) = value;
		return true;
	}
	struct str_list *l = (struct str_list *)(void *)(r->into + o->off);
	return str_list_add(l, value) == ST_OK || refuse(r, OPT_MEMORY, o);
}

static bool store(struct reader *r, const struct opt *o, const char *value)
{
	if (o->kind == OPT_BOOL)
		return store_bool(r, o, value);
	if (!value && r->at + 1 >= r->argc)
		return refuse(r, OPT_NO_VALUE, o);
	if (!value)
		value = r->argv[++r->at];
	if (o->warn == OPT_WARN_ANY && str_list_add(r->warned, o->name) != ST_OK)
		return refuse(r, OPT_MEMORY, o);
	if (o->kind == OPT_COUNT || o->kind == OPT_SIZE)
		return store_number(r, o, value);
	return store_text(r, o, value);
}

/* The option called `name`, or the only one that begins so. */
static const struct opt *find_long(const struct opt_table *t, const char *name, size_t len,
                                   bool *ret_ambiguous)
{
	const struct opt *found = NULL;
	*ret_ambiguous = false;
	for (size_t i = 0; i < t->n; i++) {
		const struct opt *o = &t->v[i];
		if (strncmp(o->name, name, len))
			continue;
		if (o->name[len] == '\0') {
			*ret_ambiguous = false;
			return o;
		}
		*ret_ambiguous = found != NULL;
		found = found ? found : o;
	}
	return found;
}

static bool read_long(struct reader *r, const char *text)
{
	const char *eq = strchr(text, '=');
	size_t len = eq ? (size_t)(eq - text) : strlen(text);
	bool ambiguous = false;
	const struct opt *o = find_long(r->table, text, len, &ambiguous);
	r->error->is_letter = false;
	r->error->text = text;
	if (ambiguous)
		return refuse(r, OPT_AMBIGUOUS, NULL);
	if (!o)
		return refuse(r, OPT_UNKNOWN, NULL);
	return store(r, o, eq ? eq + 1 : NULL);
}

static const struct opt *find_letter(const struct opt_table *t, char letter)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].letter == letter)
			return &t->v[i];
	}
	return NULL;
}

static bool read_letters(struct reader *r, const char *s)
{
	for (; *s; s++) {
		const struct opt *o = find_letter(r->table, *s);
		r->error->is_letter = true;
		r->error->letter = *s;
		if (!o)
			return refuse(r, OPT_UNKNOWN, NULL);
		if (o->kind != OPT_BOOL)
			return store(r, o, s[1] ? s + 1 : NULL);
		if (!store(r, o, NULL))
			return false;
	}
	return true;
}

bool opts_read(const struct opt_table *table, int argc, char **argv, void *into,
               struct str_list *args, struct str_list *warned, struct opt_error *ret_error)
{
	struct reader r = {table, argc, 1, argv, into, args, warned, ret_error};
	bool only_args = false;
	for (; r.at < argc; r.at++) {
		const char *s = argv[r.at];
		if (only_args || s[0] != '-' || s[1] == '\0') {
			if (str_list_add(args, s) != ST_OK)
				return refuse(&r, OPT_MEMORY, NULL);
			continue;
		}
		if (!strcmp(s, "--")) {
			only_args = true;
			continue;
		}
		if (s[1] == '-' ? !read_long(&r, s + 2) : !read_letters(&r, s + 1))
			return false;
	}
	return true;
}

void opts_say(const struct opt_error *error, const char *command)
{
	static const char *const words[] = {
	    [OPT_FINE] = "fine",
	    [OPT_UNKNOWN] = "unknown option",
	    [OPT_AMBIGUOUS] = "ambiguous option",
	    [OPT_NO_VALUE] = "a value is missing behind",
	    [OPT_BAD_VALUE] = "unusable value for",
	    [OPT_MEMORY] = "out of memory at",
	};
	const char *word = words[error->what];
	if (error->is_letter)
		say("%s: %s -%c", command, word, error->letter);
	else
		say("%s: %s --%.*s", command, word, (int)strcspn(error->text, "="), error->text);
	fprintf(stderr, "Try 'vitrine %s --help'.\n", command);
}

static bool wants_help(const struct opt_table *t, const void *into)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!strcmp(t->v[i].name, "help"))
			return *(const bool *)((const char *)into + t->v[i].off);
	}
	return false;
}

int opts_run(const struct opts_command *c, int argc, char **argv, void *into)
{
	struct str_list args = {0}, warned = {0};
	struct opt_error error = {0};
	int code = EXIT_ERROR;
	if (!opts_read(&c->options, argc, argv, into, &args, &warned, &error)) {
		opts_say(&error, c->name);
	} else if (wants_help(&c->options, into)) {
		fputs(c->usage, stdout);
		code = EXIT_CLEAN;
	} else {
		code = c->run(into, &args);
	}
	str_list_done(&args);
	str_list_done(&warned);
	return code;
}
