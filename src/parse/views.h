/* What signatures see of an object besides its bytes (doc/views.md), made in one way for all who
 * need it: scan/ matches it, explain/ shows it, parse/data_url.c takes children out of it. */
#ifndef VITRINE_PARSE_VIEWS_H
#define VITRINE_PARSE_VIEWS_H

#include "base/rd.h"
#include "db/filetypes.h"
#include "normal/html.h"
#include "verify/facts.h"

/* Objects below this have no type in clamscan, and so no copy. */
#define VIEWS_TEXT_MIN 6u

/* Types that have a normalised copy, and types that have the views of HTML. */
bool type_has_copy(enum file_type t);
bool type_is_html(enum file_type t);

/* The target of an object's own bytes. Signatures for text never see them, whatever the options,
 * nor do, in UTF-16, signatures for HTML: so it is in clamscan. */
uint8_t type_raw_target(enum file_type t);
/* True if nothing sees the object's own bytes as long as it has views. */
bool type_hides_raw(enum file_type t);

/* The views of an object of such a type. As normal_html(), which see for statuses and ownership. */
st_t html_views_of(enum file_type type, struct rd in, const struct html_opts *opts,
                   struct html_views *ret, struct err *e);

/* What signatures may ask about a copy of `copy` bytes of a text of `text` bytes. Unless some
 * signature wants it whole (ENGINE_NEEDS_WHOLE_TEXT) it is as if clamscan went over it in windows:
 * there the size is the text's, and no window has an end. */
struct object_facts copy_facts(bool whole, size_t text, size_t copy);

/* Fills in the perceptual hash of an object, or that it is not known, if it is a picture. A status
 * < 0 is our own fault. */
st_t find_image_hash(enum file_type type, struct rd in, struct object_facts *ret, struct err *e);

#endif
