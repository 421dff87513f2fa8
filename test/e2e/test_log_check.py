"""vitrine log check on a log that other programs made (test/vectors/tlog/log300), spoiled in every way."""
import base64
import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import struct
import subprocess
import threading

import cli
import pytest

VECTORS = cli.ROOT / "test/vectors/tlog"
POLICY = VECTORS / "policy.txt"
KEY = POLICY.read_text().split()[1]
ROOT300 = "r2i5bv9MpWGImn7c+7c9rW8DTy8oi2pEGwAOqCa9qB0="


@pytest.fixture
def log(tmp_path):
    shutil.copytree(VECTORS / "log300", tmp_path / "log")
    return tmp_path / "log"


def check(log, *args, policy=True):
    return cli.run("vitrine", "log", "check", *(["--policy", POLICY] if policy else []), *args, log,
                   cache=os.devnull)


def refused(log, *words, policy=True):
    """Refused with exit code 1 and one line that has all these words, with any number of threads."""
    answers = {check(log, "--jobs", jobs, policy=policy) for jobs in (1, 2, 5)}
    assert len(answers) == 1, answers
    code, out, err = answers.pop()
    assert (code, err) == (1, "")
    assert out.startswith(f"{log}: WRONG: ") and out.count("\n") == 1
    for w in words:
        assert w in out


def flip(path, at=0, bit=1):
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(data)


def set_checkpoint(log, size, root):
    """A checkpoint that nobody signed, with a line that looks like a signature."""
    (log / "checkpoint").write_text(
        f"log.example.org/av-updates\n{size}\n{root}\n\n\u2014 log.example.org/av-updates AAAAAAAA\n",
        encoding="utf-8")


def root_of(size):
    for line in (VECTORS / "roots.txt").read_text().splitlines():
        n, root = line.split()
        if int(n) == size:
            return base64.b64encode(bytes.fromhex(root)).decode()
    raise KeyError(size)


def test_a_sound_log_is_verified(log):
    code, out, err = check(log)
    assert (code, err) == (0, "")
    assert out == (f"{log}: verified\norigin      log.example.org/av-updates\nsize        300\n"
                   f"root        {ROOT300}\nsigned by   log.example.org/av-updates\n"
                   "cosigned by witness1.example.net\ncosigned by witness2.example.net\n"
                   "cosigned by witness3.example.net\n"
                   "checked     300 entries in 2 bundles, 3 tiles, 15.5 kB\n")


def test_json_says_the_same(log):
    code, out, _ = check(log, "--json")
    assert code == 0
    assert json.loads(out) == {
        "log": str(log), "verdict": "verified", "origin": "log.example.org/av-updates", "size": 300,
        "root": ROOT300, "signature": True, "bundles": 2, "tiles": 3, "bytes": 15522,
        "cosigned": [f"witness{i}.example.net" for i in (1, 2, 3)]}
    flip(log / "tile/0/000")
    code, out, _ = check(log, "--json")
    assert code == 1
    answer = json.loads(out)
    assert answer["verdict"] == "wrong" and "tile/0/000" in answer["error"] and "root" not in answer
    code, out, _ = check(log / "tile", "--json")
    assert code == 2 and json.loads(out)["verdict"] == "unchecked"


def changed_key(name, public):
    """A verifier key under that name, with another public key."""
    key = bytearray(base64.b64decode(public))
    key[5] ^= 1
    key_id = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(key).decode()}"


def test_a_key_is_enough_and_the_wrong_one_is_not(log):
    code, out, _ = check(log, "--key", KEY, policy=False)
    assert code == 0 and "signed by   log.example.org/av-updates\n" in out and "cosigned" not in out
    name, _, public = KEY.split("+", 2)
    for other in (changed_key(name, public), changed_key("other.example", public)):
        code, out, err = check(log, "--key", other, policy=False)
        assert (code, err) == (1, "") and "WRONG: checkpoint: " in out
        assert check(log, "--key", other, "--key", KEY, policy=False)[0] == 0


def test_without_a_key_the_answer_says_that_nobody_was_asked(log):
    code, out, _ = check(log, policy=False)
    assert code == 0 and "signed by   not checked (neither --key nor --policy)\n" in out


