/* vitrine db info: what a compiled database holds. Reads the database by db/, which checks it whole
 * before anything is shown. */
#include "base/io.h"
#include "cli/cli.h"
#include "cli/dbcache.h"
#include "cli/opts.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "db/db.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct info {
	bool json, help;
	const char *certs_dir;
};

static const struct opt options[] = {
    {"json", 0, OPT_BOOL, 0, offsetof(struct info, json), NULL},
    {"cvdcertsdir", 0, OPT_TEXT, 0, offsetof(struct info, certs_dir), NULL},
    {"help", 'h', OPT_BOOL, 0, offsetof(struct info, help), NULL},
};

static const char usage[] =
    "Usage: vitrine db info [--json] [--cvdcertsdir DIR] FILE\n"
    "\n"
    "Checks a compiled database and shows its counters, what is recognised but not active in this\n"
    "version, the digest of its sources, the sizes of its sections, and the containers that it\n"
    "was made from: version, build, and by what their origin is proven. FILE may be a container\n"
    "(.cvd, .cld, .cud) itself.\n"
    "Exit code: 0 shown, 2 not a sound database.\n"
    "\n"
    "Examples:\n"
    "  vitrine db info all.vdb\n"
    "  vitrine db info --json all.vdb | jq .counters\n";

struct row {
	const char *key, *label;
	uint64_t n;
};

#define COUNTERS 12
static void fill_counters(const struct db_meta *m, struct row ret[COUNTERS])
{
	const struct row rows[COUNTERS] = {
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
	memcpy(ret, rows, sizeof rows);
}

#define SECTIONS 23
static void fill_sections(const struct db_view *v, struct row ret[SECTIONS])
{
	const struct row rows[SECTIONS] = {
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
	    {"name_dir", "name directory", v->nname_dir * sizeof *v->name_dir},
	    {"name_blocks", "name blocks", v->nname_blocks},
	    {"magic", "file types", v->nmagic * sizeof *v->magic + v->nmagic_bytes +
	                                v->nmagic_part * sizeof *v->magic_part},
	    {"note", "notes", v->nnote * sizeof *v->note},
	    {"origin", "origins", v->norigin * sizeof *v->origin},
	    {"member", "container signatures", v->nmember * sizeof *v->member},
	    {"password", "passwords", v->npassword * sizeof *v->password},
	    {"member_text", "their text", v->nmember_text},
	};
	memcpy(ret, rows, sizeof rows);
}

static void put_rows_json(const char *key, const struct row *rows, size_t n)
{
	printf(",\"%s\":{", key);
	for (size_t i = 0; i < n; i++)
		printf("%s\"%s\":%llu", i ? "," : "", rows[i].key, (unsigned long long)rows[i].n);
	putchar('}');
}

static void put_rows_text(const char *title, const struct row *rows, size_t n)
{
	printf("%s\n", title);
	for (size_t i = 0; i < n; i++)
		printf("  %-24s %12llu\n", rows[i].label, (unsigned long long)rows[i].n);
}

/* An inactive kind's name fills its field without a NUL at most. */
static void kind_name(const struct db_inactive *in, char ret[sizeof in->what + 1])
{
	memcpy(ret, in->what, sizeof in->what);
	ret[sizeof in->what] = '\0';
}

static void put_inactive(const struct db *db, bool json)
{
	const struct db_inactive *in;
	char what[sizeof in->what + 1];
	for (size_t i = 0; (in = db_inactive(db, i)); i++) {
		kind_name(in, what);
		if (json) {
			fputs(i ? "," : "", stdout);
			json_put_string(stdout, what);
			printf(":%llu", (unsigned long long)in->n);
		} else {
			printf("  not active: %12llu ", (unsigned long long)in->n);
			text_put(stdout, what, TEXT_EXACT);
			putchar('\n');
		}
	}
}

static void put_notes(const struct db_view *v, bool json)
{
	for (size_t i = 0; i < v->nnote; i++) {
		if (json) {
			fputs(i ? ",{\"kind\":" : "{\"kind\":", stdout);
			json_put_string(stdout, v->note[i].kind);
			fputs(",\"text\":", stdout);
			json_put_string(stdout, v->note[i].text);
			putchar('}');
		} else {
			fputs("  ", stdout);
			text_put(stdout, v->note[i].kind, TEXT_EXACT);
			fputs(": ", stdout);
			text_put(stdout, v->note[i].text, TEXT_EXACT);
			putchar('\n');
		}
	}
}

/* By what the origin of a container is proven, in words. */
static void put_proof(const struct db_origin *o, char *ret, size_t cap)
{
	static const char *const words[DB_ORIGIN_SCHEMES] = {
	    "not signed",
	    "legacy MD5/RSA-1024: evidence of origin only",
	    ".info SHA-256/RSA-2047",
	    "CMS, root ",
	};
	snprintf(ret, cap, "%s%s", words[o->scheme], o->signer);
}

static void put_origin_json(const struct db_origin *o)
{
	static const char *const scheme[DB_ORIGIN_SCHEMES] = {"none", "legacy", "info", "cms"};
	const char *const name[] = {"file", "time", "builder", "scheme", "root", "proof", "sha256"};
	char proof[256], digest[65];
	put_proof(o, proof, sizeof proof);
	hex_encode(o->sha256, sizeof o->sha256, digest);
	const char *const text[] = {o->file, o->time, o->builder, scheme[o->scheme], o->signer, proof,
	                            digest};
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
		printf("%s\"%s\":", i ? "," : "{", name[i]);
		json_put_string(stdout, text[i]);
	}
	printf(",\"version\":%u,\"signatures\":%u,\"functionality_level\":%u,\"build_time\":%llu}",
	       (unsigned)o->version, (unsigned)o->sigs, (unsigned)o->flevel,
	       (unsigned long long)o->stime);
}

