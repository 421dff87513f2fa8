"""vitrine witness serve, as logs see it: every row of the table of C2SP tlog-witness, races, kill -9
under load, reload and what it refuses to start with."""
import concurrent.futures
import hashlib
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import minilog
from cli import BUILD, ROOT, run

NAME = "witness.example/w1"
EMPTY = minilog.b64(hashlib.sha256(b"").digest())
SIZE = "text/x.tlog.size"
TEXT = "text/plain; charset=utf-8"


class Witness:
    """A running witness with its files in a folder."""

    def __init__(self, folder, name=NAME):
        self.folder, self.name, self.process = folder, name, None
        folder.mkdir(exist_ok=True)
        self.key = folder / "witness.key"
        if not self.key.exists():
            code, _, err = run("vitrine", "key", "new", "--for", "witness", "--name", name,
                               "--no-passphrase", "-o", self.key, cache=folder)
            assert code == 0, err

    def configure(self, *lines):
        (self.folder / "logs.conf").write_text("".join(x + "\n" for x in lines))

    def command(self, *more):
        return [str(BUILD / "vitrine"), "witness", "serve", "--key", str(self.key), "--config",
                str(self.folder / "logs.conf"), "--state", str(self.folder / "w.db"), "--listen",
                "127.0.0.1:0", "--json", *more]

    def start(self, *more):
        self.err = open(self.folder / "err.txt", "ab")
        if not (self.folder / "w.db").exists():
            more += ("--create",)
        self.process = subprocess.Popen(self.command(*more), stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, stderr=self.err)
        said = self.process.stdout.readline()
        assert said, (self.folder / "err.txt").read_text()
        about = json.loads(said)
        assert about["witness"] == self.name
        self.vkey, self.where = about["vkeys"][0], about["listening"]
        return self

    def start_with(self, env):
        """For one that may die: whether it serves."""
        self.err = open(self.folder / "err.txt", "ab")
        self.process = subprocess.Popen(self.command("--create"), stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, stderr=self.err, env=env)
        said = self.process.stdout.readline()
        self.where = json.loads(said)["listening"] if said else None
        return bool(said)

    def try_add(self, body):
        try:
            return self.add(body)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def is_state(self):
        """Whether the making of the state was complete."""
        if not (self.folder / "w.db").exists():
            return False
        db = sqlite3.connect(self.folder / "w.db")
        try:
            return db.execute("PRAGMA user_version").fetchone() == (1,)
        except sqlite3.Error:
            return False
        finally:
            db.close()

    def end(self, how=signal.SIGTERM):
        if not self.process:
            return None
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process.stdout.close()
        self.err.close()
        self.process = None
        return code

    def connect(self):
        return http.client.HTTPConnection(self.where, timeout=20)

    def ask(self, method, path, body=None, connection=None):
        c = connection or self.connect()
        c.request(method, path, body)
        r = c.getresponse()
        data = r.read().decode()
        if not connection:
            c.close()
        return r.status, r.headers.get("Content-Type"), data, r.headers

    def add(self, body, connection=None):
        return self.ask("POST", "/add-checkpoint", body, connection)[:3]

    def on_disk(self):
        return [(x.name, x.read_bytes()) for x in sorted(self.folder.glob("w.db*"))]

    def is_cosigned(self, answer, text):
        status, kind, body = answer
        assert (status, kind) == (200, TEXT), answer
        lines = body.splitlines(keepends=True)
        assert len(lines) == 1
        when = minilog.cosignature_time(text, lines[0], self.vkey)
        assert when and abs(when - time.time()) < 60
        return True


@pytest.fixture
def log():
    return minilog.Log("example.com/log", b"1" * 32)


@pytest.fixture
def witness(tmp_path, log):
    w = Witness(tmp_path / "w")
    second = minilog.Key(b"2" * 32, log.origin)
    w.configure("# logs", f"log {log.key.vkey()} https://example.com/log/ rate=none",
                f"log {second.vkey()}")
    w.start()
    yield w
    w.end(signal.SIGKILL)


