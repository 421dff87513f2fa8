"""vitrine key new, import and show: what is printed, what is written, and that the documented format is
enough to read a key without us (Python's scrypt, openssl's ChaCha20 and Poly1305)."""
import base64
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import subprocess
import termios
import time

import pytest

import cli

NAME = "example.com/log"
PASS = b"correct horse"
GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
# Made by other means from the seed 00 01 .. 1f; its scrypt costs nothing.
CHEAP = """vitrine key 1
kind log
vkey example.com/log+d455c521+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
kdf scrypt 16 1 1 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=
cipher chacha20-poly1305 QEFCQ0RFRkdISUpL
seed g8SoRefAh0lRqN7HR9PGrXWniVT6HuTe9Ilwt5cwgoFlv9BJxTaLgYWlxGl3dyrT
sum hMBtVYLal7haLtZDUw16uZp9v3CleMNS3atE4qxke5g=
"""


class Box:
    def __init__(self, tmp):
        self.dir = tmp
        (tmp / "pw").write_bytes(PASS + b"\n")

    def key(self, *args, stdin=None):
        return cli.run("vitrine", "key", *args, cache=self.dir / "cache", cwd=self.dir, stdin=stdin)

    def new(self, out, *args, name=NAME, stdin=None):
        return self.key("new", "--name", name, *args, "-o", out, stdin=stdin)

    def write(self, name, text, mode=0o600):
        path = self.dir / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def files(self):
        return sorted(p.name for p in self.dir.iterdir() if p.name != "cache")


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def openssl(*args, stdin):
    r = subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=30)
    assert r.returncode == 0, r.stderr
    return r.stdout


def chacha20(key, nonce, counter, data):
    iv = counter.to_bytes(4, "little") + nonce
    return openssl("enc", "-chacha20", "-K", key.hex(), "-iv", iv.hex(), stdin=data)


def padded(data):
    return data + bytes(-len(data) % 16)


def aead_open(key, nonce, clear, sealed):
    """RFC 8439, section 2.8, from its parts."""
    text, tag = sealed[:-16], sealed[-16:]
    once = chacha20(key, nonce, 0, bytes(32))
    data = padded(clear) + padded(text) + len(clear).to_bytes(8, "little") + \
        len(text).to_bytes(8, "little")
    mac = openssl("mac", "-macopt", f"hexkey:{once.hex()}", "-in", "-", "POLY1305", stdin=data)
    assert mac.decode().strip().lower() == tag.hex()
    return chacha20(key, nonce, 1, text)


def open_without_us(path, passphrase):
    """The seed, by doc/format/keyfile.md alone."""
    raw = path.read_bytes()
    lines = dict(line.split(" ", 1) for line in raw.decode().splitlines())
    assert list(lines) == ["vitrine", "kind", "vkey", "kdf", "cipher", "seed", "sum"]
    before_sum = raw[:raw.index(b"\nsum ") + 1]
    assert base64.b64decode(lines["sum"]) == hashlib.sha256(before_sum).digest()
    kdf, n, r, p, salt = lines["kdf"].split(" ")
    cipher, nonce = lines["cipher"].split(" ")
    assert (kdf, cipher) == ("scrypt", "chacha20-poly1305")
    key = hashlib.scrypt(passphrase, salt=base64.b64decode(salt), n=int(n), r=int(r), p=int(p),
                         maxmem=1 << 29, dklen=32)
    clear = raw[:raw.index(b"\nseed ") + 1]
    return aead_open(key, base64.b64decode(nonce), clear, base64.b64decode(lines["seed"]))


def public_of(seed):
    der = bytes.fromhex("302e020100300506032b657004220420") + seed
    return openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", stdin=der)[-32:]


def public_of_vkey(vkey):
    return base64.b64decode(vkey.split("+", 2)[2])[1:]


def forms(seed):
    """How a seed could be printed by mistake."""
    return [seed.hex(), seed.hex().upper(), base64.b64encode(seed).decode()[:40]]


def test_the_documented_format_is_enough_to_read_a_key(box):
    code, out, err = box.new("a.key", "--passphrase-file", "pw")
    assert code == 0
    seed = open_without_us(box.dir / "a.key", PASS)
    assert public_of(seed) == public_of_vkey(out.strip())
    shown = box.key("show", "--check", "--passphrase-file", "pw", "a.key")
    assert shown[0] == 0
    for form in forms(seed):
        assert form not in out + err + shown[1] + shown[2]


