"""Programs that nobody here wrote read, check and cosign what Vitrine writes. Optional: skipped, with
the reason, where they are not to be had.

Go with its modules: Tessera's fsck, x/mod's and torchwood's libraries (test/interop/go).
litewitness and witnessctl (Debian's torchwood, from sid): on PATH or in VITRINE_INTEROP_BIN.
Every program that is trusted here is shown something wrong first."""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

from cli import BUILD, ROOT, run

GO = ROOT / "test" / "interop" / "go"
NAME = "log.example/interop"
ENTRIES = 700  # two full tiles, one partial


def vitrine(folder, *args, stdin=None):
    code, out, err = run("vitrine", *args, cache=folder, stdin=stdin)
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Folder with interop and fsck."""
    if not shutil.which("go"):
        pytest.skip("no go")
    where = tmp_path_factory.mktemp("foreign")
    env = dict(os.environ, GOFLAGS="-mod=readonly -buildvcs=false", GOTOOLCHAIN="local")
    for package in (".", "github.com/transparency-dev/tessera/cmd/fsck"):
        try:
            r = subprocess.run(["go", "build", "-o", str(where) + "/", package], cwd=GO, env=env,
                               capture_output=True, text=True, timeout=400, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            pytest.skip("go build did not end in time")
        if r.returncode:
            pytest.skip("go build: " + r.stderr.strip()[-300:])
    return where


def read_by(foreign, *args):
    r = subprocess.run([str(foreign / "interop"), *map(str, args)], capture_output=True, text=True,
                       timeout=60, stdin=subprocess.DEVNULL)
    return r.returncode == 0, r.stdout + r.stderr


class Log:
    def __init__(self, folder):
        self.folder, self.dir = folder, folder / "log"
        self.key = folder / "log.key"
        self.vkey = vitrine(folder, "key", "new", "--name", NAME, "--no-passphrase", "-o",
                            self.key).strip()

    def add(self, first, n, *args):
        entries = self.folder / f"entries-{first}"
        entries.mkdir()
        files = [entries / f"e{i:04}" for i in range(first, first + n)]
        for f in files:
            f.write_text(f"{f.name} of the log\n" * (1 + hash_of(f.name) % 40))
        vitrine(self.folder, "log", "add", self.dir, "--key", self.key, *args, *files)
        return files


def hash_of(text):
    return hashlib.sha256(text.encode()).digest()[0]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    log = Log(tmp_path_factory.mktemp("log"))
    vitrine(log.folder, "log", "init", log.dir, "--key", log.key)
    log.files = log.add(0, ENTRIES, "--proof-dir", log.folder)
    return log


def spoiled(log, tmp_path, name):
    """A copy of the log with one byte of that file changed."""
    copy = tmp_path / "spoiled"
    shutil.copytree(log.dir, copy)
    path = copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    return copy


WRONG = ("tile/0/001", "tile/1/000.p/2", "tile/entries/000", "tile/0/002.p/188")


def test_x_mod_proves_every_entry(foreign, log):
    ok, out = read_by(foreign, "log", log.dir, log.vkey)
    assert ok and f"log of {ENTRIES} entries" in out, out


@pytest.mark.parametrize("name", WRONG)
def test_x_mod_refuses_what_log_check_refuses(foreign, log, tmp_path, name):
    copy = spoiled(log, tmp_path, name)
    assert not read_by(foreign, "log", copy, log.vkey)[0]
    assert run("vitrine", "log", "check", "--key", log.vkey, copy, cache=tmp_path)[0] == 1


def fsck(foreign, folder, log, where):
    """What fsck says of a log that our own server serves."""
    (folder / "vkey").write_text(log.vkey)
    server = subprocess.Popen([str(BUILD / "vitrine"), "log", "serve", where, "--json"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    url = json.loads(server.stdout.readline())["url"]
    try:
        r = subprocess.run([str(foreign / "fsck"), f"--storage_url={url}", "--ui=false",
                            f"--public_key={folder / 'vkey'}", f"--origin={NAME}", "--N=4"],
                           capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        return r.stdout + r.stderr
    except subprocess.TimeoutExpired as e:  # as it does when a tile is wrong
        return (e.stderr or b"").decode()
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


def test_tessera_fsck_reads_the_log(foreign, log, tmp_path):
    root = (log.dir / "checkpoint").read_text().splitlines()[2]
    out = fsck(foreign, tmp_path, log, log.dir)
    said = f"Successfully fsck'd log with size {ENTRIES} and root "
    assert said in out and root_is(out.split(said)[1].split()[0], root), out


def root_is(said, root):
    return base64.b64decode(root).hex() == said or root == said


def test_tessera_fsck_would_see_a_wrong_tile(foreign, log, tmp_path):
    assert "Successfully" not in fsck(foreign, tmp_path, log, spoiled(log, tmp_path, "tile/0/001"))


def test_torchwood_accepts_our_offline_proofs(foreign, log, tmp_path):
    policy = tmp_path / "policy"
    policy.write_text(f"log {log.vkey}\nquorum none\n")
    for i in (0, 255, 256, 511, 512, ENTRIES - 1):
        proof = log.folder / f"{log.files[i].name}.tlog-proof"
        ok, out = read_by(foreign, "proof", policy, proof, log.files[i])
        assert ok, out
        assert not read_by(foreign, "proof", policy, proof, log.files[i - 1])[0]


def tool(name):
    found = shutil.which(name, path=os.environ.get("VITRINE_INTEROP_BIN", "") + ":" +
                         os.environ.get("PATH", ""))
    if not found:
        pytest.skip(f"no {name}")
    return found


class Agent:
    """An ssh-agent with one key, in the foreground."""

    def __init__(self, folder):
        self.sock, self.key = folder / "agent.sock", folder / "id"
        subprocess.run([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", self.key],
                       check=True)
        self.process = subprocess.Popen([tool("ssh-agent"), "-D", "-a", self.sock],
                                        stdout=subprocess.DEVNULL)
        wait_for(self.sock.exists)
        subprocess.run([tool("ssh-add"), "-q", self.key], check=True,
                       env=dict(os.environ, SSH_AUTH_SOCK=str(self.sock)))
        blob = base64.b64decode((folder / "id.pub").read_text().split()[1])
        self.public = blob[-32:]
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        self.fingerprint = "SHA256:" + digest


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(.02)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def cosigner_vkey(name, public):
    key = b"\x04" + public
    number = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex()
    return f"{name}+{number}+{base64.b64encode(key).decode()}"


@pytest.fixture
def litewitness(tmp_path):
    serve, control = tool("litewitness"), tool("witnessctl")
    agent = Agent(tmp_path)
    name, db, port = "witness.example/lite", tmp_path / "lite.db", free_port()
    process = subprocess.Popen([serve, "-db", db, "-name", name, "-key", agent.fingerprint,
                                "-ssh-agent", agent.sock, "-listen", f"127.0.0.1:{port}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: listens(port))

    class It:
        vkey, url = cosigner_vkey(name, agent.public), f"http://127.0.0.1:{port}"

        @staticmethod
        def learn(vkey):
            for args in (["add-log", "-origin", NAME], ["add-key", "-origin", NAME, "-key", vkey]):
                subprocess.run([control, args[0], "-db", db, *args[1:]], check=True,
                               stdout=subprocess.DEVNULL)
    yield It
    for p in (process, agent.process):
        p.send_signal(signal.SIGTERM)
        p.wait(10)


def test_litewitness_cosigns_our_log(litewitness, tmp_path):
    """A log whose policy demands it publishes nothing else, and goes on from size to size."""
    log = Log(tmp_path)
    litewitness.learn(log.vkey)
    policy = tmp_path / "policy"
    policy.write_text(f"log {log.vkey}\nwitness lite {litewitness.vkey} {litewitness.url}\n"
                      "quorum lite\n")
    vitrine(tmp_path, "log", "init", log.dir, "--key", log.key, "--policy", policy)
    for first, n in ((0, 1), (1, 300), (301, 5)):
        log.add(first, n)
        out = vitrine(tmp_path, "log", "check", "--json", "--policy", policy, log.dir)
        assert json.loads(out)["size"] == first + n
    assert pathlib.Path(log.dir, "checkpoint").read_text().count("— witness.example/lite ") == 1
