"""vitrine publish release, stopped dead behind any call that changes something: a reader finds the old
repository or the new one, nothing is published that is not in the log, and no version of a set is
ever stated twice. The same keys, time and input give the same bytes, wherever they are."""
import base64
import json
import os
import shutil
import subprocess

import pytest

import cli
from publishing import good, new_key, vitrine, vkey

SHIM = cli.BUILD / "test" / "crash" / "libcrash_shim.so"
CRASHED, T0 = 99, "2026-01-01T00:00:00Z"

# Every call in turn takes minutes: VITRINE_CRASH_STEP=1.
STEP = int(os.environ.get("VITRINE_CRASH_STEP", "11"))


class World:
    """A log without witnesses and a repository; all keys at one place."""

    def __init__(self, folder, keys, env=None, umask=-1):
        self.folder, self.keys, self.env, self.umask = folder, keys, env, umask
        self.log, self.dir = folder / "log", folder / "repo"

    def good(self, *args):
        code, out, err = vitrine(*args, env=self.env, umask=self.umask, cwd=self.folder)
        assert code == 0, err
        return out

    def begin(self):
        k = self.keys
        self.folder.mkdir(exist_ok=True)
        self.good("log", "init", self.log, "--key", k["log"])
        self.good("publish", "init", self.dir, "--root-key", k["root"], "--targets-key", k["targets"],
                  "--online-key", k["online"], "--publisher-key", k["pub"], "--time", T0)
        return self

    def release(self, *args, env=None):
        k = self.keys
        return vitrine("publish", "release", self.dir, *args, "--set", "main", "--log", self.log, "-q",
                       "--publisher-key", k["pub"], "--targets-key", k["targets"], "--time", T0,
                       env=env or self.env, umask=self.umask, cwd=self.folder)

    def copy(self, to):
        for p in self.folder.iterdir():
            shutil.copytree(p, to / p.name)
        return World(to, self.keys)

    def targets(self, role="targets"):
        meta = self.dir / "metadata"
        t = json.loads((meta / "timestamp.json").read_text())["signed"]["meta"]["snapshot.json"]
        s = json.loads((meta / f"{t['version']}.snapshot.json").read_text())["signed"]["meta"]
        return json.loads((meta / f"{s[role + '.json']['version']}.{role}.json").read_text())[
            "signed"]["targets"]

    def path(self, name, role="targets"):
        folder, _, last = name.rpartition("/")
        return self.dir / "targets" / folder / f"{self.targets(role)[name]['hashes']['sha256']}.{last}"

    def entries(self):
        """What is in the log, published or not, by its bundles."""
        found = {}
        for p in (self.log / "tile" / "entries").rglob("*"):
            if p.is_file():
                data, i = p.read_bytes(), 0
                while i < len(data):
                    n = int.from_bytes(data[i:i + 2], "big")
                    found[data[i + 2:i + 2 + n]] = True
                    i += 2 + n
        return list(found)

    def check(self):
        """What readers rely on, at any moment."""
        if "main/release.dsse" in self.targets():
            entry, proof = self.path("main/release.dsse"), \
                self.path("main/evidence/release.tlog-proof", "evidence")
            good("log", "verify", "--key", vkey(self.keys["log"]), proof, entry)
            for name, t in self.targets().items():
                assert self.path(name).stat().st_size == t["length"]
        stated = [json.loads(base64.b64decode(json.loads(e)["payload"])) for e in self.entries()]
        versions = [s["predicate"]["buildDefinition"]["externalParameters"]["version"] for s in stated]
        assert len(versions) == len(set(versions))
        return sorted(versions)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {**{n: new_key(folder, n) for n in ("root", "targets", "online", "pub")},
            "log": new_key(folder, "log", "log")}


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.ndb").write_text(cli.rule("Release.A", cli.ONE))
    (tmp_path / "better").mkdir()
    (tmp_path / "better" / "a.ndb").write_text(cli.rule("Release.B", cli.TWO))
    return tmp_path / "rules"


@pytest.fixture
def shim():
    if not SHIM.is_file():
        pytest.skip("no crash shim in this build")
    r = subprocess.run([str(cli.BUILD / "vitrine"), "version"], capture_output=True,
                       env=dict(os.environ, LD_PRELOAD=str(SHIM)))
    if r.returncode:
        pytest.skip("this build cannot be preloaded (sanitizers)")


def goes_on(w, rules):
    """As the messages say: --continue, commit, or once more."""
    code, out, err = w.release("--continue")
    if code == 2 and "no release is staged" in err:
        code, out, err = vitrine("publish", "commit", w.dir, "--time", T0)
        assert code == 0, err
    if code == 2 and "make the release again" in err or "main/release.dsse" not in w.targets():
        code, out, err = w.release(rules)
    assert code == 0, err


@pytest.mark.parametrize("own", ["1", "0"], ids=["publisher", "publisher-and-log"])
def test_release_killed_at_any_call_goes_on(tmp_path, keys, rules, shim, own):
    first = World(tmp_path / "w", keys).begin()
    for n in range(1, 2000, STEP):
        again = tmp_path / f"again{n}"
        again.mkdir()
        w = first.copy(again)
        code, out, err = w.release(rules, env={"LD_PRELOAD": str(SHIM), "CRASH_AT": str(n),
                                               "CRASH_SELF": own})
        assert code in (0, 2, CRASHED), err
        w.check()
        if n // STEP % 2:
            goes_on(w, rules)
            assert b"Release.A" in w.path("main/source.tar").read_bytes()
            assert w.check() == [1]
        else: # somebody gives up, and releases something else
            c, out, err = w.release(rules.with_name("better"))
            assert c == 0, err
            assert b"Release.B" in w.path("main/source.tar").read_bytes()
            assert w.check() in ([1], [1, 2], [2])
        good("log", "check", "--key", vkey(keys["log"]), w.log)
        shutil.rmtree(again)
        if code == 0:
            break
    assert code == 0 and n > 40


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_same_input_time_and_keys_give_the_same_repository(tmp_path, keys, rules):
    worlds = []
    for name, umask, env in (("a", 0o022, {"TZ": "UTC", "LC_ALL": "C"}),
                             ("another folder", 0o077, {"TZ": "Asia/Kathmandu", "LC_ALL": "C.UTF-8",
                                                        "LANG": "tr_TR.UTF-8"})):
        w = World(tmp_path / name, keys, env, umask).begin()
        copy = tmp_path / name / "rules"
        shutil.copytree(rules, copy)
        for text in ("Release.A", "Release.B", "Release.C"):
            (copy / "b.ndb").write_text(cli.rule(text, cli.TWO))
            code, out, err = w.release(copy)
            assert code == 0, err
        w.good("publish", "timestamp", w.dir, "--log", w.log, "--time", "2026-01-04T18:00:00Z", "-q")
        w.good("publish", "evidence", w.dir, "main", "--log", w.log, "--time", "2026-01-05T18:00:00Z",
               "-q")
        worlds.append(tree(w.dir))
    assert sorted(worlds[0]) == sorted(worlds[1])
    assert [p for p in worlds[0] if worlds[0][p] != worlds[1][p]] == []
