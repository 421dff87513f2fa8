#include "cli/sigtool.h"

#include "cli/cli.h"
#include "cli/text.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Where ClamAV's databases lie. */
#define CLAMAV_DIR "/var/lib/clamav"

enum takes { NOTHING, VALUE, OPTIONAL, NOT_HERE };

static const struct {
	const char *name;
	char letter;
	uint8_t takes;
	const char *does;
} options[] = {
    {"help", 'h', NOTHING, "show this help"},
    {"version", 'V', NOTHING, "print the version"},
    {"quiet", 0, NOTHING, "accepted"},
    {"debug", 0, NOTHING, "accepted"},
    {"stdout", 0, NOTHING, "accepted"},
    {"leave-temps", 0, OPTIONAL, "accepted: there are none"},
    {"tempdir", 0, VALUE, "accepted: there are none"},
    {"datadir", 0, VALUE, "folder of databases (default: " CLAMAV_DIR ")"},
    {"md5", 0, NOTHING, "MD5 of stdin, or .hdb lines for FILES"},
    {"sha1", 0, NOTHING, "the same with SHA-1"},
    {"sha256", 0, NOTHING, "the same with SHA-256"},
    {"hex-dump", 0, NOTHING, "stdin as hex digits"},
    {"mdb", 0, NOTHING, "digests of the sections of FILES (on stderr)"},
    {"imp", 0, NOTHING, "digest of what FILES import (on stderr)"},
    {"fuzzy-img", 0, NOTHING, "perceptual hashes of the pictures FILES"},
    {"ascii-normalise", 0, VALUE, "write normalised_text: the form that text is matched in"},
    {"utf16-decode", 0, VALUE, "write FILE.ascii"},
    {"list-sigs", 'l', OPTIONAL, "names of the signatures of a file or folder"},
    {"find-sigs", 'f', VALUE, "signatures of the databases that fit a regular expression"},
    {"decode-sigs", 0, NOTHING, "signatures from stdin in words"},
    {"test-sigs", 0, VALUE, "where the signatures of a file of them match in FILE"},
    {"html-normalise", 0, VALUE, "write nocomment.html, notags.html, javascript"},
    {"info", 'i', VALUE, "what a container (.cvd, .cld, .cud) says, and whether it is proven"},
    {"unpack", 'u', VALUE, "write what is in a container, if it is proven or a .cud"},
    {"unpack-current", 0, VALUE, "the same for NAME.cvd or NAME.cld of --datadir"},
    {"build", 'b', NOT_HERE, NULL},
    {"max-bad-sigs", 0, NOT_HERE, NULL},
    {"flevel", 0, NOT_HERE, NULL},
    {"cvd-version", 0, NOT_HERE, NULL},
    {"no-cdiff", 0, NOT_HERE, NULL},
    {"unsigned", 0, NOT_HERE, NULL},
    {"hybrid", 0, NOT_HERE, NULL},
    {"print-certs", 0, NOT_HERE, NULL},
    {"server", 0, NOT_HERE, NULL},
    {"vba", 0, NOT_HERE, NULL},
    {"vba-hex", 0, NOT_HERE, NULL},
    {"diff", 'd', NOT_HERE, NULL},
    {"compare", 'c', NOT_HERE, NULL},
    {"run-cdiff", 'r', NOT_HERE, NULL},
    {"verify-cdiff", 0, NOT_HERE, NULL},
};
#define NOPTIONS (sizeof options / sizeof options[0])

/* The last option that does something wins, as there is one task for a call. */
struct request {
	const char *task, *value, *datadir;
	char **files;
	int nfiles;
};

static size_t find_option(const char *arg, const char **ret_value)
{
	size_t i = 0;
	bool is_long = arg[1] == '-';
	size_t n = is_long ? strcspn(arg + 2, "=") : 1;
	for (; i < NOPTIONS; i++) {
		if (is_long && strlen(options[i].name) == n && !memcmp(options[i].name, arg + 2, n))
			break;
		if (!is_long && options[i].letter && options[i].letter == arg[1])
			break;
	}
	const char *rest = arg + (is_long ? 2 : 1) + n;
	*ret_value = is_long ? (*rest == '=' ? rest + 1 : NULL) : (*rest ? rest : NULL);
	return i;
}

static int refuse(const char *program, const char *arg)
{
	text_put(stderr, program, TEXT_CLAMSCAN);
	fputs(": unrecognized option `", stderr);
	text_put(stderr, arg, TEXT_CLAMSCAN);
	fputs("'\nERROR: Unknown option passed\nERROR: Can't parse command line options\n", stderr);
	return 1;
}

static int refuse_argument(const char *name)
{
	fprintf(stderr, "ERROR: Incorrect argument format for option --%s\n", name);
	fputs("ERROR: Can't parse command line options\n", stderr);
	return 1;
}