def test_every_row_of_the_table(witness, log):
    """In the order of one life: litewitness answers the same (C2SP tlog-witness)."""
    w = witness
    two, stranger = minilog.Key(b"2" * 32, log.origin), minilog.Key(b"3" * 32, log.origin)
    other = minilog.Log("example.com/other", b"4" * 32)
    spoiled = log.note(5)[:-12] + "AAAAAAAAAA=\n"
    wrong_empty = f"{log.origin}\n0\n{minilog.b64(b'x' * 32)}\n"

    def says(body, status, kind, text=None):
        got = w.add(body if isinstance(body, bytes) else body.encode())
        assert got[:2] == (status, kind), got
        if text is not None:
            assert got[2] == text
        else:
            assert got[2].endswith("\n") and got[2].count("\n") == 1 and len(got[2]) > 10

    # never cosigned
    before = w.on_disk()
    says("", 400, TEXT)
    says("old 0\n", 400, TEXT)
    says("old 05\n\n" + log.note(5), 400, TEXT)
    says("old 0\n" + "A" * 43 + "\n\n" + log.note(5), 400, TEXT)
    says("old 0\n" + (EMPTY + "\n") * 64 + "\n" + log.note(5), 400, TEXT)
    says(log.request(0, 5).replace(b"\n5\n", b"\n05\n"), 400, TEXT)
    says(log.request(6, 5), 400, TEXT,
         "tlog-witness: the old size is greater than the checkpoint size\n")
    says(other.request(0, 5), 404, TEXT,
         "tlog-witness: the checkpoint origin is unknown to this witness\n")
    says(log.request(0, 5, keys=[stranger]), 403, TEXT,
         "tlog-witness: no signature from a trusted key for the origin is present\n")
    says("old 0\n\n" + spoiled, 403, TEXT)
    says(log.request(3, 5), 409, SIZE, "0\n")
    says(f"old 0\n{EMPTY}\n\n{log.note(5)}", 422, TEXT,
         "tlog-witness: the old size is zero, so the consistency proof must be empty\n")
    says(f"old 0\n\n{wrong_empty}\n{log.key.line(wrong_empty)}", 422, TEXT,
         "tlog-witness: a checkpoint of size zero must have the root hash of the empty tree\n")
    path = f"/{log.hash()}/checkpoint"
    assert w.ask("GET", path)[:2] == (404, TEXT)
    assert w.on_disk() == before  # nothing is written for a request that fails

    # cosigned
    assert w.is_cosigned(w.add(log.request(0, 0)), log.text(0))
    assert w.is_cosigned(w.add(log.request(0, 5)), log.text(5))
    assert w.is_cosigned(w.add(log.request(5, 5)), log.text(5))
    says(log.request(0, 7), 409, SIZE, "5\n")
    says(log.request(3, 7), 409, SIZE, "5\n")
    says(log.request(5, 9, view=0).replace(b"old 5", b"old 6"), 409, SIZE, "5\n")
    assert w.is_cosigned(w.add(log.request(5, 8)), log.text(8))
    before = w.on_disk()
    says(log.request(8, 8, view=1), 422, TEXT,
         "tlog-witness: another root hash was cosigned for this size: the log shows two views\n")
    says(log.request(8, 12, view=1), 422, TEXT)
    says(f"old 8\n\n{log.note(12)}", 422, TEXT)
    says(f"old 8\n{EMPTY}\n\n{log.note(8)}", 422, TEXT)
    assert w.on_disk() == before
    assert w.is_cosigned(w.add(log.request(8, 12, keys=[stranger, two])), log.text(12))

    # what it serves: the log's signature that was verified, and its own
    status, kind, body, _ = w.ask("GET", path)
    assert (status, kind) == (200, TEXT)
    text, lines = body.split("\n\n")
    assert text + "\n" == log.text(12)
    lines = lines.splitlines(keepends=True)
    assert lines[0] == two.line(log.text(12)) and len(lines) == 2
    assert minilog.cosignature_time(log.text(12), lines[1], w.vkey)
    assert w.ask("HEAD", path)[0] == 200


