"""A publisher's world for tests: keys, a log with witnesses that run, a repository."""
import base64
import contextlib
import hashlib
import json
import os
import subprocess

import cli


def vitrine(*args, cwd=None, env=None, umask=-1):
    r = subprocess.run([str(cli.BUILD / "vitrine"), *map(str, args)], capture_output=True, cwd=cwd,
                       env={**os.environ, "TZ": "UTC", **(env or {})}, stdin=subprocess.DEVNULL,
                       timeout=120, umask=umask)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def good(*args, **kw):
    code, out, err = vitrine(*args, **kw)
    assert code == 0, err
    return out


def new_key(folder, name, kind="publisher"):
    path = folder / f"{name}.key"
    good("key", "new", "--name", f"{name}.example", "--for", kind, "--no-passphrase", "-o", path)
    return path


def vkey(key):
    return json.loads(good("key", "show", "--json", key))["vkey"]


class Witness:
    """One that knows a log; it comes back on the same port."""

    def __init__(self, folder, name, log_key):
        self.folder, self.port, self.process = folder / name, 0, None
        self.folder.mkdir()
        self.key = new_key(self.folder, name, "witness")
        (self.folder / "logs.conf").write_text(f"log {vkey(log_key)} rate=none\n")

    def start(self):
        state = self.folder / "state.db"
        self.process = subprocess.Popen(
            [str(cli.BUILD / "vitrine"), "witness", "serve", "-k", self.key, "-c",
             self.folder / "logs.conf", "-s", state, "--listen", f"127.0.0.1:{self.port}", "--json",
             *([] if state.exists() else ["--create"])],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.url = json.loads(line)["url"]
        self.port = int(json.loads(line)["listening"].rsplit(":", 1)[1])

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.communicate(timeout=30)
        self.process = None


class World:
    """A repository whose every role has a key of its own, and a log with two witnesses, both needed."""

    def __init__(self, folder):
        self.folder, self.log, self.dir = folder, folder / "log", folder / "repo"
        for name in ("root", "targets", "online", "pub", "pub2", "reb1", "reb2"):
            setattr(self, name, new_key(folder, name))
        self.log_key = new_key(folder, "log", "log")
        self.witnesses = [Witness(folder, f"w{i}", self.log_key) for i in (1, 2)]
        self.policy = folder / "policy"

    def begin(self):
        for w in self.witnesses:
            w.start()
        lines = [f"witness w{i} {vkey(w.key)} {w.url}\n" for i, w in enumerate(self.witnesses)]
        self.policy.write_text(f"log {vkey(self.log_key)}\n" + "".join(lines) +
                               "group both all w0 w1\nquorum both\n")
        good("log", "init", self.log, "--key", self.log_key, "--policy", self.policy)
        self.init()

    def init(self):
        good("publish", "init", self.dir, "--root-key", self.root, "--targets-key", self.targets,
             "--online-key", self.online)

    def end(self):
        for w in self.witnesses:
            w.stop()

    def options(self, **keys):
        names = {"publisher": self.pub, "targets": self.targets, "online": self.online, **keys}
        return ["--set", "main", "--log", self.log, "-q", "--json",
                *(x for k, v in names.items() if v for x in (f"--{k}-key", v))]

    def release(self, *args, **keys):
        code, out, err = vitrine("publish", "release", self.dir, *args, *self.options(**keys))
        return code, json.loads(out) if out else None, err

    def timestamp(self, *args):
        return vitrine("publish", "timestamp", self.dir, "--log", self.log, "-q", "--json", *args)

    def evidence(self, *rebuilds, cwd=None):
        return vitrine("publish", "evidence", self.dir, "main", "--log", self.log, "--online-key",
                       self.online, *(x for r in rebuilds for x in ("--rebuild", r)))

    # -- as a reader sees it

    def entries(self):
        return int((self.log / "checkpoint").read_text().split("\n")[1]) \
            if (self.log / "checkpoint").exists() else 0

    def metadata(self, role):
        snapshot = json.loads(self.newest("snapshot").read_text())
        version = snapshot["signed"]["meta"][f"{role}.json"]["version"]
        return json.loads((self.dir / "metadata" / f"{version}.{role}.json").read_text())

    def newest(self, role):
        meta = json.loads((self.dir / "metadata" / "timestamp.json").read_text())["signed"]["meta"]
        return self.dir / "metadata" / f"{meta[f'{role}.json']['version']}.{role}.json"

    def targets_of(self, role="targets"):
        return self.metadata(role)["signed"]["targets"]

    def path(self, name, role="targets"):
        about = self.targets_of(role)[name]
        folder, _, last = name.rpartition("/")
        path = self.dir / "targets" / folder / f"{about['hashes']['sha256']}.{last}"
        data = path.read_bytes()
        assert len(data) == about["length"]
        assert hashlib.sha256(data).hexdigest() == about["hashes"]["sha256"]
        return path

    def statement(self):
        envelope = json.loads(self.path("main/release.dsse").read_bytes())
        return json.loads(base64.b64decode(envelope["payload"]))

    def proven(self, entry, proof):
        """Cosigned by both witnesses, in the log."""
        out = good("log", "verify", "--policy", self.policy, "--json", proof, entry)
        return json.loads(out)

    def tree(self):
        return {str(p.relative_to(self.dir)): p.read_bytes()
                for p in self.dir.rglob("*") if p.is_file()}


@contextlib.contextmanager
def world(folder):
    w = World(folder)
    try:
        w.begin()
        yield w
    finally:
        w.end()
