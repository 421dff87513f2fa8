/* Stages one file as a target: what `vitrine publish release` does with the files of a release,
 * for tests of everything around it.
 * usage: publish_probe DIR PRIVATE ROLE PATH FILE */
#include "publish/repo.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct err e = {0};
	struct publish_repo *r = NULL;
	struct stat s;
	if (argc != 6)
		return 2;
	int dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	int private = open(argv[2], O_RDONLY | O_DIRECTORY);
	int fd = open(argv[5], O_RDONLY);
	if (dir < 0 || private < 0 || fd < 0 || fstat(fd, &s))
		return 2;
	st_t st = publish_repo_open(&log_io_system, dir, private, &r, &e);
	if (st == ST_OK)
		st = publish_stage_target(r, argv[3], argv[4], fd, (uint64_t)s.st_size, &e);
	publish_repo_free(r);
	close(fd);
	close(private);
	close(dir);
	if (st != ST_OK)
		fprintf(stderr, "%s\n", e.text);
	return st == ST_OK ? 0 : 1;
}
