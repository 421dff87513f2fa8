"""More attacks on updates, of those that come to mind when one knows how it is made: shadowed
targets, documents that can be read in two ways, files that wait in the spool or are changed after
they were accepted, policies that change meanwhile. Made on the worlds of test_update_attacks.py."""
import base64
import copy
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time

import cli
import pytest
import tlogsim
from test_update_attacks import (FAKETIME, PROOF, Client, client, first, installed_second, refused,
                                 second, still_second, with_evidence)
from updateworld import DAY, MORE, ORIGIN, RULES, canonical, key_id, role, sha256, tuf_key

THREE = dict(MORE, **{"third.ndb": cli.rule("Marker.Three", b"VITRINE-MARKER-3").encode()})


SANITIZED = b"__asan_init" in (cli.BUILD / "src" / "proc" / "vitrine-verifier").read_bytes()


def small(lines, kb=16384):
    """The bar of an ordinary verification; what has to be refused may take a window or a tree more."""
    return lines[-1]["verifier_peak_kb"] < kb or SANITIZED


def broken(lines):
    return [(l["link"], l["why"]) for l in lines if l.get("outcome") == "refused"]


# ---- who may list what ----
def test_the_database_listed_by_the_role_of_the_evidence_only(client):
    second(client.world)
    client.world.write()
    vdb = client.world.files["targets"].pop("main/main.vdb")
    client.world.write(dict(client.world.files["evidence"], **{"main/main.vdb": vdb}))
    refused(client, "targets", "not-found", tuf_may_advance=True)


def test_the_database_of_another_set(client):
    second(client.world)
    client.world.write()
    files = client.world.files["targets"]
    client.world.files["targets"] = {p.replace("main/", "other/", 1): d for p, d in files.items()}
    client.world.write()
    refused(client, "targets", "not-found", tuf_may_advance=True)


def test_a_statement_about_another_set(client):
    def other(statement):
        statement = copy.deepcopy(statement)
        statement["predicate"]["buildDefinition"]["externalParameters"]["set"] = "other"
        return statement
    client.world.change["release"] = other
    second(client.world)
    client.world.write()
    refused(client, "statement", "conflict", tuf_may_advance=True)


def test_a_delegation_that_shadows_nothing_which_targets_lists_itself(client):
    world, evil = client.world, tlogsim.Key("evil")
    second(world)

    def delegate(signed):
        signed = copy.deepcopy(signed)
        d = signed["delegations"]
        d["keys"][key_id(evil)] = tuf_key(evil)
        d["roles"].insert(0, dict(role([evil]), name="evil", terminating=True,
                                  paths=["main/*"]))
        return signed
    world.change["targets"] = delegate
    evil_doc = world.sign("evil", dict(world.head("targets"), targets=world.listing(
        {"main/main.vdb": b"evil"})), [evil])
    world.change["snapshot"] = lambda s: dict(s, meta=dict(s["meta"], **{
        "evil.json": {"version": world.version["targets"]}}))
    world.write()
    world.put(f"metadata/{world.version['targets']}.evil.json", evil_doc)
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


# ---- rebuilders ----
def test_a_verdict_behind_a_gap_does_not_count(client):
    def change(world, evidence):
        for end in (".dsse", ".tlog-proof"):
            evidence["main/evidence/rebuild-3" + end] = evidence.pop("main/evidence/rebuild-2" + end)
    with_evidence(client, change)
    refused(client, "rebuilders", "signature", tuf_may_advance=True)


def test_a_thousand_verdicts_of_strangers(client):
    def change(world, evidence):
        for k in range(3, 1000):
            evidence[f"main/evidence/rebuild-{k}.dsse"] = b"{}%d" % k
    with_evidence(client, change)
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert lines[-1]["requests"] < 120 and small(lines), lines[-1]


def test_a_publisher_is_no_rebuilder_of_its_own(client):
    world = client.world
    key = world.rebuilders[1].vkey()
    policy = world.policy(client.url)
    policy.write_text(policy.read_text().replace(key, world.publisher.vkey()))
    code, out, err = cli.run("vitrine", "update", "--dry-run", "--policy", policy, "--state",
                             client.state, cache=world.folder / "cache")
    assert code == 2 and "acme" in err, (out, err)


# ---- witnesses and logs ----
def test_one_witness_under_two_names(client):
    policy = client.world.policy(client.url)
    keys = [w.vkey() for w in client.world.witnesses]
    policy.write_text(policy.read_text().replace("witness w2 " + keys[1], "witness w2 " + keys[0]))
    code, out, err = cli.run("vitrine", "update", "--policy", policy, "--state", client.state,
                             cache=client.world.folder / "cache")
    assert code == 2, (out, err)


