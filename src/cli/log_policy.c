#include "cli/log_policy.h"

#include "base/io.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static st_t read_file(const char *path, struct buf *ret, struct err *e)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(e, "%s", path);
	return io_read_up_to(fd, POLICY_SIZE_MAX + 1, path, ret, e);
}

/* A policy of keys alone: "log VKEY" for each. */
static st_t write_keys(const struct str_list *keys, struct buf *ret, struct err *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		buf_add(ret, "log ", 4);
		buf_add(ret, keys->v[i], strlen(keys->v[i]));
		buf_u8(ret, '\n');
	}
	buf_add(ret, "quorum none\n", 12);
	return buf_check(ret, e, "policy");
}

st_t log_policy_read(const char *path, const struct str_list *keys, struct buf *ret, struct err *e)
{
	if (path)
		return read_file(path, ret, e);
	return keys->n ? write_keys(keys, ret, e) : ST_OK;
}

st_t log_policy_parse(const char *path, const struct buf *text, struct policy **ret, struct err *e)
{
	struct err why = {0};
	*ret = NULL;
	if (!text->len && !path)
		return ST_OK;
	st_t st = policy_parse(rd_make(text->data, text->len), ret, &why);
	return st == ST_OK ? ST_OK : fail(e, st, 0, "%s: %s", path ? path : "--key", why.text);
}

void log_policy_put_signers(const struct policy *p, const struct policy_verdict *v)
{
	fputs("signed by   ", stdout);
	text_put(stdout, p->logs[v->log].key.name, TEXT_EXACT);
	putchar('\n');
	for (size_t i = 0; i < p->nwitnesses; i++) {
		if (!v->cosigned[i])
			continue;
		fputs("cosigned by ", stdout);
		text_put(stdout, p->witnesses[i].key.name, TEXT_EXACT);
		putchar('\n');
	}
}

void log_policy_put_json_cosigned(const struct policy *p, const struct policy_verdict *v)
{
	const char *comma = "";
	putchar('[');
	for (size_t i = 0; p && i < p->nwitnesses; i++) {
		if (!v->cosigned[i])
			continue;
		fputs(comma, stdout);
		json_put_string(stdout, p->witnesses[i].key.name);
		comma = ", ";
	}
	putchar(']');
}

void log_put_hash(const struct tlog_hash *h)
{
	struct buf b = {0};
	text_base64_add(&b, h->b, TLOG_HASH);
	fwrite(b.data, 1, b.len, stdout);
	buf_done(&b);
}

/* By the rules of notes valid UTF-8 without control characters; not longer than a key's name. */
static void name_text(struct rd name, char ret[NOTE_NAME_MAX + 1])
{
	snprintf(ret, NOTE_NAME_MAX + 1, "%.*s", (int)name.len, (const char *)name.base);
}

void log_put_json_name(struct rd name)
{
	char text[NOTE_NAME_MAX + 1];
	name_text(name, text);
	json_put_string(stdout, text);
}

void log_put_name(struct rd name)
{
	char text[NOTE_NAME_MAX + 1];
	name_text(name, text);
	text_put(stdout, text, TEXT_EXACT);
}
