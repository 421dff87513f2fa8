/* A customer's policy, as it is or expanded first. What is accepted demands something, expands to
 * itself once it is expanded, and can be said in words. */
#include "update/policy.h"

#include <string.h>

static st_t no_file(void *ctx, const char *name, struct buf *out, struct err *e)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
	                          "MCowBQYDK2VwAyEAZeQx+lOhA+KLaHVq0iTE4PzhOXE/McaRrUsrquLZJVY=\n"
	                          "-----END PUBLIC KEY-----\n";
	(void)ctx;
	(void)name;
	buf_add(out, pem, sizeof pem - 1);
	return buf_check(out, e, "file");
}

static void check(const struct update_policy *p)
{
	struct buf words = {0};
	if (!p->logs || p->logs->nlogs == 0 || p->publishers.n == 0 ||
	    p->release_signatures == 0 || p->release_signatures > p->publishers.n ||
	    p->rebuilds_needed > p->rebuilders.n || !update_set_name_good(p->set) || p->keep == 0 ||
	    p->keep > UPDATE_KEEP_MAX || (!p->root && rd_left(&p->root_bytes) == 0))
		__builtin_trap();
	update_policy_describe(p, &words);
	if (words.len == 0)
		__builtin_trap();
	buf_done(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct update_policy p;
	struct buf text = {0}, again = {0};
	st_t st = update_policy_parse(rd_make(data, size), &p, NULL);
	if (st == ST_OK)
		check(&p);
	update_policy_done(&p);
	if (update_policy_expand(rd_make(data, size), no_file, NULL, &text, NULL) == ST_OK) {
		if (update_policy_parse(rd_make(text.data, text.len), &p, NULL) == ST_OK) {
			check(&p);
			if (update_policy_expand(rd_make(text.data, text.len), no_file, NULL, &again, NULL) !=
			        ST_OK ||
			    again.len != text.len || memcmp(again.data, text.data, text.len))
				__builtin_trap();
		}
		update_policy_done(&p);
	}
	buf_done(&text);
	buf_done(&again);
	return 0;
}
