/* How many add-checkpoint a witness answers: real HTTP over loopback with connections that stay,
 * real state on the disk, every answer looked at.
 *
 * usage: tlog_witness VITRINE-WITNESS DIR [REQUESTS [LOGS]]
 * Makes keys, configuration and state in DIR, which must be on the disk to be measured, starts the
 * witness, and prints "NAME VALUE UNIT" lines. Requests are made before the clock runs. Each log is
 * a client with a connection of its own that waits for every answer, as logs do. */
#include "crypto/random.h"
#include "tlog/checkpoint.h"
#include "tlog/keyfile.h"
#include "tlog/text.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOGS_MAX 256
#define LEVELS 24
#define FSYNCS 1000

struct log {
	struct signer *signer;
	struct note_key key;
	struct buf requests; /* one after another */
	size_t *end;         /* where each ends */
	unsigned first, last; /* those of this run */
	unsigned port, bad;
	pthread_t thread;
};

static struct tlog_hasher hasher;
static struct tlog_hash *level[LEVELS];
static struct log logs[LOGS_MAX];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void must(st_t st, const struct err *e)
{
	if (st == ST_OK)
		return;
	fprintf(stderr, "tlog_witness: %s\n", e->text);
	exit(2);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- the tree that all logs have --- */

static void make_tree(uint64_t n)
{
	for (unsigned l = 0; l < LEVELS; l++) {
		uint64_t count = n >> l;
		level[l] = calloc(count + 1, sizeof *level[l]);
		if (!level[l])
			die("calloc");
		for (uint64_t i = 0; i < count; i++) {
			if (l)
				tlog_hash_node(&hasher, &level[l - 1][2 * i], &level[l - 1][2 * i + 1],
				               &level[l][i]);
			else
				tlog_hash_leaf(&hasher, &i, sizeof i, &level[0][i]);
		}
	}
}

static st_t get_node(void *ctx, unsigned l, uint64_t i, struct tlog_hash *ret, struct err *e)
{
	(void)ctx;
	(void)e;
	*ret = level[l][i];
	return ST_OK;
}

static const struct tlog_nodes nodes = {.get = get_node};

/* --- requests --- */

static void add_text(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

static void make_body(struct log *g, uint64_t old, uint64_t size, struct buf *body)
{
	struct err e = {0};
	struct tlog_hash root;
	struct tlog_proof proof = {0};
	struct buf text = {0};
	must(tlog_tree_root(&hasher, &nodes, size, &root, &e), &e);
	if (old)
		must(tlog_prove_consistency(&hasher, &nodes, old, size, &proof, &e), &e);
	add_text(body, "old ");
	text_decimal_add(body, old);
	add_text(body, "\n");
	for (size_t i = 0; i < proof.n; i++) {
		text_base64_add(body, proof.hash[i].b, TLOG_HASH);
		add_text(body, "\n");
	}
	add_text(body, "\n");
	checkpoint_format(g->key.name, size, &root, &text);
	buf_add(body, text.data, text.len);
	add_text(body, "\n");
	must(note_sign(rd_make(text.data, text.len), g->key.name, NOTE_ED25519, g->signer, 0, body, &e),
	     &e);
	buf_done(&text);
}

static void make_requests(struct log *g, unsigned n)
{
	g->end = calloc(n + 1, sizeof *g->end);
	if (!g->end)
		die("calloc");
	for (unsigned i = 0; i < n; i++) {
		struct buf body = {0};
		char head[160];
		make_body(g, i, i + 1, &body);
		snprintf(head, sizeof head,
				 "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: %zu\r\n\r\n",
				 body.len);
		add_text(&g->requests, head);
		buf_add(&g->requests, body.data, body.len);
		g->end[i] = g->requests.len;
		buf_done(&body);
	}
}

/* --- the witness --- */

static void put_file(const char *dir, const char *name, const struct buf *b)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, b->data, b->len) != (ssize_t)b->len || close(fd))
		die(path);
}

static void make_keys(const char *dir, unsigned n)
{
	struct err e = {0};
	struct buf file = {0}, config = {0};
	struct note_key key;
	const struct keyfile_new w = {.kind = KEYFILE_WITNESS, .alg = SIGNER_ED25519,
	                              .name = "witness.example/bench", .random = &random_system};
	must(keyfile_make(&w, &file, &key, &e), &e);
	put_file(dir, "witness.key", &file);
	for (unsigned i = 0; i < n; i++) {
		uint8_t seed[32] = {1, (uint8_t)i};
		char name[64];
		snprintf(name, sizeof name, "example.com/log%u", i);
		must(signer_new(SIGNER_ED25519, seed, &logs[i].signer, &e), &e);
		must(note_key_of_signer(name, NOTE_ED25519, logs[i].signer, &logs[i].key, &e), &e);
		add_text(&config, "log ");
		note_key_format(&logs[i].key, &config);
		add_text(&config, " rate=none\n");
	}
	put_file(dir, "logs.conf", &config);
	buf_done(&file);
	buf_done(&config);
}

