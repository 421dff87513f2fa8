"""vitrine update, rollback and scans of what is installed, over repositories that are honest. How
they refuse dishonest ones: test_update_attacks.py."""
import contextlib
import fcntl
import functools
import http.server
import json
import os
import subprocess
import threading

import pytest

import cli
from updateworld import MORE, RULES, World, source_tar

BROKEN = dict(RULES, **{"wide.ndb": cli.rule("Wide.Html", b"<html>").encode()})


class Client:
    def __init__(self, folder, world, url=None, **policy):
        self.folder, self.world = folder, world
        self.state = folder / "state"
        self.policy = world.policy(url or f"file://{world.public}", **policy)

    def run(self, command, *args, program="vitrine", env=None):
        given = dict(os.environ, XDG_CACHE_HOME=str(self.folder / "cache"), TZ="UTC",
                     VITRINE_STATE=str(self.state), **(env or {}))
        args = [command, *map(str, args)] if command else list(map(str, args))
        r = subprocess.run([str(cli.BUILD / program), *args], capture_output=True, text=True,
                           env=given, stdin=subprocess.DEVNULL, timeout=120)
        return r.returncode, r.stdout, r.stderr

    def update(self, *args, code=0, command="update", policy=True):
        """Runs it with --json; the links by name, and the last object."""
        given = ["--policy", self.policy] if policy else []
        got, out, err = self.run(command, *given, "--json", *args)
        assert got == code, out + err
        lines = [json.loads(x) for x in out.splitlines()]
        return {x["link"]: x["outcome"] for x in lines[:-1]}, lines[-1]

    def rollback(self, *args, code=0):
        return self.update(*args, code=code, command="rollback")

    def current(self):
        link = self.state / "main" / "current"
        return os.readlink(link).rsplit("/", 1)[1] if link.is_symlink() else None

    def version(self):
        return int(self.current().split("-")[0]) if self.current() else None

    def everything(self):
        """Names, bytes and modes of all that is below the state."""
        return {str(p.relative_to(self.state)): (p.lstat().st_mode,
                os.readlink(p) if p.is_symlink() else p.read_bytes() if p.is_file() else None)
                for p in self.state.rglob("*")}

    def found(self, text, *args, program="vitrine"):
        path = self.folder / "file"
        path.write_bytes(b"-- " + text + b" --")
        code, out, err = self.run("scan" if program == "vitrine" else None, *args, path,
                                  program=program)
        return code, out, err


def offer(world, version, files, vdb=None):
    if version > 1:
        world.next()
    world.release(version, files, vdb)
    world.write()


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path / "world")
    offer(w, 1, RULES)
    return w


@pytest.fixture
def client(tmp_path, world):
    return Client(tmp_path, world)


