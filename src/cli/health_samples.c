/* The samples of the health check, byte by byte. Runs in the activator, which only writes them. */
#include "cli/health_samples.h"

#include <string.h>

static void make_text(struct buf *out)
{
	for (int i = 1; i <= 40; i++)
		buf_text(out, "The quick brown fox jumps over the lazy dog. Nothing is wrong here.\n");
}

static void make_html(struct buf *out)
{
	buf_text(out, "<!DOCTYPE html>\n<html><head><title>Hello</title>\n"
	              "<script>var a = 1; function f(x) { return x + a; } f(2);</script>\n"
	              "</head><body><p>Nothing is wrong <a href=\"/index.html\">here</a>.</p>\n"
	              "</body></html>\n");
}

/* ELF64, little-endian, x86-64: one segment, exit(0). */
static void make_elf(struct buf *out)
{
	static const uint8_t ident[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	static const uint8_t code[] = {0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05};
	const uint64_t base = 0x400000, headers = 64 + 56;
	buf_add(out, ident, sizeof ident);
	buf_u16le(out, 2);    /* executable */
	buf_u16le(out, 62);   /* x86-64 */
	buf_u32le(out, 1);
	buf_u64le(out, base + headers); /* entry */
	buf_u64le(out, 64);   /* program headers */
	buf_u64le(out, 0);    /* no sections */
	buf_u32le(out, 0);
	buf_u16le(out, 64);
	buf_u16le(out, 56);
	buf_u16le(out, 1);
	buf_u16le(out, 64);
	buf_u16le(out, 0);
	buf_u16le(out, 0);
	buf_u32le(out, 1);    /* PT_LOAD */
	buf_u32le(out, 5);    /* read, execute */
	buf_u64le(out, 0);
	buf_u64le(out, base);
	buf_u64le(out, base);
	buf_u64le(out, headers + sizeof code);
	buf_u64le(out, headers + sizeof code);
	buf_u64le(out, 4096);
	buf_add(out, code, sizeof code);
}

static void put_pe_optional_header(struct buf *out)
{
	buf_u16le(out, 0x10b); /* PE32 */
	buf_u16le(out, 14);    /* version of a linker */
	buf_u32le(out, 512);   /* code */
	buf_u32le(out, 0);
	buf_u32le(out, 0);
	buf_u32le(out, 4096);  /* entry */
	buf_u32le(out, 4096);
	buf_u32le(out, 8192);
	buf_u32le(out, 0x400000);
	buf_u32le(out, 4096);  /* alignment in memory */
	buf_u32le(out, 512);   /* in the file */
	buf_u32le(out, 6);
	buf_u32le(out, 0);
	buf_u32le(out, 6);
	buf_u32le(out, 0);
	buf_u32le(out, 8192);  /* of the image */
	buf_u32le(out, 512);   /* of the headers */
	buf_u32le(out, 0);
	buf_u32le(out, 3);     /* console */
	buf_u32le(out, 0x100000);
	buf_u32le(out, 0x1000);
	buf_u32le(out, 0x100000);
	buf_u32le(out, 0x1000);
	buf_u32le(out, 0);
	buf_u32le(out, 16);
	buf_fill(out, 0, 16 * 8); /* no directories */
}

/* PE32, i386: one section, "xor eax, eax; ret". */
static void make_pe(struct buf *out)
{
	static const char section[8] = ".text";
	static const uint8_t code[] = {0x31, 0xc0, 0xc3};
	buf_text(out, "MZ");
	buf_fill(out, 0, 58);
	buf_u32le(out, 64);
	buf_add(out, "PE\0\0", 4);
	buf_u16le(out, 0x14c);
	buf_u16le(out, 1);
	buf_u32le(out, 0);
	buf_u32le(out, 0);
	buf_u32le(out, 0);
	buf_u16le(out, 224);
	buf_u16le(out, 0x102);
	put_pe_optional_header(out);
	buf_add(out, section, sizeof section);
	buf_u32le(out, sizeof code);
	buf_u32le(out, 4096);
	buf_u32le(out, 512);
	buf_u32le(out, 512);
	buf_fill(out, 0, 12);
	buf_u32le(out, 0x60000020);
	buf_align(out, 512);
	buf_add(out, code, sizeof code);
	buf_align(out, 512);
}

static uint32_t crc32_of(const struct buf *b)
{
	uint32_t crc = UINT32_MAX;
	for (size_t i = 0; i < b->len; i++) {
		crc ^= b->data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* What local header and directory have in common, from "version needed" on. */
static void put_zip_fields(struct buf *out, const struct buf *member, const char *name)
{
	buf_u16le(out, 20);
	buf_u16le(out, 0);
	buf_u16le(out, 0);      /* stored */
	buf_u32le(out, 0x00210000); /* 1980-01-01 */
	buf_u32le(out, crc32_of(member));
	buf_u32le(out, (uint32_t)member->len);
	buf_u32le(out, (uint32_t)member->len);
	buf_u16le(out, (uint16_t)strlen(name));
	buf_u16le(out, 0);
}

static void make_zip(struct buf *out)
{
	static const char name[] = "readme.txt";
	struct buf member = {0};
	make_text(&member);
	buf_text(out, "PK\3\4");
	put_zip_fields(out, &member, name);
	buf_text(out, name);
	buf_add(out, member.data, member.len);
	uint32_t directory = (uint32_t)out->len;
	buf_text(out, "PK\1\2");
	buf_u16le(out, 20);
	put_zip_fields(out, &member, name);
	buf_fill(out, 0, 2 + 2 + 2 + 4 + 4); /* comment, disk, attributes, offset of the local header */
	buf_text(out, name);
	uint32_t size = (uint32_t)out->len - directory;
	buf_text(out, "PK\5\6");
	buf_fill(out, 0, 4);
	buf_u16le(out, 1);
	buf_u16le(out, 1);
	buf_u32le(out, size);
	buf_u32le(out, directory);
	buf_u16le(out, 0);
	out->oom = out->oom || member.oom;
	buf_done(&member);
}

/* In parts, so that this program is not what it describes. */
static void make_eicar(struct buf *out)
{
	buf_text(out, "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-");
	buf_text(out, "ANTIVIRUS-TEST-FILE!");
	buf_text(out, "$H+H*");
}

const struct health_sample health_samples[HEALTH_SAMPLES] = {
    {"a text", false, make_text},           {"a web page", false, make_html},
    {"an ELF program", false, make_elf},    {"a Windows program", false, make_pe},
    {"a zip archive", false, make_zip},     {"the EICAR test file", true, make_eicar},
};
