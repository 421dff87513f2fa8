/* What sigtool answers about files and signature text, in sigtool's words. What it prints was
 * learned from sigtool 1.4.6's output; test/e2e/test_sigtool.py compares.
 *
 * Runs in the inspector's jail. Answers are lines and bytes, without items (out_raw). A status > 0
 * comes with sigtool's message; what was written before it counts. */
#ifndef VITRINE_EXPLAIN_SIGTOOL_H
#define VITRINE_EXPLAIN_SIGTOOL_H

#include "crypto/digest.h"
#include "explain/explain.h"

/* The message of a refusal that has been written to the answer already. */
#define SIGTOOL_SAID "-"

/* --md5, --sha1, --sha256: "digest:size:name"; without a name the digest alone. */
st_t sigtool_digest(struct out *o, enum digest_kind kind, const struct explain_object *file,
                    const char *name, struct err *e);

/* --hex-dump: without a line end. */
void sigtool_hex(struct out *o, const struct explain_object *file);

/* --mdb: "LibClamAV debug: Section{n}: size:md5" of each section, as sigtool says it. */
st_t sigtool_sections(struct out *o, const struct explain_object *file, struct err *e);

/* --imp: "LibClamAV debug: Imphash: md5:size". */
st_t sigtool_imports(struct out *o, const struct explain_object *file, struct err *e);

/* --fuzzy-img: "name: hash". */
st_t sigtool_image(struct out *o, const struct explain_object *file, const char *name,
                   struct err *e);

/* --ascii-normalise, --utf16-decode: the bytes of the file that sigtool writes. */
st_t sigtool_text(struct out *o, const struct explain_object *file, struct err *e);
st_t sigtool_utf16(struct out *o, const struct explain_object *file, struct err *e);

/* --html-normalise: one view of the file (normal/html.h). *ret_there is false if it has none. */
enum sigtool_html { SIGTOOL_NOCOMMENT, SIGTOOL_NOTAGS, SIGTOOL_SCRIPT };
st_t sigtool_html(struct out *o, enum sigtool_html which, const struct explain_object *file,
                  bool *ret_there, struct err *e);

/* --info: the header of a container, then what proves it. As for sigtool the ending of the path
 * tells what kind it is; any other than .cvd, .cld, .cud is read like .cvd. */
st_t sigtool_info(struct out *o, const struct explain_object *file, const char *path,
                  struct err *e);

/* --unpack: what is in a container that is proven, or a .cud, as explain/sigtool_member.h says. */
st_t sigtool_unpack(struct out *o, const struct explain_object *file, const char *path,
                    struct err *e);

/* --list-sigs: the names in one file of signatures, whose name decides the format. */
st_t sigtool_list(struct out *o, const struct explain_object *file, const char *name,
                  struct err *e);

/* --find-sigs: its lines that fit the extended regular expression, "[name] line". */
st_t sigtool_find(struct out *o, const struct explain_object *file, const char *name,
                  const char *regex, struct err *e);

/* --test-sigs, first step: a .ldb with each body of the text as a signature of its own. */
st_t sigtool_bodies(struct out *o, const struct explain_object *text, struct err *e);

/* The second: where these bodies are in the file. `db` is what the compiler made of them. A line
 * that begins with SIGTOOL_FAULT is for stderr; nothing foreign begins a line. */
#define SIGTOOL_FAULT "ERROR: "
st_t sigtool_try(struct out *o, const struct db *db, const struct explain_object *text,
                 const struct explain_object *file, struct err *e);

/* --decode-sigs: every line. */
st_t sigtool_decode(struct out *o, const struct explain_object *text, struct err *e);

#endif
