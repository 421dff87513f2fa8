/* Why a signature is found in an object, or not: every sub-signature, then the condition. */
#include "explain/explain.h"
#include "explain/test_views.h"
#include "explain/trace.h"
#include "explain/words.h"

#include "base/num.h"
#include "parse/exe.h"
#include "parse/filetype.h"
#include "parse/pe_imports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in verify/cond.c: truth, sum of counts, and the sub-signatures that matched. */
struct value {
	bool truth;
	uint64_t sum;
	bool id[SUBSIGS_MAX];
};

struct trial {
	struct out *o;
	const struct db_view *db;
	struct view view;
	struct link *links;
	const struct db_sig *sig;
	struct subsigs subs;
	struct cond_tree *tree;   /* the one being evaluated: of the condition, or a trigger */
	struct cond_tree scratch; /* memory for it */
	uint64_t count[SUBSIGS_MAX]; /* by pattern, relative */
	bool truth[DB_CONDS_MAX];    /* of every node */
	uint64_t sum[DB_CONDS_MAX];
};

/* -- the condition, node by node -------------------------------------------------------------- */

static bool holds(const struct db_cond *n, uint64_t sum)
{
	if (n->op == DB_COND_EQ)
		return sum == n->a;
	return n->op == DB_COND_GT ? sum > n->a : sum < n->a;
}

static void value_id(const struct trial *t, const struct db_cond *n, struct value *ret)
{
	for (uint32_t k = 0; k < n->b; k++)
		ret->sum += t->count[n->a + k];
	ret->truth = ret->sum > 0;
	ret->id[n->a] = ret->truth;
}

static void value_add(struct value *to, const struct value *from)
{
	to->sum += from->sum;
	for (unsigned i = 0; i < SUBSIGS_MAX; i++)
		to->id[i] |= from->id[i];
}

static uint32_t distinct(const struct value *x)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < SUBSIGS_MAX; i++)
		n += x->id[i];
	return n;
}

/* A comparison of the value below; what it leaves is described at the head of verify/cond.c. */
static void compare(const struct trial *t, uint16_t at, const struct value *x, struct value *ret)
{
	const struct db_cond *n = &t->tree->node[at];
	bool plain = cond_is_plain(t->tree, at);
	if (!holds(n, x->sum) || (!plain && distinct(x) < n->b))
		return;
	ret->truth = true;
	ret->sum = x->sum;
	if (plain)
		ret->id[t->tree->node[t->tree->child[at]].a] = true;
}

static bool within(uint64_t x, const struct db_cond *n)
{
	return x >= n->a && x <= n->b;
}

static bool has_layer(const struct object_facts *f, const struct db_cond *n)
{
	if (n->b == 0 || n->b > f->nlayers)
		return false;
	return n->a == DB_LAYER_ANY || f->layers[n->b - 1] == n->a;
}

static void value_of(struct trial *t, uint16_t at, struct value *ret);

static void value_of_children(struct trial *t, uint16_t at, struct value *ret)
{
	const struct db_cond *n = &t->tree->node[at];
	bool all = n->op == DB_COND_AND;
	ret->truth = all;
	for (uint16_t c = t->tree->child[at]; c != COND_NONE; c = t->tree->next[c]) {
		struct value x;
		value_of(t, c, &x);
		ret->truth = all ? ret->truth && x.truth : ret->truth || x.truth;
		value_add(ret, &x);
	}
	if (!ret->truth)
		*ret = (struct value){0};
}

static void value_of(struct trial *t, uint16_t at, struct value *ret)
{
	const struct db_cond *n = &t->tree->node[at];
	const struct exe_layout *exe = t->view.exe;
	bool valid = exe && exe->valid;
	struct value x = {0};
	*ret = (struct value){0};
	switch (n->op) {
	case DB_COND_ID:
		value_id(t, n, ret);
		break;
	case DB_COND_AND:
	case DB_COND_OR:
		value_of_children(t, at, ret);
		break;
	case DB_COND_FILESIZE:
		ret->truth = within(t->view.facts->file_size, n);
		break;
	case DB_COND_EP:
		ret->truth = valid && exe->has_ep && within(exe->ep, n);
		break;
	case DB_COND_SECTIONS:
		ret->truth = valid && within(exe->nsections, n);
		break;
	case DB_COND_LAYER:
		ret->truth = has_layer(t->view.facts, n);
		break;
	case DB_COND_ROOT:
		ret->truth = t->view.facts->nlayers == 0;
		break;
	default:
		value_of(t, t->tree->child[at], &x);
		compare(t, at, &x, ret);
	}
	t->truth[at] = ret->truth;
	/* A comparison that does not hold has no sum; what it looked at tells more. */
	t->sum[at] = t->tree->child[at] == COND_NONE ? ret->sum : x.sum;
}