def test_other_requests_are_refused(witness, log):
    w = witness
    assert w.ask("GET", "/add-checkpoint")[0] == 405
    assert w.ask("PUT", "/add-checkpoint", b"x")[0] == 405
    assert w.ask("POST", "/sign-subtree", b"x")[0] in (404, 405)
    assert w.ask("GET", "/")[0] == 404
    assert w.ask("GET", f"/{log.hash().upper()}/checkpoint")[0] == 404
    assert w.ask("GET", f"/{'0' * 64}/checkpoint")[0] == 404
    assert w.ask("POST", "/add-checkpoint", b"a" * 65537)[0] == 413
    assert w.add(log.request(0, 5))[0] == 200


def test_a_connection_is_kept(witness, log):
    c = witness.connect()
    c.connect()
    port = c.sock.getsockname()[1]
    for size in range(1, 10):
        assert witness.add(log.request(size - 1, size), c)[0] == 200
    assert c.sock.getsockname()[1] == port
    c.close()


def test_of_two_views_that_race_one_is_cosigned(witness, log):
    bodies = [log.request(0, 9, view=v) for v in (1, 2)]
    start = threading.Barrier(16)

    def send(i):
        start.wait()
        return i % 2, witness.add(bodies[i % 2])

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    won = [view for view, a in answers if a[0] == 200]
    assert len(won) == 1
    assert {a[:2] for _, a in answers} == {(200, TEXT), (409, SIZE)}
    assert {a[2] for _, a in answers if a[0] == 409} == {"9\n"}
    # Who comes later and asks for the same size is told apart by the root.
    for view in (1, 2):
        status = witness.add(log.request(9, 9, view=view))[0]
        assert status == (200 if view - 1 == won[0] else 422)


def test_nothing_cosigned_is_forgotten_by_kill_9(tmp_path):
    """Several logs under load, killed again and again, at any moment."""
    logs = [minilog.Log(f"example.com/log{i}", b"%d" % i * 32, fork=1) for i in range(4)]
    w = Witness(tmp_path / "w")
    w.configure(*(f"log {x.key.vkey()} rate=none" for x in logs))
    sizes = [0] * len(logs)
    bodies = {(i, s): x.request(s, s + 1) for i, x in enumerate(logs) for s in range(40)}

    def feed(i, deadline):
        c = w.connect()
        try:
            while time.monotonic() < deadline and sizes[i] < 39:
                status = w.add(bodies[i, sizes[i]], c)[0]
                if status == 409:  # its answer was lost, its record was not
                    sizes[i] += 1
                elif status == 200:
                    sizes[i] += 1
                else:
                    return status
        except (OSError, http.client.HTTPException):
            return None
        return None

    try:
        for life in range(6):
            w.start()
            deadline = time.monotonic() + 5
            with concurrent.futures.ThreadPoolExecutor(len(logs)) as pool:
                feeding = [pool.submit(feed, i, deadline) for i in range(len(logs))]
                time.sleep(0.02 + 0.013 * life)
                w.end(signal.SIGKILL)
                assert [f.result() for f in feeding] == [None] * len(logs)
            w.start()
            for i, x in enumerate(logs):
                status, _, body = w.add(b"old 99\n\n" + x.note(99).encode())
                latest = int(body)
                assert status == 409 and sizes[i] <= latest <= sizes[i] + 1
                sizes[i] = latest
                if latest > 1:
                    assert w.add(x.request(latest, latest, view=1))[0] == 422
                    assert w.add(x.request(latest, latest + 3, view=1))[0] == 422
            assert w.end() == 0
        assert sum(sizes) > 10
    finally:
        w.end(signal.SIGKILL)


