/* The format interface over libarchive: archives made here with its writer, read back; damaged and
 * truncated ones; what is not an archive. */
#include "base/buf.h"
#include "base/num.h"
#include "parse/format.h"
#include "test/t.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <sys/resource.h>

#define ROOM (1 << 20)
#define TEXT "a member whose text is long enough to be compressed, compressed, compressed"

static uint8_t bytes[ROOM];

/* What reading an object gave. */
struct result {
	bool opened;
	st_t st;          /* of the first failure */
	char text[ERR_TEXT_MAX];
	unsigned members; /* with content */
	unsigned good;    /* that gave TEXT */
	bool encrypted;
	char names[4][64];
};

static void read_one(const struct format *f, struct format_ctx *c, const struct member *m,
                     struct result *ret, struct err *e)
{
	uint8_t out[256];
	size_t n = 0, total = 0;
	if (ret->members < 4)
		snprintf(ret->names[ret->members], sizeof ret->names[0], "%s", m->name);
	ret->encrypted |= m->encrypted;
	st_t st;
	do {
		st = f->read(c, out + total, sizeof out - total, &n, e);
		total += n;
	} while (st == ST_OK && n > 0 && total < sizeof out);
	if (st != ST_OK && ret->st == ST_OK)
		ret->st = st;
	ret->members++;
	ret->good += st == ST_OK && total == strlen(TEXT) && memcmp(out, TEXT, total) == 0;
}

static struct result read_back(const void *p, size_t n)
{
	struct result r = {0};
	struct rd in = rd_make(p, n);
	struct format_ctx *c;
	struct err e = {0};
	const struct format *f = format_for(FT_BINARY_DATA, in);
	if (!f)
		return r;
	r.st = f->open(in, FT_BINARY_DATA, &c, &e);
	r.opened = r.st == ST_OK;
	bool end = !r.opened;
	while (!end) {
		struct member m;
		st_t st = f->next(c, &m, &end, &e);
		if (st != ST_OK && r.st == ST_OK)
			r.st = st;
		if (st != ST_OK)
			break;
		if (!end && m.is_regular)
			read_one(f, c, &m, &r, &e);
	}
	if (r.opened)
		f->close(c);
	snprintf(r.text, sizeof r.text, "%s", e.text);
	return r;
}

static void add(struct archive *a, const char *name, unsigned type, const char *text)
{
	struct archive_entry *en = archive_entry_new();
	archive_entry_set_pathname(en, name);
	archive_entry_set_filetype(en, type);
	archive_entry_set_perm(en, 0644);
	archive_entry_set_size(en, (int64_t)strlen(text));
	T_EQ(archive_write_header(a, en), ARCHIVE_OK);
	T_EQ(archive_write_data(a, text, strlen(text)), strlen(text));
	archive_entry_free(en);
}

/* An archive of one folder and two members with TEXT; of one member for `raw`. */
static size_t make(int (*format)(struct archive *), int (*filter)(struct archive *),
                   const char *options)
{
	size_t n = 0;
	struct archive *a = archive_write_new();
	T_EQ(format(a), ARCHIVE_OK);
	if (filter)
		T_EQ(filter(a), ARCHIVE_OK);
	if (options)
		T_EQ(archive_write_set_options(a, options), ARCHIVE_OK);
	archive_write_set_passphrase(a, "secret");
	archive_write_set_bytes_in_last_block(a, 1);
	T_EQ(archive_write_open_memory(a, bytes, sizeof bytes, &n), ARCHIVE_OK);
	bool raw = format == archive_write_set_format_raw;
	if (!raw)
		add(a, "dir", AE_IFDIR, "");
	add(a, "one.txt", AE_IFREG, TEXT);
	if (!raw)
		add(a, "two.txt", AE_IFREG, TEXT);
	T_EQ(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return n;
}

static const struct {
	const char *name;
	int (*format)(struct archive *);
} archives[] = {
	{"zip", archive_write_set_format_zip},
	{"ustar", archive_write_set_format_ustar},
	{"pax", archive_write_set_format_pax},
	{"gnutar", archive_write_set_format_gnutar},
	{"v7tar", archive_write_set_format_v7tar},
	{"cpio odc", archive_write_set_format_cpio_odc},
	{"cpio newc", archive_write_set_format_cpio_newc},
	{"cpio binary", archive_write_set_format_cpio_bin},
	{"7z", archive_write_set_format_7zip},
	{"iso9660", archive_write_set_format_iso9660},
	{"xar", archive_write_set_format_xar},
};

static const struct {
	const char *name;
	int (*filter)(struct archive *);
} streams[] = {
	{"gzip", archive_write_add_filter_gzip},       {"bzip2", archive_write_add_filter_bzip2},
	{"xz", archive_write_add_filter_xz},           {"zstd", archive_write_add_filter_zstd},
	{"lzma", archive_write_add_filter_lzma},       {"compress", archive_write_add_filter_compress},
};

static void every_archive_gives_its_members(void)
{
	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		struct result r = read_back(bytes, make(archives[i].format, NULL, NULL));
		bool iso = archives[i].format == archive_write_set_format_iso9660;
		if (r.good != 2 || (r.members != 2 && !iso) || r.st != ST_OK)
			T_FAIL("%s: %u of %u, %d %s", archives[i].name, r.good, r.members, r.st, r.text);
		if (!iso && archives[i].format != archive_write_set_format_7zip)
			T_STR(r.names[0], "one.txt");
	}
}

