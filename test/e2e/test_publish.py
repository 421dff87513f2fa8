"""vitrine publish: a repository made, signed on several machines and published by the real commands;
read by our own client, by tuf-js and, where they are there, by python-tuf and go-tuf, who all refuse
the same copies.

tuf-js: node 20 and npm, which fetches it once a run (test/interop/tuf-js). python-tuf: a python that
has it, named by VITRINE_TUF_PYTHON, or this one. go-tuf: Go with its modules. Skipped, with the reason, where they cannot be had."""
import contextlib
import datetime
import functools
import hashlib
import http.server
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest

from cli import BUILD, ROOT, run

STAGED = 1
T0 = "2026-01-01T00:00:00Z"


def call(folder, *args):
    return run("vitrine", *args, cache=folder)


def good(folder, *args):
    code, out, err = call(folder, *args)
    assert code == 0, (args, out, err)
    return out


def new_key(folder, name):
    path = folder / f"{name}.key"
    good(folder, "key", "new", "--name", f"{name}.example", "--for", "publisher", "--no-passphrase",
         "-o", path)
    return path


def shown(folder, key):
    return json.loads(good(folder, "key", "show", "--json", key))


def pem(folder, key):
    path = key.with_suffix(".pem")
    path.write_text(shown(folder, key)["pem"])
    return path


class World:
    """Root: two of three people; targets: one; an online key."""

    def __init__(self, folder, time=None):
        self.folder, self.dir = folder, folder / "repo"
        self.private = folder / "repo.private"
        self.time = ("--time", time) if time else ()
        for name in ("a", "b", "c", "t", "o"):
            setattr(self, name, new_key(folder, name))

    def publish(self, *args):
        return call(self.folder, "publish", *args, *self.time)

    def init(self, *extra):
        return self.publish("init", self.dir, "--root-key", self.a, "--root-key", self.b,
                            "--root-key", self.c, "--root-threshold", 2, "--targets-key", self.t,
                            "--online-key", self.o, *extra)

    def metadata(self, name):
        return json.loads((self.dir / "metadata" / name).read_text())

    def signed(self, name):
        return self.metadata(name)["signed"]


