/* Where files of a repository come from: mirrors, a folder, a bundle. Paths are those of
 * doc/format/updates.md ("metadata/timestamp.json", "targets/main/SHA256.main.vdb",
 * "log/ORIGIN/tile/0/000"). Whatever comes out is hostile. All have the same answers, so that the
 * chain (update/chain.h) cannot tell them apart.
 *
 * Nothing of a request depends on who asks: a path of a public file is all that is sent. */
#ifndef VITRINE_UPDATE_SOURCE_H
#define VITRINE_UPDATE_SOURCE_H

#include "base/buf.h"
#include "base/rd.h"
#include "net/fetch.h"
#include "tlog/policy.h"

#include <stdbool.h>
#include <stdint.h>

#define UPDATE_PATH_MAX 1024
#define UPDATE_MIRRORS_MAX 16

/* Takes bytes as they come, in order, each once. Another status than ST_OK ends the transfer and is
 * returned. */
typedef st_t update_sink(void *ctx, const void *p, size_t n, struct err *e);

struct update_source_ops {
	/* The bytes of a file from offset `from` on. ST_NOT_FOUND: no mirror has it. ST_LIMIT: more
	 * than `max` bytes behind `from`, also where nothing was given to the sink. -ETIMEDOUT: too
	 * slow (ST_TIMEOUT is for what has expired). Other failures of one mirror are tried at the next
	 * one, going on where the first one ended. */
	st_t (*stream)(void *ctx, const char *path, uint64_t from, uint64_t max, update_sink *sink,
	               void *sink_ctx, struct err *e);
	void (*free)(void *ctx);
	/* A small file, appended to `ret`: of one mirror, never put together from several. NULL: by
	 * stream. */
	st_t (*get)(void *ctx, const char *path, size_t max, struct buf *ret, struct err *e);
	/* What was really moved, where that is more than what came out. NULL: it is not. */
	void (*count)(void *ctx, uint64_t *ret_bytes, uint64_t *ret_requests);
	/* Whose data came: a bit each, and which was the last one, 1 the first; 0: none. NULL: nobody
	 * tells. */
	void (*whose)(void *ctx, uint32_t *ret_mirrors, uint32_t *ret_mirror);
};

/* A path as in a URL: printable ASCII without backslash and blank, relative, no empty part, no "."
 * and "..", shorter than UPDATE_PATH_MAX. What is special in names is percent-encoded by who makes
 * the path (tuf_quote()); in a folder or bundle files have these very names. */
bool update_path_good(const char *path);

/* Longest path of a folder, with NUL. */
#define UPDATE_FOLDER_MAX 4096

/* Whether a policy's repository line names a folder ("file:///srv/mirror"), and which; "": it is an
 * http or https URL. ST_MALFORMED: neither. */
st_t update_repository_folder(const char *url, char ret[UPDATE_FOLDER_MAX], struct err *e);

struct update_source {
	const struct update_source_ops *ops;
	void *ctx;
	uint64_t bytes, requests; /* moved so far, for who measures */
	uint32_t mirrors, mirror; /* as whose() of the operations says */
};

/* A small file, appended to `ret`. */
st_t update_get(struct update_source *s, const char *path, size_t max, struct buf *ret,
                struct err *e);
st_t update_stream(struct update_source *s, const char *path, uint64_t from, uint64_t max,
                   update_sink *sink, void *ctx, struct err *e);
void update_source_done(struct update_source *s);

struct update_mirrors {
	const char *repository[UPDATE_MIRRORS_MAX]; /* base URLs; http or https */
	size_t nrepositories;
	/* Where "log/ORIGIN/" is: the URL of the policy's log line, by origin. */
	const struct policy *logs;
	uint32_t timeout_ms; /* of a small file; large ones get more, by their size */
	uint64_t bandwidth;  /* bytes a second at most; 0: no limit */
	/* Files of a log are asked for at the repositories first, then at that URL: for who wants to
	 * hear one mirror and, as far as it goes, nobody else. */
	bool log_last;
};

/* What is given must stay. */
st_t update_source_open_mirrors(const struct fetch *fetch, const struct update_mirrors *m,
                                struct update_source *ret, struct err *e);

/* A repository on a disk, by the descriptor of its folder (not owned). No link is followed, nothing
 * outside reached. `logs`: further folders for "log/ORIGIN/", or the repository's own "log/". */
st_t update_source_open_folder(int dir_fd, struct update_source *ret, struct err *e);

/* A bundle, by its descriptor (not owned), which is checked as a whole first (pack/tar.h). */
st_t update_source_open_bundle(int fd, uint64_t size, struct update_source *ret, struct err *e);

#endif
