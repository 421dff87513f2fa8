/* What `vitrine verify` found out about a release, in words, each item with commands of others that
 * check it too. */
#ifndef VITRINE_CLI_VERIFY_SHOW_H
#define VITRINE_CLI_VERIFY_SHOW_H

#include "update/chain.h"
#include "update/state.h"

#define VERIFY_FILES_MAX 128

/* Small files of the evidence that commands name: paths in the bundle. */
struct verify_files {
	char path[VERIFY_FILES_MAX][256];
	size_t n;
};

struct verify_view {
	const char *folder;      /* of the release: STATE/SET/releases/ID */
	const char *policy_path;
	const struct update_policy *policy;
	const struct update_release *release;
	bool active, source_kept, rebuilt;
	const struct chain_release *chain;
	const struct verify_files *files;
};

void verify_show_text(const struct verify_view *v);

/* One object, the last line. */
st_t verify_show_json(const struct verify_view *v, struct err *e);

#endif