/* What the file has, where that is not told by the sub-signatures. */
static void say_fact(struct trial *t, uint16_t at)
{
	const struct db_cond *n = &t->tree->node[at];
	const struct exe_layout *exe = t->view.exe;
	bool valid = exe && exe->valid;
	bool counts = n->op == DB_COND_ID || n->op == DB_COND_EQ || n->op == DB_COND_GT ||
	              n->op == DB_COND_LT;
	bool asks_exe = n->op == DB_COND_EP || n->op == DB_COND_SECTIONS;
	if (counts)
		out_say(t->o, " (%" PRIu64 " found)", t->sum[at]);
	else if (n->op == DB_COND_FILESIZE)
		out_say(t->o, " (it is %" PRIu64 ")", t->view.facts->file_size);
	else if (asks_exe && !valid)
		out_say(t->o, " (the file is no executable that could be read)");
	else if (n->op == DB_COND_EP && !exe->has_ep)
		out_say(t->o, " (it has none inside the file)");
	else if (n->op == DB_COND_EP)
		out_say(t->o, " (it is at %" PRIu64 ")", exe->ep);
	else if (n->op == DB_COND_SECTIONS)
		out_say(t->o, " (it is %" PRIu32 ")", exe->nsections);
}

static void put_step(struct trial *t, uint16_t at)
{
	out_say(t->o, t->truth[at] ? "yes: " : "no:  ");
	say_cond(t->o, t->tree, at, &t->subs);
	say_fact(t, at);
	out_open(t->o, "conditions");
	out_bool(t->o, "holds", t->truth[at]);
	for (uint16_t c = t->tree->child[at];
	     c != COND_NONE && !cond_is_told(t->tree, at) && t->o->st == ST_OK; c = t->tree->next[c])
		put_step(t, c);
	out_close(t->o);
}

/* -- sub-signatures ------------------------------------------------------------------------- */

static void say_count(struct trial *t, uint32_t k, const char *before)
{
	if (t->count[k])
		out_say(t->o, "%smatches %" PRIu64 " time%s", before, t->count[k],
		        t->count[k] == 1 ? "" : "s");
	else
		out_say(t->o, "%sdoes not match", before);
}

/* Matches of a regular expression whose places are shown. */
#define MATCHES_SHOWN 5u

static void put_regex_matches(struct trial *t, const struct regex_match *m, uint64_t n)
{
	for (size_t i = 0; i < num_min_u64(n, MATCHES_SHOWN); i++) {
		out_say(t->o, "at offset %zu (0x%zx), ", m[i].start, m[i].start);
		say_bytes(t->o, m[i].end > m[i].start ? m[i].end - m[i].start : 0);
		out_open(t->o, "matches");
		out_num(t->o, "offset", m[i].start);
		out_close(t->o);
	}
	if (n > MATCHES_SHOWN) {
		out_say(t->o, "and %" PRIu64 " more", n - MATCHES_SHOWN);
		out_remark(t->o);
	}
}

/* The trigger speaks of sub-signatures in front, which were counted already. */
static bool triggered(struct trial *t, const struct db_regex *r)
{
	struct value v;
	cond_tree_make(t->db->cond + r->cond, r->ncond, t->tree);
	value_of(t, t->tree->root, &v);
	return v.truth;
}

static void put_regex(struct trial *t, const struct db_pattern *p, uint32_t k)
{
	struct regex_match m[MATCHES_SHOWN];
	uint64_t at;
	bool tried = triggered(t, &t->db->regex[p->part]);
	t->count[k] = tried ? regex_matches(&t->view, p, m, MATCHES_SHOWN) : 0;
	out_say(t->o, tried ? "it is tried, because its trigger holds:"
	                    : "it is not tried, because its trigger does not hold:");
	out_open_one(t->o, "trigger");
	put_step(t, t->tree->root);
	out_close(t->o);
	if (tried && !pattern_origin(&t->view, p, &at)) {
		out_say(t->o, "the file has no such place");
		out_item(t->o, "reasons");
	}
	put_regex_matches(t, m, t->count[k]);
}

