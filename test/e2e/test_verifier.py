"""vitrine-verifier with its fetcher, from the activator's side (verify_probe): transfers that break off, mirrors,
folders, the jail, and that nothing depends on the clock."""
import base64
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

import tlogsim
from cli import BUILD, children, wait_for
from httpd import serving
from updateworld import RULES, World, sha256

SIZE = 6 << 20


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The processes are looked for beside the program that starts them."""
    folder = tmp_path_factory.mktemp("programs")
    shutil.copy(BUILD / "test/probe/verify_probe", folder)
    for name in ("vitrine-verifier", "vitrine-fetcher"):
        shutil.copy(BUILD / "src/proc" / name, folder)
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A release whose database is large, and no database: nobody looks inside here."""
    w = World(tmp_path_factory.mktemp("world") / "world", now=1_800_000_000)
    w.release(1, RULES, vdb=b"VITRDB\0\0\1\0\0\0" + bytes(range(256)) * (SIZE // 256))
    w.write()
    return w


class Verified:
    def __init__(self, result):
        lines = result.stdout.splitlines()
        self.code, self.err = result.returncode, result.stderr
        self.events = [line for line in lines if line.startswith("event ")]
        self.kept = [line.split()[1] for line in lines if line.startswith("keep ")]
        self.end = lines[-2][4:]
        self.bytes, self.requests, self.peak_kb = map(int, lines[-1].split()[1:])


class Client:
    def __init__(self, programs, world, folder):
        self.programs, self.world, self.folder = programs, world, folder
        for name in ("tuf", "spool"):
            (folder / name).mkdir()

    def arguments(self, urls, *args, now=None):
        policy = self.world.policy(urls[0]).read_text()
        root = "base64:" + base64.b64encode(self.world.roots[1][0]).decode()
        policy = policy.replace("root root.json", f"root {root}")
        policy += "".join(f"repository {u}\n" for u in urls[1:])
        (self.folder / "policy").write_text(policy)
        return [self.programs / "verify_probe", "--policy", self.folder / "policy", "--tuf", self.folder / "tuf",
                "--spool", self.folder / "spool", "--keep", "--now", str(now or self.world.now), *map(str, args)]

    def verify(self, *urls, args=(), **kw):
        return Verified(subprocess.run(self.arguments(urls, *args, **kw), capture_output=True, text=True, timeout=60))

    def has_database(self):
        return (self.folder / "spool" / sha256(self.world.vdb)).read_bytes() == self.world.vdb


@pytest.fixture()
def client(programs, world, tmp_path):
    return Client(programs, world, tmp_path)


@pytest.fixture()
def web(world):
    with tlogsim.Web(world.public) as web:
        yield web.url


def answers(world, change=lambda path, body: None):
    """All files of the world for httpd.serving; change may give another answer to a path."""
    found = {}
    for path in world.public.rglob("*"):
        name = "/" + str(path.relative_to(world.public))
        if path.is_file():
            found[name] = change(name, path.read_bytes()) or head(path.read_bytes())
    return found


def head(body, length=None, extra=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n{extra}\r\n".encode() + body


def is_database(world, path):
    return sha256(world.vdb) in path


def test_a_release_is_verified_over_http_in_little_memory(client, web):
    r = client.verify(web)
    assert (r.code, r.end) == (0, "ok "), (r.events, r.err)
    assert client.has_database()
    sanitized = b"__asan_init" in (client.programs / "vitrine-verifier").read_bytes()
    assert r.peak_kb <= 16 * 1024 or sanitized
    assert "metadata/timestamp.json" in r.kept and r.requests >= 10 and r.bytes > SIZE


def test_a_folder_needs_no_network(client, world):
    r = client.verify("http://127.0.0.1:1/none", args=["--folder", world.public])
    assert (r.code, r.end) == (0, "ok "), (r.events, r.err)
    assert client.has_database()


def test_nothing_depends_on_the_clock(client, web, world, programs, tmp_path):
    """Years apart by the request, the same minute by the clock, and the other way round."""
    first = client.verify(web)
    again = tmp_path / "again"
    again.mkdir()
    second = Client(programs, world, again).verify(web)
    assert first.events == second.events and first.kept == second.kept
    later = tmp_path / "later"
    later.mkdir()
    r = Client(programs, world, later).verify(web, now=world.now + 10 * 86400)
    assert r.code == 1 and "event timestamp refused" in r.events[-1]


def test_a_download_that_breaks_off_goes_on_at_another_mirror(client, world):
    """The first one always ends in the middle; what came from there is not asked for again."""
    cut = SIZE // 2

    def broken(path, body):
        return head(body[:cut], length=len(body)) if is_database(world, path) else None

    def ranged(path, body):
        def send(s, request):
            first = int(re.search(rb"Range: bytes=(\d+)-", request).group(1))
            s.sendall(f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(body) - first}\r\nConnection: close\r\n"
                      f"Content-Range: bytes {first}-{len(body) - 1}/{len(body)}\r\n\r\n".encode() + body[first:])
        return send if is_database(world, path) else None
    with serving(answers(world, broken)) as one, serving(answers(world, ranged)) as two:
        r = client.verify(one.url(""), two.url(""))
        assert (r.code, r.end) == (0, "ok "), (r.events, r.err)
        assert client.has_database()
        assert [b"\r\nRange: bytes=" in q for q in two.requests if b"main.vdb" in q] == [True]


def test_a_mirror_that_is_down_is_no_obstacle(client, web):
    r = client.verify("http://127.0.0.1:1/none", web)
    assert (r.code, r.end) == (0, "ok "), (r.events, r.err)


def test_what_the_spool_has_is_not_fetched_again(client, world):
    whole = answers(world)
    with serving(whole) as s:
        path = next(p for p in whole if is_database(world, p))
        (client.folder / "spool" / sha256(world.vdb)).write_bytes(world.vdb)
        r = client.verify(s.url(""))
        assert (r.code, r.end) == (0, "ok "), (r.events, r.err)
        assert not any(request.startswith(b"GET " + path.encode()) for request in s.requests)


def stalled(world):
    """The database never ends."""
    def change(path, body):
        def send(s, _request):
            s.sendall(head(body[:1000], length=len(body)))
            while s.recv(1000):
                pass
        return send if is_database(world, path) else None
    return answers(world, change)


def name_of(pid):
    return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()


def started(client, url):
    p = subprocess.Popen(client.arguments([url]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    partly = client.folder / "spool" / sha256(client.world.vdb)
    wait_for(lambda: partly.exists())
    return p, {name_of(c): c for c in children(p.pid)}


def ended(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_both_processes_are_jailed_and_end_with_the_activator(client, world):
    with serving(stalled(world)) as s:
        p, pids = started(client, s.url(""))
        assert sorted(pids) == ["vitrine-fetcher", "vitrine-verifie"]
        for pid in pids.values():
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
            assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text and re.search(r"^CapEff:\t0+$", text, re.M)
        p.kill()
        p.communicate()
        wait_for(lambda: all(ended(pid) for pid in pids.values()))


@pytest.mark.parametrize("who", ["vitrine-fetcher", "vitrine-verifie"])
def test_the_death_of_either_process_is_a_failure_and_no_hang(client, world, who):
    with serving(stalled(world)) as s:
        p, pids = started(client, s.url(""))
        subprocess.run(["kill", f"-{signal.SIGKILL:d}", str(pids[who])], check=True)
        out, _ = p.communicate(timeout=30)
    assert p.returncode == 1
    assert not re.search("^end ok", out, re.M)
    assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids.values())
