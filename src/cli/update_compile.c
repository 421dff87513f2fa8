#include "cli/update_compile.h"

#include "base/io.h"
#include "crypto/digest.h"
#include "db/layout.h"
#include "proc/broker/compile.h"
#include "proc/msg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

st_t update_hash(int fd, struct chain_file *ret, struct err *e)
{
	return digest_file(DIGEST_SHA256, fd, ret->sha256, &ret->size, e);
}

/* Same format of databases, other bytes: either the attested database is not made of this text, or
 * the compilers differ. Which one, the rebuilders know. */
static st_t say_other(const struct chain_release *r, const struct chain_file *made, struct err *e)
{
	char ours[65], theirs[65];
	hex_encode(made->sha256, 8, ours);
	hex_encode(r->vdb.sha256, 8, theirs);
	return fail(e, ST_CONFLICT, 0,
	            "compiled here it is %s... (%" PRIu64 " bytes), attested is %s... (%" PRIu64
	            "): the rule text makes another database, or the publisher has another version of "
	            "the compiler",
	            ours, made->size, theirs, r->vdb.size);
}

st_t update_compile(const struct chain_release *r, int source_fd, struct err *e)
{
	struct broker_source source = {"source.tar", source_fd, MSG_SOURCE_SIGNATURES};
	struct compile_opts o = {.strict = r->strict, .clamav = r->clamav, .pua = r->pua,
	                         .now = (uint64_t)time(NULL)};
	struct compile_report report = {0};
	struct chain_file made;
	struct err why = {0};
	if (r->database != DB_VERSION)
		return fail(e, ST_UNSUPPORTED, 0,
		            "it was compiled for format %u of databases, this program makes format %d: "
		            "use the version of Vitrine that the publisher uses, or 'compile attested'",
		            r->database, DB_VERSION);
	AUTO_FD out = memfd_create("compiled", MFD_CLOEXEC);
	if (out < 0)
		return fail_errno(e, "compiling");
	st_t st = broker_compile(&source, 1, &o, out, &report, &why);
	compile_report_done(&report);
	if (st != ST_OK)
		return fail(e, st, 0, "compiling the rule text: %.200s", why.text);
	TRY(update_hash(out, &made, e));
	if (made.size == r->vdb.size && !memcmp(made.sha256, r->vdb.sha256, sizeof made.sha256))
		return ST_OK;
	return say_other(r, &made, e);
}
