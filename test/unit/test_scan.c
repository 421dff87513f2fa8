/* Scanning files: verdicts, inner paths, which name is told, trust, limits, stripes. Databases are
 * compiled from text here, archives are made here. */
#include "base/num.h"
#include "scan/scan.h"
#include "sig/compile.h"
#include "test/t.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MARK_A "VITRINE-TEST-MARKER-ALPHA"
#define MARK_B "VITRINE-TEST-MARKER-BRAVO"
#define MARK_P "VITRINE-TEST-MARKER-PAPA"

/* Bytes of a file or an archive. */
struct bytes {
	uint8_t *p;
	size_t n;
};

/* A database of up to three texts. */
static struct sig_source texts[8];
static size_t ntexts;
static char store[8][1024];

static void db_clear(void)
{
	ntexts = 0;
}

static void db_text(const char *file, const char *text)
{
	snprintf(store[ntexts], sizeof store[0], "%s", text);
	texts[ntexts] = (struct sig_source){file, store[ntexts], strlen(store[ntexts])};
	ntexts++;
}

static void db_mark(const char *file, const char *name, const char *mark)
{
	char hex[200], line[400];
	hex_encode((const uint8_t *)mark, strlen(mark), hex);
	snprintf(line, sizeof line, "%s:0:*:%s\n", name, hex);
	db_text(file, line);
}

static void db_digest(const char *file, const char *name, struct bytes b)
{
	char hex[2 * DIGEST_MAX + 1], line[400];
	uint8_t md[DIGEST_MAX];
	T_EQ(digest_bytes(DIGEST_MD5, b.p, b.n, md, NULL), ST_OK);
	hex_encode(md, digest_size(DIGEST_MD5), hex);
	snprintf(line, sizeof line, "%s:%zu:%s\n", hex, b.n, name);
	db_text(file, line);
}

/* The usual database: Mark.A and Mark.B. */
static void db_marks(void)
{
	db_clear();
	db_mark("a.ndb", "Mark.A", MARK_A);
	db_mark("b.ndb", "Mark.B", MARK_B);
}

/* Members for an archive. */
struct file {
	const char *name;
	struct bytes b;
};

static struct bytes text(const char *s)
{
	return (struct bytes){(uint8_t *)(uintptr_t)s, strlen(s)};
}

#define ARCHIVE_ROOM ((size_t)24 << 20)