def test_new_prints_the_vkey_and_writes_a_file_of_the_owner_s(box):
    code, out, err = box.new("a.key", "--passphrase-file", "pw")
    assert code == 0
    assert re.fullmatch(re.escape(NAME) + r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n", out)
    assert err == "vitrine: a.key: written, encrypted; without its passphrase the key is lost\n"
    assert box.files() == ["a.key", "pw"]
    assert (box.dir / "a.key").stat().st_mode & 0o7777 == 0o600


def test_two_keys_differ(box):
    outs = [box.new(f"{i}.key", "--no-passphrase")[1] for i in range(2)]
    assert outs[0] != outs[1]


def test_a_key_is_never_written_over(box):
    path = box.write("a.key", "something dear")
    code, out, err = box.new("a.key", "--no-passphrase")
    assert (code, out) == (2, "")
    assert "a.key: exists; a key is never written over" in err
    assert path.read_text() == "something dear"
    assert box.files() == ["a.key", "pw"]


def test_what_cannot_be_written_leaves_nothing(box):
    code, out, err = box.new("nowhere/a.key", "--no-passphrase")
    assert (code, out) == (2, "")
    assert "No such file or directory" in err
    assert box.files() == ["pw"]


def test_a_vkey_that_cannot_be_printed_is_an_error(box):
    with open("/dev/full", "wb") as full:
        r = subprocess.run([str(cli.BUILD / "vitrine"), "key", "new", "--name", "x", "--no-passphrase",
                            "-o", "a.key"], stdout=full, stderr=subprocess.PIPE, cwd=box.dir,
                           timeout=30)
    assert r.returncode == 2
    assert b"the key is written, but its vkey could not be printed" in r.stderr


@pytest.mark.parametrize("kind,type_byte", [("log", 1), ("witness", 4), ("note", 1)])
def test_the_kind_is_in_the_vkey(box, kind, type_byte):
    code, out, _ = box.new("a.key", "--for", kind, "--no-passphrase")
    assert code == 0
    assert base64.b64decode(out.strip().split("+", 2)[2])[0] == type_byte
    assert json.loads(box.key("show", "--json", "a.key")[1])["kind"] == kind


def test_ml_dsa_works_or_says_what_it_needs(box):
    code, out, err = box.new("a.key", "--for", "witness", "--algorithm", "ml-dsa-44",
                             "--passphrase-file", "pw")
    if code == 2:
        assert err == "vitrine: ML-DSA-44 needs libcrypto 3.5 or later\n"
        assert box.files() == ["pw"]
    else:
        assert base64.b64decode(out.strip().split("+", 2)[2])[0] == 6
        assert box.key("show", "--check", "--passphrase-file", "pw", "a.key")[0] == 0


@pytest.mark.parametrize("name", ["", "with blank", "a+b", "x" * 256, "tab\there"],
                         ids=["empty", "blank", "plus", "long", "tab"])
def test_a_name_that_is_none_is_refused(box, name):
    code, out, err = box.new("a.key", "--no-passphrase", name=name)
    assert (code, out) == (2, "")
    assert "no name for a key (1 to 255 bytes, no blanks, no +): " in err
    assert box.files() == ["pw"]


def test_show_needs_no_passphrase(box):
    box.write("a.key", CHEAP)
    code, out, err = box.key("show", "a.key")
    assert (code, err) == (0, "")
    assert out == ("name       example.com/log\n"
                   "kind       log\n"
                   "algorithm  ed25519\n"
                   "key id     d455c521\n"
                   "vkey       example.com/log+d455c521+"
                   "AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
                   "encrypted  chacha20-poly1305, scrypt N=16 r=1 p=1\n")


def test_show_speaks_json(box):
    box.write("a.key", CHEAP)
    code, out, _ = box.key("show", "--json", "--check", "--passphrase-file", "pw", "a.key")
    assert code == 0
    assert json.loads(out) == {
        "key_id": "d455c521", "name": NAME, "kind": "log", "algorithm": "ed25519",
        "vkey": "example.com/log+d455c521+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "encrypted": True, "cipher": "chacha20-poly1305", "kdf": "scrypt", "n": 16, "r": 1, "p": 1,
        "checked": True}


def test_a_wrong_passphrase_is_told_from_damage(box):
    box.write("a.key", CHEAP)
    code, out, err = box.key("show", "--check", "--passphrase-fd", "0", "a.key", stdin=b"horse\n")
    assert (code, out) == (2, "")
    assert err.startswith("vitrine: a.key: wrong passphrase")
    box.write("b.key", CHEAP.replace("seed g8So", "seed g8SO"))
    code, out, err = box.key("show", "b.key")
    assert (code, out) == (2, "")
    assert err == ("vitrine: b.key: key file: damaged: its checksum does not fit; "
                   "restore it from a copy\n")


def test_a_hostile_cost_is_refused_before_it_is_paid(box):
    body = CHEAP[:CHEAP.index("sum ")].replace("scrypt 16 1 1", "scrypt 4194304 32 16")
    total = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    box.write("a.key", f"{body}sum {total}\n")
    code, _, err = box.key("show", "--check", "--passphrase-file", "pw", "a.key")
    assert code == 2
    assert "more than 256 MiB of memory" in err


@pytest.mark.parametrize("given,right", [
    (PASS, True), (PASS + b"\n", True), (PASS + b"\r\n", True), (PASS + b"\n\n", False),
    (b"", False), (b"\n", False), (PASS + b" ", False), (b" " + PASS, False),
    (PASS + b"\0", False), (b"x" * 5000, False)])
def test_a_passphrase_is_one_line_and_nothing_else(box, given, right):
    box.write("a.key", CHEAP)
    (box.dir / "pw2").write_bytes(given)
    for args in (("--passphrase-file", "pw2"), ("--passphrase-fd", "0")):
        code, _, err = box.key("show", "--check", *args, "a.key", stdin=given)
        assert (code == 0) == right, err


def test_an_empty_passphrase_makes_no_key(box):
    code, out, err = box.new("a.key", "--passphrase-fd", "0", stdin=b"\n")
    assert (code, out) == (2, "")
    assert "the passphrase is empty" in err
    assert box.files() == ["pw"]


def test_options_that_contradict_each_other_are_refused(box):
    assert box.new("a.key", "--no-passphrase", "--passphrase-file", "pw")[0] == 2
    assert box.new("a.key", "--passphrase-fd", "0", "--passphrase-file", "pw", stdin=b"x\n")[0] == 2
    assert box.new("a.key", "--passphrase-fd", "x")[0] == 2
    assert box.key("new", "-o", "a.key", "--no-passphrase")[0] == 2
    assert box.key("new", "--name", NAME, "--no-passphrase")[0] == 2
    assert box.files() == ["pw"]


def test_without_encryption_it_says_so_loudly(box):
    code, _, err = box.new("a.key", "--no-passphrase")
    assert code == 0
    assert err == ("vitrine: WARNING: a.key is NOT ENCRYPTED: whoever reads it can sign as "
                   f"{NAME}\n")
    assert "kdf none\ncipher none\n" in (box.dir / "a.key").read_text()
    code, out, _ = box.key("show", "--check", "a.key")
    assert code == 0
    assert "encrypted  NO: whoever reads this file can sign\n" in out


@pytest.mark.parametrize("mode,fine", [(0o400, True), (0o440, True), (0o640, True), (0o660, False),
                                       (0o604, False), (0o644, False)])
def test_an_unencrypted_key_that_others_read_is_refused(box, mode, fine):
    box.new("a.key", "--no-passphrase")
    (box.dir / "a.key").chmod(mode)
    code, _, err = box.key("show", "a.key")
    assert (code == 0) == fine
    if not fine:
        assert "others may read or change" in err


def test_what_is_no_key_file_is_refused(box):
    box.write("a.key", "hello\n")
    assert box.key("show", "a.key")[1:] == ("", "vitrine: a.key: this is no key file of vitrine\n")
    box.write("go.key", GO_KEY)
    assert "'vitrine key import' takes it" in box.key("show", "go.key")[2]
    assert box.key("show", ".")[1:] == ("", "vitrine: .: not a file\n")
    assert "No such file or directory" in box.key("show", "missing")[2]
    os.mkfifo(box.dir / "pipe")
    assert box.key("show", "pipe")[0] == 2


def test_a_token_is_not_taken_for_a_file(box):
    box.write("pkcs11:x", CHEAP)
    code, _, err = box.key("show", "pkcs11:x")
    assert (code, err) == (2, "vitrine: pkcs11:x: this version reads keys from files only\n")
    assert box.key("show", "./pkcs11:x")[0] == 0


def test_a_key_of_go_can_be_imported(box):
    code, out, _ = box.key("import", "--passphrase-file", "pw", "-o", "a.key", "-",
                           stdin=GO_KEY.encode())
    assert (code, out) == (0, GO_VKEY + "\n")
    seed = open_without_us(box.dir / "a.key", PASS)
    assert base64.b64encode(b"\1" + seed).decode() == GO_KEY.strip().rsplit("+KEY+", 1)[1].split("+", 2)[2]
    box.write("go.key", GO_KEY)
    code, out, _ = box.key("import", "--for", "witness", "--no-passphrase", "-o", "w.key", "go.key")
    assert code == 0
    assert public_of_vkey(out.strip()) == public_of(seed)
    assert base64.b64decode(out.strip().split("+", 2)[2])[0] == 4


def test_an_import_that_fails_writes_nothing(box):
    bad = GO_KEY.replace("c74f20a3", "c74f20a4").encode()
    code, out, err = box.key("import", "--no-passphrase", "-o", "a.key", stdin=bad)
    assert (code, out) == (2, "")
    assert "its key ID is not that of its name and key" in err
    assert "AYEKFALV" not in err
    assert box.files() == ["pw"]


def test_while_a_secret_is_in_memory_there_are_no_core_dumps(box):
    box.write("a.key", CHEAP)
    soft = resource.getrlimit(resource.RLIMIT_CORE)[1]
    p = subprocess.Popen([str(cli.BUILD / "vitrine"), "key", "show", "--check", "--passphrase-fd",
                          "0", "a.key"], cwd=box.dir, stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (soft, soft)))
    limits = pathlib.Path(f"/proc/{p.pid}/limits")

    def closed():
        try:
            return re.search(r"Max core file size +0 +0 ", limits.read_text())
        except PermissionError:
            return True  # not dumpable: nobody else's business
    cli.wait_for(closed)
    p.communicate(PASS + b"\n", timeout=30)
    assert p.returncode == 0