/* Sub-signatures that are no body patterns. */
static st_t put_other(struct trial *t, uint32_t sub, uint32_t k, struct err *e)
{
	const struct db_pattern *p = &t->db->pattern[t->sig->pattern + k];
	const struct object_facts *f = t->view.facts;
	out_say(t->o, "Sub-signature %" PRIu32 " ", sub);
	say_other(t->o, t->db, p, &t->subs);
	out_open(t->o, "subsignatures");
	out_num(t->o, "subsignature", sub);
	if (p->flags & DB_PAT_REGEX)
		put_regex(t, p, k);
	if (p->flags & DB_PAT_COMPARE)
		t->count[k] = compare_holds(&t->view, t->sig, p, t->links);
	if (p->flags & DB_PAT_IMAGE)
		t->count[k] = f->has_image_hash && f->image_hash == t->db->image[p->part].hash;
	if ((p->flags & DB_PAT_IMAGE) && !f->has_image_hash) {
		out_say(t->o, "the file is no picture whose hash is known");
		out_item(t->o, "reasons");
	}
	if ((p->flags & DB_PAT_COMPARE) && f->in_windows && t->sig->target == TARGET_TEXT) {
		out_say(t->o, "no byte comparison for text holds in a normalised copy, as in clamscan");
		out_item(t->o, "reasons");
	}
	say_count(t, k, "it ");
	out_open_one(t->o, "result");
	out_num(t->o, "count", t->count[k]);
	out_close(t->o);
	out_close(t->o);
	return t->view.over ? fail(e, ST_TIMEOUT, 0, "the time limit is over") : t->o->st;
}

static st_t put_pattern(struct trial *t, uint32_t sub, uint32_t k, struct err *e)
{
	const struct db_pattern *p = &t->db->pattern[t->sig->pattern + k];
	if (p->flags & DB_PAT_OTHER)
		return put_other(t, sub, k, e);
	bool wide = p->flags & DB_PAT_WIDE, pair = t->subs.v[sub].count > 1;
	t->count[k] = pattern_count(&t->view, p, UINT64_MAX, t->links);
	out_say(t->o, "Sub-signature %" PRIu32 "%s: ", sub,
	        !pair  ? ""
	        : wide ? ", wide form"
	               : ", plain form");
	say_count(t, k, "");
	out_open(t->o, "subsignatures");
	out_num(t->o, "subsignature", sub);
	out_num(t->o, "count", t->count[k]);
	TRY(trace_pattern(t->o, &t->view, p, t->count[k], e));
	out_close(t->o);
	return t->view.over ? fail(e, ST_TIMEOUT, 0, "the time limit is over") : t->o->st;
}

static st_t put_subsigs(struct trial *t, struct err *e)
{
	for (uint32_t i = 0; i < t->subs.n; i++)
		for (uint32_t k = 0; k < t->subs.v[i].count; k++)
			TRY(put_pattern(t, i, t->subs.v[i].first + k, e));
	return ST_OK;
}

static void put_verdict(struct trial *t, bool right_target, bool truth)
{
	if (!right_target)
		out_say(t->o, "Verdict: not found; it is for %s only", word_target(t->sig->target));
	else if (truth && t->sig->handler)
		out_say(t->o, "Verdict: found; a file of another type is looked at again as %s for it",
		        word_handler(t->sig));
	else
		out_say(t->o, truth ? "Verdict: found" : "Verdict: not found");
	out_open_one(t->o, "verdict");
	out_bool(t->o, "found", right_target && truth);
	out_bool(t->o, "target", right_target);
	out_close(t->o);
}

static st_t run(struct trial *t, uint8_t target, bool *ret_hit, bool *ret_words, struct err *e)
{
	struct value v;
	bool right = t->sig->target == 0 || t->sig->target == target;
	out_say(t->o, "A %s signature for %s",
	        t->sig->flags & DB_SIG_LOGICAL ? "logical" : "body", word_target(t->sig->target));
	out_open(t->o, "signatures");
	TRY(put_subsigs(t, e));
	cond_tree_of(t->db, t->sig, t->tree);
	value_of(t, t->tree->root, &v);
	out_say(t->o, "Condition");
	out_open_one(t->o, "condition");
	put_step(t, t->tree->root);
	out_close(t->o);
	*ret_hit = right && cond_true(&t->view, t->sig, t->links);
	/* What hangs on an unknown hash is settled there. */
	if (t->view.facts->image_unknown)
		v.truth = v.truth && *ret_hit;
	put_verdict(t, right, v.truth);
	out_close(t->o);
	*ret_words = right && v.truth;
	if (t->view.regex_limited)
		return fail(e, ST_LIMIT, 0, "a regular expression reached its limits");
	return t->view.over ? fail(e, ST_TIMEOUT, 0, "the time limit is over") : t->o->st;
}