static struct bytes pack(int (*format)(struct archive *), int (*filter)(struct archive *),
                         const char *options, const struct file *files, size_t n)
{
	struct bytes out = {malloc(ARCHIVE_ROOM), 0};
	struct archive *a = archive_write_new();
	T_EQ(format(a), ARCHIVE_OK);
	if (filter)
		T_EQ(filter(a), ARCHIVE_OK);
	if (options)
		T_EQ(archive_write_set_options(a, options), ARCHIVE_OK);
	archive_write_set_passphrase(a, "secret");
	archive_write_set_bytes_in_last_block(a, 1);
	T_EQ(archive_write_open_memory(a, out.p, ARCHIVE_ROOM, &out.n), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++) {
		struct archive_entry *en = archive_entry_new();
		archive_entry_set_pathname(en, files[i].name);
		archive_entry_set_filetype(en, AE_IFREG);
		archive_entry_set_size(en, (int64_t)files[i].b.n);
		T_EQ(archive_write_header(a, en), ARCHIVE_OK);
		T_EQ(archive_write_data(a, files[i].b.p, files[i].b.n), files[i].b.n);
		archive_entry_free(en);
	}
	T_EQ(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return out;
}

static struct bytes zip(const struct file *files, size_t n)
{
	return pack(archive_write_set_format_zip, NULL, NULL, files, n);
}

static struct bytes gzip(struct bytes b)
{
	struct file f = {"data", b};
	return pack(archive_write_set_format_raw, archive_write_add_filter_gzip, NULL, &f, 1);
}

static struct bytes tar(const struct file *files, size_t n)
{
	return pack(archive_write_set_format_ustar, NULL, NULL, files, n);
}

/* What the sink heard: "NAME@inner " and "!status@inner " in order. */
static char heard[8192];
static struct scan_stats stats;
static struct scan_opts opts;

static void hear(const char *what, const char *inner)
{
	size_t n = strlen(heard);
	snprintf(heard + n, sizeof heard - n, "%s@%s ", what, inner);
}

static st_t on_found(void *ctx, const char *name, bool official, const char *inner)
{
	(void)ctx;
	T_TRUE(!official);
	hear(name, inner);
	return ST_OK;
}

static st_t on_incomplete(void *ctx, st_t why, const char *reason, const char *inner)
{
	(void)ctx;
	char what[128];
	T_TRUE(reason[0] != 0);
	const char *colon = strchr(reason, ':');
	int n = colon && why == ST_LIMIT ? (int)(colon - reason) : 0;
	snprintf(what, sizeof what, "!%d%.*s", why, n, reason);
	hear(what, inner);
	return ST_OK;
}

static const struct scan_sink sink = {.found = on_found, .incomplete = on_incomplete};

static void defaults(void)
{
	opts = (struct scan_opts){.archives = true, .cpumask = UINT32_MAX, .stripe_count = 1};
	scan_limits_default(&opts.limits);
}

static int fd_of(struct bytes b)
{
	int fd = memfd_create("test", 0);
	T_EQ(write(fd, b.p, b.n), b.n);
	return fd;
}

static struct db *compile(struct buf *ret_mem)
{
	struct ir_set set;
	struct buf out = {0};
	struct db *db = NULL;
	struct err e = {0};
	struct sig_opts so = {.strict = true, .pua = true};
	ir_init(&set);
	st_t st = sig_compile(texts, ntexts, &so, &out, &set, &e);
	if (st != ST_OK)
		T_FAIL("compile: %d %s", st, e.text);
	size_t room = (out.len + 127) & ~(size_t)63;
	*ret_mem = (struct buf){.data = aligned_alloc(64, room), .len = out.len};
	memset(ret_mem->data, 0, room);
	memcpy(ret_mem->data, out.data, out.len);
	if (st == ST_OK && db_open_memory(ret_mem->data, out.len, &db, &e) != ST_OK)
		T_FAIL("open: %s", e.text);
	buf_done(&out);
	ir_done(&set);
	return db;
}

/* Scans `times` times with one scanner and gives what the last time was heard. */
static st_t scan_with(const struct scan_sink *to, struct bytes b, int times)
{
	struct buf mem;
	struct err e = {0};
	struct scanner *s = NULL;
	struct db *db = compile(&mem);
	st_t st = db ? scanner_new(db, &opts, &s, &e) : ST_NOMEM;
	int fd = fd_of(b);
	for (int i = 0; i < times && s; i++) {
		heard[0] = 0;
		st = scanner_scan_fd(s, fd, to, &stats, &e);
	}
	close(fd);
	scanner_free(s);
	db_close(db);
	free(mem.data);
	return st;
}

static const char *scan(struct bytes b)
{
	st_t st = scan_with(&sink, b, 1);
	if (st != ST_OK)
		T_FAIL("scan: %d", st);
	return heard;
}

static void a_file_without_signatures_is_clean(void)
{
	db_marks();
	defaults();
	T_STR(scan(text("nothing of interest in here")), "");
	T_EQ(stats.verdict, VERDICT_CLEAN);
	T_EQ(stats.bytes_read, 27);
	T_EQ(stats.bytes_scanned, 27);
	T_EQ(stats.objects, 1);
	T_STR(stats.type_name, "CL_TYPE_TEXT_ASCII");
}

static void an_empty_file_is_clean(void)
{
	db_marks();
	defaults();
	T_STR(scan(text("")), "");
	T_EQ(stats.verdict, VERDICT_CLEAN);
	T_EQ(stats.bytes_read, 0);
}

static void a_signature_in_a_file_is_found(void)
{
	db_marks();
	defaults();
	T_STR(scan(text("xx " MARK_A " yy")), "Mark.A@ ");
	T_EQ(stats.verdict, VERDICT_FOUND);
}

/* Larger than a chunk, than kept buffers, and found at every interesting place. */
static void large_objects_are_matched_whole(void)
{
	static const size_t places[] = {0, 262130, 262144, 524288 - 10, (9u << 20) - sizeof MARK_A};
	struct bytes big = {calloc(1, 9u << 20), 9u << 20};
	db_marks();
	defaults();
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		memset(big.p, 'x', big.n);
		memcpy(big.p + places[i], MARK_A, strlen(MARK_A));
		T_STR(scan(big), "Mark.A@ ");
		struct bytes gz = gzip(big);
		T_STR(scan(gz), "Mark.A@data ");
		free(gz.p);
	}
	free(big.p);
}