@pytest.mark.parametrize("path, at, words", [
    ("tile/0/000", 0, ["entry 0: number 0 of tile/entries/000 does not hash to number 0 of tile/0/000"]),
    ("tile/0/000", 8191, ["entry 255: number 255 of tile/entries/000"]),
    ("tile/0/001.p/44", 1407, ["entry 299: number 43 of tile/entries/001.p/44"]),
    ("tile/1/000.p/1", 31, ["tile/1/000.p/1: number 0 is not the hash of tile/0/000"]),
    ("tile/entries/000", 10, ["entry 0: "]),
    ("tile/entries/001.p/44", 879, ["entry 299: "]),
    ("tile/entries/000", 0, ["entry 0: number 0 of tile/entries/000"]),
], ids=["tile-first", "tile-last", "partial-tile", "level-1", "bundle", "partial-bundle", "length"])
def test_a_flipped_bit_is_found_where_it_is(log, path, at, words):
    flip(log / path, at)
    refused(log, *words)
    refused(log, *words, policy=False)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1",
                                  "tile/entries/000", "tile/entries/001.p/44"])
def test_a_file_that_is_missing_cut_off_or_too_long_is_named(log, path):
    file = log / path
    data = file.read_bytes()
    file.write_bytes(data[:-1])
    refused(log, path)
    file.write_bytes(data + b"x")
    refused(log, path)
    file.write_bytes(b"")
    refused(log, path)
    file.write_bytes(data + bytes(2 ** 25))
    refused(log, path, "at most")
    file.unlink()
    refused(log, path, "not there")


def test_links_and_special_files_are_not_followed(log):
    file = log / "tile/1/000.p/1"
    file.rename(log / "elsewhere")
    file.symlink_to(log / "elsewhere")
    refused(log, "tile/1/000.p/1", "link")
    file.unlink()
    os.mkfifo(file)
    refused(log, "tile/1/000.p/1", "not a regular file")


def test_two_tiles_in_each_others_place_are_found(log):
    a, b, other = log / "tile/0/000.p/255", log / "tile/0/000", log / "x"
    a.rename(other), b.rename(a), other.rename(b)
    refused(log, "tile/0/000: ", "8160 bytes, a tile of 256 hashes has 8192")


def test_entries_in_each_others_place_are_found(log):
    file = log / "tile/entries/000"
    data = file.read_bytes()
    n = 2 + struct.unpack(">H", data[:2])[0]
    file.write_bytes(data[n:2 * n] + data[:n] + data[2 * n:])
    refused(log, "entry 0: ")


def test_a_whole_forgery_ends_in_another_root(log):
    """Bundle, tile and level above agree with each other; only the root does not."""
    bundle, tile = log / "tile/entries/001.p/44", log / "tile/0/001.p/44"
    data = bytearray(bundle.read_bytes())
    data[-2] ^= 1
    bundle.write_bytes(data)
    leaf = hashlib.sha256(b"\0" + bytes(data[-18:])).digest()
    tile.write_bytes(tile.read_bytes()[:-32] + leaf)
    refused(log, "checkpoint: the root of these 300 entries is ", ROOT300)


@pytest.mark.parametrize("old, new", [
    (b"\n300\n", b"\n299\n"), (b"\n300\n", b"\n0300\n"), (b"\n300\n", b"\n301\n"),
    (ROOT300.encode(), base64.b64encode(bytes(32))), (b"av-updates\n300", b"av-updatez\n300"),
    (b"+7c9rW8D", b"+7c9rW8E"), (b"\n\n", b"\n")],
    ids=["size", "zero", "larger", "root", "origin", "root-bit", "separator"])
def test_a_changed_checkpoint_is_refused(log, old, new):
    file = log / "checkpoint"
    assert old in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(old, new, 1))
    refused(log, "checkpoint")


def test_a_changed_signature_is_refused(log):
    file = log / "checkpoint"
    lines = file.read_bytes().split(b"\n")
    for i, line in enumerate(lines):
        if not line.startswith("\u2014".encode()):
            continue
        at = len(line) - 20
        changed = line[:at] + (b"A" if line[at:at + 1] != b"A" else b"B") + line[at + 1:]
        file.write_bytes(b"\n".join(lines[:i] + [changed] + lines[i + 1:]))
        refused(log, "signature")


def test_too_few_cosignatures_are_refused(log):
    file = log / "checkpoint"
    kept = [x for x in file.read_bytes().split(b"\n") if b"witness1" not in x and b"witness2" not in x]
    file.write_bytes(b"\n".join(kept))
    refused(log, "quorum")
    assert check(log, "--key", KEY, policy=False)[0] == 0