static size_t most_parts(const struct db_view *db, const struct db_sig *s)
{
	size_t n = 1;
	for (uint32_t i = 0; i < s->npatterns; i++)
		n = db->pattern[s->pattern + i].nparts > n ? db->pattern[s->pattern + i].nparts : n;
	return n;
}

st_t explain_test_sig(struct out *o, const struct db *db, uint32_t sig, uint8_t target,
                      const struct object_facts *facts, const struct explain_object *object,
                      bool *ret_hit, bool *ret_words, struct err *e)
{
	const struct db_view *v = db_view(db);
	struct trial *t = calloc(1, sizeof *t);
	struct link *links = calloc(most_parts(v, &v->sig[sig]), link_size());
	struct regexes *regexes = NULL;
	st_t st = t && links ? ST_OK : fail(e, ST_NOMEM, 0, "test: out of memory");
	if (st == ST_OK)
		st = regexes_new(v, &regexes, e);
	if (st == ST_OK) {
		t->o = o;
		t->db = v;
		t->view = (struct view){.db = v, .data = object->data, .size = object->len,
		                        .exe = facts->exe, .facts = facts,
		                        .regexes = regexes, .find = find_literal,
		                        .deadline_ns = object->deadline_ns,
		                        .trace = {.part = NO_TRACE}};
		t->links = links;
		t->tree = &t->scratch;
		t->sig = &v->sig[sig];
		st = subsigs_of(v, t->sig, &t->subs, e);
	}
	if (st == ST_OK)
		st = run(t, target, ret_hit, ret_words, e);
	regexes_free(regexes);
	free(links);
	free(t);
	return st;
}

/* -- digests -------------------------------------------------------------------------------- */

struct rows {
	struct out *o;
	uint32_t index;
	enum db_hash_use use;
	enum digest_kind kind;
	struct rd object;
	const struct exe_layout *exe;
	bool is_pe;
	const struct test_views *views;
	bool *hit;
};

static const char *const digest_words[DIGEST_KINDS] = {
    [DIGEST_MD5] = "MD5",
    [DIGEST_SHA1] = "SHA-1",
    [DIGEST_SHA256] = "SHA-256",
};

/* Compares one region with a row; says what differs. */
static st_t compare_row(struct rows *w, const struct db_hash_row *r, struct rd region,
                        const char *what, bool *ret, struct err *e)
{
	uint8_t digest[DIGEST_MAX];
	char hex[2 * DIGEST_MAX + 1];
	*ret = false;
	if (r->size != UINT32_MAX && r->size != region.len) {
		out_say(w->o, "%s has %zu bytes, the row is for %" PRIu32, what, region.len, r->size);
		out_item(w->o, "reasons");
		return ST_OK;
	}
	TRY(digest_bytes(w->kind, region.base, region.len, digest, e));
	*ret = memcmp(digest, r->digest, digest_size(w->kind)) == 0;
	if (*ret)
		return ST_OK;
	hex_encode(digest, digest_size(w->kind), hex);
	out_say(w->o, "%s has the %s %s", what, digest_words[w->kind], hex);
	out_item(w->o, "reasons");
	return ST_OK;
}

static st_t compare_sections(struct rows *w, const struct db_hash_row *r, bool *ret,
                             struct err *e)
{
	*ret = false;
	if (!w->is_pe || !w->exe) {
		out_say(w->o, "the file is no Windows executable (PE) whose sections could be read");
		out_item(w->o, "reasons");
		return ST_OK;
	}
	for (uint32_t i = 0; i < w->exe->nsections && !*ret; i++) {
		char what[32];
		snprintf(what, sizeof what, "section %" PRIu32, i);
		struct rd raw = rd_at(&w->object, w->exe->sections[i].off, w->exe->sections[i].size);
		if (!raw.bad && raw.len)
			TRY(compare_row(w, r, raw, what, ret, e));
	}
	return ST_OK;
}