def proof_with(client, change, why, link="log"):
    with_evidence(client, lambda world, evidence: evidence.update(
        {PROOF: change(world, evidence[PROOF])}))
    refused(client, link, why, tuf_may_advance=True)


def test_one_witness_that_cosigns_twice(client):
    def change(world, proof):
        w = world.witnesses[0]
        world.log.witnesses, text = [], world.log.text()
        head = proof[:proof.index(text)]
        return (head + text + b"\n" + world.log.key.line(text) + w.line(text, world.now) +
                w.line(text, world.now - 1))
    proof_with(client, change, "signature", "witnesses")


def test_a_cosignature_that_the_log_made_itself(client):
    def change(world, proof):
        text = world.log.text()
        forged = [copy.copy(w) for w in world.witnesses[:2]]
        for w in forged:
            w.s, w.prefix = world.log.key.s, world.log.key.prefix
        return (proof[:proof.index(text)] + text + b"\n" + world.log.key.line(text) +
                b"".join(w.line(text, world.now) for w in forged))
    proof_with(client, change, "signature", "witnesses")


def test_an_origin_swapped_below_the_same_key(client):
    def change(world, proof):
        text = world.log.text().replace(ORIGIN.encode(), b"other.example/log")
        return (proof[:proof.index(world.log.text())] + text + b"\n" + world.log.key.line(text) +
                b"".join(w.line(text, world.now) for w in world.witnesses))
    proof_with(client, change, "not-found")


@pytest.mark.parametrize("change, why", [
    (lambda p: p + b"x", "malformed"), (lambda p: p + b"\n", "malformed"),
    (lambda p: p.replace(b"\nindex 5\n", b"\nindex 05\n"), "malformed"),
    (lambda p: p.replace(b"\nindex 5\n", b"\nindex 6\n"), "proof"),
    (lambda p: p.replace(b"\n", b"\r\n"), "malformed"),
    (lambda p: p.replace(b"\nindex 5\n", b"\nindex 5\n" + base64.b64encode(bytes(32)) + b"\n"),
     "proof"),
    (lambda p: b"", "malformed")])
def test_proofs_that_can_be_read_in_two_ways(client, change, why):
    proof_with(client, lambda world, proof: change(proof), why)


# ---- documents that can be read in two ways ----
def test_a_key_twice_in_metadata(client):
    second(client.world)
    client.world.write()
    doc = client.world.written["metadata/timestamp.json"]
    client.world.put("metadata/timestamp.json",
                     doc.replace(b'"version": 2', b'"version": 2, "version": 3', 1))
    refused(client, "timestamp", "malformed")


def test_a_key_twice_in_the_statement(client):
    world = client.world
    second(world)
    d = json.loads(world.envelope)
    body = base64.b64decode(d["payload"]).replace(b'"set": "main"', b'"set": "main", "set": "main"')
    kind = "application/vnd.in-toto+json"
    pae = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
    d["payload"] = base64.b64encode(body).decode()
    d["signatures"] = [{"sig": base64.b64encode(world.publisher.sign(pae)).decode()}]
    new = json.dumps(d).encode()
    world.log.entries[world.log.entries.index(world.envelope)] = new
    world.envelope = world.files["targets"]["main/release.dsse"] = new
    world.write()
    refused(client, "statement", "malformed", tuf_may_advance=True)


@pytest.mark.parametrize("text", [
    b"[" * 500000, b"[" + b"[]," * 170000 + b"[]]", b'{"signed":{"a":' + b"9" * 500000 + b"}}",
    b'{"signed":"' + b"\\u0041" * 80000 + b'"}', b"\xff" * 500000, b'"' * 500000,
    b'{"signed":{' + b",".join(b'"%d":{}' % i for i in range(40000)) + b'},"signatures":[]}'],
    ids=["deep", "wide", "number", "escapes", "bytes", "quotes", "members"])
def test_a_root_that_is_made_to_cost_much(client, text):
    client.world.put("metadata/2.root.json", text)
    code, lines, err = client.update()
    assert code == 1 and broken(lines)[0][0] == "root", (lines, err)
    assert small(lines, 24576) and lines[-1]["verifier_cpu_us"] < 5000000, lines[-1]
    assert client.found() == ["Marker.One"]