# -- on a terminal -----------------------------------------------------------------------------


class Terminal:
    """A program with a terminal of its own."""

    def __init__(self, cwd, *args):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):  # nohup and "&" ignore some
                signal.signal(each, signal.SIG_DFL)
            os.execv(str(cli.BUILD / "vitrine"), ["vitrine", "key", *args])

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def read_until(self, text):
        end = time.monotonic() + 30
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 4096)
                except OSError:  # the other side is closed
                    break
        assert text in self.seen, self.seen

    def answer(self, question, line):
        self.read_until(question)
        cli.wait_for(lambda: not self.echoes())
        self.seen = b""
        os.write(self.fd, line + b"\n")

    def end(self):
        """All output, and the status. The terminal stays until then, so that nothing is lost."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    self.seen += os.read(self.fd, 4096)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(f"did not end: {self.seen}")


def test_a_passphrase_is_asked_for_twice_and_not_shown(box):
    t = Terminal(box.dir, "new", "--name", NAME, "-o", "a.key")
    t.answer(b"New passphrase for a.key: ", PASS)
    t.answer(b"The same again for a.key: ", PASS)
    t.read_until(b"written, encrypted")
    assert t.echoes()
    status = t.end()
    assert os.waitstatus_to_exitcode(status) == 0
    assert PASS not in t.seen
    os.close(t.fd)
    assert box.key("show", "--check", "--passphrase-file", "pw", "a.key")[0] == 0


def test_two_different_passphrases_make_no_key(box):
    t = Terminal(box.dir, "new", "--name", NAME, "-o", "a.key")
    t.answer(b"New passphrase for a.key: ", PASS)
    t.answer(b"The same again for a.key: ", b"horse")
    t.read_until(b"the two passphrases differ")
    assert os.waitstatus_to_exitcode(t.end()) == 2
    os.close(t.fd)
    assert box.files() == ["pw"]


@pytest.mark.parametrize("how", [b"\x03", signal.SIGTERM, signal.SIGHUP])
def test_after_a_signal_the_terminal_echoes_again(box, how):
    box.write("a.key", CHEAP)
    t = Terminal(box.dir, "show", "--check", "a.key")
    t.read_until(b"Passphrase of a.key: ")
    cli.wait_for(lambda: not t.echoes())
    if isinstance(how, bytes):
        os.write(t.fd, how)
    else:
        os.kill(t.pid, how)
    cli.wait_for(t.echoes)
    status = t.end()
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == (signal.SIGINT if isinstance(how, bytes) else how)
    os.close(t.fd)


def test_a_name_of_a_file_does_not_act_on_the_terminal(box):
    box.write("a\x1b[31m.key", CHEAP)
    t = Terminal(box.dir, "show", "--check", "a\x1b[31m.key")
    t.read_until(b"Passphrase of a\\x1b[31m.key: ")
    os.write(t.fd, PASS + b"\n")
    t.read_until(b"checked")
    assert os.waitstatus_to_exitcode(t.end()) == 0
    os.close(t.fd)


def test_without_a_terminal_it_says_which_option_helps(box):
    box.write("a.key", CHEAP)
    r = subprocess.run([str(cli.BUILD / "vitrine"), "key", "show", "--check", "a.key"], cwd=box.dir,
                       stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True,
                       timeout=30)
    assert r.returncode == 2
    assert b"--passphrase-file FILE or --passphrase-fd N" in r.stderr


def test_each_command_explains_itself(box):
    for command in ("new", "import", "show"):
        code, out, err = box.key(command, "--help")
        assert (code, err) == (0, "")
        assert out.startswith(f"Usage: vitrine key {command} ") and "Examples:" in out
    assert box.key("--help")[0] == 0
    assert box.key()[0] == 2
    assert box.key("eat")[0] == 2
