/* Detached signatures as CMS SignedData (RFC 5652) by libcrypto, and the certificates that they
 * must lead to. Reads hostile DER: only in a jail. */
#ifndef VITRINE_CRYPTO_CMS_H
#define VITRINE_CRYPTO_CMS_H

#include "base/st.h"

#include <stddef.h>
#include <stdint.h>

/* Limits: a signature with its chain has some 4 KiB, a file of roots seldom more than one. */
#define CMS_SIGNATURE_MAX ((size_t)64 << 10)
#define CMS_ROOT_FILE_MAX ((size_t)256 << 10)
#define CMS_ROOTS_MAX 64

/* Longest common name kept, bytes with NUL. */
#define CMS_NAME_MAX 128

struct cms_roots;

st_t cms_roots_new(struct cms_roots **ret, struct err *e);
void cms_roots_free(struct cms_roots *r);

/* Adds the certificates of a PEM file. A chain must end at one that signed itself; others only help
 * to build it. ST_MALFORMED: no certificate in it, or two different ones have one common name, so
 * that nobody could say which of them proves. ST_LIMIT. */
st_t cms_roots_add(struct cms_roots *r, const void *pem, size_t n, struct err *e);

/* Checks a signature (DER) over `data`: digests SHA-256 or longer only, signer's chain valid at
 * `now` (seconds since 1970) and ending at one of the roots. ret_cn: common name of that root,
 * printable ASCII. ST_BAD_SUM: not proven; ST_MALFORMED: not a signature; ST_NOMEM. */
st_t cms_check(const struct cms_roots *r, const void *der, size_t n, const void *data, size_t ndata,
               int64_t now, char ret_cn[CMS_NAME_MAX], struct err *e);

#endif