static void nested_members_are_found_with_their_path(void)
{
	struct file inner[] = {{"plain.txt", text("plain")}, {"dir/bad.txt", text("x" MARK_A)}};
	struct bytes z = zip(inner, 2);
	struct file outer[] = {{"first", text("y" MARK_B)}, {"b.zip", z}};
	struct bytes t = tar(outer, 2);
	struct bytes gz = gzip(t);
	db_marks();
	defaults();
	opts.all_matches = true;
	scan(gz);
	T_TRUE(strstr(heard, "Mark.B@data/first "));
	T_TRUE(strstr(heard, "Mark.A@data/b.zip/dir/bad.txt "));
	opts.all_matches = false;
	T_STR(scan(gz), "Mark.B@data/first ");
	opts.archives = false;
	T_STR(scan(gz), "");
	free(z.p);
	free(t.p);
	free(gz.p);
}

/* ClamAV's order: children, then the body, then the digest. Each pair of name and path once. */
static void children_come_before_bodies_before_digests(void)
{
	struct file f[] = {{"m", text(MARK_B)}, {"m", text(MARK_B)}};
	struct bytes z = pack(archive_write_set_format_ustar, NULL, NULL, f, 2);
	db_marks();
	db_digest("c.hdb", "A.Digest", z);
	db_mark("d.ndb", "A.Body", MARK_B);
	defaults();
	opts.all_matches = true;
	T_STR(scan(z), "A.Body@m Mark.B@m A.Body@ Mark.B@ A.Digest@ ");
	opts.all_matches = false;
	T_STR(scan(z), "A.Body@m ");
	T_EQ(stats.objects, 2);
	free(z.p);
}

static void digests_find_files_and_members(void)
{
	struct file f = {"m", text("an unremarkable member")};
	struct bytes z = zip(&f, 1);
	db_clear();
	db_digest("c.hdb", "By.Digest", f.b);
	defaults();
	T_STR(scan(f.b), "By.Digest@ ");
	T_STR(scan(z), "By.Digest@m ");
	free(z.p);
}

