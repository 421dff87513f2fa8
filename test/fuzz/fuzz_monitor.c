/* What the monitor reads of the operator and of its own folder. The first byte chooses: a
 * configuration, or a state, whose digest is put behind it here, for no fuzzer finds one. What is
 * accepted as a state is written again as the same bytes. */
#include "crypto/digest.h"
#include "monitor/config.h"
#include "monitor/state.h"

#include <string.h>

static st_t no_file(void *ctx, const char *name, struct buf *out, struct err *e)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
	                          "MCowBQYDK2VwAyEAZeQx+lOhA+KLaHVq0iTE4PzhOXE/McaRrUsrquLZJVY=\n"
	                          "-----END PUBLIC KEY-----\n";
	(void)ctx;
	(void)name;
	buf_add(out, pem, sizeof pem - 1);
	return buf_check(out, e, "key");
}

static int config(struct rd in)
{
	struct monitor_config c;
	struct buf text = {0};
	st_t st = monitor_config_expand(in, no_file, NULL, &text, NULL);
	if (st == ST_OK)
		st = monitor_config_parse(rd_make(text.data, text.len), &c, NULL);
	else
		st = monitor_config_parse(in, &c, NULL);
	if (st == ST_OK && (!c.policy || (c.hook[0] && c.hook[0][0] != '/')))
		__builtin_trap();
	monitor_config_done(&c);
	buf_done(&text);
	return st == ST_NOMEM ? -1 : 0;
}

static int state(const uint8_t *data, size_t size)
{
	struct monitor_state s;
	struct buf in = {0}, out = {0};
	uint8_t sum[32];
	buf_add(&in, "VTRMON1\n", 8);
	buf_add(&in, data, size);
	if (in.oom || digest_bytes(DIGEST_SHA256, in.data, in.len, sum, NULL) != ST_OK)
		__builtin_trap();
	buf_add(&in, sum, sizeof sum);
	st_t st = monitor_state_read(rd_make(in.data, in.len), &s, NULL);
	if (st == ST_OK && (monitor_state_write(&s, &out, NULL) != ST_OK || out.len != in.len ||
	                    memcmp(out.data, in.data, in.len)))
		__builtin_trap();
	monitor_state_done(&s);
	buf_done(&in);
	buf_done(&out);
	return st == ST_NOMEM ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	return data[0] == 's' ? state(data + 1, size - 1) : config(rd_make(data + 1, size - 1));
}