def test_terminal_escapes_of_a_server_stay_inside(client):
    world = client.world
    second(world)
    nasty = "\x1b]0;owned\x07\x1b[2J\n\u202ereversed\x9b31m"
    world.change["targets"] = lambda s: dict(s, delegations=dict(
        s["delegations"], roles=[dict(r, name=nasty) for r in s["delegations"]["roles"]] * 2))
    world.write()
    policy = world.policy(client.url)
    r = subprocess.run([str(cli.BUILD / "vitrine"), "update", "--policy", str(policy), "--state",
                        str(client.state)], capture_output=True, timeout=60)
    assert r.returncode == 1
    for out in (r.stdout, r.stderr):
        assert b"\x1b" not in out and b"\x9b" not in out.replace(b"\xc2\x9b", b"\x9b"), out
        assert "\u202e".encode() not in out and b"\x07" not in out, out
    assert r.stdout.count(b"\nREFUSED") == 1
    code, lines, _ = client.update()
    assert code == 1 and broken(lines) == [("targets", "malformed")]


# ---- versions ----
def test_one_version_of_the_timestamp_with_two_contents(client):
    """TUF 5.4.3: "In case they are equal, discard the new timestamp metadata"."""
    second(client.world)
    client.world.version.update(timestamp=1)
    client.world.write()
    before = client.disk()
    code, lines, err = client.update()
    assert code == 0 and lines[-1]["result"] == "current", (lines, err)
    assert client.disk().keys() == before.keys() and client.found() == ["Marker.One"]


def test_one_version_of_the_release_with_two_databases(client):
    client.world.release(1, MORE)
    client.world.next()
    client.world.write()
    refused(client, "statement", "conflict", tuf_may_advance=True)


def test_a_root_that_jumps_a_thousand_versions(client):
    second(client.world)
    client.world.version["root"] = 1001
    client.world.write()
    client.world.put("metadata/2.root.json", client.world.written["metadata/1001.root.json"])
    refused(client, "root", "conflict")


@pytest.mark.parametrize("version", [2**63, 2**64, -1, 0, 1.5, "2", 2**53 + 1])
def test_versions_that_are_no_numbers(client, version):
    second(client.world)
    client.world.change["timestamp"] = lambda s: dict(s, version=version)
    client.world.write()
    code, lines, err = client.update()
    if version == 2**53 + 1:
        assert code == 0, (lines, err)
        return
    assert code == 1 and broken(lines)[0][0] == "timestamp", (lines, err)
    assert client.found() == ["Marker.One"]


@pytest.mark.parametrize("version", [0, -2, 2**63, 2**64 + 2, 2.0, "2", True])
def test_versions_of_a_release_that_are_none(client, version):
    def other(statement):
        statement = copy.deepcopy(statement)
        statement["predicate"]["buildDefinition"]["externalParameters"]["version"] = version
        return statement
    client.world.change["release"] = other
    second(client.world)
    client.world.write()
    code, lines, err = client.update()
    assert code == 1 and broken(lines)[0][0] == "statement", (lines, err)
    assert client.found() == ["Marker.One"]


def test_a_publisher_who_goes_back_with_a_new_version_is_followed(client):
    """Rules that were wrong in version 2 are taken back by a version 3 with the bytes of 1: who
    stays with 2 and is told that it is up to date is not."""
    installed_second(client)
    client.world.release(3, RULES)
    client.world.next()
    client.world.write()
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert client.found() == ["Marker.One"], lines
    assert lines[-1]["current"].startswith("3-")


def test_trusted_metadata_that_is_gone_does_not_let_an_old_release_pass_for_up_to_date(client):
    old = installed_second(client)
    shutil.rmtree(client.state / "main" / "tuf")
    for path in list(client.world.public.glob("metadata/*")):
        path.unlink()
    for path, data in old.items():
        client.world.put(path, data)
    code, lines, err = client.update()
    assert code == 1 and broken(lines) == [("statement", "conflict")], (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


# ---- the spool ----
def spool(client, name, how):
    path = client.state / "main" / "spool" / name
    if how == "symlink":
        target = client.world.folder / "elsewhere"
        target.write_bytes(client.world.vdb)
        path.symlink_to(target)
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.write_bytes(how(client.world.vdb))


@pytest.mark.parametrize("how", ["symlink", "fifo", "folder"])
def test_something_strange_in_the_spool_is_not_used(client, how):
    second(client.world)
    client.world.write()
    spool(client, sha256(client.world.vdb), how)
    code, lines, err = client.update()
    assert code == 2, (lines, err)
    assert client.found() == ["Marker.One"]


@pytest.mark.parametrize("how", [
    lambda d: d[:-1] + b"?", lambda d: b"?" * 100, lambda d: d + b"more", lambda d: d[:100],
    lambda d: d])
def test_what_waits_in_the_spool_is_hashed_again(client, how):
    second(client.world)
    client.world.write()
    spool(client, sha256(client.world.vdb), how)
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    vdb = client.state / "main" / "current" / "main.vdb"
    assert vdb.read_bytes() == client.world.vdb


class Ranges:
    """Serves a folder, but what is asked for from some byte on by `answer(data, from)`: a status,
    headers and bytes of its own choice."""

    def __init__(self, public, answer):
        self.public, self.answer, self.ranges = public, answer, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            with conn:
                head = conn.recv(65536).decode()
                where = self.public / head.split(" ")[1].lstrip("/")
                data = where.read_bytes() if where.is_file() else b""
                status, more = ("200 OK" if where.is_file() else "404 Not Found"), ""
                length = len(data)
                if "Range: bytes=" in head:
                    self.ranges += 1
                    start = int(head.split("Range: bytes=")[1].split("-")[0])
                    status, more, length, data = self.answer(data, start)
                conn.sendall(f"HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\n"
                             "Connection: close\r\n\r\n".encode() + data)


def part(data, start):
    return f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}\r\n"


