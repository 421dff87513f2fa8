/* clamscan's options. What has no effect is accepted; what would change what is found and is not
 * active in this version is accepted with a warning. */
#include "cli/clamscan.h"

#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIELD(m) offsetof(struct clam_opts, m)
#define BOOL(name, letter, field) {name, letter, OPT_BOOL, OPT_WARN_NEVER, FIELD(field), NULL}
#define VALUE(name, letter, kind, field) {name, letter, kind, OPT_WARN_NEVER, FIELD(field), NULL}
#define NOTHING(name, kind, warn) {name, 0, kind, warn, OPT_NOWHERE, NULL}

static const struct opt options[] = {
    BOOL("help", 'h', help),
    BOOL("version", 'V', version),
    BOOL("verbose", 'v', verbose),
    BOOL("archive-verbose", 'a', archive_verbose),
    BOOL("quiet", 0, quiet),
    BOOL("stdout", 0, to_stdout),
    BOOL("no-summary", 0, no_summary),
    BOOL("infected", 'i', infected),
    BOOL("suppress-ok-results", 'o', suppress_ok),
    BOOL("bell", 0, bell),
    VALUE("database", 'd', OPT_LIST, s.databases),
    BOOL("official-db-only", 0, official_only),
    VALUE("cvdcertsdir", 0, OPT_TEXT, certs_dir),
    VALUE("log", 'l', OPT_TEXT, log),
    BOOL("recursive", 'r', s.recursive),
    BOOL("allmatch", 'z', s.all_matches),
    BOOL("cross-fs", 0, s.cross_fs),
    VALUE("follow-dir-symlinks", 0, OPT_COUNT, s.follow_dirs),
    VALUE("follow-file-symlinks", 0, OPT_COUNT, s.follow_files),
    VALUE("file-list", 'f', OPT_TEXT, s.file_list),
    BOOL("remove", 0, s.remove),
    VALUE("move", 0, OPT_TEXT, s.move),
    VALUE("copy", 0, OPT_TEXT, s.copy),
    VALUE("exclude", 0, OPT_LIST, s.match.exclude),
    VALUE("exclude-dir", 0, OPT_LIST, s.match.exclude_dir),
    VALUE("include", 0, OPT_LIST, s.match.include),
    VALUE("include-dir", 0, OPT_LIST, s.match.include_dir),
    BOOL("detect-pua", 0, s.pua),
    VALUE("exclude-pua", 0, OPT_LIST, s.pua_exclude),
    VALUE("include-pua", 0, OPT_LIST, s.pua_include),
    BOOL("heuristic-scan-precedence", 0, s.heuristics_first),
    BOOL("scan-archive", 0, scan_archive),
    BOOL("scan-pe", 0, scan_pe),
    BOOL("scan-html", 0, scan_html),
    BOOL("scan-image", 0, scan_image),
    BOOL("scan-image-fuzzy-hash", 0, scan_image_hash),
    BOOL("normalize", 0, normalize),
    VALUE("max-scantime", 0, OPT_COUNT, s.limits.max_scantime_ms),
    VALUE("max-filesize", 0, OPT_SIZE, s.limits.max_filesize),
    VALUE("max-scansize", 0, OPT_SIZE, s.limits.max_scansize),
    VALUE("max-files", 0, OPT_COUNT, s.limits.max_files),
    VALUE("max-recursion", 0, OPT_COUNT, s.limits.max_recursion),
    VALUE("max-htmlnormalize", 0, OPT_SIZE, s.limits.max_htmlnormalize),
    VALUE("max-htmlnotags", 0, OPT_SIZE, s.limits.max_htmlnotags),
    VALUE("max-scriptnormalize", 0, OPT_SIZE, s.limits.max_scriptnormalize),
    VALUE("pcre-match-limit", 0, OPT_COUNT, s.limits.pcre_match_limit),
    VALUE("pcre-recmatch-limit", 0, OPT_COUNT, s.limits.pcre_recmatch_limit),
    VALUE("pcre-max-filesize", 0, OPT_SIZE, s.limits.pcre_max_filesize),
    VALUE("max-dir-recursion", 0, OPT_COUNT, s.max_dir_recursion),
    /* No effect: nothing is written to a temporary folder, cached or dumped. */
    NOTHING("debug", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("tempdir", OPT_TEXT, OPT_WARN_NEVER),
    NOTHING("leave-temps", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("force-to-disk", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("disable-cache", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("cache-size", OPT_COUNT, OPT_WARN_NEVER),
    {"statistics", 0, OPT_CHOICE, OPT_WARN_NEVER, OPT_NOWHERE, "none|bytecode|pcre"},
    NOTHING("nocerts", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("heuristic-alerts", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("phishing-sigs", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("phishing-scan-urls", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("bytecode", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("bytecode-timeout", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("structured-ssn-format", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("structured-ssn-count", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("structured-cc-count", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("structured-cc-mode", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("max-embeddedpe", OPT_SIZE, OPT_WARN_NEVER),
    NOTHING("max-ziptypercg", OPT_SIZE, OPT_WARN_NEVER),
    NOTHING("max-partitions", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("max-iconspe", OPT_COUNT, OPT_WARN_NEVER),
    NOTHING("max-rechwp3", OPT_COUNT, OPT_WARN_NEVER),
    /* Taken apart by nobody yet, so there is nothing to turn off; of ELF files clamscan reads as
     * much with "no". */
    NOTHING("scan-mail", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-elf", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-ole2", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-pdf", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-swf", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-xmldocs", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-hwp3", OPT_BOOL, OPT_WARN_NEVER),
    NOTHING("scan-onenote", OPT_BOOL, OPT_WARN_NEVER),
    /* These would change what is found. */
    NOTHING("gen-json", OPT_BOOL, OPT_WARN_YES),
    NOTHING("dumpcerts", OPT_BOOL, OPT_WARN_YES),
    NOTHING("fail-if-cvd-older-than", OPT_COUNT, OPT_WARN_ANY),
    NOTHING("bytecode-unsigned", OPT_BOOL, OPT_WARN_YES),
    NOTHING("detect-structured", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-broken", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-broken-media", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-encrypted", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-encrypted-archive", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-encrypted-doc", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-macros", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-exceeds-max", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-phishing-ssl", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-phishing-cloak", OPT_BOOL, OPT_WARN_YES),
    NOTHING("alert-partition-intersection", OPT_BOOL, OPT_WARN_YES),
};
#define NOPTIONS (sizeof options / sizeof options[0])

static const char *const kind_words[] = {
    [OPT_BOOL] = "[=yes/no]", [OPT_COUNT] = "=N",   [OPT_SIZE] = "=N[K|M|G]",
    [OPT_TEXT] = "=TEXT",     [OPT_LIST] = "=TEXT", [OPT_CHOICE] = "=WORD",
};

void clam_put_help(void)
{
	printf("Vitrine %s called as clamscan: options and output of clamscan " CLAMAV_VERSION "\n\n"
	       "    clamscan [options] [file/directory/-]\n\nOptions:\n",
	       VITRINE_VERSION);
	for (size_t i = 0; i < NOPTIONS; i++) {
		const struct opt *o = &options[i];
		char letter[8] = "";
		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		printf("  %4s--%s%s%s\n", letter, o->name, kind_words[o->kind],
		       o->off != OPT_NOWHERE                ? ""
		       : o->warn == OPT_WARN_NEVER          ? "  (no effect)"
		                                            : "  (not active in this version)");
	}
	puts("\nOptions may be shortened. Exit code: 0 clean, 1 found, 2 error or not fully scanned.\n"
	     "\nExamples:\n"
	     "  clamscan -r -i /home\n"
	     "  clamscan -d rules.ndb --move=/var/quarantine mail.eml\n"
	     "  clamscan - < file\n\n"
	     "clamscan(1) explains them; 'vitrine scan --help' shows what else there is.");
}

static void put_option_error(const char *program, const struct opt_error *x)
{
	const struct opt *o = x->opt;
	int n = x->text && !x->is_letter ? (int)strcspn(x->text, "=") : 0;
	if (x->what == OPT_BAD_VALUE && o->letter)
		fprintf(stderr, "ERROR: Incorrect argument format for option --%s (-%c)\n", o->name,
		        o->letter);
	else if (x->what == OPT_BAD_VALUE)
		fprintf(stderr, "ERROR: Incorrect argument format for option --%s\n", o->name);
	else if (x->what == OPT_UNKNOWN && x->is_letter)
		fprintf(stderr, "%s: illegal option -- %c\n", program, x->letter);
	else if (x->what == OPT_UNKNOWN)
		fprintf(stderr, "%s: unrecognized option `--%.*s'\n", program, n, x->text);
	else if (x->what == OPT_AMBIGUOUS)
		fprintf(stderr, "%s: option `--%.*s' is ambiguous\n", program, n, x->text);
	else if (x->what == OPT_NO_VALUE && x->is_letter)
		fprintf(stderr, "%s: option requires an argument -- %c\n", program, x->letter);
	else if (x->what == OPT_NO_VALUE)
		fprintf(stderr, "%s: option `--%s' requires an argument\n", program, o->name);
	if (x->what == OPT_UNKNOWN || x->what == OPT_AMBIGUOUS)
		fputs("ERROR: Unknown option passed\n", stderr);
	if (x->what == OPT_NO_VALUE)
		fputs("ERROR: Incomplete option passed (missing argument)\n", stderr);
	fputs("ERROR: Can't parse command line options\n", stderr);
}

static bool check_follow(const char *name, uint32_t value)
{
	if (value > FOLLOW_ALWAYS)
		fprintf(stderr, "ERROR: --%s: Invalid argument\n", name);
	return value <= FOLLOW_ALWAYS;
}

static bool check_categories(const struct session_opts *o)
{
	if (!o->pua_exclude.n || !o->pua_include.n)
		return true;
	fputs("ERROR: --exclude-pua and --include-pua cannot be used at the same time\n", stderr);
	return false;
}

bool clam_opts_read(int argc, char **argv, struct clam_opts *ret, struct str_list *paths,
                    int *ret_code)
{
	static const struct opt_table table = {options, NOPTIONS};
	struct str_list warned = {0};
	struct opt_error error = {0};
	*ret_code = EXIT_ERROR;
	if (!opts_read(&table, argc, argv, ret, paths, &warned, &error)) {
		put_option_error(argv[0], &error);
		str_list_done(&warned);
		return false;
	}
	for (size_t i = 0; i < warned.n; i++)
		fprintf(stderr, "WARNING: --%s is not active in this version\n", warned.v[i]);
	str_list_done(&warned);
	ret->s.no_archives = !ret->scan_archive;
	ret->s.no_pe = !ret->scan_pe;
	ret->s.no_html = !ret->scan_html;
	ret->s.no_image_hash = !ret->scan_image || !ret->scan_image_hash;
	ret->s.no_normalize = !ret->normalize;
	return check_categories(&ret->s) && check_follow("follow-dir-symlinks", ret->s.follow_dirs) &&
	       check_follow("follow-file-symlinks", ret->s.follow_files);
}
