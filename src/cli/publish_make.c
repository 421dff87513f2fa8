#include "cli/publish_make.h"

#include "base/io.h"
#include "cli/cli.h"
#include "cli/dbcache.h"
#include "cli/dbheads.h"
#include "cli/ticker.h"
#include "cvd/cvd.h"
#include "proc/msg.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ORIGIN_MAX sizeof *((struct publish_made *)NULL)->origin

void publish_made_done(struct publish_made *m)
{
	fd_closep(&m->source_fd);
	fd_closep(&m->vdb_fd);
	compile_report_done(&m->report);
	free(m->imported);
	free(m->origin);
	m->imported = NULL;
	m->origin = NULL;
}

static void say_duplicate(const char *path, const char *kept, bool same)
{
	say("%s: skipped, %s is %s", path, kept, same ? "the same version" : "newer");
}

static st_t check_kinds(const struct db_set *set, bool import, struct err *e)
{
	size_t containers = 0;
	for (size_t i = 0; i < set->n; i++) {
		containers += set->v[i].container;
		if (set->v[i].container && !import)
			return fail(e, ST_UNSUPPORTED, 0,
			            "%s: a signature container; 'vitrine publish import' takes those",
			            set->v[i].path);
	}
	if (set->vdb >= 0)
		return fail(e, ST_UNSUPPORTED, 0, "%s: is compiled already; a release is made of its "
		            "sources", set->vdb_path);
	if (import && !containers)
		return fail(e, ST_UNSUPPORTED, 0, "no signature container is named; 'vitrine publish "
		            "release' takes text");
	return ST_OK;
}

static st_t collect(const struct publish_make_opts *o, struct db_set *set, struct err *e)
{
	const struct db_set_opts so = {.pua = o->pua};
	for (size_t i = 1; i < o->srcs->n; i++) {
		enum db_problem problem;
		TRY(db_set_add(set, o->srcs->v[i], &so, &problem, e));
		if (problem == DB_NONE_HERE)
			return fail(e, ST_UNSUPPORTED, 0, "%s: no signature files here", o->srcs->v[i]);
	}
	TRY(check_kinds(set, o->import, e));
	TRY(dbheads_drop_duplicates(set, say_duplicate, e));
	return db_set_add_roots(set, o->certs_dir, e);
}

/* On the disk of the repository, where there is room for a release; a file system without files
 * that have no name takes memory instead. */
static st_t open_temp(int dir, int *ret, struct err *e)
{
	*ret = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (*ret < 0)
		*ret = memfd_create("release", MFD_CLOEXEC);
	return *ret < 0 ? fail_errno(e, "temporary file") : ST_OK;
}

/* By what the origin of a container is proven (src/cvd/cvd.h), for resolvedDependencies. */
static void put_origin(const struct compile_origin *o, char ret[ORIGIN_MAX])
{
	static const char *const how[CVD_SCHEMES] = {
		[CVD_UNPROVEN] = "nothing",
		[CVD_LEGACY] = "MD5 and RSA-1024 in its header: evidence of origin only",
		[CVD_INFO] = "SHA-256 and RSA-2047 in its .info",
		[CVD_CMS] = ".sign file (CMS), root certificate",
	};
	const char *signer = o->scheme == CVD_CMS ? o->signer : "";
	snprintf(ret, ORIGIN_MAX, "version %u, proven by %s%s%.128s", (unsigned)o->version,
	         how[o->scheme], *signer ? " " : "", signer);
}

static st_t take_origins(const struct compile_report *r, struct publish_made *m, struct err *e)
{
	m->imported = calloc(r->norigins + 1, sizeof *m->imported);
	m->origin = calloc(r->norigins + 1, sizeof *m->origin);
	if (!m->imported || !m->origin)
		return fail(e, ST_NOMEM, 0, "release: out of memory");
	for (size_t i = 0; i < r->norigins; i++) {
		struct set_release_dependency *d = &m->imported[m->nimported++];
		const struct compile_origin *o = &r->origins[i];
		if (o->scheme == CVD_UNPROVEN)
			return fail(e, ST_UNSUPPORTED, 0,
			            "%s: nothing proves its origin; unpack it and release the files", o->file);
		put_origin(o, m->origin[i]);
		snprintf(d->file.name, sizeof d->file.name, "%s", o->file);
		memcpy(d->file.sha256, o->sha256, 32);
		d->origin = m->origin[i];
	}
	return ST_OK;
}

static st_t make_bundle(const struct publish_make_opts *o, struct publish_made *m, struct err *e)
{
	struct db_set set;
	struct compile_report report = {0};
	db_set_init(&set);
	st_t st = collect(o, &set, e);
	if (st == ST_OK)
		st = dbset_bundle(&set, m->source_fd, &report, e);
	if (st == ST_OK)
		st = take_origins(&report, m, e);
	compile_report_done(&report);
	db_set_done(&set);
	return st;
}

/* From the bundle, as everybody else will. */
static st_t compile(const struct publish_make_opts *o, struct publish_made *m, struct err *e)
{
	const struct broker_source src = {"source.tar", m->source_fd, MSG_SOURCE_SIGNATURES};
	const struct compile_opts co = {
		.strict = o->strict, .pua = o->pua, .now = (uint64_t)time(NULL)};
	return broker_compile(&src, 1, &co, m->vdb_fd, &m->report, e);
}

st_t publish_make(const struct publish_make_opts *o, struct publish_made *ret, struct err *e)
{
	struct ticker ticker;
	*ret = (struct publish_made){.source_fd = -1, .vdb_fd = -1};
	TRY(open_temp(o->temp_dir, &ret->source_fd, e));
	TRY(open_temp(o->temp_dir, &ret->vdb_fd, e));
	ticker_start(&ticker, !o->quiet, "compiling");
	st_t st = make_bundle(o, ret, e);
	if (st == ST_OK)
		st = compile(o, ret, e);
	ticker_stop(&ticker);
	return st;
}