def test_init_with_all_keys_publishes(tmp_path):
    w = World(tmp_path, T0)
    code, out, err = w.init()
    assert code == 0, err
    assert "published  timestamp  version 1, expires 2026-01-03T00:00:00Z" in out
    assert sorted(p.name for p in (w.dir / "metadata").iterdir()) == [
        "1.evidence.json", "1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json"]
    root = w.signed("1.root.json")
    assert root["consistent_snapshot"] is True and root["roles"]["root"]["threshold"] == 2
    assert root["expires"] == "2027-01-01T00:00:00Z"
    for i, key in root["keys"].items():
        text = json.dumps(key, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == i
    code, _, err = w.init()
    assert code == 2 and "there is a repository already" in err


def test_the_same_keys_and_time_give_the_same_bytes(tmp_path):
    w = World(tmp_path, T0)
    assert w.init()[0] == 0
    one = {p.name: p.read_bytes() for p in (w.dir / "metadata").iterdir()}
    shutil.rmtree(w.dir)
    shutil.rmtree(w.private)
    assert w.init()[0] == 0
    assert one == {p.name: p.read_bytes() for p in (w.dir / "metadata").iterdir()}


def test_people_sign_on_their_own_machines(tmp_path):
    w = World(tmp_path, T0)
    a, b, c, t = (pem(tmp_path, k) for k in (w.a, w.b, w.c, w.t))
    code, out, _ = w.publish("init", w.dir, "--root-key", a, "--root-key", b, "--root-key", c,
                             "--root-threshold", 2, "--targets-key", t, "--online-key", w.o)
    assert code == STAGED
    assert "staged     root version 1: 0 of 2 signatures" in out
    assert shown(tmp_path, w.a)["tuf_key_id"] in out
    assert not (w.dir / "metadata").exists()
    home = tmp_path / "home"
    home.mkdir()
    for key in (w.a, w.b):
        shutil.copy(w.private / "staged/root.json", home / f"{key.stem}.json")
        out = good(tmp_path, "publish", "sign", home / f"{key.stem}.json", "--key", key)
        assert "root, version 1, expires 2027-01-01T00:00:00Z" in out
        assert "targets is signed by 1 of 1 keys:" in out
    shutil.copy(w.private / "staged/targets.json", home / "t.json")
    code, _, err = call(tmp_path, "publish", "sign", home / "t.json", "--key", w.a)
    assert code == 2 and "none of those that this file names" in err
    good(tmp_path, "publish", "sign", home / "t.json", "--key", w.t)
    code, out, _ = w.publish("commit", w.dir, home / "a.json", home / "t.json")
    assert code == STAGED and "root version 1: 1 of 2 signatures" in out
    assert w.publish("commit", w.dir, home / "b.json")[0] == 0
    assert w.signed("timestamp.json")["version"] == 1


def test_what_was_changed_on_its_way_is_not_taken(tmp_path):
    w = World(tmp_path, T0)
    assert w.init()[0] == 0
    assert w.publish("renew", w.dir, "targets")[0] == STAGED
    staged = json.loads((w.private / "staged/targets.json").read_text())
    staged["signed"]["version"] += 1
    (tmp_path / "x.json").write_text(json.dumps(staged))
    good(tmp_path, "publish", "sign", tmp_path / "x.json", "--key", w.t)
    code, _, err = w.publish("commit", w.dir, tmp_path / "x.json")
    assert code == 2 and "is not what is staged" in err
    assert w.signed("timestamp.json")["version"] == 1


def test_timestamp_renews_what_the_online_key_may(tmp_path):
    w = World(tmp_path, T0)
    assert w.init()[0] == 0
    for day, versions in (("02", (2, 1)), ("05", (3, 2))):
        w.time = ("--time", f"2026-01-{day}T00:00:00Z")
        assert w.publish("timestamp", w.dir)[0] == 0
        timestamp = w.signed("timestamp.json")
        snapshot = timestamp["meta"]["snapshot.json"]["version"]
        assert (timestamp["version"], snapshot) == versions
    w.time = ("--time", "2026-03-25T00:00:00Z")
    code, _, err = w.publish("timestamp", w.dir)
    assert code == 0 and "targets expires 2026-04-01T00:00:00Z" in err
    w.time = ("--time", "2026-04-02T00:00:00Z")
    code, _, err = w.publish("timestamp", w.dir)
    assert code == 2 and "targets" in err and w.signed("timestamp.json")["version"] == 4


def test_rotation_of_the_root(tmp_path):
    w = World(tmp_path, T0)
    assert w.init()[0] == 0
    d = new_key(tmp_path, "d")
    gone = shown(tmp_path, w.a)["tuf_key_id"]
    code, _, err = w.publish("rotate", w.dir, "root", "--add", d, "--remove", gone[:8], "--key", w.a)
    assert code == STAGED, err
    assert w.publish("commit", w.dir, "--key", w.b)[0] == 0
    root = w.signed("2.root.json")
    assert gone not in root["keys"] and shown(tmp_path, d)["tuf_key_id"] in root["keys"]
    assert len(w.metadata("2.root.json")["signatures"]) == 3
    code, _, err = w.publish("rotate", w.dir, "root", "--remove", gone)
    assert code == 2 and "no such key" in err


def test_delegation(tmp_path):
    w = World(tmp_path, T0)
    assert w.init()[0] == 0
    m = new_key(tmp_path, "m")
    code, _, err = w.publish("delegate", w.dir, "mail", "--paths", "mail/*", "--key", m, "--signer",
                             w.t)
    assert code == 0, err
    names = [r["name"] for r in w.signed("2.targets.json")["delegations"]["roles"]]
    assert names == ["evidence", "mail"]
    assert "mail.json" in w.signed("2.snapshot.json")["meta"]


def test_sign_refuses_what_is_no_metadata(tmp_path):
    (tmp_path / "x").write_text("{}")
    code, _, err = call(tmp_path, "publish", "sign", tmp_path / "x")
    assert code == 2 and "neither TUF metadata nor a DSSE envelope" in err


# -- readers ---------------------------------------------------------------------------------------

class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(folder):
    handler = functools.partial(Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ended(cmd, **kw):
    r = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL, **kw)
    return r.returncode == 0, r.stdout + r.stderr


class Ours:
    def read(self, state, url, path):
        client = [BUILD / "test/tuf/tuf-conformance-client", "--metadata-dir", state,
                  "--metadata-url", url + "/metadata"]
        out = state / "out"
        out.mkdir(exist_ok=True)
        ok, said = ended([*client, "refresh"])
        if ok:
            ok, said = ended([*client, "--target-base-url", url + "/targets", "--target-dir", out,
                              "--target-name", path, "download"])
        return ok, said


class Foreign:
    def __init__(self, cmd):
        self.cmd = cmd

    def read(self, state, url, path):
        return ended([*self.cmd, state, url + "/metadata", url + "/targets", path])


@pytest.fixture(scope="module")
def tuf_js(tmp_path_factory):
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("no node with npm")
    where = tmp_path_factory.mktemp("tuf-js")
    for name in ("package.json", "package-lock.json", "read.js"):
        shutil.copy(ROOT / "test/interop/tuf-js" / name, where / name)
    try:
        ok, said = ended(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=where)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not bring tuf-js in time")
    if not ok:
        pytest.skip("npm did not bring tuf-js: " + said.strip()[-200:])
    return Foreign(["node", where / "read.js"])


@pytest.fixture(scope="module")
def tuf_py():
    python = os.environ.get("VITRINE_TUF_PYTHON")
    if not python and not importlib.util.find_spec("tuf"):
        pytest.skip("no python-tuf (VITRINE_TUF_PYTHON names a python that has it)")
    return Foreign([python or sys.executable, ROOT / "test/interop/tuf-py.py"])


@pytest.fixture(scope="module")
def go_tuf(tmp_path_factory):
    if not shutil.which("go"):
        pytest.skip("no go")
    exe = tmp_path_factory.mktemp("go-tuf") / "read"
    env = dict(os.environ, GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local")
    try:
        r = subprocess.run(["go", "build", "-o", str(exe), "."], cwd=ROOT / "test/interop/go-tuf",
                           env=env, capture_output=True, text=True, timeout=200,
                           stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        pytest.skip("go build did not end in time")
    if r.returncode:
        pytest.skip("go build: " + r.stderr.strip()[-200:])
    return Foreign([exe])


@pytest.fixture
def reader(request):
    return Ours() if request.param == "ours" else request.getfixturevalue(request.param)


READERS = pytest.mark.parametrize("reader", ["ours", "tuf_js", "tuf_py", "go_tuf"], indirect=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Published an hour ago, root rotated, a delegated role, two snapshots."""
    folder = tmp_path_factory.mktemp("world")
    now = datetime.datetime.now(datetime.timezone.utc)
    w = World(folder, (now - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert w.init()[0] == 0
    probe = BUILD / "test/probe/publish_probe"
    w.text = b"rules of today\n"
    (folder / "one").write_bytes(w.text)

    def stage(role, path, file, *keys):
        ok, said = ended([probe, w.dir, w.private, role, path, file])
        assert ok, said
        code, out, err = w.publish("commit", w.dir, *(x for k in keys for x in ("--key", k)))
        assert code == 0, out + err
    stage("targets", "main/main.vdb", folder / "one", w.t)
    w.before = folder / "before"
    shutil.copytree(w.dir, w.before)
    d = new_key(folder, "d")
    assert w.publish("rotate", w.dir, "root", "--add", d, "--key", w.a, "--key", w.b)[0] == 0
    (folder / "two").write_bytes(b"proof\n")
    stage("evidence", "main/evidence/release.tlog-proof", folder / "two")
    return w


def state_of(tmp_path, repo):
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    shutil.copy(repo / "metadata/1.root.json", state / "root.json")
    return state


@READERS
def test_clients_read_what_was_published(world, tmp_path, reader):
    state = state_of(tmp_path, world.dir)
    with served(world.dir) as url:
        for path in ("main/main.vdb", "main/evidence/release.tlog-proof"):
            ok, said = reader.read(state, url, path)
            assert ok, said
        assert not reader.read(state, url, "main/nothing")[0]


def edit(path, change):
    doc = json.loads(path.read_text())
    change(doc)
    path.write_text(json.dumps(doc))


def under_signed(repo, world):
    edit(repo / "metadata/2.root.json", lambda d: d["signatures"].pop())
    edit(repo / "metadata/2.root.json", lambda d: d["signatures"].pop())


def forged(repo, world):
    edit(repo / "metadata/timestamp.json", lambda d: d["signed"].update(version=99))


def swapped_target(repo, world):
    next((repo / "targets/main").glob("*.main.vdb")).write_bytes(b"rules of nobody\n")


def mixed(repo, world):
    shutil.copy(repo / "metadata/1.snapshot.json", repo / "metadata/3.snapshot.json")


def missing(repo, world):
    for p in (repo / "metadata").glob("*.targets.json"):
        p.unlink()


def expired(repo, world):
    folder = repo.parent / "old"
    folder.mkdir()
    old = World(folder, "2025-01-01T00:00:00Z")
    assert old.init()[0] == 0
    shutil.rmtree(repo)
    shutil.copytree(old.dir, repo)


@READERS
@pytest.mark.parametrize("spoil", [under_signed, forged, swapped_target, mixed, missing, expired],
                         ids=lambda f: f.__name__)
def test_clients_refuse(world, tmp_path, reader, spoil):
    repo = tmp_path / "copy"
    shutil.copytree(world.dir, repo)
    spoil(repo, world)
    state = state_of(tmp_path, repo)
    with served(repo) as url:
        ok, said = reader.read(state, url, "main/main.vdb")
    assert not ok and said.strip()


@READERS
def test_clients_refuse_an_older_copy(world, tmp_path, reader):
    state = state_of(tmp_path, world.dir)
    with served(world.dir) as url:
        assert reader.read(state, url, "main/main.vdb")[0]
    repo = tmp_path / "rolled-back"
    shutil.copytree(world.before, repo)
    with served(repo) as url:
        ok, said = reader.read(state, url, "main/main.vdb")
    assert not ok, said