static void every_stream_gives_its_content(void)
{
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		size_t n = make(archive_write_set_format_raw, streams[i].filter, NULL);
		struct result r = read_back(bytes, n);
		if (r.good != 1 || r.members != 1 || r.st != ST_OK)
			T_FAIL("%s: %u of %u, %d %s", streams[i].name, r.good, r.members, r.st, r.text);
		T_STR(r.names[0], "data");
	}
}

/* A compressed tar is a stream whose one child is the tar: layers are not peeled off silently. */
static void a_compressed_archive_is_two_layers(void)
{
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		size_t n = make(archive_write_set_format_ustar, streams[i].filter, NULL);
		struct result r = read_back(bytes, n);
		T_EQ(r.members, 1);
		T_EQ(r.good, 0);
		T_EQ(r.st, ST_OK);
	}
}

static void a_stream_in_a_stream_is_peeled_once(void)
{
	struct archive *a = archive_write_new();
	size_t n = 0;
	archive_write_set_format_raw(a);
	archive_write_add_filter_gzip(a);
	archive_write_add_filter_gzip(a);
	archive_write_open_memory(a, bytes, sizeof bytes, &n);
	add(a, "x", AE_IFREG, TEXT);
	archive_write_close(a);
	archive_write_free(a);
	struct result r = read_back(bytes, n);
	T_EQ(r.members, 1);
	T_EQ(r.good, 0);
}

/* Whatever is cut off, it is either said or nothing was lost. */
static void a_truncated_archive_is_never_silent(void)
{
	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		size_t n = make(archives[i].format, NULL, NULL);
		bool tar = strstr(archives[i].name, "tar") || !strcmp(archives[i].name, "pax");
		bool iso = archives[i].format == archive_write_set_format_iso9660;
		for (size_t cut = iso ? 34000 : 600; cut < n; cut += iso ? 4099 : 37) {
			struct result r = read_back(bytes, cut);
			/* A tar may end behind any member. */
			if (r.st == ST_OK && r.good != 2 && !(tar && r.good == r.members))
				T_FAIL("%s cut at %zu of %zu: silent, %u good", archives[i].name, cut, n, r.good);
		}
	}
}

static void a_truncated_stream_is_never_silent(void)
{
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		bool ends_anywhere = streams[i].filter == archive_write_add_filter_compress;
		size_t n = make(archive_write_set_format_raw, streams[i].filter, NULL);
		for (size_t cut = 16; cut < n && !ends_anywhere; cut++) {
			struct result r = read_back(bytes, cut);
			if (r.opened && r.st == ST_OK && r.good != 1)
				T_FAIL("%s cut at %zu of %zu: silent", streams[i].name, cut, n);
		}
	}
}

