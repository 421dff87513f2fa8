#include "cli/cli.h"
#include "cli/text.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *fmt, ...)
{
	char text[8192];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	flockfile(stderr); /* servers speak from several threads */
	fputs("vitrine: ", stderr);
	text_put(stderr, text, TEXT_EXACT);
	putc('\n', stderr);
	funlockfile(stderr);
}

void say_error(const struct err *e, st_t st)
{
	say("%s", e->text[0] ? e->text : st_name(st));
}