/* sigtool's words for an option whose value is missing or empty. */
static int refuse_value(const char *program, size_t option, bool is_long,
                        const char *value)
{
	const char *name = options[option].name;
	char letter[8] = "";
	if (options[option].letter)
		snprintf(letter, sizeof letter, " (-%c)", options[option].letter);
	if (value) {
		fprintf(stderr, "ERROR: Option --%s%s requires a non-empty string argument\n", name,
		        letter);
	} else {
		text_put(stderr, program, TEXT_CLAMSCAN);
		if (is_long)
			fprintf(stderr, ": option `--%s' requires an argument\n", name);
		else
			fprintf(stderr, ": option requires an argument -- %c\n", options[option].letter);
		fputs("ERROR: Incomplete option passed (missing argument)\n", stderr);
	}
	fputs("ERROR: Can't parse command line options\n", stderr);
	return 1;
}

static void take(struct request *r, size_t option, const char *value)
{
	static const char *const settings[] = {"quiet", "debug", "stdout", "leave-temps", "tempdir"};
	const char *name = options[option].name;
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (!strcmp(name, settings[i]))
			return;
	if (!strcmp(name, "datadir")) {
		r->datadir = value;
		return;
	}
	r->task = name;
	r->value = value;
}

static int read_options(int argc, char **argv, struct request *r)
{
	for (int at = 1; at < argc; at++) {
		const char *value;
		bool is_long = argv[at][1] == '-';
		if (argv[at][0] != '-' || argv[at][1] == '\0') {
			argv[1 + r->nfiles++] = argv[at];
			continue;
		}
		size_t i = find_option(argv[at], &value);
		if (i == NOPTIONS)
			return refuse(argv[0], argv[at]);
		if (value && options[i].takes == NOTHING)
			return refuse_argument(options[i].name);
		if (options[i].takes == NOT_HERE) {
			fprintf(stderr, "ERROR: --%s is not supported by this version\n", options[i].name);
			return 1;
		}
		if (!value && options[i].takes == VALUE && at + 1 < argc)
			value = argv[++at];
		if (options[i].takes == VALUE && (!value || !*value))
			return refuse_value(argv[0], i, is_long, value);
		take(r, i, value);
	}
	r->files = argv + 1;
	return 0;
}

static void put_help(FILE *f)
{
	fputs("sigtool look-alike of Vitrine " VITRINE_VERSION "\n\n    sigtool [options]\n\n", f);
	for (size_t i = 0; i < NOPTIONS; i++)
		if (options[i].does)
			fprintf(f, "    --%-20s %s\n", options[i].name, options[i].does);
	fputs("\nExamples:\n"
	      "  sigtool --md5 sample.bin >> my.hdb\n"
	      "  sigtool --info=/var/lib/clamav/daily.cvd\n"
	      "  sigtool --find-sigs=Eicar | cut -d' ' -f2- | sigtool --decode-sigs\n"
	      "\n'vitrine db' explains, compares and tries signatures.\n",
	      f);
}

static int run(const struct request *r)
{
	const char *t = r->task, *folder = r->datadir ? r->datadir : CLAMAV_DIR;
	if (!strcmp(t, "md5"))
		return sigtool_digests(INSPECT_MD5, r->files, r->nfiles);
	if (!strcmp(t, "sha1"))
		return sigtool_digests(INSPECT_SHA1, r->files, r->nfiles);
	if (!strcmp(t, "sha256"))
		return sigtool_digests(INSPECT_SHA256, r->files, r->nfiles);
	if (!strcmp(t, "hex-dump"))
		return sigtool_hex_dump();
	if (!strcmp(t, "mdb"))
		return sigtool_pe(INSPECT_SECTIONS, r->files, r->nfiles);
	if (!strcmp(t, "imp"))
		return sigtool_pe(INSPECT_IMPORTS, r->files, r->nfiles);
	if (!strcmp(t, "fuzzy-img"))
		return sigtool_images(r->files, r->nfiles);
	if (!strcmp(t, "test-sigs"))
		return sigtool_test(r->value, r->files, r->nfiles);
	if (!strcmp(t, "ascii-normalise"))
		return sigtool_copy(INSPECT_NORMAL_TEXT, r->value);
	if (!strcmp(t, "utf16-decode"))
		return sigtool_copy(INSPECT_UTF16, r->value);
	if (!strcmp(t, "html-normalise"))
		return sigtool_html_views(r->value);
	if (!strcmp(t, "info"))
		return sigtool_container(r->value);
	if (!strcmp(t, "unpack"))
		return sigtool_unpack_file(r->value);
	if (!strcmp(t, "unpack-current"))
		return sigtool_unpack_current(r->value, folder);
	if (!strcmp(t, "list-sigs"))
		return sigtool_names(r->value ? r->value : folder);
	if (!strcmp(t, "find-sigs"))
		return sigtool_find(r->value, folder);
	return sigtool_decode();
}

int sigtool_main(int argc, char **argv)
{
	struct request r = {0};
	if (read_options(argc, argv, &r))
		return 1;
	if (!r.task || !strcmp(r.task, "help")) {
		put_help(stdout);
		return r.task ? 0 : 1;
	}
	if (!strcmp(r.task, "version")) {
		puts("Vitrine " VITRINE_VERSION);
		return 0;
	}
	int code = run(&r);
	return fflush(stdout) || ferror(stdout) ? 1 : code;
}