def test_an_unsigned_checkpoint_of_another_tree_is_wrong_without_a_key_too(log):
    for size, root in ((299, ROOT300), (256, root_of(255)), (300, root_of(257)), (1, root_of(2))):
        set_checkpoint(log, size, root)
        refused(log, policy=False)
        refused(log)
    set_checkpoint(log, 2 ** 63 - 1, ROOT300)
    refused(log, "tile/", policy=False)
    set_checkpoint(log, 2 ** 63, ROOT300)
    refused(log, "checkpoint", policy=False)


def test_an_older_checkpoint_is_checked_against_the_tiles_that_it_had(log):
    for size in (1, 255, 256):
        set_checkpoint(log, size, root_of(size))
        assert check(log, policy=False)[0] == 0
        refused(log, "not signed by its log")
    set_checkpoint(log, 255, root_of(255))
    flip(log / "tile/0/000.p/255", 8159)
    refused(log, "entry 254", policy=False)


def test_a_partial_tile_that_was_deleted_is_taken_out_of_the_full_one(log):
    set_checkpoint(log, 255, root_of(255))
    (log / "tile/0/000.p/255").unlink()
    (log / "tile/entries/000.p/255").unlink()
    assert check(log, policy=False)[0] == 0
    flip(log / "tile/0/000", 254 * 32)
    refused(log, "entry 254", policy=False)


def test_what_is_no_log_is_not_wrong_but_unchecked(log, tmp_path):
    (log / "checkpoint").unlink()
    code, out, err = check(log)
    assert (code, out) == (2, "") and "checkpoint: not there" in err
    for where in (tmp_path / "nothing", POLICY):
        code, out, _ = check(where)
        assert (code, out) == (2, "")


def test_usage_errors_and_bad_policies_are_errors(log, tmp_path):
    bad = tmp_path / "policy"
    bad.write_text("log nonsense\n")
    for args in ([], ["--policy", bad, log], ["--policy", tmp_path / "none", log], ["--key", "x", log],
                 ["--key", KEY, "--policy", POLICY, log], [log, log], ["--jobs", "65", log],
                 ["--jobs", "x", log]):
        code, out, err = cli.run("vitrine", "log", "check", *args, cache=os.devnull)
        assert (code, out) == (2, "") and err
    empty = tmp_path / "empty"
    empty.write_text("")
    assert check(log, "--policy", empty, policy=False)[0] == 2


def test_an_answer_that_cannot_be_written_is_no_success(log):
    with open("/dev/full", "w") as full:
        code = subprocess.run([str(cli.BUILD / "vitrine"), "log", "check", "--policy", str(POLICY),
                               str(log)], stdout=full, stderr=subprocess.DEVNULL).returncode
    assert code == 2


class Handler(http.server.SimpleHTTPRequestHandler):
    fail = ()

    def do_GET(self):
        if self.path.endswith(self.fail):
            return self.send_error(500)
        return super().do_GET()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serve(folder, fail=()):
    handler = functools.partial(type("H", (Handler,), {"fail": tuple(fail)}), directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_log_behind_a_url_is_checked_as_one_in_a_folder(log):
    with serve(log) as url:
        code, out, err = check(url)
        assert (code, err) == (0, "") and f"root        {ROOT300}\n" in out
        flip(log / "tile/0/001.p/44", 40)
        code, out, err = check(url + "/")
        assert (code, err) == (1, "") and "entry 257: " in out
        (log / "tile/1/000.p/1").unlink()
        flip(log / "tile/0/001.p/44", 40)
        code, out, err = check(url)
        assert (code, err) == (1, "") and "tile/1/000.p/1: not there (HTTP status 404)" in out


def test_a_server_that_fails_or_is_gone_says_nothing_about_the_log(log):
    with serve(log, fail=["entries/000"]) as url:
        code, out, err = check(url)
        assert (code, out) == (2, "") and "tile/entries/000: HTTP status 500" in err
    code, out, err = check(url)
    assert (code, out) == (2, "") and "not checked" in err


def test_the_help_has_examples():
    for args in (["log", "--help"], ["log", "check", "--help"], ["help", "log"]):
        code, out, err = cli.run("vitrine", *args, cache=os.devnull)
        assert (code, err) == (0, "") and "vitrine log check" in out