static void flipped_bytes_never_crash_and_never_lose_silently(void)
{
	uint64_t seed = t_seed(0x6172636869766573);
	for (size_t i = 0; i < ARRAY_LEN(streams); i++) {
		size_t n = make(archive_write_set_format_raw, streams[i].filter, NULL);
		for (int k = 0; k < 300; k++) {
			size_t at = t_rand(&seed) % n;
			uint8_t old = bytes[at];
			bytes[at] ^= (uint8_t)(1u << t_rand(&seed) % 8);
			struct result r = read_back(bytes, n);
			T_TRUE(r.members <= 1);
			bytes[at] = old;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(archives); i++) {
		size_t n = make(archives[i].format, NULL, NULL);
		for (int k = 0; k < 200; k++) {
			size_t at = t_rand(&seed) % n;
			uint8_t old = bytes[at];
			bytes[at] ^= (uint8_t)(1u << t_rand(&seed) % 8);
			(void)read_back(bytes, n);
			bytes[at] = old;
		}
	}
}

static void a_wrong_checksum_is_damage_with_the_bytes_given(void)
{
	size_t n = make(archive_write_set_format_zip, NULL, "zip:compression=store");
	for (size_t i = 0; i + strlen(TEXT) < n; i++) {
		if (memcmp(bytes + i, TEXT, strlen(TEXT)))
			continue;
		bytes[i] ^= 1;
		break;
	}
	struct result r = read_back(bytes, n);
	T_EQ(r.members, 2);
	T_EQ(r.good, 1);
	T_EQ(r.st, ST_MALFORMED);
}

static void an_encrypted_member_is_told_as_such(void)
{
	size_t n = make(archive_write_set_format_zip, NULL, "zip:encryption=zipcrypt");
	struct result r = read_back(bytes, n);
	T_EQ(r.members, 2);
	T_EQ(r.good, 0);
	T_TRUE(r.encrypted);
	T_EQ(r.st, ST_ENCRYPTED);
}

static void a_zip_without_its_end_is_read_from_the_start(void)
{
	size_t n = make(archive_write_set_format_zip, NULL, NULL) - 30;
	T_EQ(read_back(bytes, n).good, 2);
}

static void bytes_that_only_look_like_an_archive_are_none(void)
{
	static const char text[] = "070707 is how old cpio archives begin, and this text is not one of "
	                           "them: what follows the magic is not made of octal digits";
	struct result r = read_back(text, sizeof text);
	T_EQ(r.members, 0);
	static const uint8_t bin[30] = {0xc7, 0x71, [20] = 200, [26] = 'x'};
	r = read_back(bin, sizeof bin);
	T_EQ(r.members, 0);
	T_TRUE(!format_for(FT_TEXT_ASCII, rd_make("plain", 5)));
	T_TRUE(!format_for(FT_BINARY_DATA, rd_make("", 0)));
	T_TRUE(!format_for(FT_BINARY_DATA, rd_make("\x1f\x8b\x08\xff", 4)));
}

static void a_strong_magic_with_garbage_is_damage(void)
{
	static const char *magics[] = {"PK\3\4garbage", "7z\xbc\xaf\x27\x1cgarbage",
	                               "Rar!\x1a\7\1\0garbage"};
	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		uint8_t b[200] = {0};
		memset(b, 0xee, sizeof b);
		memcpy(b, magics[i], i == 2 ? 15 : strlen(magics[i]));
		if (i == 2)
			b[7] = 0;
		T_TRUE(read_back(b, sizeof b).st > ST_OK);
	}
	static const uint8_t gz[] = {0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3, 'n', 'a', 'm', 'e'};
	T_EQ(read_back(gz, sizeof gz).st, ST_TRUNCATED);
}

static void a_gzip_member_has_its_stored_name(void)
{
	/* gzip -c of "hi\n" with FEXTRA (2 bytes) and FNAME. */
	static const uint8_t gz[] = {0x1f, 0x8b, 8, 0x0c, 0, 0, 0, 0, 0, 3, 2, 0, 'x', 'y',
	                             'h', 'i', '.', 't', 'x', 't', 0, 0xcb, 0xc8, 0xe4, 2, 0,
	                             0x7a, 0x7a, 0x6f, 0xed, 3, 0, 0, 0};
	struct result r = read_back(gz, sizeof gz);
	T_EQ(r.members, 1);
	T_EQ(r.st, ST_OK);
	T_STR(r.names[0], "hi.txt");
}

static void put16(struct buf *b, unsigned v)
{
	buf_u16le(b, (uint16_t)v);
}

