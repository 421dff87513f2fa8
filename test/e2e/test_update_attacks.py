"""The attack matrix of updates: whatever is done to what a client is served, it refuses, at the link
of the chain that is broken and for that reason, and goes on with what it had. Each attack is made on
a world (updateworld.py) whose first release was installed, and that has published a second one."""
import copy
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import cli
import pytest
import tlogsim
from updateworld import DAY, MORE, RULES, World, sha256

FAKETIME = shutil.which("faketime")


class Client:
    """One installation: policy, state, and the web server that it asks."""

    def __init__(self, world, url):
        self.world, self.url = world, url
        self.state = world.folder / "state"

    def update(self, *args, at=None, **lines):
        policy = self.world.policy(self.url, **lines)
        command = [str(cli.BUILD / "vitrine"), "update", "--json", "--policy", str(policy),
                   "--state", str(self.state), *map(str, args)]
        if at is not None:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
            command = [FAKETIME, "-f", "@" + when, *command]
        env = dict(os.environ, XDG_CACHE_HOME=str(self.world.folder / "cache"), TZ="UTC")
        r = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120,
                           stdin=subprocess.DEVNULL)
        return r.returncode, [json.loads(line) for line in r.stdout.splitlines()], r.stderr

    def disk(self):
        """What an attack must leave alone: all but the evidence of refusals and, of trusted
        metadata, what TUF's own rules let pass."""
        found = {}
        for path in sorted(self.state.rglob("*")):
            name = path.relative_to(self.state).as_posix()
            if "/refused" in name or name.endswith("/lock"):
                continue
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = sha256(path.read_bytes())
        return found

    def found(self):
        """What the installed set finds in two files with a marker each."""
        samples = self.world.folder / "samples"
        samples.mkdir(exist_ok=True)
        (samples / "one").write_bytes(b"x" + cli.ONE + b"z")
        (samples / "two").write_bytes(b"x" + cli.TWO + b"z")
        _, out, _ = cli.run("vitrine", "scan", "--database",
                            self.state / "main" / "current" / "main.vdb", "--json", samples,
                            cache=self.world.folder / "cache")
        return sorted(n for n in ("Marker.One", "Marker.Two") if n in out)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A world whose first release is installed; tests get copies."""
    world = World(tmp_path_factory.mktemp("first") / "world")
    world.release(1, RULES)
    world.write()
    with tlogsim.Web(world.public) as web:
        client = Client(world, web.url)
        code, lines, err = client.update()
        assert code == 0, (lines, err)
    return world


@pytest.fixture()
def client(first, tmp_path):
    world = copy.copy(first)
    for name, value in vars(first).items():
        if isinstance(value, (dict, list)):
            setattr(world, name, copy.copy(value))
    shutil.copytree(first.folder, tmp_path / "w", symlinks=True)
    world.folder, world.public = tmp_path / "w", tmp_path / "w" / "public"
    world.log = copy.copy(first.log)
    world.log.folder, world.log.entries = world.public / "log", list(first.log.entries)
    world.files = {k: dict(v) for k, v in first.files.items()}
    with tlogsim.Web(world.public) as web:
        yield Client(world, web.url)


def second(world):
    world.release(2, MORE)
    world.next()


def refused(client, link, why, *args, tuf_may_advance=False, spooled=False, code=1, **more):
    """`spooled`: files that were right stay in the spool, so that they need not come again."""
    before = client.disk()
    got, lines, err = client.update(*args, **more)
    broken = [l for l in lines if l.get("outcome") == "refused"]
    assert got == code, (lines, err)
    assert [(l["link"], l["why"]) for l in broken] == [(link, why)], (lines, err)
    after = client.disk()
    may = ("/tuf/",) * tuf_may_advance + ("/spool/",) * spooled
    before, after = ({k: v for k, v in d.items() if not any(m in k for m in may)}
                     for d in (before, after))
    assert after == before
    assert client.found() == ["Marker.One"]


def test_the_second_release_is_installed_when_nobody_attacks(client):
    second(client.world)
    client.world.write()
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


# ---- signatures ----
STRANGER = tlogsim.Key("a stranger")


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "evidence"])
def test_metadata_signed_by_a_stranger(client, role):
    second(client.world)
    client.world.signers[role] = [STRANGER, tlogsim.Key("another stranger")]
    client.world.write()
    refused(client, "targets" if role == "evidence" else role, "signature",
            tuf_may_advance=role != "timestamp")


@pytest.mark.parametrize("signers, what", [
    ([STRANGER, tlogsim.Key("another stranger")], "strangers"),
    (["root-1"], "one of two"), (["root-1", "root-1"], "one twice")])
def test_a_root_that_the_threshold_did_not_sign(client, signers, what):
    second(client.world)
    client.world.next("root")
    client.world.signers["root"] = [client.world.keys.get(s, s) for s in signers]
    client.world.write()
    refused(client, "root", "malformed" if what == "one twice" else "signature")


def test_a_new_root_that_only_its_own_keys_signed(client):
    second(client.world)
    client.world.next("root")
    client.world.root_keys = [STRANGER, tlogsim.Key("another stranger")]
    client.world.signers["root"] = client.world.root_keys
    client.world.write()
    refused(client, "root", "signature")


def test_targets_signed_by_one_of_two(client):
    second(client.world)
    client.world.signers["targets"] = [client.world.keys["targets-1"]]
    client.world.write()
    refused(client, "targets", "signature", tuf_may_advance=True)


def test_a_release_statement_of_a_stranger(client):
    client.world.signers["release"] = [STRANGER]
    second(client.world)
    client.world.write()
    refused(client, "statement", "signature", tuf_may_advance=True)


def test_a_release_statement_with_one_signature_where_two_are_wanted(client):
    second(client.world)
    client.world.write()
    refused(client, "statement", "signature", tuf_may_advance=True,
            publisher=tlogsim.Key("publisher-2").vkey().join(["second ", ""]),
            release_signatures="2")


# ---- time ----
@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "evidence"])
def test_expired_metadata(client, role):
    second(client.world)
    client.world.expires[role] = -60
    if role == "root":
        client.world.next("root")
    client.world.write()
    refused(client, "targets" if role == "evidence" else role, "expired",
            tuf_may_advance=role != "timestamp")


@pytest.mark.skipif(not FAKETIME, reason="faketime is not installed")
def test_a_repository_frozen_for_days(client):
    refused(client, "timestamp", "expired", at=client.world.now + 3 * DAY)


@pytest.mark.skipif(not FAKETIME, reason="faketime is not installed")
def test_a_clock_far_in_the_past(client):
    second(client.world)
    client.world.write()
    refused(client, "clock", "conflict", at=client.world.now - 400 * DAY)


@pytest.mark.skipif(not FAKETIME, reason="faketime is not installed")
def test_a_clock_far_in_the_future(client):
    second(client.world)
    client.world.write()
    refused(client, "root", "expired", at=client.world.now + 4000 * DAY)


def test_cosignatures_that_are_too_old(client):
    second(client.world)
    client.world.when = client.world.now - 3 * DAY
    client.world.write()
    refused(client, "freshness", "expired", tuf_may_advance=True)


def test_cosignatures_of_times_to_come(client):
    second(client.world)
    client.world.when = client.world.now + DAY
    client.world.write()
    refused(client, "freshness", "conflict", tuf_may_advance=True)


# ---- replays ----
def installed_second(client):
    """Installs the second release and returns what the first one was served as."""
    old = dict(client.world.written)
    second(client.world)
    client.world.write()
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    return old


def still_second(client, link, why, **more):
    before = client.disk()
    got, lines, err = client.update()
    broken = [(l["link"], l["why"]) for l in lines if l.get("outcome") == "refused"]
    assert (got, broken) == (1, [(link, why)]), (lines, err)
    after = client.disk()
    if more.get("tuf_may_advance"):
        before, after = ({k: v for k, v in d.items() if "/tuf/" not in k}
                         for d in (before, after))
    assert after == before
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_an_old_timestamp_replayed(client):
    old = installed_second(client)
    client.world.put("metadata/timestamp.json", old["metadata/timestamp.json"])
    still_second(client, "timestamp", "conflict")


def test_an_old_snapshot_replayed(client):
    installed_second(client)
    client.world.next("timestamp")
    client.world.version.update(snapshot=1, targets=1, evidence=1)
    client.world.write()
    still_second(client, "timestamp", "conflict")


def test_old_targets_replayed(client):
    installed_second(client)
    client.world.next("timestamp", "snapshot")
    client.world.version.update(targets=1)
    client.world.write()
    still_second(client, "snapshot", "conflict", tuf_may_advance=True)


def test_an_old_root_replayed_as_the_next_one(client):
    second(client.world)
    client.world.write()
    client.world.put("metadata/2.root.json", client.world.roots[1][0])
    refused(client, "root", "conflict")


def test_an_older_release_under_newer_metadata(client):
    installed_second(client)
    client.world.release(1, RULES)
    client.world.next()
    client.world.write()
    still_second(client, "statement", "conflict", tuf_may_advance=True)


def test_metadata_of_two_snapshots_mixed(client):
    second(client.world)
    client.world.write()
    before = client.world.written["metadata/2.targets.json"]
    client.world.put("metadata/2.targets.json", before.replace(b'"main/source.tar"',
                                                               b'"main/sourc2.tar"'))
    refused(client, "targets", "digest", tuf_may_advance=True)


# ---- data ----
class Endless:
    """A server that answers everything honestly but one path, which never ends, or hardly begins."""

    def __init__(self, world, path, slow):
        self.world, self.path, self.slow = world, path, slow
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.over = threading.Event()

    def serve(self, conn):
        with conn:
            path = conn.recv(65536).split(b" ")[1].decode().lstrip("/")
            if path == self.path:
                return self.misbehave(conn)
            where = self.world.public / path
            data = where.read_bytes() if where.is_file() else b""
            status = "200 OK" if where.is_file() else "404 Not Found"
            conn.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n"
                         "Connection: close\r\n\r\n".encode() + data)

    def misbehave(self, conn):
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while not self.over.is_set():
                conn.sendall(b"{" if self.slow else b" " * 65536)
                if self.slow:
                    time.sleep(0.05)
        except OSError:
            pass

    def accept(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.over.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.mark.parametrize("path, link", [
    ("metadata/timestamp.json", "timestamp"), ("metadata/2.root.json", "root"),
    ("metadata/2.snapshot.json", "snapshot"), ("metadata/2.targets.json", "targets")])
def test_endless_metadata(client, path, link):
    second(client.world)
    client.world.write()
    with Endless(client.world, path, False) as server:
        client.url = server.url
        refused(client, link, "limit", tuf_may_advance=True)


def path_of(world, name):
    return next(p for p in world.written if p.startswith("targets/") and p.endswith(name))


def test_an_endless_target(client):
    second(client.world)
    client.world.write()
    path = f"targets/main/{sha256(client.world.vdb)}.main.vdb"
    with Endless(client.world, path, False) as server:
        client.url = server.url
        refused(client, "files", "limit", tuf_may_advance=True)


def test_a_server_that_hardly_answers(client):
    second(client.world)
    client.world.write()
    with Endless(client.world, "metadata/timestamp.json", True) as server:
        client.url = server.url
        before = client.disk()
        code, lines, err = client.update(timeout="1s")
        assert code == 2, (lines, err)
        assert [l["why"] for l in lines if l.get("outcome") == "unchecked"] == ["timeout"]
        assert client.disk() == before


@pytest.mark.parametrize("spoil", [
    lambda d: d[:-1] + bytes([d[-1] ^ 1]), lambda d: d[:-1], lambda d: d + b"x",
    lambda d: b""])
def test_a_target_that_is_not_the_one_listed(client, spoil):
    second(client.world)
    client.world.serve = lambda path, d: spoil(d) if path.endswith("main.vdb") else d
    client.world.write()
    got, lines, err = client.update()
    broken = [l for l in lines if l.get("outcome") == "refused"]
    assert got == 1 and broken[0]["link"] == "files", (lines, err)
    assert broken[0]["why"] in ("digest", "limit", "truncated")
    assert client.found() == ["Marker.One"]
    assert not list((client.state / "main" / "spool").iterdir())


def test_two_targets_swapped(client):
    second(client.world)
    files = client.world.files["targets"]
    files["main/main.vdb"], files["main/source.tar"] = files["main/source.tar"], \
        files["main/main.vdb"]
    client.world.write()
    refused(client, "statement", "conflict", tuf_may_advance=True)


def test_a_database_that_the_statement_does_not_name(client):
    second(client.world)
    client.world.files["targets"]["main/main.vdb"] = client.world.compile(RULES)
    client.world.write()
    refused(client, "statement", "conflict", tuf_may_advance=True)


# ---- the log ----
def with_evidence(client, change):
    world = client.world
    second(world)
    world.write()
    evidence = dict(world.files["evidence"])
    change(world, evidence)
    world.write(evidence)


PROOF = "main/evidence/release.tlog-proof"


def test_a_release_that_is_not_in_the_log(client):
    def change(world, evidence):
        other = [e for e in world.log.entries if e != world.envelope] + [b"something else"]
        evidence[PROOF] = world.proof(b"something else", other)
    with_evidence(client, change)
    refused(client, "log", "proof", tuf_may_advance=True)


def test_a_proof_of_another_entry(client):
    def change(world, evidence):
        evidence[PROOF] = world.proof(world.rebuilds[0])
    with_evidence(client, change)
    refused(client, "log", "proof", tuf_may_advance=True)


def test_no_proof_at_all(client):
    with_evidence(client, lambda world, evidence: evidence.pop(PROOF))
    refused(client, "log", "not-found", tuf_may_advance=True)


def test_a_checkpoint_of_a_log_that_is_not_ours(client):
    def change(world, evidence):
        log = copy.copy(world.log)
        log.key = tlogsim.Key("other.example/log")
        world.log, ours = log, world.log
        evidence[PROOF] = world.proof(world.envelope)
        world.log = ours
    with_evidence(client, change)
    refused(client, "log", "not-found", tuf_may_advance=True)


def test_a_checkpoint_that_the_log_did_not_sign(client):
    def change(world, evidence):
        forged = copy.copy(world.log.key)
        forged.s, forged.prefix = STRANGER.s, STRANGER.prefix
        world.log.key, ours = forged, world.log.key
        evidence[PROOF] = world.proof(world.envelope)
        world.log.key = ours
    with_evidence(client, change)
    refused(client, "log", "signature", tuf_may_advance=True)


def test_a_checkpoint_that_only_one_witness_cosigned(client):
    second(client.world)
    client.world.cosigners = client.world.witnesses[:1]
    client.world.write()
    refused(client, "witnesses", "signature", tuf_may_advance=True)


def test_a_second_view_of_the_log_for_this_client(client):
    world = client.world
    world.log.entries = [b"an older entry", b"NOT what the others see",
                         *world.log.entries[2:]]
    second(world)
    world.write()
    refused(client, "history", "conflict", tuf_may_advance=True)


def test_a_second_view_of_the_same_size(client):
    world = client.world
    entries = list(world.log.entries)
    second(world)
    world.log.entries = [world.envelope, *world.rebuilds, *entries][:len(entries)]
    world.write()
    refused(client, "history", "conflict", tuf_may_advance=True)


def test_a_log_that_shrank(client):
    world = client.world
    second(world)
    world.log.entries = [world.envelope, *world.rebuilds]
    world.write()
    refused(client, "history", "conflict", tuf_may_advance=True)


# ---- rebuilders ----
def test_too_few_rebuilders(client):
    client.world.verdicts = ["PASSED"]
    second(client.world)
    client.world.write()
    refused(client, "rebuilders", "signature", tuf_may_advance=True)


def test_a_rebuilder_who_built_something_else(client):
    client.world.verdicts = ["PASSED", "FAILED"]
    second(client.world)
    client.world.write()
    refused(client, "rebuilders", "conflict", tuf_may_advance=True)


def test_rebuilds_of_another_digest(client):
    def other(world, name, result, vdb, source):
        return World.verdict(world, name, result, vdb + b"x", source)
    world = client.world
    world.verdict = lambda *a: other(world, *a)
    second(world)
    world.write()
    refused(client, "rebuilders", "signature", tuf_may_advance=True)


def test_one_rebuilder_twice(client):
    client.world.rebuilders = [client.world.rebuilders[0]] * 2
    second(client.world)
    client.world.write()
    client.world.rebuilders = [tlogsim.Key("rebuilder-1"), tlogsim.Key("rebuilder-2")]
    refused(client, "rebuilders", "signature", tuf_may_advance=True)


def test_a_rebuild_that_is_not_in_the_log(client):
    def change(world, evidence):
        fake = world.verdict(world.rebuilders[1], "PASSED", world.vdb, world.source + b"")
        entries = world.log.entries + [b"x"]
        evidence["main/evidence/rebuild-2.dsse"] = fake
        evidence["main/evidence/rebuild-2.tlog-proof"] = world.proof(b"x", entries)
    with_evidence(client, change)
    refused(client, "rebuilders", "proof", tuf_may_advance=True)


# ---- rules that harm ----
def test_a_set_that_finds_something_where_nothing_is(client):
    world = client.world
    world.release(2, dict(RULES, **{"all.ndb": b"Everything:0:*:{0-1}00\n" +
                                    b"".join(b"Any.%d:0:*:%s\n" % (i, t.encode().hex().encode())
                                             for i, t in enumerate(["the", "<html", "ELF"]))}))
    world.next()
    world.write()
    refused(client, "health", "conflict", tuf_may_advance=True, spooled=True)


def test_a_set_without_what_it_must_find(client):
    world = client.world
    world.release(2, {"main.ndb": RULES["main.ndb"]})
    world.next()
    world.write()
    refused(client, "health", "conflict", tuf_may_advance=True, spooled=True)


@pytest.mark.parametrize("spoil", [
    lambda d: d[:4096] + bytes(b ^ 0x5a for b in d[4096:8192]) + d[8192:],
    lambda d: d[: len(d) // 2], lambda d: b"VITRINDB" + bytes(4096), lambda d: b""])
def test_a_database_that_the_worker_cannot_use(client, spoil):
    world = client.world
    world.release(2, MORE, vdb=spoil(world.compile(MORE)))
    world.next()
    world.write()
    got, lines, err = client.update()
    broken = [l["link"] for l in lines if l.get("outcome") == "refused"]
    assert got == 1 and broken in (["health"], ["statement"]), (lines, err)
    assert client.found() == ["Marker.One"]