@pytest.mark.parametrize("answer, good", [
    (lambda d, n: ("206 P", part(d, n), len(d) - n, d[n:]), True),
    (lambda d, n: ("200 OK", "", len(d), d), True),
    (lambda d, n: ("200 OK", "", len(d) - n, d[n:]), None),
    (lambda d, n: ("206 P", "", len(d) - n, d[n:]), False),
    (lambda d, n: ("206 P", part(d, n + 1), len(d) - n, d[n:]), False),
    (lambda d, n: ("206 P", part(d, n) + part(d, 0), len(d) - n, d[n:]), False),
    (lambda d, n: ("206 P", part(d, n), len(d) - n, bytes(len(d) - n)), None),
    (lambda d, n: ("206 P", part(d, n), len(d) - n + 5, d[n:] + b"12345"), None),
    (lambda d, n: ("206 P", part(d, n), len(d) - n, d[n:n + 1]), False),
    (lambda d, n: ("416 No", "", 0, b""), False),
    (lambda d, n: ("304 Not Modified", "", 0, b""), False),
    (lambda d, n: ("301 Moved", "Location: /elsewhere\r\n", 0, b""), False)])
def test_a_server_that_cheats_when_a_download_goes_on(client, answer, good):
    """None: what there was may be right, so it is begun anew, and ends well or as refused."""
    second(client.world)
    client.world.write()
    vdb = client.world.vdb
    spool(client, sha256(vdb), lambda d: d[:1000])
    server = Ranges(client.world.public, answer)
    honest_url, client.url = client.url, server.url
    code, lines, err = client.update()
    server.socket.close()
    assert server.ranges > 0
    installed = (client.state / "main" / "current" / "main.vdb").read_bytes()
    assert (code == 0) == (installed == vdb), (lines, err)
    assert good is None or (code == 0) == good, (lines, err)
    client.url = honest_url
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert (client.state / "main" / "current" / "main.vdb").read_bytes() == vdb


