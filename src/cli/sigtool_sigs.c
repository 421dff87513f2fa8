/* sigtool on signatures: names, search, decoding. */
#include "cli/sigtool.h"

#include "base/io.h"
#include "cli/text.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct task {
	enum inspect_op op;
	const char *regex;
};

static bool ask_about(const struct task *t, const char *path, const char *name)
{
	struct stat st;
	AUTO_FD fd = sigtool_open(path);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return true;
	struct inspect_request rq = {.op = t->op, .text = t->regex, .name = name, .fd = {-1, -1, fd}};
	return sigtool_ask(&rq, stdout);
}

static void say_broken(const char *path)
{
	fputs("ERROR: listdb: Error listing database ", stdout);
	text_put(stdout, path, TEXT_CLAMSCAN);
	putchar('\n');
}

static bool ask_folder(const struct task *t, const char *folder)
{
	struct dirent **names = NULL;
	bool good = true;
	int n = scandir(folder, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		int k = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
		bool fits = k > 0 && (size_t)k < sizeof path && names[i]->d_name[0] != '.';
		free(names[i]);
		names[i] = NULL;
		if (!good || !fits)
			continue;
		good = ask_about(t, path, t->op == INSPECT_FIND ? strrchr(path, '/') + 1 : path);
		if (!good && t->op == INSPECT_NAMES)
			say_broken(path);
	}
	free(names);
	return good;
}

int sigtool_names(const char *path)
{
	struct task t = {.op = INSPECT_NAMES};
	struct stat st;
	if (stat(path, &st)) {
		fputs("--list-sigs: Can't get status of ", stdout);
		text_put(stdout, path, TEXT_CLAMSCAN);
		putchar('\n');
		return 1;
	}
	bool good = S_ISDIR(st.st_mode) ? ask_folder(&t, path) : ask_about(&t, path, path);
	return good ? 0 : 1;
}

int sigtool_find(const char *regex, const char *folder)
{
	struct task t = {.op = INSPECT_FIND, .regex = regex};
	return ask_folder(&t, folder) ? 0 : 1;
}

int sigtool_decode(void)
{
	struct inspect_request rq = {.op = INSPECT_DECODE, .fd = {-1, -1, STDIN_FILENO}};
	return sigtool_ask(&rq, stdout) ? 0 : 1;
}
