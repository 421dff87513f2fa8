/* vitrine key show: the public half of a key file, without its passphrase; with --check the proof
 * that the private half belongs to it. */
#include "cli/cli.h"
#include "cli/key_load.h"
#include "cli/report_json.h"
#include "cli/text.h"
#include "publish/repo.h"

#include <stdio.h>

struct show {
	bool json, check, help;
	struct key_pass_opts pass;
};

static const struct opt options[] = {
    {"json", 0, OPT_BOOL, 0, offsetof(struct show, json), NULL},
    {"check", 0, OPT_BOOL, 0, offsetof(struct show, check), NULL},
    KEY_PASS_OPTION_FILE(struct show, pass),
    KEY_PASS_OPTION_FD(struct show, pass),
    {"help", 'h', OPT_BOOL, 0, offsetof(struct show, help), NULL},
};

static const char usage[] =
    "Usage: vitrine key show [--json] [--check [--passphrase-file FILE|--passphrase-fd N]] FILE\n"
    "\n"
    "Shows what is public of a key file: name, kind, algorithm, key ID and vkey, and how it is\n"
    "encrypted; of a publisher's key also the key id of TUF metadata and the key as PEM. No\n"
    "passphrase is needed, and the private key is never shown. --check decrypts the\n"
    "private key and proves that it belongs to the vkey.\n"
    "Exit code: 0 shown (and checked), 2 not a sound key file, or the check failed.\n"
    "\n"
    "Examples:\n"
    "  vitrine key show log.key\n"
    "  vitrine key show --json log.key | jq -r .vkey\n"
    "  vitrine key show --check log.key\n";

struct facts {
	const struct keyfile *k;
	const char *vkey, *tuf_id, *pem; /* tuf_id is empty where the key is no publisher's */
	bool checked;
};

static void put_row(const char *what, const char *text)
{
	printf("%-10s ", what);
	/* A vkey is copied from here: its backslashes stay. */
	text_put(stdout, text, TEXT_CLAMSCAN);
	putchar('\n');
}

/* What others need of a publisher's key: the key id of TUF metadata, and the key as PEM. */
static st_t publisher_facts(const struct keyfile *k, char ret_id[65], struct buf *pem,
                            struct err *e)
{
	struct attest_key key;
	ret_id[0] = '\0';
	if (k->kind != KEYFILE_PUBLISHER && k->kind != KEYFILE_NOTE)
		return ST_OK;
	attest_key_from_ed25519(k->key.pub, &key);
	TRY(publish_key_id(&key, ret_id, e));
	TRY(publish_key_pem(&key, pem, e));
	buf_u8(pem, '\0');
	return buf_check(pem, e, "key");
}

static void show_text(const struct facts *f)
{
	const struct keyfile *k = f->k;
	const struct scrypt_cost *c = &k->seal.cost;
	put_row("name", k->key.name);
	put_row("kind", keyfile_kind_name(k->kind));
	put_row("algorithm", keyfile_algorithm_name(k->key.type));
	printf("%-10s %08x\n", "key id", (unsigned)k->key.id);
	put_row("vkey", f->vkey);
	if (k->encrypted)
		printf("%-10s chacha20-poly1305, scrypt N=%llu r=%u p=%u\n", "encrypted",
		       (unsigned long long)c->n, (unsigned)c->r, (unsigned)c->p);
	else
		put_row("encrypted", "NO: whoever reads this file can sign");
	if (f->checked)
		put_row("checked", "the private key belongs to this vkey");
	if (f->tuf_id[0]) {
		put_row("tuf key id", f->tuf_id);
		fputs(f->pem, stdout);
	}
}

static void put_member(const char *key, const char *text)
{
	printf(",\"%s\":", key);
	(void)json_put_string(stdout, text);
}

static void show_json(const struct facts *f)
{
	const struct keyfile *k = f->k;
	const struct scrypt_cost *c = &k->seal.cost;
	printf("{\"key_id\":\"%08x\"", (unsigned)k->key.id);
	put_member("name", k->key.name);
	put_member("kind", keyfile_kind_name(k->kind));
	put_member("algorithm", keyfile_algorithm_name(k->key.type));
	put_member("vkey", f->vkey);
	printf(",\"encrypted\":%s", k->encrypted ? "true" : "false");
	if (k->encrypted)
		printf(",\"cipher\":\"chacha20-poly1305\",\"kdf\":\"scrypt\",\"n\":%llu,\"r\":%u,\"p\":%u",
		       (unsigned long long)c->n, (unsigned)c->r, (unsigned)c->p);
	if (f->tuf_id[0]) {
		put_member("tuf_key_id", f->tuf_id);
		put_member("pem", f->pem);
	}
	printf(",\"checked\":%s}\n", f->checked ? "true" : "false");
}

static st_t show_facts(const struct show *s, const struct keyfile *k, struct err *e)
{
	struct buf vkey = {0}, pem = {0};
	char id[65];
	note_key_format(&k->key, &vkey);
	buf_u8(&vkey, '\0');
	st_t st = buf_check(&vkey, e, "vkey");
	if (st == ST_OK)
		st = publisher_facts(k, id, &pem, e);
	if (st == ST_OK)
		(s->json ? show_json : show_text)(
		    &(struct facts){.k = k, .vkey = (const char *)vkey.data, .tuf_id = id,
		                    .pem = (const char *)pem.data, .checked = s->check});
	buf_done(&vkey);
	buf_done(&pem);
	if (st == ST_OK && (fflush(stdout) || ferror(stdout)))
		st = fail_errno(e, "stdout");
	return st;
}

static st_t check_pair(const struct show *s, const char *path, const struct keyfile *k,
                       struct err *e)
{
	struct loaded_key loaded = {0};
	if (!s->check)
		return ST_OK;
	TRY(key_open(path, k, &s->pass, &loaded, e));
	key_unload(&loaded);
	return ST_OK;
}

static int show(const struct show *s, const char *path)
{
	struct secret file = {0};
	struct keyfile k;
	struct err e = {0};
	st_t st = key_read(path, &file, &k, &e);
	if (st == ST_OK)
		st = check_pair(s, path, &k, &e);
	if (st == ST_OK)
		st = show_facts(s, &k, &e);
	secret_done(&file);
	if (st != ST_OK)
		say_error(&e, st);
	return st == ST_OK ? EXIT_CLEAN : EXIT_ERROR;
}

static int run_command(void *into, const struct str_list *args)
{
	struct show *s = into;
	if (args->n != 1) {
		say("key show: one file is needed; try 'vitrine key show --help'");
		return EXIT_ERROR;
	}
	return show(s, args->v[0]);
}

int cmd_key_show(int argc, char **argv)
{
	static const struct opts_command command = {
	    "key show", usage, {options, sizeof options / sizeof options[0]}, run_command};
	struct show o = {0};
	return opts_run(&command, argc, argv, &o);
}