# ---- compressed and deltas ----
def zstd(data):
    return subprocess.run(["zstd", "-q", "-c", "-19"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout


@pytest.mark.skipif(not shutil.which("zstd"), reason="zstd is not installed")
def test_a_bomb(client):
    second(client.world)
    client.world.files["targets"]["main/main.vdb.zst"] = zstd(bytes(1 << 24))
    client.world.write()
    got, lines, err = client.update()
    assert got == 1 and broken(lines)[0][0] == "files", (lines, err)
    assert not list((client.state / "main" / "spool").iterdir())
    assert small(lines, 24576), lines[-1]


@pytest.mark.parametrize("delta", [b"", b"VITRINE", os.urandom(500), bytes(500)])
def test_a_delta_of_something_else_leaves_the_whole_file(client, delta):
    world = client.world
    old = world.vdb
    second(world)
    world.files["targets"]["main/delta/main.vdb-" + sha256(old)[:16]] = delta
    world.write()
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


# ---- bundles ----
def bundle(client, members):
    out = io.BytesIO()
    for name, data in members:
        info = tarfile.TarInfo("x")
        info.size, info.mode = len(data), 0o644
        head = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        prefix, _, base = name.rpartition("/") if len(name) > 100 else ("", "", name)
        head[0:100] = base.encode().ljust(100, b"\0")
        head[345:500] = prefix.encode().ljust(155, b"\0")
        head[329:345] = b"0000000\0" * 2
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        out.write(bytes(head) + data + bytes(-len(data) % 512))
    path = client.world.folder / "a.bundle"
    path.write_bytes(out.getvalue() + bytes(1024))
    return path


FIRST = ("vitrine-bundle", b"vitrine-bundle v1\n")


def honest(client):
    world = client.world
    log = {"log/" + ORIGIN.replace("/", "%2F") + "/" + p.relative_to(world.public / "log").as_posix():
           p.read_bytes() for p in (world.public / "log").rglob("*") if p.is_file()}
    return sorted({**world.written, **log}.items())


def test_an_honest_bundle(client):
    second(client.world)
    client.world.write()
    code, lines, err = client.update("--bundle", bundle(client, [FIRST, *honest(client)]))
    assert code == 0 and client.found() == ["Marker.One", "Marker.Two"], (lines, err)


@pytest.mark.parametrize("spoil", [
    lambda m: [FIRST, *m, m[-1]], lambda m: [FIRST, *m[::-1]], lambda m: m, lambda m: [],
    lambda m: [FIRST, FIRST, *m], lambda m: [FIRST, ("/etc/passwd", b"x"), *m],
    lambda m: [FIRST, ("../../etc/passwd", b"x"), *m], lambda m: [FIRST, *m, ("z\x1b[2J", b"x")],
    lambda m: [("vitrine-bundle", b"vitrine-bundle v2\n"), *m]],
    ids=["twice", "unsorted", "no-first", "empty", "first-twice", "absolute", "dots", "escape",
         "version"])
def test_bundles_that_are_none(client, spoil):
    second(client.world)
    client.world.write()
    path = bundle(client, spoil(honest(client)))
    before = client.disk()
    code, lines, err = client.update("--bundle", path)
    assert code == 1 and lines[-1]["result"] == "refused", (lines, err)
    assert client.disk() == before


def test_evidence_alone_is_no_update(client):
    """The evidence of a newer release, without its files."""
    second(client.world)
    client.world.write()
    path = bundle(client, [FIRST, *(m for m in honest(client) if not m[0].endswith("main.vdb"))])
    code, lines, err = client.update("--bundle", path)
    assert code == 1 and broken(lines)[0][0] == "files", (lines, err)
    assert client.found() == ["Marker.One"]


# ---- mirrors ----
def test_a_mirror_that_is_behind_can_only_delay(client, tmp_path):
    """Mirrors that disagree: one that lags is heard, but not beyond what it may lag."""
    old = tmp_path / "old"
    shutil.copytree(client.world.public, old)
    second(client.world)
    client.world.write()
    with tlogsim.Web(old) as lagging:
        honest_url, client.url = client.url, lagging.url
        code, lines, err = client.update()
        assert code == 0 and lines[-1]["result"] == "current", (lines, err)
        if FAKETIME:
            code, lines, err = client.update(at=client.world.now + 3 * DAY)
            assert code == 1 and broken(lines) == [("timestamp", "expired")], (lines, err)
        client.url = honest_url
        assert client.update()[0] == 0
        client.url = lagging.url
        still_second(client, "timestamp", "conflict")


def test_what_is_listed_with_a_length_that_is_not_its_own(client):
    second(client.world)
    def lengths(signed):
        signed = copy.deepcopy(signed)
        signed["targets"]["main/main.vdb"]["length"] = 2**62
        return signed
    client.world.change["targets"] = lengths
    client.world.write()
    refused(client, "targets", "limit", tuf_may_advance=True)


# ---- what is installed ----
def verify(client, *args, **lines):
    policy = client.world.policy(client.url, **lines)
    return cli.run("vitrine", "verify", "--policy", policy, "--state", client.state, *args,
                   cache=client.world.folder / "cache")


def damage(path, at=-1):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_verify_sees_a_changed_database(client):
    assert verify(client)[0] == 0
    damage(client.state / "main" / "current" / "main.vdb")
    assert verify(client)[0] == 1


def test_verify_sees_the_evidence_of_another_release(client):
    installed_second(client)
    a, b = sorted((client.state / "main" / "releases").iterdir())
    shutil.copy(a / "evidence.tar", b / "evidence.tar")
    code, out, err = verify(client)
    assert code == 1 and "Verified" not in out, (out, err)


def test_verify_sees_evidence_with_any_byte_changed(client):
    """But for the root that the policy has anyway, and tiles, which the first tree needs not."""
    path = client.state / "main" / "current" / "evidence.tar"
    data = path.read_bytes()
    with tarfile.open(path) as tar:
        places = [m.offset + 200 for m in tar]
        places += [m.offset_data + m.size * k // 8 for m in tar for k in range(0, 8, 3)
                   if m.name != "metadata/1.root.json" and not m.name.startswith("log/")]
    for at in places:
        path.write_bytes(data)
        damage(path, at)
        code, out, err = verify(client)
        assert code in (1, 2) and "Verified" not in out, (at, out, err)


def test_what_waited_when_the_record_was_lost_can_be_approved(client):
    waiting(client)
    (client.state / "main" / "state").unlink()
    code, lines, err = client.update(hold="none")
    assert code == 0 and lines[-1]["result"] == "waiting", (lines, err)
    assert verify(client)[0] == 0
    code, lines, err = client.update("--approve", hold="none")
    assert code == 0 and client.found() == ["Marker.One", "Marker.Two"], (lines, err)


def test_verify_sees_times_that_were_made_up(client):
    """The state says when a release was accepted; that time does not make old cosignatures new,
    nor metadata valid that had expired."""
    path = client.state / "main" / "state"
    for seen in (1, client.world.now - 3600, client.world.now + 30 * DAY, 2**62):
        lines = path.read_text().splitlines()[:-1]
        words = lines[3].split(" ")
        words[4] = str(seen)
        text = "\n".join([*lines[:3], " ".join(words), ""])
        path.write_text(text + "sum " + sha256(text.encode()) + "\n")
        code, out, err = verify(client)
        # Long ago nothing had expired; but cosignatures of times to come count for nothing.
        assert code == 1, (seen, out, err)


@pytest.mark.parametrize("args", [(), ("--json",)])
def test_verify_says_so_if_nobody_could_hear_it(client, args):
    policy = client.world.policy(client.url)
    with open("/dev/full", "wb") as full:
        for command in (["verify"], ["update"], ["bundle", "make", "-o", str(policy) + ".out"]):
            r = subprocess.run([str(cli.BUILD / "vitrine"), *command, "--policy", str(policy),
                                "--state", str(client.state), *args], stdout=full,
                               stderr=subprocess.PIPE, timeout=60)
            assert r.returncode == 2, (command, r.stderr)


# ---- what waits ----
def waiting(client, **lines):
    """The second release was accepted and waits; the third is what the repository has now."""
    second(client.world)
    client.world.write()
    code, out, err = client.update(hold="manual", **lines)
    assert code == 0 and out[-1]["result"] == "waiting", (out, err)


def third(client):
    client.world.release(3, THREE)
    client.world.next()
    client.world.write()


def test_what_waits_is_judged_by_the_policy_of_the_day_that_it_is_used(client):
    """Accepted with one rebuilder; then the policy asked for two. The repository has moved on, so
    today's chain says nothing of what waits."""
    client.world.verdicts = ["PASSED"]
    waiting(client, rebuilds_needed="1")
    code, lines, err = client.update("--approve", hold="manual", rebuilds_needed="2")
    assert code == 1, (lines, err)
    assert broken(lines) == [("rebuilders", "signature")], lines
    assert client.found() == ["Marker.One"]
    client.world.verdicts = ["PASSED", "PASSED"]
    third(client)
    code, lines, err = client.update(hold="manual")
    assert code == 0 and client.found() == ["Marker.One"], (lines, err)
    code, lines, err = client.update("--approve", hold="manual", rebuilds_needed="1")
    assert code == 0 and lines[-1]["current"].startswith("3-"), (lines, err)


@pytest.mark.parametrize("args", [("--approve",), ()])
def test_what_waits_and_was_changed_on_the_disk_is_not_used(client, args):
    waiting(client)
    release = max((client.state / "main" / "releases").iterdir())
    (release / "main.vdb").write_bytes(client.world.compile(THREE))
    code, lines, err = client.update(*args, hold="none" if not args else "manual")
    assert client.found() == ["Marker.One"], (lines, err)
    assert code == 1 and broken(lines)[0][0] == "files", (lines, err)


def test_going_back_to_a_release_that_was_changed_on_the_disk(client):
    installed_second(client)
    release = min((client.state / "main" / "releases").iterdir())
    (release / "main.vdb").write_bytes(client.world.compile(THREE))
    code, out, err = cli.run("vitrine", "rollback", "--policy", client.world.policy(client.url),
                             "--state", client.state, cache=client.world.folder / "cache")
    assert code == 1, (out, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_what_waits_is_compiled_here_if_the_policy_says_so_by_now(client):
    waiting(client)
    code, lines, err = client.update("--approve", hold="manual", compile="local")
    assert code == 1 and broken(lines)[0][0] == "compiled", (lines, err)
    assert client.found() == ["Marker.One"]


def test_what_waits_and_was_compiled_here_is_compiled_again_before_it_is_used(client):
    waiting(client, compile="local")
    release = max((client.state / "main" / "releases").iterdir())
    text = (release / "source.tar").read_bytes()
    damage(release / "source.tar", 700)
    code, lines, err = client.update("--approve", hold="manual", compile="local")
    assert code == 1 and broken(lines)[0][0] == "compiled", (lines, err)
    (release / "source.tar").write_bytes(text)
    code, lines, err = client.update("--approve", hold="manual", compile="local")
    assert code == 0 and client.found() == ["Marker.One", "Marker.Two"], (lines, err)


def test_what_waits_without_its_evidence_is_not_used(client):
    waiting(client)
    release = max((client.state / "main" / "releases").iterdir())
    (release / "evidence.tar").unlink()
    code, lines, err = client.update("--approve", hold="manual")
    assert code == 1 and client.found() == ["Marker.One"], (lines, err)


def test_what_waits_with_the_evidence_of_another_is_not_used(client):
    waiting(client)
    a, b = sorted((client.state / "main" / "releases").iterdir())
    shutil.copy(a / "evidence.tar", b / "evidence.tar")
    code, lines, err = client.update("--approve", hold="manual")
    assert code == 1 and broken(lines) == [("statement", "conflict")], (lines, err)
    assert client.found() == ["Marker.One"]


def test_what_was_damaged_while_it_waited_comes_again(client):
    waiting(client)
    release = max((client.state / "main" / "releases").iterdir())
    damage(release / "main.vdb")
    assert client.update("--approve", hold="manual")[0] == 1
    code, lines, err = client.update(hold="none")
    assert code == 0 and client.found() == ["Marker.One", "Marker.Two"], (lines, err)


def test_approving_an_older_release_says_that_it_does_nothing(client):
    installed_second(client)
    old = min(p.name for p in (client.state / "main" / "releases").iterdir())
    code, lines, err = client.update("--approve", old)
    assert code == 2 and "rollback" in lines[-1]["error"], (lines, err)


# ---- a dry run ----
@pytest.mark.parametrize("args", ["--dry-run", "--check-policy"])
def test_a_dry_run_changes_nothing_at_all(client, args):
    second(client.world)
    client.world.write()

    def everything():
        return {p: (p.lstat().st_mtime_ns, p.lstat().st_mode, p.lstat().st_ino)
                for p in [client.state, *client.state.rglob("*")]}
    before = everything()
    assert client.update(args)[0] == 0
    assert everything() == before
    fresh = client.world.folder / "fresh"
    client.state = fresh
    assert client.update(args)[0] == 0
    assert not fresh.exists()


# ---- two policies, one folder ----
def test_a_second_policy_with_another_root_does_not_take_over(client):
    world = client.world
    second(world)
    world.write()
    world.roots[1] = (world.sign("root", json.loads(world.roots[1][0])["signed"],
                                 world.root_keys) + b"\n", world.root_keys)
    refused(client, "root", "conflict")


# ---- the machine ----
def test_nobody_else_may_write_what_is_installed_whatever_the_umask(client):
    client.state = client.world.folder / "fresh"
    before = os.umask(0)
    try:
        assert client.update()[0] == 0
    finally:
        os.umask(before)
    loose = [p for p in client.state.rglob("*") if not p.is_symlink() and p.stat().st_mode & 0o022]
    assert not loose


@pytest.mark.skipif(not FAKETIME, reason="faketime is not installed")
def test_a_rollback_by_a_wrong_clock_does_not_end_all_updates(client):
    installed_second(client)
    policy = client.world.policy(client.url)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(client.world.now + 4000 * DAY))
    r = subprocess.run([FAKETIME, "-f", "@" + when, str(cli.BUILD / "vitrine"), "rollback",
                        "--policy", str(policy), "--state", str(client.state)],
                       capture_output=True, text=True, timeout=60, env=dict(os.environ, TZ="UTC"))
    assert r.returncode == 0, r.stderr
    code, lines, err = client.update()
    assert code == 0, (lines, err)


def test_a_folder_with_a_name_that_a_url_must_encode(client, tmp_path):
    folder = tmp_path / "a mirror%"
    shutil.copytree(client.world.public, folder)
    client.state = client.world.folder / "fresh"
    client.url = "file://" + str(tmp_path) + "/a%20mirror%25"
    code, lines, err = client.update()
    assert code == 0, (lines, err)


class Recorder:
    """Serves a folder and keeps the bytes of every request but for the port in its Host line."""

    def __init__(self, public):
        self.public, self.heard = public, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            with conn:
                text = conn.recv(65536)
                self.heard.append(text.replace(self.url[7:].encode(), b"HOST"))
                where = self.public / text.split(b" ")[1].decode().lstrip("/")
                data = where.read_bytes() if where.is_file() else b""
                status = "200 OK" if where.is_file() else "404 Not Found"
                conn.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n"
                             "Connection: close\r\n\r\n".encode() + data)


def test_requests_are_the_same_bytes_from_two_machines(client, monkeypatch):
    heard = []
    for i, name in enumerate(("first", "second")):
        recorder = Recorder(client.world.public)
        client.url, client.state = recorder.url, client.world.folder / name
        monkeypatch.setenv("HOME", "/home/" + name)
        monkeypatch.setenv("LANG", ("C", "de_DE.UTF-8")[i])
        monkeypatch.setenv("USER_AGENT", name)
        monkeypatch.setenv("http_proxy", "" if i else "http://127.0.0.1:9")
        code, lines, err = client.update(keep=i + 2, timeout=f"{10 + i}s", hold=("1h", "none")[i])
        assert code == 0, (lines, err)
        recorder.socket.close()
        heard.append(recorder.heard)
    assert heard[0] == heard[1] and len(heard[0]) > 8
    for text in heard[0]:
        lines = text.decode().split("\r\n")
        assert lines[0].startswith("GET /") and lines[1:] == ["Host: HOST", "", ""], text


# ---- a verifier that its input took over ----
TAKEN_OVER = r'''#!%(python)s
"""Says what the test wants: "links" that it tells, whose file it puts into the spool, and how."""
import array, os, socket, struct, sys
sock = socket.socket(fileno=3)
fds = {}
while True:
    kind, control, _, _ = sock.recvmsg(4096, 64)
    for _, _, data in control:
        fds[kind[0]] = array.array("i", data[:4])[0]
    if kind[0] == 0:
        break
def text(s):
    return struct.pack("<I", len(s)) + s
def say(kind, *fields):
    sock.send(struct.pack("<I", kind) + b"".join(fields))
u32, u64 = (lambda v: struct.pack("<I", v)), (lambda v: struct.pack("<Q", v))
say(2, u32(0), u32(1))
sock.recv(65536)
for link in %(links)s:
    say(4, u32(link), u32(0), u32(0), text(b"\x1b[32mall is well\x1b[0m"))
name, data, claimed = bytes.fromhex("%(sha)s"), open("%(file)s", "rb").read(), %(version)s
if 2 in fds:
    if "%(how)s" == "symlink":
        os.symlink("%(file)s", name.hex(), dir_fd=fds[2])
    else:
        fd = os.open(name.hex(), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fds[2])
        os.write(fd, data)
say(8, u32(0), text(b""), u64(0), u64(0), u64(claimed), u64(len(data)), name, u64(1), bytes(32),
    bytes(3), u32(1), u64(1) * 4, u64(2**40), u64(0), bytes(32), text(b"o\x1b[2J"), u64(9), bytes(32),
    u64(0), bytes(64), bytes(512), u64(0), bytes(32), bytes(32),
    u64(0), bytes(32), u64(0), bytes(32), u64(0), u32(0), u32(0))
sock.recv(65536)
'''


def take_over(client, links, sha, version=2, how="file"):
    """Our programs with that verifier among them."""
    programs = client.world.folder / "programs"
    programs.mkdir()
    shutil.copy(cli.BUILD / "src" / "cli" / "vitrine", programs / "vitrine")
    for path in (cli.BUILD / "src" / "proc").glob("vitrine-*"):
        if path.is_file() and path.name != "vitrine-verifier":
            (programs / path.name).symlink_to(path)
    file = client.world.folder / "evil.vdb"
    file.write_bytes(client.world.compile(MORE))
    text = TAKEN_OVER % {"python": sys.executable, "links": list(links), "sha": sha, "file": file,
                         "version": version, "how": how}
    (programs / "vitrine-verifier").write_text(text)
    (programs / "vitrine-verifier").chmod(0o755)
    return programs / "vitrine"


ALL_LINKS = range(12)
EVIL = sha256(b"not what it says")


@pytest.mark.parametrize("links, version, how, code", [
    (ALL_LINKS, 2, "file", 1), (ALL_LINKS, 2, "symlink", 2), (ALL_LINKS, 1, "file", 1),
    ((), 2, "file", 1), (range(11), 2, "file", 1), ([0, 0, *range(1, 12)], 2, "file", 1),
    (range(16), 2, "file", 1)])
def test_a_verifier_that_was_taken_over_installs_nothing_under_a_false_name(
        client, links, version, how, code):
    program = take_over(client, links, EVIL, version, how)
    r = subprocess.run([str(program), "update", "--policy", str(client.world.policy(client.url)),
                        "--state", str(client.state)], capture_output=True, text=True, timeout=60)
    assert r.returncode == code, (r.stdout, r.stderr)
    assert "\x1b" not in r.stdout + r.stderr
    assert "Updated" not in r.stdout and "Up to date" not in r.stdout
    assert client.found() == ["Marker.One"]
    assert len(list((client.state / "main" / "releases").iterdir())) == 1
