/* The views that signatures have of an HTML file: it is not matched as it is, but as three texts
 * made from it (doc/views.md says what clamscan does with them, and how it was found out).
 *
 *   nocomment   the file without comments: lower case, white space folded, entities decoded
 *   notags      its text without tags
 *   javascript  its scripts, normalised (normal/script.h)
 *   data        what its data: URLs (RFC 2397) hold, each as the mail message that clamscan
 *               makes of it and scans again
 *
 * The input needs to be 8-bit text; UTF-16 is converted by the caller before. Any input has
 * views: there is no malformed HTML. Time is linear in the input; memory is bounded by the
 * limits and by HTML_VIEWS_FACTOR times the input. */
#ifndef VITRINE_NORMAL_HTML_H
#define VITRINE_NORMAL_HTML_H

#include "base/buf.h"
#include "base/rd.h"
#include "base/st.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct html_opts {
	bool scripts; /* make the javascript view */
};

/* Bytes of all views together per byte of input, at most (see html.c). */
#define HTML_VIEWS_FACTOR 128

/* A view is absent (len 0, no data) if the file has nothing for it. */
struct html_views {
	struct buf nocomment;
	struct buf notags;
	struct buf javascript;
	bool has_script;     /* there is a javascript view, perhaps an empty one */
	struct buf *data;    /* n_data messages */
	size_t n_data;
};

/* Makes the views of the rest of `in`. ST_NOMEM, or ST_LIMIT for a script of more than 64 MiB;
 * *ret is empty then. The views belong to the caller: html_views_done(). */
st_t normal_html(struct rd in, const struct html_opts *opts, struct html_views *ret,
                 struct err *e);

void html_views_done(struct html_views *v);

#endif