@contextlib.contextmanager
def served(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def counted(folder):
    """As served(); the paths that were asked for."""
    asked = []

    class Noting(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Noting, directory=str(folder)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_where_nothing_is_new_two_files_are_asked_for_once_each(tmp_path, world):
    with counted(world.public) as (url, asked):
        c = Client(tmp_path, world, url)
        c.update()
        assert len(asked) == len(set(asked))
        asked.clear()
        _, end = c.update()
        assert asked == ["/metadata/2.root.json", "/metadata/timestamp.json"]
        assert end["result"] == "current" and end["requests"] == 2


def test_a_root_that_one_mirror_lacks_is_asked_for_at_the_others_once(tmp_path, world):
    with counted(world.public) as (a, at_a), counted(world.public) as (b, at_b):
        c = Client(tmp_path, world, a)
        c.policy.write_text(c.policy.read_text() + f"repository {b}\n")
        c.update()
        at_a.clear()
        at_b.clear()
        c.update()
        assert at_a.count("/metadata/2.root.json") == at_b.count("/metadata/2.root.json") == 1
        assert (at_a + at_b).count("/metadata/timestamp.json") == 1


LINKS = ["clock", "root", "timestamp", "snapshot", "targets", "statement", "log", "witnesses",
         "freshness", "history", "rebuilders", "files", "compiled", "health", "hold", "active"]


def test_a_release_that_passes_every_link_is_activated(client):
    links, end = client.update()
    assert list(links) == LINKS
    assert set(links.values()) == {"passed", "not-asked"} and links["compiled"] == "not-asked"
    assert end["result"] == "activated" and end["version"] == 1 == client.version()
    assert (client.state / "main/current/main.vdb").read_bytes() == client.world.vdb
    summary = json.loads((client.state / "main/current/summary.json").read_text())
    assert [w["name"] for w in summary["witnesses"]] == ["w1", "w2", "w3"]
    assert summary["rebuilt_by"] == ["r1", "r2"] and summary["published_by"] == ["acme"]


def test_what_is_installed_is_everybodys_to_read(client):
    client.update()
    for p in (client.state / "main/current/").resolve().iterdir():
        assert p.stat().st_mode & 0o444 == 0o444, p


def test_over_http_too(tmp_path, world):
    with served(world.public) as url:
        c = Client(tmp_path, world, url)
        assert c.update()[1]["result"] == "activated"
        offer(world, 2, MORE)
        assert c.update()[1]["result"] == "activated" and c.version() == 2


def test_nothing_new_fetches_next_to_nothing(client):
    client.update()
    links, end = client.update()
    assert end["result"] == "current" and end["bytes"] < 20000
    assert links["files"] == "not-asked" and links["active"] == "passed"


def test_the_lines_for_people_have_words_and_no_escapes(client):
    code, out, err = client.run("update", "--policy", client.policy)
    assert code == 0 and not err and "\x1b" not in out
    assert out.splitlines()[0].startswith("ok        clock ")
    assert "not asked compiled" in out and out.splitlines()[-1].startswith("Updated: 1-")
    assert client.run("update", "--policy", client.policy, "-q") == (0, "", "")


def test_a_dry_run_changes_nothing(client, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    code, out, _ = client.run("update", "--policy", client.policy, "--dry-run",
                              env={"TMPDIR": str(temp)})
    assert code == 0 and "nothing was changed" in out
    assert not client.state.exists() and not list(temp.iterdir())
    client.update()
    offer(client.world, 2, MORE)
    before = client.everything()
    links, end = client.update("--dry-run")
    assert end["result"] == "dry-run" and end["version"] == 2 and links["rebuilders"] == "passed"
    assert client.everything() == before


def test_check_policy_says_what_is_demanded_and_whether_today_meets_it(client):
    code, out, _ = client.run("update", "--policy", client.policy, "--check-policy")
    assert code == 0 and "2 of w1, w2, w3" in out and "ok        rebuilders" in out
    client.world.cosigners = client.world.witnesses[:1]
    client.world.next()
    client.world.write()
    code, out, _ = client.run("update", "--policy", client.policy, "--check-policy")
    assert code == 1 and "REFUSED   witnesses" in out and not client.state.exists()


def test_a_release_waits_as_long_as_the_policy_says(tmp_path, world):
    c = Client(tmp_path, world, hold="1h")
    links, end = c.update()
    assert links["hold"] == "waiting" and end["result"] == "waiting" and end["until"] > world.now
    assert c.current() is None and (c.state / "main/releases" / end["waiting"]).is_dir()
    assert c.update()[1]["result"] == "waiting"
    links, end = c.update("--approve")
    assert links == {"health": "passed", "hold": "passed", "active": "passed"}
    assert end["result"] == "activated" and c.version() == 1


def test_hold_and_resume(client):
    client.update()
    assert client.update("--hold")[1]["result"] == "held"
    offer(client.world, 2, MORE)
    assert client.update()[1]["result"] == "waiting" and client.version() == 1
    assert client.update("--resume")[1]["result"] == "activated" and client.version() == 2


def test_an_unknown_release_is_not_approved(client):
    client.update()
    code, _, err = client.run("update", "--policy", client.policy, "--approve", "9-00")
    assert code == 2 and "9-00: no such release" in err
    code, _, err = client.run("update", "--policy", client.policy, "--approve")
    assert code == 2 and "no release waits" in err


def test_a_rolled_back_release_does_not_come_back_by_itself(client):
    client.update()
    first = client.current()
    offer(client.world, 2, MORE)
    client.update()
    second = client.current()
    links, end = client.rollback()
    assert links == {"health": "passed", "hold": "waiting", "active": "passed"}
    assert end["current"] == first == client.current()
    assert client.update()[1]["result"] == "waiting" and client.current() == first
    offer(client.world, 3, dict(MORE, **{"third.ndb": b"Third:0:*:74686972642121\n"}))
    assert client.update()[1]["result"] == "activated" and client.version() == 3
    client.rollback(second)
    assert client.current() == second


def test_the_last_line_says_that_it_was_rolled_back(client):
    client.update()
    first = client.current()
    offer(client.world, 2, MORE)
    client.update()
    code, out, _ = client.run("rollback", "--policy", client.policy)
    assert code == 0 and out.splitlines()[-1] == f"Rolled back: {first} is active."


def test_there_must_be_something_to_roll_back_to(client):
    client.update()
    code, _, err = client.run("rollback", "--policy", client.policy)
    assert code == 2 and "no release to go back to" in err
    code, _, err = client.run("rollback", "--policy", client.policy, "7-0000000000000000")
    assert code == 2 and "no such release is kept" in err


def test_only_as_many_releases_are_kept_as_the_policy_says(tmp_path, world):
    c = Client(tmp_path, world, keep="2")
    for n in range(1, 5):
        if n > 1:
            offer(world, n, dict(RULES, **{"n.ndb": f"N{n}:0:*:{n:02x}{n:02x}616263646566\n".encode()}))
        c.update()
    kept = sorted(p.name.split("-")[0] for p in (c.state / "main/releases").iterdir())
    assert kept == ["3", "4"]


def test_compiled_here_it_must_be_the_same(tmp_path, world):
    c = Client(tmp_path, world, compile="local")
    links, _ = c.update()
    assert links["compiled"] == "passed"
    assert (c.state / "main/current/source.tar").read_bytes() == world.source
    other = world.compile(RULES)
    offer(world, 2, MORE, vdb=other[:-1] + bytes([other[-1] ^ 1]))
    links, end = c.update(code=1)
    assert links["compiled"] == "refused" and "rule text makes another database" in end["reason"]
    assert c.version() == 1


def test_another_format_of_databases_is_explained(tmp_path, world):
    def older(statement):
        statement["predicate"]["buildDefinition"]["internalParameters"]["database"] = 1
        return statement
    c = Client(tmp_path, world, compile="local")
    world.change["release"] = older
    offer(world, 2, MORE)
    _, end = c.update(code=1)
    assert "format 1" in end["reason"] and "compile attested" in end["reason"]


# ---- health ----

def refused_for_health(client, reason):
    links, end = client.update(code=1)
    assert links["health"] == "refused" and reason in end["reason"], end
    kept = list((client.state / "main/refused").glob("*.txt"))
    assert any("health: " in p.read_text() for p in kept)
    return end


def test_a_false_alarm_refuses(client):
    client.update()
    offer(client.world, 2, BROKEN)
    refused_for_health(client, "a web page is taken for Wide.Html")
    assert client.version() == 1


def test_a_set_that_misses_eicar_is_refused_unless_the_policy_allows_it(tmp_path, world):
    c = Client(tmp_path, world)
    offer(world, 2, {"main.ndb": RULES["main.ndb"]})
    refused_for_health(c, "does not find the EICAR test file")
    c = Client(tmp_path, world, eicar="no")
    assert c.update()[1]["result"] == "activated"


def test_the_customers_own_files_have_a_say(tmp_path, world):
    good, bad = world.folder / "good", world.folder / "bad"
    good.mkdir()
    bad.mkdir()
    (good / "ours.bin").write_bytes(b"-- " + cli.TWO)
    (bad / "theirs.bin").write_bytes(b"-- " + cli.ONE)
    c = Client(tmp_path, world, known_good="good", known_bad="bad")
    assert c.update()[1]["result"] == "activated"
    offer(world, 2, MORE)
    refused_for_health(c, "ours.bin is taken for Marker.Two")
    offer(world, 3, {"eicar.hsb": RULES["eicar.hsb"], "more.ndb": b"M:0:*:0102030405060708\n"})
    refused_for_health(c, "does not find")
    assert c.version() == 1


def world_header(client):
    return client.world.vdb[:12]


def test_a_database_that_is_none_is_refused(client):
    client.update()
    offer(client.world, 2, MORE, vdb=world_header(client) + bytes(4000))
    refused_for_health(client, "workers cannot open it")
    assert client.version() == 1
    offer(client.world, 3, MORE)
    assert client.update()[1]["result"] == "activated"


# ---- scans ----

def test_scans_use_what_is_installed(client):
    client.update()
    code, out, _ = client.found(cli.ONE)
    assert code == 1 and "Marker.One FOUND" in out
    code, out, _ = client.found(cli.ONE, program="clamscan")
    assert code == 1 and "Marker.One.UNOFFICIAL FOUND" in out


def broken_current(client):
    """Two releases; the database of the active one is damaged on the disk."""
    client.update()
    first = client.current()
    offer(client.world, 2, MORE)
    client.update()
    second = client.current()
    vdb = client.state / "main/current/main.vdb"
    data = bytearray(vdb.read_bytes())
    data[8:64] = b"\xff" * 56
    vdb.write_bytes(data)
    return first, second


@pytest.mark.parametrize("program", ["vitrine", "clamscan"])
def test_a_scan_goes_back_to_the_last_good_release(client, program):
    first, second = broken_current(client)
    code, out, err = client.found(cli.ONE, program=program)
    assert code == 1 and "Marker.One" in out
    assert f"signatures {second} are broken" in err and first in err
    assert client.current() == first
    assert client.found(cli.ONE, program=program)[2].count("WARNING") == 0


def test_a_release_that_was_damaged_on_the_disk_is_fetched_again(client):
    first, second = broken_current(client)
    client.found(cli.ONE)
    assert client.current() == first
    assert client.update()[1]["result"] == "activated" and client.current() == second
    assert (client.state / "main/current/main.vdb").read_bytes() == client.world.vdb
    assert "Marker.Two" in client.found(cli.TWO)[1]


def test_a_release_that_fails_as_it_was_published_is_not_activated_by_itself(client, tmp_path):
    """Good when it was accepted; what the customer's files say of it changed since."""
    client.update()
    offer(client.world, 2, MORE)
    client.update()
    second = client.current()
    client.rollback()
    good = tmp_path / "world" / "good"
    good.write_bytes(cli.TWO + cli.TWO)
    client.policy = client.world.policy(f"file://{client.world.public}", known_good="good")
    links, _ = client.update("--approve", second, code=1)
    assert links == {"health": "refused"} and client.version() == 1
    links, end = client.update(code=1)
    assert links["health"] == "refused" and second in end["reason"] and client.version() == 1
    good.write_bytes(b"nothing")
    assert client.update("--approve", second)[1]["result"] == "activated"
    assert client.current() == second


def test_a_broken_release_without_a_good_one_before_fails_the_scan(client):
    client.update()
    (client.state / "main/current/main.vdb").write_bytes(b"nothing")
    code, out, err = client.found(cli.ONE)
    assert code == 2 and "FOUND" not in out and "no earlier release that works" in err
    assert client.update()[1]["result"] == "current"
    assert client.found(cli.ONE)[0] == 1


def test_an_installed_set_that_cannot_be_opened_is_no_reason_for_less(client):
    client.update()
    (client.state / "main/current/main.vdb").unlink()
    code, out, err = client.found(cli.ONE)
    assert code == 2 and "main.vdb" in err


# ---- bundles ----

def bundle(world, path):
    """All files of the repository, the log's under its origin, as one archive."""
    files = dict(world.written)
    log = world.public / "log"
    for p in log.rglob("*"):
        if p.is_file():
            files[f"log/updates.example%2Flog/{p.relative_to(log)}"] = p.read_bytes()
    head = source_tar({"vitrine-bundle": b"vitrine-bundle v1\n"})[:-1024]
    path.write_bytes(head + source_tar(files))
    return path


def test_a_bundle_needs_no_network(tmp_path, world):
    c = Client(tmp_path, world, "http://127.0.0.1:9")
    assert c.update(code=2)[1]["result"] == "unchecked" and c.current() is None
    links, end = c.update("--bundle", bundle(world, tmp_path / "one"))
    assert list(links) == LINKS and end["result"] == "activated"
    offer(world, 2, MORE)
    links, end = c.update("--bundle", bundle(world, tmp_path / "two"))
    assert links["history"] == "passed" and c.version() == 2
    assert c.update("--bundle", tmp_path / "one", code=1)[0]["timestamp"] == "refused"


def test_what_is_no_bundle_is_refused(tmp_path, world):
    c = Client(tmp_path, world)
    good = bundle(world, tmp_path / "good").read_bytes()
    bad = tmp_path / "bad"
    for data in (b"", good[:-1024], good[:3000], good + b"x", b"\0" * 2048):
        bad.write_bytes(data)
        assert c.update("--bundle", bad, code=1)[1]["result"] == "refused"
        assert c.current() is None
    code, _, err = c.run("update", "--policy", c.policy, "--bundle", tmp_path / "none")
    assert code == 2 and "none: No such file" in err


# ---- others at work ----

def test_who_comes_second_is_told_so(client):
    client.update()
    with open(client.state / "main/lock", "r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        code, _, err = client.run("update", "--policy", client.policy)
    assert code == 2 and "another vitrine update or rollback is at work" in err


def test_a_missing_policy_is_named(client):
    code, _, err = client.run("update", "--policy", client.folder / "none")
    assert code == 2 and "none: No such file" in err


# ---- evidence ----

def test_verify_shows_the_evidence_of_what_is_installed(client):
    client.update()
    code, out, err = client.run("verify", "--policy", client.policy)
    assert code == 0, out + err
    for text in ("ok        witnesses", "signed by acme", "witness   w3", "built by  r2",
                 "openssl pkeyutl", "vitrine log verify", "Verified:"):
        assert text in out, text
    assert "\\n" not in out
    links, end = client.update(command="verify")
    assert end["result"] == "verified" and end["evidence"]["log_index"] == 2
    assert links["files"] == "passed"


def test_every_command_that_verify_shows_works(client, tmp_path):
    client.update()
    _, out, _ = client.run("verify", "--policy", client.policy)
    script, more = ["set -eu", f"cd {tmp_path}", f"PATH={cli.BUILD}:$PATH",
                    f"export VITRINE_STATE={client.state}"], False
    for line in out.splitlines():
        more = line.startswith("  check ") or (more and line.startswith("            "))
        text = line[12:]
        if more and not text.startswith("(all") and "python-tuf" not in text:
            script.append(text.replace("vitrine verify", f"vitrine verify --policy {client.policy}")
                          .replace(" (was done: it makes the same database)", ""))
    assert len(script) > 15
    r = subprocess.run(["bash", "-c", "\n".join(script)], capture_output=True, text=True,
                       timeout=120, stdin=subprocess.DEVNULL)
    assert r.returncode == 0, r.stdout + r.stderr + "\n".join(script)
    assert "Signature Verified Successfully" in r.stdout and client.current() in out


def test_verify_by_file_and_by_id(client, tmp_path):
    client.update()
    first = client.current()
    offer(client.world, 2, MORE)
    client.update()
    _, end = client.update(first, command="verify")
    assert end["release"] == first and not end["active"]
    copy = tmp_path / "copy.vdb"
    copy.write_bytes((client.state / "main/current/main.vdb").read_bytes())
    assert client.update(copy, command="verify")[1]["active"]
    copy.write_bytes(b"something else")
    assert client.update(copy, command="verify", code=1)[1]["result"] == "refused"


def test_verify_sees_a_changed_database(client):
    client.update()
    with open(client.state / "main/current/main.vdb", "ab") as f:
        f.write(b"x")
    links, end = client.update(command="verify", code=1)
    assert links["files"] == "refused" and end["result"] == "refused"


def test_verify_sees_changed_evidence(client):
    client.update()
    path = client.state / "main/current/evidence.tar"
    data = path.read_bytes()
    at = data.index(b"w1.example ")
    path.write_bytes(data[:at + 20] + (b"A" if data[at + 20:at + 21] != b"A" else b"B")
                     + data[at + 21:])
    _, end = client.update(command="verify", code=1)
    assert end["result"] == "refused"


@pytest.mark.parametrize("compile_", ["local", "attested"])
def test_verify_rebuilds(tmp_path, world, compile_):
    c = Client(tmp_path, world, compile=compile_)
    c.update()
    links, end = c.update("--rebuild", command="verify")
    assert links["compiled"] == "passed" and end["rebuilt"]
