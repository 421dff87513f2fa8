/* A log's entry: an envelope, its keys, its payload. A second reading of the payload without the
 * envelope gives the fuzzer a direct way to statements and keys. */
#include "attest/dsse.h"
#include "attest/json.h"
#include "attest/set_release.h"
#include "attest/statement.h"

static int statement(struct rd in)
{
	struct statement s;
	struct set_release r;
	if (set_release_parse(in, &r, NULL) == ST_OK && (r.version == 0 || r.database == 0))
		__builtin_trap();
	st_t st = statement_parse(in, &s, NULL);
	statement_done(&s);
	return st == ST_NOMEM ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t pub[32] = {1};
	struct rd in = rd_make(data, size);
	struct attest_key k[2];
	struct dsse d;
	bool by[2];
	size_t n;
	attest_preload(1);
	attest_key_from_ed25519(pub, &k[0]);
	if (attest_key_parse_pem(in, &k[1], NULL) != ST_OK)
		k[1] = k[0];
	if (dsse_parse(in, &d, NULL) == ST_OK) {
		if (dsse_verify(&d, k, 2, by, &n, NULL) == ST_NOMEM)
			return -1;
		(void)statement(rd_make(d.payload.data, d.payload.len));
	}
	dsse_done(&d);
	return statement(in);
}
