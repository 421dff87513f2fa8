#include "explain/words.h"

#include "base/num.h"
#include "db/filetypes.h"

#include <inttypes.h>
#include <stdio.h>

const char *word_target(uint8_t target)
{
	static const char *const words[DB_TARGETS] = {
	    "any file",
	    "Windows executables (PE)",
	    "OLE2 documents and installers",
	    "HTML",
	    "mail",
	    "pictures",
	    "Unix executables (ELF)",
	    "text",
	    "files of the unused target 8",
	    "macOS executables (Mach-O)",
	    "PDF",
	    "Flash",
	    "Java classes",
	    "what the scanner makes itself (internal)",
	    "files of no other type",
	};
	return target < DB_TARGETS ? words[target] : "files of an unknown type";
}

void say_bytes(struct out *o, uint64_t n)
{
	out_say(o, "%" PRIu64 " byte%s", n, n == 1 ? "" : "s");
}

/* -- offsets -------------------------------------------------------------------------------- */

const char *word_offset_kind(uint8_t kind)
{
	static const char *const words[DB_OFF_KINDS] = {
	    [DB_OFF_ANY] = "any",
	    [DB_OFF_ABS] = "absolute",
	    [DB_OFF_EOF] = "end_of_file",
	    [DB_OFF_EP] = "entry_point",
	    [DB_OFF_SECTION] = "section",
	    [DB_OFF_LAST_SECTION] = "last_section",
	    [DB_OFF_IN_SECTION] = "in_section",
	    [DB_OFF_VERSION_INFO] = "version_information",
	};
	return kind < DB_OFF_KINDS ? words[kind] : "unknown";
}

/* "exactly at X", "exactly 5 bytes behind X". */
static void say_distance(struct out *o, int64_t n, const char *from)
{
	if (n == 0)
		out_say(o, "exactly at %s", from);
	else
		out_say(o, "exactly %" PRIu64 " byte%s %s %s", n < 0 ? (uint64_t)-n : (uint64_t)n,
		        n == 1 || n == -1 ? "" : "s", n < 0 ? "before" : "behind", from);
}

static void say_place(struct out *o, const struct db_pattern *p)
{
	char section[48];
	snprintf(section, sizeof section, "the start of section %" PRIu32, p->off_section);
	switch (p->off_kind) {
	case DB_OFF_ABS:
		say_distance(o, p->off_n, "the start of the file");
		return;
	case DB_OFF_EOF:
		say_distance(o, -p->off_n, "the end of the file");
		return;
	case DB_OFF_EP:
		say_distance(o, p->off_n, "the entry point");
		return;
	case DB_OFF_SECTION:
		say_distance(o, p->off_n, section);
		return;
	case DB_OFF_LAST_SECTION:
		say_distance(o, p->off_n, "the start of the last section");
		return;
	case DB_OFF_IN_SECTION:
		out_say(o, "inside section %" PRIu32 " (it may reach out of it)", p->off_section);
		return;
	case DB_OFF_VERSION_INFO:
		out_say(o, "exactly at the start of a key of the version information");
		return;
	default:
		out_say(o, "anywhere");
	}
}

void say_offset(struct out *o, const struct db_pattern *p)
{
	say_place(o, p);
	bool counts_from_0 = p->off_kind == DB_OFF_SECTION || p->off_kind == DB_OFF_IN_SECTION;
	if (counts_from_0 && p->off_section == 0)
		out_say(o, " (the first one)");
	if (p->off_kind != DB_OFF_ANY && p->off_shift)
		out_say(o, ", or up to %" PRIu32 " byte%s later", p->off_shift,
		        p->off_shift == 1 ? "" : "s");
}

/* -- sub-signatures ------------------------------------------------------------------------- */

/* Does the pattern behind p look like the wide form of it? */
static bool is_pair(const struct db_pattern *p)
{
	return !(p[0].flags & (DB_PAT_WIDE | DB_PAT_OTHER)) && (p[1].flags & DB_PAT_WIDE) &&
	       p[0].nparts == p[1].nparts && p[0].off_kind == p[1].off_kind &&
	       p[0].off_n == p[1].off_n && p[0].off_shift == p[1].off_shift;
}

st_t subsigs_of(const struct db_view *db, const struct db_sig *s, struct subsigs *ret,
                struct err *e)
{
	uint8_t count[SUBSIGS_MAX] = {0};
	const struct db_pattern *p = db->pattern + s->pattern;
	if (s->npatterns > SUBSIGS_MAX)
		return fail(e, ST_LIMIT, 0, "more than %d patterns in a signature", SUBSIGS_MAX);
	for (uint32_t i = 0; i < s->ncond; i++) {
		const struct db_cond *c = &db->cond[s->cond + i];
		if (c->op == DB_COND_ID)
			count[c->a] = (uint8_t)c->b;
	}
	ret->n = 0;
	for (uint32_t i = 0; i < s->npatterns; i += ret->v[ret->n++].count) {
		bool pair = i + 1 < s->npatterns && !count[i + 1] && is_pair(p + i);
		uint32_t n = count[i] ? count[i] : pair ? 2 : 1;
		ret->v[ret->n].first = (uint16_t)i;
		ret->v[ret->n].count = (uint16_t)num_min_u64(n, s->npatterns - i);
	}
	return ST_OK;
}

uint32_t subsig_of(const struct subsigs *t, uint32_t pattern)
{
	uint32_t i = 0;
	while (i + 1 < t->n && t->v[i + 1].first <= pattern)
		i++;
	return i;
}

const char *word_handler(const struct db_sig *s)
{
	return s->handler <= FILETYPES ? filetype_name((enum file_type)(s->handler - 1)) : "?";
}