static pid_t start_witness(const char *program, const char *dir, unsigned *ret_port)
{
	int out[2];
	char line[4096];
	if (pipe2(out, O_CLOEXEC))
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		if (chdir(dir) || dup2(out[1], 1) < 0)
			_exit(2);
		unlink("w.db");
		unlink("w.db-wal");
		execl(program, "vitrine-witness", "--key", "witness.key", "--config", "logs.conf",
		      "--state", "w.db", "--create", "--listen", "127.0.0.1:0", "--per-address", "1000",
		      "--json", (char *)NULL);
		_exit(2);
	}
	close(out[1]);
	ssize_t n = read(out[0], line, sizeof line - 1);
	line[n > 0 ? n : 0] = 0;
	const char *p = strstr(line, "http://127.0.0.1:");
	if (!p)
		die("the witness does not start");
	*ret_port = (unsigned)strtoul(p + 17, NULL, 10);
	return pid;
}

/* --- a client --- */

static bool send_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* One whole answer; true if it is a 200 with a signature line. */
static bool read_answer(int fd)
{
	char b[4096];
	size_t n = 0;
	for (;;) {
		ssize_t r = recv(fd, b + n, sizeof b - 1 - n, 0);
		if (r <= 0)
			return false;
		n += (size_t)r;
		b[n] = 0;
		const char *body = strstr(b, "\r\n\r\n"), *len = strcasestr(b, "\r\ncontent-length: ");
		if (!body || !len)
			continue;
		size_t want = (size_t)(body + 4 - b) + strtoul(len + 18, NULL, 10);
		if (n >= want)
			return n == want && !strncmp(b, "HTTP/1.1 200 ", 13) &&
			       !strncmp(body + 4, "\xe2\x80\x94 witness.example/bench ", 26);
	}
}

static void *run_client(void *ctx)
{
	struct log *g = ctx;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)g->port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	for (unsigned i = g->first; i < g->last; i++) {
		size_t from = i ? g->end[i - 1] : 0;
		if (!send_all(fd, g->requests.data + from, g->end[i] - from) || !read_answer(fd)) {
			g->bad++;
			break;
		}
	}
	close(fd);
	return NULL;
}

/* Requests [first, last) of each of the first n logs; the rate. */
static double run(unsigned n, unsigned first, unsigned last, unsigned port)
{
	double t = now();
	for (unsigned i = 0; i < n; i++) {
		logs[i].first = first;
		logs[i].last = last;
		logs[i].port = port;
		if (pthread_create(&logs[i].thread, NULL, run_client, &logs[i]))
			die("pthread_create");
	}
	for (unsigned i = 0; i < n; i++) {
		pthread_join(logs[i].thread, NULL);
		if (logs[i].bad) {
			fprintf(stderr, "tlog_witness: an answer was not a cosignature\n");
			exit(2);
		}
	}
	return (double)n * (last - first) / (now() - t);
}

/* Time of one append and fdatasync, as a commit needs it. */
static void measure_disk(const char *dir)
{
	char path[4096], data[4096] = {0};
	snprintf(path, sizeof path, "%s/sync", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	double t = now();
	for (int i = 0; fd >= 0 && i < FSYNCS; i++)
		if (pwrite(fd, data, sizeof data, (off_t)i % 256 * 4096) != 4096 || fdatasync(fd))
			die(path);
	printf("witness_disk_fdatasync %.0f syncs/s\n", FSYNCS / (now() - t));
	close(fd);
	unlink(path);
}

static double cpu_of_children(void)
{
	struct rusage r;
	getrusage(RUSAGE_CHILDREN, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

int main(int argc, char **argv)
{
	unsigned total = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 20000;
	unsigned n = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 32, port;
	if (argc < 3 || !n || n > LOGS_MAX || total / n < 8) {
		fprintf(stderr, "usage: tlog_witness VITRINE-WITNESS DIR [REQUESTS [LOGS]]\n");
		return 2;
	}
	char *program = realpath(argv[1], NULL);
	unsigned each = total / n, single = 2000;
	must(tlog_hasher_init(&hasher, NULL), &(struct err){0});
	make_tree(each + single);
	make_keys(argv[2], n);
	for (unsigned i = 0; i < n; i++)
		make_requests(&logs[i], i ? each : each + single);
	measure_disk(argv[2]);
	pid_t pid = start_witness(program ? program : argv[1], argv[2], &port);
	printf("witness_add_checkpoint %.0f requests/s\n", run(n, 0, each, port));
	printf("witness_add_checkpoint_clients %u clients\n", n);
	printf("witness_add_checkpoint_requests %u requests\n", n * each);
	printf("witness_add_checkpoint_one_client %.0f requests/s\n",
	       run(1, each, each + single, port));
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	printf("witness_cpu %.0f us/request\n", cpu_of_children() * 1e6 / (n * each + single));
	free(program);
	return 0;
}