/* As scan/match.c: PE32 only. */
static st_t compare_imports(struct rows *w, const struct db_hash_row *r, bool *ret, struct err *e)
{
	struct buf text = {0};
	*ret = false;
	bool known = w->is_pe && w->exe && !w->exe->is_64 &&
	             pe_import_text(w->object, w->exe, &text, NULL) == ST_OK;
	st_t st = ST_OK;
	if (known) {
		struct rd in = rd_make(text.len ? text.data : (const uint8_t *)"", text.len);
		st = compare_row(w, r, in, "the text of the imports", ret, e);
	} else {
		out_say(w->o, "the file is no Windows executable (PE32) whose imports could be read");
		out_item(w->o, "reasons");
	}
	buf_done(&text);
	return st;
}

/* The file, and views of HTML. */
static st_t compare_whole(struct rows *w, const struct db_hash_row *r, bool *ret, struct err *e)
{
	TRY(compare_row(w, r, w->object, "the file", ret, e));
	for (size_t i = 0; i < w->views->n && !*ret && w->use == DB_HASH_FILE; i++) {
		const struct test_view *v = &w->views->v[i];
		if (!v->digests)
			continue;
		TRY(compare_row(w, r, rd_make(v->object.data, v->object.len), v->name, ret, e));
		if (!*ret)
			continue;
		out_say(w->o, "it is the digest of %s", v->name);
		out_item(w->o, "reasons");
	}
	return ST_OK;
}

static st_t test_row(void *ctx, const struct db_hash_row *r, struct err *e)
{
	static const char *const words[DB_HASH_USES] = {"the file", "a section", "the trusted file",
	                                                "the imports"};
	struct rows *w = ctx;
	char hex[2 * DIGEST_MAX + 1];
	bool same = false;
	if ((r->nameref & DB_NAMEREF_INDEX) != w->index)
		return ST_OK;
	hex_encode(r->digest, digest_size(w->kind), hex);
	out_say(w->o, "A digest of %s: %s %s", words[w->use], digest_words[w->kind], hex);
	out_open(w->o, "hashes");
	out_str(w->o, "digest", hex);
	if (w->use == DB_HASH_SECTION)
		TRY(compare_sections(w, r, &same, e));
	else if (w->use == DB_HASH_IMPORT)
		TRY(compare_imports(w, r, &same, e));
	else
		TRY(compare_whole(w, r, &same, e));
	if (w->use == DB_HASH_TRUST)
		out_say(w->o, same ? "Verdict: trusted, nothing is reported in it"
		                   : "Verdict: not trusted by it");
	else
		out_say(w->o, same ? "Verdict: found" : "Verdict: not found");
	out_open_one(w->o, "verdict");
	out_bool(w->o, "found", same);
	out_close(w->o);
	out_close(w->o);
	*w->hit |= same && w->use != DB_HASH_TRUST;
	return w->o->st;
}

/* -- everything under a name ---------------------------------------------------------------- */

static st_t layout_of(struct rd in, uint8_t target, struct exe_layout *ret)
{
	if (target == filetype_target(FT_MSEXE)) {
		TRY(pe_parse(in, ret, NULL));
		pe_version_keys(in, ret);
		return ST_OK;
	}
	if (target == filetype_target(FT_ELF))
		return elf_parse(in, ret, NULL);
	return target == filetype_target(FT_MACHO) ? macho_parse(in, ret, NULL) : ST_UNSUPPORTED;
}

struct subject {
	const struct db *db;
	uint32_t index;
	enum file_type type;
	uint8_t target;
	const struct exe_layout *exe;
	const struct explain_object *object;
};

static void put_subject(struct out *o, const struct subject *s)
{
	out_say(o, "The file has %zu bytes and the type %s", s->object->len, filetype_name(s->type));
	if (s->target)
		out_say(o, ": signatures for any file and for %s", word_target(s->target));
	else
		out_say(o, ": signatures for any file");
	out_open_one(o, "file");
	out_num(o, "size", s->object->len);
	out_str(o, "type", filetype_name(s->type));
	out_num(o, "target", s->target);
	if (s->exe) {
		if (s->exe->has_ep)
			out_say(o, "Entry point at offset %" PRIu64 ", ", s->exe->ep);
		out_say(o, "%" PRIu32 " section%s", s->exe->nsections, s->exe->nsections == 1 ? "" : "s");
		if (s->exe->nversion_keys)
			out_say(o, ", %" PRIu32 " keys of version information", s->exe->nversion_keys);
		out_remark(o);
		if (s->exe->has_ep)
			out_num(o, "entry_point", s->exe->ep);
		out_num(o, "sections", s->exe->nsections);
		out_num(o, "version_keys", s->exe->nversion_keys);
	}
	out_close(o);
}