/* MS-CAB: one folder, uncompressed, one file. */
static void a_cabinet_gives_its_members(void)
{
	struct buf b = {0};
	uint32_t len = (uint32_t)strlen(TEXT);
	buf_add(&b, "MSCF\0\0\0\0", 8);
	buf_u32le(&b, 36 + 8 + 24 + 8 + len);
	buf_u32le(&b, 0);
	buf_u32le(&b, 44);
	buf_u32le(&b, 0);
	put16(&b, 0x0103);
	put16(&b, 1);
	put16(&b, 1);
	put16(&b, 0);
	put16(&b, 0);
	put16(&b, 0);
	buf_u32le(&b, 68); /* folder: data, blocks, no compression */
	put16(&b, 1);
	put16(&b, 0);
	buf_u32le(&b, len); /* file */
	buf_u32le(&b, 0);
	put16(&b, 0);
	put16(&b, 0x5000);
	put16(&b, 0);
	put16(&b, 0x20);
	buf_add(&b, "one.txt", 8);
	buf_u32le(&b, 0); /* data block: no checksum */
	put16(&b, len);
	put16(&b, len);
	buf_add(&b, TEXT, len);
	struct result r = read_back(b.data, b.len);
	T_EQ(r.st, ST_OK);
	T_EQ(r.good, 1);
	T_STR(r.names[0], "one.txt");
	buf_done(&b);
}

static void an_ar_archive_gives_its_members(void)
{
	char ar[512];
	int n = snprintf(ar, sizeof ar, "!<arch>\n%-16s%-12s%-6s%-6s%-8s%-10zu`\n%s\n", "one.txt/", "0",
	                 "0", "0", "100644", strlen(TEXT), TEXT);
	struct result r = read_back(ar, (size_t)n);
	T_EQ(r.st, ST_OK);
	T_EQ(r.good, 1);
	T_STR(r.names[0], "one.txt");
}

/* test/corpus/archive/lzma-dictionary-of-2-gb.lzma: 75 bytes whose header asks for more memory than
 * a worker may have. Found by fuzzing. */
static void a_dictionary_of_2_gb_is_a_limit_and_not_silence(void)
{
	static const uint8_t file[] = {
	    0x5d, 0x00, 0x00, 0x00, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x30,
	    0x88, 0x09, 0xa6, 0x94, 0x26, 0xb1, 0x59, 0xec, 0xcc, 0x29, 0xf7, 0x4c, 0x5c, 0xc5, 0x62,
	    0xc9, 0x29, 0xe5, 0xc5, 0xdb, 0xca, 0x27, 0x77, 0x4d, 0x7e, 0xaa, 0xef, 0xd2, 0x0a, 0xe2,
	    0xb9, 0xa6, 0x76, 0xd4, 0x65, 0xe5, 0xc7, 0x63, 0x7b, 0xfb, 0xc5, 0x58, 0xab, 0x52, 0x52,
	    0x4d, 0x29, 0x13, 0xeb, 0x38, 0xb6, 0x1f, 0x63, 0x50, 0xff, 0xff, 0xd3, 0x0f, 0x00,
	};
	/* The shadow memory of a sanitizer alone is more than the limit. */
	bool sanitized = getenv("VITRINE_TEST_SANITIZED") != NULL;
	struct rlimit old, worker;
	T_EQ(getrlimit(RLIMIT_DATA, &old), 0);
	worker = old;
	worker.rlim_cur = (rlim_t)1536 << 20;
	if (!sanitized)
		T_EQ(setrlimit(RLIMIT_DATA, &worker), 0);
	struct result r = read_back(file, sizeof file);
	T_EQ(setrlimit(RLIMIT_DATA, &old), 0);
	T_TRUE(sanitized ? r.st > ST_OK || r.good == 1 : r.st == ST_LIMIT);
}

int main(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	T_RUN(every_archive_gives_its_members);
	T_RUN(every_stream_gives_its_content);
	T_RUN(a_compressed_archive_is_two_layers);
	T_RUN(a_stream_in_a_stream_is_peeled_once);
	T_RUN(a_truncated_archive_is_never_silent);
	T_RUN(a_truncated_stream_is_never_silent);
	T_RUN(flipped_bytes_never_crash_and_never_lose_silently);
	T_RUN(a_wrong_checksum_is_damage_with_the_bytes_given);
	T_RUN(an_encrypted_member_is_told_as_such);
	T_RUN(a_zip_without_its_end_is_read_from_the_start);
	T_RUN(bytes_that_only_look_like_an_archive_are_none);
	T_RUN(a_strong_magic_with_garbage_is_damage);
	T_RUN(a_gzip_member_has_its_stored_name);
	T_RUN(a_cabinet_gives_its_members);
	T_RUN(an_ar_archive_gives_its_members);
	T_RUN(a_dictionary_of_2_gb_is_a_limit_and_not_silence);
	return t_end();
}
