/* The counters of a database. */
#include "explain/explain.h"
#include "explain/notes.h"

#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *key, *label;
	uint64_t n;
};

static void put_rows(struct out *o, const char *kind, const struct row *rows, size_t n)
{
	out_open_map(o, kind);
	for (size_t i = 0; i < n; i++) {
		out_say(o, "%-24s %12" PRIu64, rows[i].label, rows[i].n);
		out_remark(o);
		out_num(o, rows[i].key, rows[i].n);
	}
}

static void put_counters(struct out *o, const struct db *db)
{
	const struct db_meta *m = db_meta(db);
	const struct row rows[] = {
	    {"body", "body signatures", m->sigs_body},
	    {"logical", "logical signatures", m->sigs_logical},
	    {"file_hashes", "file hashes", m->hashes_file},
	    {"section_hashes", "section hashes", m->hashes_section},
	    {"trusted_hashes", "trusted hashes", m->hashes_trust},
	    {"import_hashes", "import hashes", m->hashes_import},
	    {"container", "container signatures", m->sigs_member},
	    {"inactive", "not active", m->inactive},
	    {"skipped", "malformed, skipped", m->skipped},
	    {"out_of_level", "other engine versions", m->out_of_level},
	    {"names", "names", m->nnames},
	    {"functionality_level", "functionality level", m->flevel},
	};
	out_say(o, "Counters");
	put_rows(o, "counters", rows, ARRAY_LEN(rows));
	out_close(o);
}

static void put_inactive(struct out *o, const struct db *db)
{
	const struct db_inactive *in;
	out_say(o, "Not active");
	out_open_map(o, "inactive");
	for (size_t i = 0; (in = db_inactive(db, i)); i++) {
		char what[sizeof in->what + 1] = {0};
		memcpy(what, in->what, sizeof in->what);
		out_say(o, "%12" PRIu64 " ", in->n);
		out_name(o, what);
		out_remark(o);
		out_num(o, what, in->n);
	}
	out_close(o);
}

/* A field of `size` bytes that need not end with a NUL. */
static const char *field(const char *s, size_t size, char ret[DB_NOTE_TEXT + 1])
{
	size_t n = strnlen(s, num_min_size(size, DB_NOTE_TEXT));
	memcpy(ret, s, n);
	ret[n] = '\0';
	return ret;
}

/* By what the origin of a container is proven, in words. */
static const char *word_proof(const struct db_origin *g)
{
	static const char *const words[DB_ORIGIN_SCHEMES] = {
	    "not signed",
	    "legacy MD5/RSA-1024: evidence of origin only",
	    ".info SHA-256/RSA-2047",
	    "CMS, root ",
	};
	return g->scheme < DB_ORIGIN_SCHEMES ? words[g->scheme] : "unknown";
}

static void put_origin_fields(struct out *o, const struct db_origin *g)
{
	static const char *const scheme[DB_ORIGIN_SCHEMES] = {"none", "legacy", "info", "cms"};
	char digest[65], text[DB_NOTE_TEXT + 1], proof[DB_NOTE_TEXT + 64];
	hex_encode(g->sha256, sizeof g->sha256, digest);
	out_str(o, "file", field(g->file, sizeof g->file, text));
	out_str(o, "time", field(g->time, sizeof g->time, text));
	out_str(o, "builder", field(g->builder, sizeof g->builder, text));
	out_str(o, "scheme", g->scheme < DB_ORIGIN_SCHEMES ? scheme[g->scheme] : "unknown");
	out_str(o, "root", field(g->signer, sizeof g->signer, text));
	snprintf(proof, sizeof proof, "%s%s", word_proof(g), text);
	out_str(o, "proof", proof);
	out_str(o, "sha256", digest);
	out_num(o, "version", g->version);
	out_num(o, "signatures", g->sigs);
	out_num(o, "functionality_level", g->flevel);
	out_num(o, "build_time", g->stime);
	out_say(o, "origin: ");
	out_name(o, proof);
	out_remark(o);
}

