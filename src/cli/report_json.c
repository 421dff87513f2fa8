#include "cli/report_json.h"

#include "cli/text.h"

#include <string.h>

bool json_put_string(FILE *f, const char *s)
{
	bool valid = true;
	size_t n = strlen(s);
	putc_unlocked('"', f);
	while (n) {
		uint32_t code = 0;
		size_t k = utf8_next(s, n, &code);
		if (k == 0) {
			fputs("\\ufffd", f);
			valid = false;
		} else if (code == '"' || code == '\\') {
			fprintf(f, "\\%c", (int)code);
		} else if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
			fprintf(f, "\\u%04x", (unsigned)code);
		} else {
			fwrite_unlocked(s, 1, k, f);
		}
		k = k ? k : 1;
		s += k;
		n -= k;
	}
	putc_unlocked('"', f);
	return valid;
}

/* "key":"text" and, if need be, ,"key_hex":"…". */
static void put_member(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\"%s\":", key);
	if (json_put_string(f, s))
		return;
	fprintf(f, ",\"%s_hex\":\"", key);
	for (; *s; s++)
		fprintf(f, "%02x", (unsigned)(uint8_t)*s);
	putc_unlocked('"', f);
}

static void put_event(FILE *f, const struct pool_event *ev)
{
	putc_unlocked('{', f);
	if (ev->found) {
		put_member(f, "name", ev->text);
		fprintf(f, ",\"official\":%s,", ev->official ? "true" : "false");
	} else {
		fprintf(f, "\"status\":\"%s\",", st_name(ev->why));
		put_member(f, "text", ev->text);
		putc_unlocked(',', f);
	}
	put_member(f, "inner", ev->inner);
	putc_unlocked('}', f);
}

static void put_events(FILE *f, const char *key, const struct pool_result *r, bool found)
{
	bool first = true;
	fprintf(f, ",\"%s\":[", key);
	for (size_t i = 0; i < r->nevents; i++) {
		if (r->events[i].found != found)
			continue;
		if (!first)
			putc_unlocked(',', f);
		first = false;
		put_event(f, &r->events[i]);
	}
	putc_unlocked(']', f);
}

static void put_action(FILE *f, const struct json_file *file)
{
	static const char *const words[] = {"none", "moved", "copied", "removed"};
	fprintf(f, ",\"action\":{\"done\":\"%s\",", words[file->action]);
	put_member(f, "real_path", file->moved->real);
	if (file->action != ACTION_REMOVE) {
		putc_unlocked(',', f);
		put_member(f, "target", file->moved->target);
	}
	putc_unlocked('}', f);
}

void json_put_file(FILE *f, const struct json_file *file)
{
	const struct pool_result *r = file->result;
	putc_unlocked('{', f);
	put_member(f, "path", file->path);
	fprintf(f, ",\"verdict\":\"%s\",\"size\":%llu", file->verdict, (unsigned long long)file->size);
	if (r) {
		putc_unlocked(',', f);
		put_member(f, "type", r->type_name);
		put_events(f, "signatures", r, true);
		put_events(f, "reasons", r, false);
	}
	if (file->error) {
		putc_unlocked(',', f);
		put_member(f, "error", file->error);
	}
	if (file->moved)
		put_action(f, file);
	fputs("}\n", f);
}

void json_put_summary(FILE *f, const struct scan_summary *s)
{
	fprintf(f,
	        "{\"summary\":{\"files\":%llu,\"bytes\":%llu,\"bytes_scanned\":%llu,\"found\":%llu,"
	        "\"not_fully_scanned\":%llu,\"errors\":%llu,\"skipped\":%llu,\"directories\":%llu,"
	        "\"signatures\":%llu,\"seconds\":%.6f}}\n",
	        (unsigned long long)s->files, (unsigned long long)s->bytes,
	        (unsigned long long)s->bytes_scanned, (unsigned long long)s->found,
	        (unsigned long long)s->incomplete, (unsigned long long)s->errors,
	        (unsigned long long)s->skipped, (unsigned long long)s->dirs,
	        (unsigned long long)s->signatures, s->seconds);
}