static void put_origins(const struct db_view *v, bool json)
{
	for (size_t i = 0; i < v->norigin; i++) {
		const struct db_origin *o = &v->origin[i];
		char proof[256];
		if (json) {
			fputs(i ? "," : "", stdout);
			put_origin_json(o);
			continue;
		}
		put_proof(o, proof, sizeof proof);
		printf("%s%s: version %u of %s by %s, %u signatures, functionality level %u\n"
		       "    origin: %s\n", i ? "  " : "Containers\n  ", o->file, (unsigned)o->version,
		       o->time, o->builder, (unsigned)o->sigs, (unsigned)o->flevel, proof);
	}
}

static void show(const char *path, uint64_t size, const struct db *db, bool json)
{
	struct row counters[COUNTERS], sections[SECTIONS];
	char digest[65];
	fill_counters(db_meta(db), counters);
	fill_sections(db_view(db), sections);
	hex_encode(db_meta(db)->sources, 32, digest);
	if (json) {
		fputs("{\"file\":", stdout);
		json_put_string(stdout, path);
		printf(",\"size\":%llu,\"version\":%d,\"sources\":\"%s\"", (unsigned long long)size,
		       DB_VERSION, digest);
		put_rows_json("counters", counters, COUNTERS);
		fputs(",\"containers\":[", stdout);
		put_origins(db_view(db), true);
		fputs("],\"inactive\":{", stdout);
		put_inactive(db, true);
		fputs("},\"notes\":[", stdout);
		put_notes(db_view(db), true);
		putchar(']');
		put_rows_json("sections", sections, SECTIONS);
		puts("}");
		return;
	}
	text_put(stdout, path, TEXT_EXACT);
	printf(": %llu bytes, format %d\nsources %s\n", (unsigned long long)size, DB_VERSION, digest);
	put_origins(db_view(db), false);
	put_rows_text("Counters", counters, COUNTERS);
	put_inactive(db, false);
	put_notes(db_view(db), false);
	put_rows_text("Sections (bytes)", sections, SECTIONS);
}

/* A container is compiled (in the jail) and shown as the database that it gives. */
static st_t open_container(const struct info *o, const char *path, int *ret_fd, struct err *e)
{
	struct db_set set;
	struct db_set_opts so = {.pua = true};
	struct dbcache_opts co = {.compile = {.pua = true}};
	struct compile_report report = {0};
	enum db_problem problem;
	db_set_init(&set);
	st_t st = db_set_add(&set, path, &so, &problem, e);
	if (st == ST_OK)
		st = db_set_add_roots(&set, o->certs_dir, e);
	if (st == ST_OK)
		st = dbcache_open(&set, &co, ret_fd, &report, e);
	compile_report_done(&report);
	db_set_done(&set);
	return st;
}

static st_t open_any(const struct info *o, const char *path, int *ret_fd, struct err *e)
{
	if (db_is_container(path))
		return open_container(o, path, ret_fd, e);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *ret_fd < 0 ? fail_errno(e, "%s", path) : ST_OK;
}

static int info(const struct info *o, const char *path)
{
	struct err e = {0};
	struct db *db = NULL;
	struct stat st;
	AUTO_FD fd = -1;
	st_t rc = open_any(o, path, &fd, &e);
	if (rc != ST_OK || fstat(fd, &st)) {
		say("%s", rc != ST_OK ? e.text : strerror(errno));
		return EXIT_ERROR;
	}
	rc = db_open(fd, &db, &e);
	if (rc != ST_OK) {
		say("%s: %s", path, e.text[0] ? e.text : st_name(rc));
		return EXIT_ERROR;
	}
	show(path, (uint64_t)st.st_size, db, o->json);
	db_close(db);
	return fflush(stdout) ? EXIT_ERROR : EXIT_CLEAN;
}

int cmd_db_info(int argc, char **argv)
{
	static const struct opt_table table = {options, sizeof options / sizeof options[0]};
	struct info o = {0};
	struct str_list files = {0}, warned = {0};
	struct opt_error error = {0};
	int code = EXIT_ERROR;
	if (!opts_read(&table, argc, argv, &o, &files, &warned, &error)) {
		opts_say(&error, "db info");
	} else if (o.help) {
		fputs(usage, stdout);
		code = EXIT_CLEAN;
	} else if (files.n != 1) {
		say("db info: one database is needed; try 'vitrine db info --help'");
	} else {
		code = info(&o, files.v[0]);
	}
	str_list_done(&files);
	str_list_done(&warned);
	return code;
}