static void put_origin(struct out *o, const struct db_origin *g)
{
	char text[DB_NOTE_TEXT + 1];
	out_name(o, field(g->file, sizeof g->file, text));
	out_say(o, ": version %" PRIu32 " of ", g->version);
	out_name(o, field(g->time, sizeof g->time, text));
	out_say(o, " by ");
	out_name(o, field(g->builder, sizeof g->builder, text));
	out_say(o, ", %" PRIu32 " signatures, functionality level %" PRIu32, g->sigs, g->flevel);
	out_open(o, "containers");
	put_origin_fields(o, g);
	out_close(o);
}

static void put_origins(struct out *o, const struct db_view *v)
{
	for (size_t i = 0; i < v->norigin; i++)
		put_origin(o, &v->origin[i]);
}

static void put_note_part(struct out *o, const char *text)
{
	if (!*text)
		return;
	out_say(o, "; ");
	out_name(o, text);
}

static void put_notes(struct out *o, const struct db_view *v)
{
	for (size_t i = 0; i < v->nnote; i++) {
		struct note n;
		note_read(&v->note[i], &n);
		out_name(o, n.kind);
		out_say(o, ": ");
		out_name(o, n.name);
		put_note_part(o, n.run);
		put_note_part(o, n.levels);
		put_note_part(o, n.trigger);
		out_open(o, "notes");
		out_str(o, "kind", n.kind);
		out_str(o, "name", n.name);
		out_str(o, "run_by", n.run);
		out_str(o, "levels", n.levels);
		out_str(o, "trigger", n.trigger);
		out_close(o);
	}
}

static void put_sections(struct out *o, const struct db_view *v)
{
	const struct row rows[] = {
	    {"inactive", "inactive", v->ninactive * sizeof *v->inactive},
	    {"sig", "signatures", v->nsig * sizeof *v->sig},
	    {"cond", "conditions", v->ncond * sizeof *v->cond},
	    {"pattern", "patterns", v->npattern * sizeof *v->pattern},
	    {"part", "parts", v->npart * sizeof *v->part},
	    {"code", "code", v->ncode},
	    {"filter", "filters", v->nfilter * sizeof *v->filter},
	    {"bloom", "bloom words", v->nbloom * sizeof *v->bloom},
	    {"bucket", "gram buckets", v->nbucket * sizeof *v->bucket},
	    {"slot", "grams", v->nslot * sizeof *v->slot},
	    {"place", "places", v->nplace * sizeof *v->place},
	    {"always", "always tried", v->nalways * sizeof *v->always},
	    {"hash_sizes", "hash sizes", v->nhash_sizes * sizeof *v->hash_sizes},
	    {"hash_dir", "hash directory", v->nhash_dir * sizeof *v->hash_dir},
	    {"hash_rows", "hash rows", v->nhash_rows},
	    {"regex", "regular expressions", v->nregex * sizeof *v->regex},
	    {"compare", "byte comparisons", v->ncompare * sizeof *v->compare},
	    {"image", "image hashes", v->nimage * sizeof *v->image},
	    {"magic", "file types", v->nmagic * sizeof *v->magic + v->nmagic_bytes +
	                                v->nmagic_part * sizeof *v->magic_part},
	    {"origin", "origins", v->norigin * sizeof *v->origin},
	    {"member", "container signatures", v->nmember * sizeof *v->member},
	    {"password", "passwords", v->npassword * sizeof *v->password},
	    {"member_text", "their text", v->nmember_text},
	    {"note", "notes", v->nnote * sizeof *v->note},
	    {"name_dir", "name directory", v->nname_dir * sizeof *v->name_dir},
	    {"name_blocks", "name blocks", v->nname_blocks},
	};
	out_say(o, "Sections (bytes)");
	put_rows(o, "sections", rows, ARRAY_LEN(rows));
	out_close(o);
}

void explain_info(struct out *o, const struct db *db, const char *path, uint64_t size)
{
	char digest[65];
	hex_encode(db_meta(db)->sources, 32, digest);
	out_name(o, path);
	out_say(o, ": %" PRIu64 " bytes, format %d", size, DB_VERSION);
	out_open(o, "database");
	out_str(o, "file", path);
	out_num(o, "size", size);
	out_num(o, "version", DB_VERSION);
	out_str(o, "sources", digest);
	out_say(o, "sources %s", digest);
	out_remark(o);
	put_origins(o, db_view(db));
	put_counters(o, db);
	put_inactive(o, db);
	put_notes(o, db_view(db));
	put_sections(o, db_view(db));
	out_close(o);
}