static void put_le(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* The smallest PE32 with one section of 512 bytes at 512. */
static struct bytes tiny_pe(void)
{
	static uint8_t pe[1024];
	memset(pe, 0, sizeof pe);
	memcpy(pe, "MZ", 2);
	put_le(pe + 60, 4, 64);
	memcpy(pe + 64, "PE\0\0", 4);
	put_le(pe + 68, 2, 0x14c);       /* i386 */
	put_le(pe + 70, 2, 1);           /* sections */
	put_le(pe + 84, 2, 224);         /* optional header */
	put_le(pe + 86, 2, 0x102);
	put_le(pe + 88, 2, 0x10b);       /* PE32 */
	put_le(pe + 88 + 16, 4, 0x1000); /* entry point */
	put_le(pe + 88 + 28, 4, 0x400000);
	put_le(pe + 88 + 32, 4, 0x1000); /* alignment in memory, in the file */
	put_le(pe + 88 + 36, 4, 0x200);
	put_le(pe + 88 + 56, 4, 0x2000); /* image, headers */
	put_le(pe + 88 + 60, 4, 0x200);
	put_le(pe + 88 + 92, 4, 16);
	memcpy(pe + 312, ".text", 5);
	put_le(pe + 320, 4, 512);
	put_le(pe + 324, 4, 0x1000);
	put_le(pe + 328, 4, 512);
	put_le(pe + 332, 4, 512);
	memset(pe + 512, 0xcc, 512);
	return (struct bytes){pe, sizeof pe};
}

static void sections_of_a_pe_are_found_by_digest(void)
{
	struct bytes pe = tiny_pe();
	char hex[2 * DIGEST_MAX + 1], line[200];
	uint8_t md[DIGEST_MAX];
	T_EQ(digest_bytes(DIGEST_MD5, pe.p + 512, 512, md, NULL), ST_OK);
	hex_encode(md, 16, hex);
	snprintf(line, sizeof line, "512:%s:Sect\n", hex);
	db_clear();
	db_text("s.mdb", line);
	db_digest("h.hdb", "Whole", pe);
	defaults();
	opts.all_matches = true;
	T_STR(scan(pe), "Whole@ Sect@ ");
	pe.p[600] ^= 1;
	T_STR(scan(pe), "");
}

static void trusted_objects_and_what_they_enclose_are_not_reported(void)
{
	struct file f[] = {{"m", text("1 " MARK_A)}, {"n", text("2 " MARK_A)}};
	struct bytes t = zip(f, 2);
	defaults();
	opts.all_matches = true;
	db_marks();
	db_digest("t.fp", "Fine", f[0].b);
	T_STR(scan(t), "Mark.A@n ");
	db_marks();
	db_digest("t.fp", "Fine", t);
	T_STR(scan(t), "");
	T_EQ(stats.verdict, VERDICT_CLEAN);
	opts.all_matches = false;
	db_marks();
	db_digest("t.fp", "Fine", f[0].b);
	T_STR(scan(t), "Mark.A@n ");
	free(t.p);
}

static void unwanted_programs_count_only_when_asked_for(void)
{
	db_clear();
	db_mark("p.ndu", "PUA.Mark", MARK_P);
	defaults();
	T_STR(scan(text(MARK_P)), "");
	opts.detect_pua = true;
	T_STR(scan(text(MARK_P)), "PUA.Mark@ ");
}

static void a_file_over_the_size_limit_is_not_called_clean(void)
{
	db_marks();
	defaults();
	opts.limits.max_filesize = 100;
	static char big[101];
	memset(big, 'x', sizeof big);
	T_STR(scan((struct bytes){(uint8_t *)big, 101}), "!3MaxFileSize reached@ ");
	T_EQ(stats.verdict, VERDICT_INCOMPLETE);
	T_EQ(stats.bytes_read, 0);
	T_STR(scan((struct bytes){(uint8_t *)big, 100}), "");
}

static void members_over_a_limit_are_named_and_the_rest_is_scanned(void)
{
	struct bytes big = {calloc(1, 4000), 4000};
	struct file f[] = {{"big", big}, {"bad", text(MARK_A)}};
	struct bytes z = zip(f, 2);
	struct bytes gz = gzip(big);
	db_marks();
	defaults();
	opts.limits.max_filesize = 3000;
	T_STR(scan(z), "!3MaxFileSize reached@big Mark.A@bad ");
	T_EQ(stats.verdict, VERDICT_FOUND);
	T_STR(scan(gz), "!3MaxFileSize reached@data ");
	defaults();
	opts.limits.max_scansize = z.n + 2000;
	T_STR(scan(z), "!3MaxScanSize reached@big Mark.A@bad ");
	T_STR(scan(gz), "!3MaxScanSize reached@data ");
	T_EQ(stats.verdict, VERDICT_INCOMPLETE);
	opts.limits.max_scansize = 0;
	T_STR(scan(gz), "");
	free(big.p);
	free(z.p);
	free(gz.p);
}

static void what_members_cost_adds_up(void)
{
	static char kilo[1000];
	memset(kilo, 'k', sizeof kilo);
	struct bytes b = {(uint8_t *)kilo, sizeof kilo};
	struct file f[] = {{"1", b}, {"2", b}, {"3", b}};
	struct bytes t = tar(f, 3);
	db_marks();
	defaults();
	opts.limits.max_scansize = t.n + 3000;
	T_STR(scan(t), "");
	opts.limits.max_scansize = t.n + 2999;
	T_STR(scan(t), "!3MaxScanSize reached@3 ");
	free(t.p);
}

/* The size in the header is the attacker's: too small or too large, all bytes are matched. */
static void a_wrong_declared_size_hides_nothing(void)
{
	static const uint32_t lies[] = {3, 70000, 199999, 200001, 5000000};
	struct bytes big = {malloc(200000), 200000};
	memset(big.p, 'x', big.n);
	memcpy(big.p + 150000, MARK_B, strlen(MARK_B));
	memcpy(big.p + big.n - strlen(MARK_A), MARK_A, strlen(MARK_A));
	struct file f = {"m", big};
	db_marks();
	defaults();
	opts.all_matches = true;
	for (size_t k = 0; k < ARRAY_LEN(lies); k++) {
		struct bytes z = zip(&f, 1);
		uint32_t size = (uint32_t)big.n;
		for (size_t i = 0; i + 4 <= z.n; i++)
			if (memcmp(z.p + i, &size, 4) == 0)
				memcpy(z.p + i, &lies[k], 4);
		scan(z);
		T_TRUE(strstr(heard, "Mark.A@m "));
		T_TRUE(strstr(heard, "Mark.B@m "));
		T_EQ(stats.bytes_scanned, z.n + big.n);
		free(z.p);
	}
	free(big.p);
}

/* The length behind a gzip stream is the attacker's as well; 20 liars are more than get a second
 * try at being unfolded at once. */
static void a_wrong_length_of_a_gzip_hides_nothing(void)
{
	static const uint32_t lies[] = {0, 3, 199999, 200001, 0xffffffff};
	struct bytes big = {calloc(1, 200000), 200000};
	memcpy(big.p + big.n - strlen(MARK_A), MARK_A, strlen(MARK_A));
	struct bytes gz = gzip(big);
	db_marks();
	defaults();
	opts.all_matches = true;
	for (size_t k = 0; k < ARRAY_LEN(lies); k++) {
		struct file f[20];
		memcpy(gz.p + gz.n - 4, &lies[k], 4);
		T_STR(scan(gz), "Mark.A@data ");
		T_EQ(stats.bytes_scanned, gz.n + big.n);
		for (size_t i = 0; i < ARRAY_LEN(f); i++)
			f[i] = (struct file){"m", gz};
		struct bytes t = tar(f, ARRAY_LEN(f));
		scan(t);
		T_EQ(stats.bytes_scanned, t.n + ARRAY_LEN(f) * (gz.n + big.n));
		T_EQ(stats.verdict, VERDICT_FOUND);
		free(t.p);
	}
	free(gz.p);
	free(big.p);
}

/* A limit inside must not hide what the container itself shows. */
static void a_container_is_reported_though_a_limit_stopped_its_children(void)
{
	struct bytes junk = {calloc(1, 4000), 4000};
	struct file f[] = {{"m1", junk}, {MARK_A, junk}, {"m3", junk}};
	struct bytes z = zip(f, 3);
	db_marks();
	defaults();
	opts.limits.max_files = 2;
	T_STR(scan(z), "!3MaxFiles reached@" MARK_A " Mark.A@ ");
	T_EQ(stats.verdict, VERDICT_FOUND);
	free(junk.p);
	free(z.p);
}

/* As observed in clamscan: the file is the first layer and the first file. */
static void recursion_and_files_are_counted_as_clamav_does(void)
{
	struct file f = {"m", text(MARK_A)};
	struct bytes one = zip(&f, 1);
	struct file g = {"one.zip", one};
	struct bytes two = zip(&g, 1);
	struct file h[] = {{"1", text("1")}, {"2", text("2")}, {"3", text(MARK_B)}};
	struct bytes three = pack(archive_write_set_format_zip, NULL, NULL, h, 3);
	db_marks();
	defaults();
	opts.all_matches = true;
	opts.limits.max_recursion = 2;
	scan(two);
	T_TRUE(strstr(heard, "!3MaxRecursion reached@one.zip "));
	T_TRUE(!strstr(heard, "one.zip/m"));
	opts.limits.max_recursion = 3;
	T_TRUE(strstr(scan(two), "Mark.A@one.zip/m "));
	defaults();
	opts.limits.max_files = 3;
	T_TRUE(strstr(scan(three), "!3MaxFiles reached@3 "));
	opts.limits.max_files = 4;
	T_TRUE(strstr(scan(three), "Mark.B@3 "));
	free(one.p);
	free(two.p);
	free(three.p);
}

static void a_bomb_ends_at_the_deadline(void)
{
	enum { N = 200 };
	struct bytes junk = {calloc(1, 1 << 16), 1 << 16};
	struct file f[N];
	for (int i = 0; i < N; i++)
		f[i] = (struct file){"m", junk};
	struct bytes z = zip(f, N);
	db_marks();
	defaults();
	opts.limits.max_scantime_ms = 1;
	scan(z);
	T_TRUE(strstr(heard, "!7@"));
	T_EQ(stats.verdict, VERDICT_INCOMPLETE);
	free(junk.p);
	free(z.p);
}

static void encrypted_members_are_not_called_clean(void)
{
	struct file f[] = {{"secret.txt", text("hello")}};
	struct bytes z = pack(archive_write_set_format_zip, NULL, "zip:encryption=zipcrypt", f, 1);
	db_marks();
	defaults();
	T_STR(scan(z), "!5@secret.txt ");
	T_EQ(stats.verdict, VERDICT_INCOMPLETE);
	free(z.p);
}

static void members_before_the_damage_are_scanned(void)
{
	struct bytes junk = {calloc(1, 4000), 4000};
	struct file f[] = {{"bad", text(MARK_A)}, {"long", junk}};
	struct bytes t = tar(f, 2);
	t.n = 512 * 3 + 1000;
	db_marks();
	defaults();
	opts.all_matches = true;
	scan(t);
	T_TRUE(strstr(heard, "Mark.A@bad "));
	T_TRUE(strstr(heard, "!1@long "));
	T_EQ(stats.verdict, VERDICT_FOUND);
	memset(t.p + 512, 'x', strlen(MARK_A));
	T_TRUE(strstr(scan(t), "!1@long "));
	T_EQ(stats.verdict, VERDICT_INCOMPLETE);
	free(junk.p);
	free(t.p);
}

/* Sorted words of what was heard, so that orders can differ. */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_words(char *s, char *ret)
{
	char *w[64], *save = NULL;
	size_t n = 0;
	for (char *t = strtok_r(s, " ", &save); t && n < 64; t = strtok_r(NULL, " ", &save))
		w[n++] = t;
	qsort(w, n, sizeof *w, by_text);
	ret[0] = 0;
	for (size_t i = 0; i < n; i++)
		strcat(strcat(ret, w[i]), " ");
}

static void stripes_together_are_the_whole(void)
{
	struct file f[] = {{"0", text(MARK_A)}, {"1", text(MARK_B)}, {"2", text("-")},
	                   {"3", text(MARK_A MARK_B)}, {"4", text(MARK_B)}};
	struct bytes t = tar(f, 5);
	static char whole[sizeof heard], parts[sizeof heard], sorted[2][sizeof heard];
	db_marks();
	defaults();
	opts.all_matches = true;
	snprintf(whole, sizeof whole, "%s", scan(t));
	opts.stripe_count = 3;
	for (opts.stripe_index = 0; opts.stripe_index < 3; opts.stripe_index++)
		strcat(parts, scan(t));
	sort_words(whole, sorted[0]);
	sort_words(parts, sorted[1]);
	T_STR(sorted[0], sorted[1]);
	T_TRUE(strstr(sorted[0], "Mark.A@3 "));
	free(t.p);
}

static void a_scanner_can_be_used_again(void)
{
	struct file f[] = {{"m", text(MARK_A)}, {"n", text(MARK_B)}};
	struct bytes z = zip(f, 2);
	db_marks();
	defaults();
	opts.all_matches = true;
	T_EQ(scan_with(&sink, z, 3), ST_OK);
	T_TRUE(strstr(heard, "Mark.A@m "));
	T_TRUE(strstr(heard, "Mark.B@n "));
	T_EQ(stats.objects, 3);
	free(z.p);
}

static void heuristics_wait_for_other_names(void)
{
	struct file f[] = {{"h", text(MARK_A)}, {"r", text(MARK_B)}};
	struct bytes z = pack(archive_write_set_format_ustar, NULL, NULL, f, 2);
	static const char *const names[] = {"Heuristics.A", "PUA.A.A", "BC.Heuristics.A"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char first[64];
		db_clear();
		db_mark("a.ndb", names[i], MARK_A);
		db_mark("b.ndb", "Real.B", MARK_B);
		defaults();
		T_STR(scan(z), "Real.B@r ");
		snprintf(first, sizeof first, "%s@h ", names[i]);
		opts.heuristics_first = true;
		T_STR(scan(z), first);
		opts.heuristics_first = false;
		T_STR(scan(f[0].b), strcmp(names[i], "PUA.A.A") ? i ? "BC.Heuristics.A@ " : "Heuristics.A@ "
		                                                : "PUA.A.A@ ");
		T_EQ(stats.verdict, VERDICT_FOUND);
	}
	opts.all_matches = true;
	T_STR(scan(z), "Real.B@r Real.B@ BC.Heuristics.A@h BC.Heuristics.A@ ");
	free(z.p);
}

static void weak_names_are_as_good_as_others(void)
{
	struct file f[] = {{"h", text(MARK_A)}, {"r", text(MARK_B)}};
	struct bytes z = pack(archive_write_set_format_ustar, NULL, NULL, f, 2);
	db_clear();
	db_mark("a.ndb", "Weak.A", MARK_A);
	db_mark("b.ndb", "Real.B", MARK_B);
	defaults();
	T_STR(scan(z), "Weak.A@h ");
	free(z.p);
}

static void categories_choose_among_unwanted_programs(void)
{
	static const struct {
		const char *name, *categories;
		bool exclude, found;
	} rules[] = {
		{"PUA.Win.X", "", false, true},         {"PUA.Win.X", ".Win.", false, true},
		{"PUA.Win.X", ".Win.", true, false},    {"PUA.Andr.X", ".Win.", false, false},
		{"PUA.Andr.X", ".Win.", true, true},    {"PUA.Win.X", ".Andr.Win.", false, true},
		{"PUA.Windows.X", ".Win.", true, true}, {"PUA.Win", ".Win.", false, false},
		{"PUA.Win", ".Win.", true, false},      {"Other.Win.X", ".Win.", true, false},
		{"PUA.win.X", ".Win.", false, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		db_clear();
		db_mark("a.ndu", rules[i].name, MARK_P);
		defaults();
		opts.detect_pua = true;
		snprintf(opts.pua_categories, sizeof opts.pua_categories, "%s", rules[i].categories);
		opts.pua_exclude = rules[i].exclude;
		if ((scan(text(MARK_P))[0] != 0) != rules[i].found)
			T_FAIL("%s with %s", rules[i].name, rules[i].categories);
		db_clear();
		db_mark("a.ndb", rules[i].name, MARK_P);
		T_TRUE(scan(text(MARK_P))[0]);
	}
}

static const char *type_with(const char *definitions, const char *content)
{
	db_marks();
	db_text("a.ftm", definitions);
	defaults();
	scan(text(content));
	return stats.type_name;
}

static void databases_define_file_types(void)
{
	T_STR(type_with("0:2:5a5a:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "xxZZ"), "CL_TYPE_JAVA");
	T_STR(type_with("0:1:5a5a:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "xxZZ"), "CL_TYPE_TEXT_ASCII");
	T_STR(type_with("0:0:5a5a:X:CL_TYPE_ANY:CL_TYPE_JAVA\n0:0:5a5a:X:CL_TYPE_ANY:CL_TYPE_GIF\n",
	                "ZZ"), "CL_TYPE_GIF");
	T_STR(type_with("0:0:5a5a:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "%PDF-1.4"), "CL_TYPE_PDF");
	T_STR(type_with("0:0:2550:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "%PDF-1.4"), "CL_TYPE_JAVA");
	T_STR(type_with("1:*:2550:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "%PDF-1.4"), "CL_TYPE_PDF");
	T_STR(type_with("1:*:5a5a{2-4}5b5b:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "x ZZ12[[ <html>"),
	      "CL_TYPE_JAVA");
	T_STR(type_with("1:*:5a5a{2-4}5b5b:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "x ZZ1[[ x"),
	      "CL_TYPE_TEXT_ASCII");
	T_STR(type_with("1:*:5a5a{2-4}5b5b:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "x ZZ12345[[ x"),
	      "CL_TYPE_TEXT_ASCII");
	T_STR(type_with("1:*:5a5a{2-4}5b5b:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", "x ZZZ1234[[ ZZ1234[["),
	      "CL_TYPE_JAVA");
	T_STR(type_with("1:2:5a5a:X:CL_TYPE_TEXT_ASCII:CL_TYPE_JAVA\n", "xxZZ"), "CL_TYPE_JAVA");
	T_STR(type_with("1:2:5a5a:X:CL_TYPE_ZIP:CL_TYPE_JAVA\n", "xxZZ"), "CL_TYPE_TEXT_ASCII");
}

static void file_types_are_looked_for_in_the_first_kilobyte(void)
{
	static char head[2048];
	static const char *const kinds[] = {"1:*", "0:1022", "0:1023"};
	static const bool fits[] = {true, true, false};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char line[80];
		memset(head, 'x', sizeof head - 1);
		memcpy(head + 1022 + (i == 2), "ZZ", 2);
		snprintf(line, sizeof line, "%s:5a5a:X:CL_TYPE_ANY:CL_TYPE_JAVA\n", kinds[i]);
		T_STR(type_with(line, head), fits[i] ? "CL_TYPE_JAVA" : "CL_TYPE_TEXT_ASCII");
	}
}

/* Which of three names are heard for HTML that says "Words" in bytes or in UTF-16LE. */
static const char *found_in_html(bool wide, bool no_html)
{
	static const char page[] = "<html><p>Words";
	uint8_t pairs[2 * sizeof page] = {0};
	for (size_t i = 0; i < sizeof page; i++)
		pairs[2 * i] = (uint8_t)page[i];
	db_clear();
	db_text("a.ldb", "Any;Target:0;0;576f72::w\n"
	                 "Html;Target:3;0;576f72::w\n"
	                 "View;Target:3;0;3c68746d6c3e3c703e776f726473\n");
	defaults();
	opts.all_matches = true;
	opts.no_html = no_html;
	return scan(wide ? (struct bytes){pairs, 2 * strlen(page)} : text(page));
}

/* Of the bytes as they are signatures for HTML see those of HTML without views only. */
static void html_in_utf16_is_matched_as_it_is_and_in_its_views(void)
{
	T_STR(found_in_html(false, false), "View@ ");
	T_STR(found_in_html(true, false), "Any@ View@ ");
	T_STR(found_in_html(true, true), "Any@ ");
}

static void html_over_a_limit_is_matched_as_it_is_only_in_utf16(void)
{
	static const uint8_t page[] = "<\0h\0t\0m\0l\0>\0W\0o\0r\0d\0s";
	db_clear();
	db_text("a.ldb", "Any;Target:0;0;576f72::w\n");
	defaults();
	opts.limits.max_htmlnormalize = sizeof page / 2;
	T_STR(scan((struct bytes){(uint8_t *)(uintptr_t)page, sizeof page}),
	      "!3MaxHTMLNormalize reached@ Any@ ");
}

/* Ends of a part are kept in a ring of 2,048: here two lie as far apart. */
static void a_match_that_leads_nowhere_hides_no_later_one(void)
{
	static uint8_t bytes[8192];
	for (size_t gap = 2040; gap <= 4100; gap++) {
		if (gap == 2060)
			gap = 4090;
		memset(bytes, 0xfe, sizeof bytes);
		memcpy(bytes, "MARK\xa0\x30\x03\x0a", 8);
		memcpy(bytes + gap, "MARK\xa1" "END1", 9);
		db_clear();
		db_text("a.ldb", "Far;Target:0;0;4d41524b(a1|a030030a)454e4431\n");
		defaults();
		T_STR(scan((struct bytes){bytes, sizeof bytes}), "Far@ ");
	}
}

static void text_in_a_data_url_is_the_lines_of_a_mail(void)
{
	static const char page[] = "<html><img src='data:x,%0a%0done%0d%0d%0a%09 %0a%0a%0a%0atwo'>";
	db_clear();
	db_digest("a.hdb", "Lines", text("\rone\n \n\ntwo\n"));
	defaults();
	T_STR(scan(text(page)), "Lines@data-url-1 ");
	db_clear();
	db_digest("a.hdb", "Bytes", (struct bytes){(uint8_t *)(uintptr_t)"one\0\r\ntwo", 9});
	T_STR(scan(text("<html><img src='data:x,one%00%0d%0atwo'>")), "Bytes@data-url-1 ");
}

static st_t refuse(void *ctx, const char *name, bool official, const char *inner)
{
	(void)ctx, (void)name, (void)official, (void)inner;
	return ST_IO;
}

static void the_sinks_refusal_ends_the_scan(void)
{
	struct scan_sink deaf = {.found = refuse, .incomplete = on_incomplete};
	db_marks();
	defaults();
	T_EQ(scan_with(&deaf, text(MARK_A), 1), ST_IO);
}

static void impossible_stripes_are_refused(void)
{
	struct scanner *s = NULL;
	defaults();
	opts.stripe_index = 1;
	T_EQ(scanner_new(NULL, &opts, &s, NULL), -EINVAL);
	opts.stripe_count = 0;
	T_EQ(scanner_new(NULL, &opts, &s, NULL), -EINVAL);
	scanner_free(NULL);
}

int main(void)
{
	T_RUN(a_file_without_signatures_is_clean);
	T_RUN(an_empty_file_is_clean);
	T_RUN(a_signature_in_a_file_is_found);
	T_RUN(large_objects_are_matched_whole);
	T_RUN(nested_members_are_found_with_their_path);
	T_RUN(children_come_before_bodies_before_digests);
	T_RUN(digests_find_files_and_members);
	T_RUN(sections_of_a_pe_are_found_by_digest);
	T_RUN(trusted_objects_and_what_they_enclose_are_not_reported);
	T_RUN(unwanted_programs_count_only_when_asked_for);
	T_RUN(a_file_over_the_size_limit_is_not_called_clean);
	T_RUN(members_over_a_limit_are_named_and_the_rest_is_scanned);
	T_RUN(what_members_cost_adds_up);
	T_RUN(a_wrong_declared_size_hides_nothing);
	T_RUN(a_wrong_length_of_a_gzip_hides_nothing);
	T_RUN(a_container_is_reported_though_a_limit_stopped_its_children);
	T_RUN(recursion_and_files_are_counted_as_clamav_does);
	T_RUN(a_bomb_ends_at_the_deadline);
	T_RUN(encrypted_members_are_not_called_clean);
	T_RUN(members_before_the_damage_are_scanned);
	T_RUN(stripes_together_are_the_whole);
	T_RUN(a_scanner_can_be_used_again);
	T_RUN(heuristics_wait_for_other_names);
	T_RUN(weak_names_are_as_good_as_others);
	T_RUN(categories_choose_among_unwanted_programs);
	T_RUN(databases_define_file_types);
	T_RUN(file_types_are_looked_for_in_the_first_kilobyte);
	T_RUN(html_in_utf16_is_matched_as_it_is_and_in_its_views);
	T_RUN(html_over_a_limit_is_matched_as_it_is_only_in_utf16);
	T_RUN(a_match_that_leads_nowhere_hides_no_later_one);
	T_RUN(text_in_a_data_url_is_the_lines_of_a_mail);
	T_RUN(the_sinks_refusal_ends_the_scan);
	T_RUN(impossible_stripes_are_refused);
	return t_end();
}