static bool is_tried(const struct subject *s, const struct test_view *view,
                     const struct db_sig *sig)
{
	bool skipped = view->views_only && sig->target == s->target;
	return (sig->nameref & DB_NAMEREF_INDEX) == s->index && !skipped;
}

static bool has_any(const struct subject *s, const struct test_view *view)
{
	const struct db_view *v = db_view(s->db);
	for (uint32_t i = 0; i < v->nsig; i++)
		if (is_tried(s, view, &v->sig[i]))
			return true;
	return false;
}

static st_t test_view(struct out *o, const struct subject *s, const struct test_view *view,
                      bool *ret_hit, struct err *e)
{
	const struct db_view *v = db_view(s->db);
	for (uint32_t i = 0; i < v->nsig; i++) {
		bool hit, words;
		if (!is_tried(s, view, &v->sig[i]))
			continue;
		TRY(explain_test_sig(o, s->db, i, view->target, &view->facts, &view->object, &hit, &words,
		                     e));
		*ret_hit |= hit;
	}
	return ST_OK;
}

/* A file that is matched as it is needs no heading. */
static st_t test_views(struct out *o, const struct subject *s, const struct test_views *views,
                       bool *ret_hit, struct err *e)
{
	bool plain = views->n == 1 && views->v[0].object.data == s->object->data;
	for (size_t i = 0; i < views->n; i++) {
		if (!has_any(s, &views->v[i]))
			continue;
		if (!plain) {
			out_say(o, "%s", views->v[i].words);
			out_open(o, "views");
		}
		TRY(test_view(o, s, &views->v[i], ret_hit, e));
		if (!plain)
			out_close(o);
	}
	return ST_OK;
}

/* They speak of a container's members, which are not taken apart here: that is said, so that nobody
 * takes silence for an answer. */
static void put_members(struct out *o, const struct subject *s)
{
	const struct db_view *v = db_view(s->db);
	for (size_t i = 0; i < v->nmember; i++) {
		if ((v->member[i].nameref & DB_NAMEREF_INDEX) != s->index)
			continue;
		out_say(o, "A signature for members of containers: not tried here, scan the container");
		out_item(o, "not_tried");
	}
}

static st_t test_all(struct out *o, const struct subject *s, const struct test_views *views,
                     bool *ret_hit, struct err *e)
{
	put_subject(o, s);
	TRY(test_views(o, s, views, ret_hit, e));
	struct rows w = {.o = o, .views = views, .index = s->index, .exe = s->exe,
	                 .hit = ret_hit, .object = rd_make(s->object->data, s->object->len),
	                 .is_pe = s->target == filetype_target(FT_MSEXE)};
	for (w.use = 0; w.use < DB_HASH_USES; w.use++)
		for (w.kind = 0; w.kind < DIGEST_KINDS; w.kind++)
			TRY(db_hash_each(s->db, w.use, w.kind, test_row, &w, e));
	put_members(o, s);
	return o->st;
}

st_t explain_test(struct out *o, const struct db *db, uint32_t index,
                  const struct explain_object *object, bool *ret_hit, struct err *e)
{
	struct rd in = rd_make(object->data, object->len);
	struct rd head = rd_make(object->data, num_min_size(object->len, FILETYPE_HEAD));
	struct subject s = {.db = db, .index = index, .object = object};
	char name[DB_NAME_MAX];
	*ret_hit = false;
	struct exe_layout *exe = calloc(1, sizeof *exe);
	if (!exe)
		return fail(e, ST_NOMEM, 0, "test: out of memory");
	s.type = filetype_detect_with(db_view(db), head, object->len);
	s.target = filetype_target(s.type);
	if (layout_of(in, s.target, exe) == ST_OK && exe->valid)
		s.exe = exe;
	struct test_views views = {0};
	st_t st = db_name(db, index, name, e);
	if (st == ST_OK)
		st = test_views_of(db_view(db), s.type, s.exe, object, &views, e);
	if (st == ST_OK) {
		out_name(o, name);
		out_open(o, "name");
		out_str(o, "name", name);
		st = test_all(o, &s, &views, ret_hit, e);
		out_close(o);
	}
	test_views_done(&views);
	free(exe);
	return st;
}
