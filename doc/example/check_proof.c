/* Is FILE in a transparency log that POLICY accepts? PROOF says so, offline.
 *
 *   cc check_proof.c -o check_proof $(pkg-config --cflags --libs vitrine-tlog)
 *   ./check_proof POLICY PROOF FILE
 *
 * Exit code 0: it is. 1: it is not, or nothing proves it. 2: the program could not be used. */
#include <vitrine/tlog.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

/* The bytes of a file, to be freed; ends the program if it cannot be read. */
static unsigned char *read_file(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = malloc(FILE_MAX);
	if (!f || !data) {
		perror(path);
		exit(2);
	}
	*ret_size = fread(data, 1, FILE_MAX, f);
	if (ferror(f) || !feof(f)) {
		fprintf(stderr, "%s: cannot be read, or is larger than 1 MiB\n", path);
		exit(2);
	}
	fclose(f);
	return data;
}

static int refuse(const char *path, const struct vitrine_tlog_error *e)
{
	fprintf(stderr, "%s: %s\n", path, e->text);
	return 1;
}

/* Which log, how large it was, and who saw it. */
static void report(const vitrine_tlog_policy *policy, const struct vitrine_tlog_verdict *v)
{
	struct vitrine_tlog_party party;
	printf("in the log %.*s of %" PRIu64 " entries\n", (int)v->checkpoint.origin.size,
	       (const char *)v->checkpoint.origin.data, v->checkpoint.size);
	for (size_t i = 0; i < vitrine_tlog_policy_witness_count(policy); i++)
		if (v->cosigned[i] && vitrine_tlog_policy_witness(policy, i, &party) == VITRINE_TLOG_OK)
			printf("seen by %s at %" PRIu64 "\n", party.name, v->time[i]);
}

int main(int argc, char **argv)
{
	struct vitrine_tlog_error e = {VITRINE_TLOG_OK, 0, ""};
	struct vitrine_tlog_verdict verdict;
	struct vitrine_tlog_hash leaf;
	vitrine_tlog_policy *policy = NULL;
	size_t policy_size, proof_size, file_size;
	int exit_code = 0;
	if (argc != 4) {
		fprintf(stderr, "usage: check_proof POLICY PROOF FILE\n");
		return 2;
	}
	unsigned char *text = read_file(argv[1], &policy_size);
	unsigned char *proof = read_file(argv[2], &proof_size);
	unsigned char *file = read_file(argv[3], &file_size);
	if (vitrine_tlog_policy_parse(text, policy_size, &policy, &e) != VITRINE_TLOG_OK)
		exit_code = refuse(argv[1], &e);
	else if (vitrine_tlog_hash_leaf(file, file_size, &leaf) != VITRINE_TLOG_OK)
		exit_code = 2;
	else if (vitrine_tlog_offline_proof_check(policy, proof, proof_size, &leaf, &verdict, &e) !=
	         VITRINE_TLOG_OK)
		exit_code = refuse(argv[2], &e);
	else
		report(policy, &verdict);
	vitrine_tlog_policy_free(policy);
	free(text);
	free(proof);
	free(file);
	return exit_code;
}