def test_nothing_cosigned_is_forgotten_when_it_dies_behind_any_call(tmp_path, log):
    """The real program and disk, dead behind its n-th write, sync, truncation or removal."""
    shim = BUILD / "test" / "crash" / "libcrash_shim.so"
    quiet = subprocess.run([str(BUILD / "vitrine"), "version"], capture_output=True,
                           env=dict(os.environ, LD_PRELOAD=str(shim)))
    if not shim.is_file() or quiet.returncode:
        pytest.skip("no crash shim in this build, or one that cannot be preloaded (sanitizers)")
    lives = 0
    for n in range(1, 200):
        w = Witness(tmp_path / f"w{n}")
        w.configure(f"log {log.key.vkey()} rate=none")
        size = 0
        env = dict(os.environ, LD_PRELOAD=str(shim), CRASH_AT=str(n))
        try:
            if w.start_with(env):
                while size < 6 and w.try_add(log.request(size, size + 1)):
                    size += 1
            code = w.end()
            if code == 0 and size == 6:
                break
            if not size and not w.is_state():
                continue
            lives += 1
            w.start()
            status, _, body = w.add(b"old 99\n\n" + log.note(99).encode())
            latest = int(body)
            assert status == 409 and size <= latest <= size + 1
            if latest > 5:
                assert w.add(log.request(latest, latest, view=1))[0] == 422
            assert w.add(log.request(latest, latest + 4))[0] == 200
            assert w.end() == 0
        finally:
            w.end(signal.SIGKILL)
    assert lives > 6 and n < 199


def test_sighup_reads_the_logs_again(witness, log):
    w = witness
    other = minilog.Log("example.com/other", b"4" * 32)
    assert w.add(log.request(0, 5))[0] == 200
    assert w.add(other.request(0, 5))[0] == 404
    w.configure(f"log {other.key.vkey()} rate=none")
    w.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while w.add(other.request(0, 5))[0] == 404 and time.monotonic() < end:
        time.sleep(0.02)
    assert w.add(other.request(5, 6))[0] == 200
    assert w.add(log.request(5, 6))[0] == 404
    # One that cannot be read changes nothing.
    w.configure("log nonsense")
    w.process.send_signal(signal.SIGHUP)
    said = w.folder / "err.txt"
    while "stays what it was" not in said.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    assert "logs.conf: line 1: " in said.read_text()
    assert w.add(other.request(6, 7))[0] == 200


def test_a_rate_is_kept(tmp_path, log):
    w = Witness(tmp_path / "w")
    w.configure(f"log {log.key.vkey()} rate=2/h")
    try:
        w.start()
        assert [w.add(log.request(s, s + 1))[0] for s in range(2)] == [200, 200]
        status, kind, body, headers = w.ask("POST", "/add-checkpoint", log.request(2, 3))
        assert (status, kind) == (429, TEXT) and 1700 < int(headers["Retry-After"]) <= 1800
        assert w.add(log.request(3, 3))[0] == 409
    finally:
        w.end(signal.SIGKILL)


