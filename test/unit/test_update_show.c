/* What is said of an update as it goes. */
#include "cli/progress.h"
#include "cli/update_show.h"
#include "test/t.h"

static uint64_t now_ns;

uint64_t clock_now_ns(void)
{
	return now_ns;
}

static void no_name_ends_the_bar(void)
{
	struct update_show s;
	show_init(&s, false, true);
	show_progress(&s, NULL, 0, 0); /* there was none */
	show_progress(&s, "main.vdb", 1, 10);
	s.bar.on = s.bar.drawn = true; /* as on a terminal after a second */
	show_progress(&s, NULL, 0, 0);
	T_TRUE(!s.bar.drawn);
	now_ns = UINT64_C(5000000000);
	show_progress(&s, "main.vdb", 2, 10); /* another bar: its time begins now */
	T_EQ(s.bar.start_ns, now_ns);
}

int main(void)
{
	T_RUN(no_name_ends_the_bar);
	return t_end();
}