def fails(w, *more):
    r = subprocess.run(w.command(*more), capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
    assert r.returncode == 2 and not r.stdout
    return r.stderr.decode()


def test_it_refuses_to_start_with_a_state_that_may_be_wrong(tmp_path, log):
    w = Witness(tmp_path / "w")
    w.configure(f"log {log.key.vkey()} rate=none")
    db = w.folder / "w.db"
    assert "'w.db' is not there" in fails(w)
    w.start()
    assert w.add(log.request(0, 5))[0] == 200
    try:
        assert "another process has it open" in fails(w)
    finally:
        assert w.end() == 0
    assert "is there already" in fails(w, "--create")

    second = Witness(tmp_path / "v", "witness.example/w2")
    second.configure(f"log {log.key.vkey()}")
    good = db.read_bytes()
    (second.folder / "w.db").write_bytes(good)
    assert "it is that of the witness 'witness.example/w1'" in fails(second)

    def changed(sql):
        with sqlite3.connect(db) as c:
            c.execute(sql)
        c.close()
        said = fails(w)
        db.write_bytes(good)
        return said

    assert "version 2, this program knows 1" in changed("PRAGMA user_version = 2")
    assert "the state is from the future" in changed("UPDATE log SET time = time + 86400")
    assert "damaged: the record of 'example.com/log'" in changed("UPDATE log SET size = 4")
    assert "damaged: the record of" in changed("UPDATE log SET root = zeroblob(32)")
    for at in (100, good.index(b"example.com/log\n"), good.rindex(NAME.encode())):
        db.write_bytes(good[:at] + b"\xff" * 8 + good[at + 8:])
        assert "state: " in fails(w)
    db.write_bytes(b"")
    assert "not that of a witness" in fails(w)
    db.write_bytes(good)
    os.link(db, w.folder / "other")
    assert "second name" in fails(w)
    (w.folder / "other").rename(db.with_name("target"))
    db.unlink()
    db.symlink_to("target")
    assert "state: " in fails(w)
    db.unlink()
    db.write_bytes(b"no database" * 500)
    assert "state: " in fails(w)
    db.write_bytes(good)
    w.start()
    try:
        assert w.add(log.request(5, 6))[0] == 200
    finally:
        assert w.end() == 0


@pytest.mark.parametrize("how", ["moved", "replaced", "removed"])
def test_nothing_is_cosigned_into_a_file_that_the_next_start_would_not_find(witness, log, how):
    db = witness.folder / "w.db"
    assert witness.add(log.request(0, 5))[0] == 200
    old = db.read_bytes()
    if how == "moved":
        db.rename(witness.folder / "away.db")
    else:
        db.unlink()
    if how == "replaced":
        db.write_bytes(old)
    assert witness.add(log.request(5, 6))[0] == 500
    assert witness.process.wait(20) == 2
    assert "moved, removed or replaced" in (witness.folder / "err.txt").read_text()


def test_it_says_what_is_missing(tmp_path, log):
    w = Witness(tmp_path / "w")
    assert "logs.conf" in fails(w, "--create")
    assert not (w.folder / "w.db").exists()
    w.configure("log nonsense")
    assert "line 1: " in fails(w, "--create")
    assert not (w.folder / "w.db").exists()
    code, _, err = run("vitrine", "key", "new", "--name", "example.com/l", "--no-passphrase", "-o",
                       tmp_path / "log.key", cache=tmp_path)
    assert code == 0, err
    w.configure(f"log {log.key.vkey()}")
    w.key = tmp_path / "log.key"
    assert "not a key of a witness" in fails(w, "--create")
    for args in ([], ["--help"], ["serve"], ["nonsense"]):
        code, out, err = run("vitrine", "witness", *args, cache=tmp_path)
        assert code == (0 if args == ["--help"] else 2)
        assert "vitrine witness serve" in out + err
    code, out, _ = run("vitrine", "witness", "serve", "--help", cache=tmp_path)
    assert code == 0 and "Exit code" in out and "Examples" in out


def test_sigterm_ends_it_and_leaves_one_file(witness, log):
    assert witness.add(log.request(0, 5))[0] == 200
    assert witness.end() == 0
    assert sorted(os.listdir(witness.folder)) == ["err.txt", "logs.conf", "w.db", "witness.key"]


def test_the_manual_has_every_option():
    page = (ROOT / "man" / "vitrine-witness.1").read_text().replace("\\", "")
    out = subprocess.run([str(BUILD / "vitrine"), "witness", "serve", "--help"],
                         capture_output=True, text=True, timeout=20).stdout
    words = {x.strip(",.'\"[]") for x in out.split() if x.strip("[").startswith("--")}
    assert words and all(x in page for x in words), [x for x in words if x not in page]
