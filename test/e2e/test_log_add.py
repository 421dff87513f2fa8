"""vitrine log init and log add as people use them: what is printed, what is served, what is refused;
and that a process killed at any call leaves a log that goes on."""
import contextlib
import hashlib
import json
import os
import shutil
import subprocess

import pytest

import cli

SHIM = cli.BUILD / "test" / "crash" / "libcrash_shim.so"
CRASHED = 99


def vitrine(*args, stdin=None, crash_at=0, cwd=None):
    env = dict(os.environ, TZ="UTC")
    if crash_at:
        env.update(LD_PRELOAD=str(SHIM), CRASH_AT=str(crash_at))
    given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    r = subprocess.run([str(cli.BUILD / "vitrine"), *map(str, args)], capture_output=True, env=env,
                       cwd=cwd, timeout=60, **given)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def good(*args, **kw):
    code, out, err = vitrine(*args, **kw)
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "log.key"
    good("key", "new", "--name", "log.example/e2e", "--no-passphrase", "-o", path)
    return path


@pytest.fixture
def log(tmp_path, key):
    good("log", "init", tmp_path / "log", "--key", key)
    return tmp_path / "log"


def vkey(key):
    return json.loads(good("key", "show", "--json", key))["vkey"]


def entries(folder, first, n):
    folder.mkdir(exist_ok=True)
    paths = []
    for i in range(first, first + n):
        path = folder / f"e{i:05}"
        path.write_text(f"entry {i}\n")
        paths.append(path)
    return paths


def size(log):
    return int((log / "checkpoint").read_text().splitlines()[1])


def check(log, key):
    good("log", "check", "--key", vkey(key), log)


def tree(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_command_that_is_not_there_is_named():
    for group in ("log", "key", "db"):
        code, out, err = vitrine(group, "nonsense")
        assert code == 2 and out == "" and f"{group}: there is no 'nonsense'" in err
        assert good(group, "--help").startswith("Usage: ")


def test_init_prints_the_vkey_and_publishes_the_empty_tree(tmp_path, key):
    out = good("log", "init", tmp_path / "log", "--key", key)
    assert out.strip() == vkey(key)
    assert tree(tmp_path / "log") == ["checkpoint"]
    lines = (tmp_path / "log" / "checkpoint").read_text().splitlines()
    assert lines[:3] == ["log.example/e2e", "0", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="]
    check(tmp_path / "log", key)


def test_only_what_is_public_is_in_the_folder(log, tmp_path):
    good("log", "add", log, *entries(tmp_path / "f", 0, 3))
    assert tree(log) == ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"]
    assert (tmp_path / "log.private").stat().st_mode & 0o77 == 0


def test_entries_get_indexes_in_order_and_known_ones_the_old(log, tmp_path, key):
    a, b, c = entries(tmp_path / "f", 0, 3)
    assert good("log", "add", log, b, a, b) == f"0\t{b}\n1\t{a}\n0\t{b}\n"
    assert good("log", "add", log, a, c) == f"1\t{a}\n2\t{c}\n"
    before = (log / "checkpoint").read_bytes()
    assert good("log", "add", log, a) == f"1\t{a}\n"
    assert (log / "checkpoint").read_bytes() == before
    check(log, key)


def test_entry_bundle_holds_the_bytes(log, tmp_path):
    (tmp_path / "a").write_bytes(b"\0\xff" * 100)
    (tmp_path / "b").write_bytes(b"")
    good("log", "add", log, tmp_path / "a", tmp_path / "b")
    assert (log / "tile/entries/000.p/2").read_bytes() == b"\0\xc8" + b"\0\xff" * 100 + b"\0\0"
    tile = (log / "tile/0/000.p/2").read_bytes()
    assert tile == hashlib.sha256(b"\0" + b"\0\xff" * 100).digest() + hashlib.sha256(b"\0").digest()


def test_superseded_partial_tiles_are_removed(log, tmp_path, key):
    for first, n in ((0, 5), (5, 250), (255, 1), (256, 1)):
        good("log", "add", log, *entries(tmp_path / "f", first, n))
    assert tree(log) == ["checkpoint", "tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1",
                         "tile/entries/000", "tile/entries/001.p/1"]
    check(log, key)


def test_many_files_become_batches(log, tmp_path, key):
    paths = entries(tmp_path / "f", 0, 2100)
    out = good("log", "add", log, "--json", *paths)
    rows = [json.loads(line) for line in out.splitlines()]
    assert [r["index"] for r in rows] == list(range(2100))
    assert sorted({r["size"] for r in rows}) == [1000, 2000, 2100]
    assert rows[7]["file"] == str(paths[7])
    check(log, key)


def test_standard_input_is_an_entry(log, tmp_path):
    assert good("log", "add", log, "-", stdin=b"hello") == "0\t-\n"
    assert (log / "tile/entries/000.p/1").read_bytes() == b"\0\5hello"


def test_longest_entry_is_taken(log, tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 65535)
    assert good("log", "add", log, tmp_path / "a").startswith("0\t")


@pytest.mark.parametrize("bad", ["long", "missing", "folder"])
def test_request_with_one_bad_file_changes_nothing(log, tmp_path, bad):
    ok = entries(tmp_path / "f", 0, 2)
    if bad == "long":
        (tmp_path / bad).write_bytes(b"x" * 65536)
    if bad == "folder":
        (tmp_path / bad).mkdir()
    before = tree(tmp_path)
    state = (tmp_path / "log.private" / "state").read_bytes()
    code, out, err = vitrine("log", "add", log, *ok, tmp_path / bad)
    assert code == 2 and out == ""
    assert str(tmp_path / bad) in err
    assert bad != "long" or "MUST be at most 65535 bytes" in err
    assert tree(tmp_path) == before and size(log) == 0
    assert (tmp_path / "log.private" / "state").read_bytes() == state


def test_proofs_are_written_beside(log, tmp_path):
    paths = entries(tmp_path / "f", 0, 5)
    (tmp_path / "proofs").mkdir()
    good("log", "add", log, "--proof-dir", tmp_path / "proofs", *paths)
    assert tree(tmp_path / "proofs") == [f"e{i:05}.tlog-proof" for i in range(5)]
    lines = (tmp_path / "proofs" / "e00003.tlog-proof").read_text().split("\n\n", 1)
    assert lines[0].splitlines()[:2] == ["c2sp.org/tlog-proof@v1", "index 3"]
    assert len(lines[0].splitlines()) == 2 + 3
    assert lines[1] == (log / "checkpoint").read_text()


def test_proofs_of_two_files_of_one_name_are_refused(log, tmp_path):
    (a,), (b,) = entries(tmp_path / "f", 0, 1), entries(tmp_path / "g", 0, 1)
    (tmp_path / "proofs").mkdir()
    code, out, err = vitrine("log", "add", log, "--proof-dir", tmp_path / "proofs", a, b)
    assert code == 2 and "two files of that name" in err and size(log) == 0


def test_another_key_is_refused(log, tmp_path):
    other = tmp_path / "other.key"
    good("key", "new", "--name", "log.example/e2e", "--no-passphrase", "-o", other)
    code, out, err = vitrine("log", "add", log, "--key", other, *entries(tmp_path / "f", 0, 1))
    assert code == 2 and "not the key of this log" in err and size(log) == 0


def test_second_writer_is_refused_at_once(log, tmp_path, key):
    import fcntl
    import struct
    with open(tmp_path / "log.private" / "lock", "r+b") as f:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)
        fcntl.fcntl(f, 37, lock)  # F_OFD_SETLK
        code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 0, 1))
    assert code == 2 and "another process is writing to this log" in err
    assert good("log", "add", log, *entries(tmp_path / "f", 0, 1)).startswith("0\t")


def test_init_over_another_log_is_refused(log, tmp_path, key):
    good("log", "add", log, *entries(tmp_path / "f", 0, 1))
    code, out, err = vitrine("log", "init", log, "--key", key)
    assert code == 2 and "already" in err
    shutil.rmtree(tmp_path / "log.private")
    code, out, err = vitrine("log", "init", log, "--key", key)
    assert code == 2 and "already" in err and "restore" in err
    code, out, err = vitrine("log", "add", log)
    assert code == 2 and "log.private" in err


def test_init_with_a_key_or_policy_that_cannot_be_makes_nothing(tmp_path, key):
    other = tmp_path / "w.key"
    good("key", "new", "--name", "w.example", "--for", "witness", "--no-passphrase", "-o", other)
    policy = tmp_path / "policy"
    policy.write_text("quorum nobody\n")
    before = tree(tmp_path)
    for args in (("--key", other), ("--key", tmp_path / "none"), ("--key", key, "--policy", policy)):
        code, out, err = vitrine("log", "init", tmp_path / "log", *args)
        assert code == 2 and err
        assert tree(tmp_path) == before and not (tmp_path / "log").exists()
    good("log", "init", tmp_path / "log", "--key", key)


def test_init_that_is_refused_changes_nothing_of_the_log(log, tmp_path, key):
    good("log", "add", log, *entries(tmp_path / "f", 0, 1))
    before = {p.name: p.read_bytes() for p in (tmp_path / "log.private").iterdir()}
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")
    moved = tmp_path / "moved.key"
    shutil.copy(key, moved)
    for args in (("--key", key, "--policy", policy), ("--key", moved)):
        code, out, err = vitrine("log", "init", log, *args)
        assert code == 2 and "already" in err
    assert {p.name: p.read_bytes() for p in (tmp_path / "log.private").iterdir()} == before


@pytest.mark.parametrize("name", ["tile/0/000.p/3", "tile/entries/000.p/3", "checkpoint"])
def test_log_that_does_not_fit_its_state_is_refused(log, tmp_path, name):
    good("log", "add", log, *entries(tmp_path / "f", 0, 3))
    data = bytearray((log / name).read_bytes())
    data[-2] ^= 1
    (log / name).write_bytes(data)
    code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 3, 1))
    assert code == 2 and out == "" and "restore" in err
    (log / name).unlink()
    code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 3, 1))
    assert code == (0 if name == "checkpoint" else 2)


def test_older_private_folder_is_refused(log, tmp_path):
    good("log", "add", log, *entries(tmp_path / "f", 0, 3))
    shutil.copytree(tmp_path / "log.private", tmp_path / "old")
    good("log", "add", log, *entries(tmp_path / "f", 3, 300))
    shutil.rmtree(tmp_path / "log.private")
    shutil.move(tmp_path / "old", tmp_path / "log.private")
    code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 400, 1))
    assert code == 2 and "private state" in err and size(log) == 303


def test_lost_index_is_built_anew(log, tmp_path, key):
    paths = entries(tmp_path / "f", 0, 300)
    good("log", "add", log, *paths)
    for damage in (b"", b"x" * 5000, None):
        index = tmp_path / "log.private" / "index"
        index.unlink()
        if damage is not None:
            index.write_bytes(damage)
        assert good("log", "add", log, paths[299]) == f"299\t{paths[299]}\n"


def test_checkpoint_is_not_published_without_the_witnesses_of_the_policy(tmp_path, key):
    other = tmp_path / "w.key"
    good("key", "new", "--name", "w.example", "--for", "witness", "--no-passphrase", "-o", other)
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {vkey(other)} http://127.0.0.1:1/\nquorum w\n")
    log = tmp_path / "log"
    good("log", "init", log, "--key", key, "--policy", policy)
    assert tree(log) == []
    code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 0, 3))
    assert code == 2 and out == ""
    assert "not published" in err and "w: " in err
    assert "checkpoint" not in tree(log)


def test_log_whose_policy_was_lost_publishes_nothing(tmp_path, key):
    other = tmp_path / "w.key"
    good("key", "new", "--name", "w.example", "--for", "witness", "--no-passphrase", "-o", other)
    policy = tmp_path / "policy"
    policy.write_text(f"witness w {vkey(other)} http://127.0.0.1:1/\nquorum w\n")
    log = tmp_path / "log"
    good("log", "init", log, "--key", key, "--policy", policy)
    (tmp_path / "log.private" / "policy").unlink()
    for args in (("add", log, policy), ("init", log, "--key", key)):
        code, out, err = vitrine("log", *args)
        assert code == 2 and out == "" and ("policy" in err)
    assert tree(log) == []


@contextlib.contextmanager
def witness(folder, key, log_key):
    """A running witness that knows the log: its URL."""
    conf, state = folder / "logs.conf", folder / "witness.db"
    conf.write_text(f"log {vkey(log_key)} rate=none\n")
    p = subprocess.Popen([str(cli.BUILD / "vitrine"), "witness", "serve", "-k", key, "-c", conf,
                          "-s", state, "--listen", "127.0.0.1:0", "--json",
                          *([] if state.exists() else ["--create"])],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = p.stdout.readline()
        assert line, p.stderr.read()
        yield json.loads(line)["url"]
    finally:
        p.terminate()
        p.communicate(timeout=30)


def test_witnesses_of_the_policy_cosign_what_is_published(tmp_path, key):
    wkey, policy, log = tmp_path / "w.key", tmp_path / "policy", tmp_path / "log"
    good("key", "new", "--name", "w.example", "--for", "witness", "--no-passphrase", "-o", wkey)
    with witness(tmp_path, wkey, key) as url:
        policy.write_text(f"log {vkey(key)}\nwitness w {vkey(wkey)} {url}\nquorum w\n")
        good("log", "init", log, "--key", key, "--policy", policy)
        for first, n in ((0, 3), (3, 1), (4, 300)):
            paths = entries(tmp_path / "f", first, n)
            assert good("log", "add", log, *paths) == \
                "".join(f"{first + i}\t{p}\n" for i, p in enumerate(paths))
            good("log", "check", "--policy", policy, log)
    published = (log / "checkpoint").read_bytes()
    paths = entries(tmp_path / "f", 400, 1)
    code, out, err = vitrine("log", "add", log, *paths)
    assert code == 2 and out == "" and "not published" in err
    assert (log / "checkpoint").read_bytes() == published
    with witness(tmp_path, wkey, key) as url:
        # Another port: a new policy would name it, the log's private copy stands for that here.
        policy.write_text(policy.read_text().replace(policy.read_text().split()[5], url))
        shutil.copy(policy, tmp_path / "log.private" / "policy")
        assert good("log", "add", log) == ""
        assert size(log) == 305
        assert good("log", "add", log, *paths) == f"304\t{paths[0]}\n"
        good("log", "check", "--policy", policy, log)


def test_log_restored_from_an_old_backup_is_stopped_by_one_witness(tmp_path, key):
    log, old, policy = tmp_path / "log", tmp_path / "old", tmp_path / "policy"
    keys = [tmp_path / name / "key" for name in ("w1", "w2")]
    for k in keys:
        k.parent.mkdir()
        good("key", "new", "--name", k.parent.name, "--for", "witness", "--no-passphrase", "-o", k)
    with witness(keys[0].parent, keys[0], key) as one, witness(keys[1].parent, keys[1], key) as two:
        w1, w2 = f"witness w1 {vkey(keys[0])} {one}\n", f"witness w2 {vkey(keys[1])} {two}\n"
        policy.write_text(w1 + "quorum w1\n")
        good("log", "init", log, "--key", key, "--policy", policy)
        good("log", "add", log, *entries(tmp_path / "f", 0, 3))
        for part in ("", ".private"):
            shutil.copytree(str(log) + part, str(old) + part)
        good("log", "add", log, *entries(tmp_path / "f", 3, 2))
        # The second witness has seen nothing of it.
        (tmp_path / "old.private" / "policy").write_text(w1 + w2 + "group g any w1 w2\nquorum g\n")
        before = (old / "checkpoint").read_bytes()
        code, out, err = vitrine("log", "add", old, *entries(tmp_path / "f", 9, 1))
        assert code == 2 and out == "" and "rolled back" in err
        assert (old / "checkpoint").read_bytes() == before


def test_witness_that_is_away_is_named(tmp_path, key):
    log, policy = tmp_path / "log", tmp_path / "policy"
    keys = [tmp_path / name / "key" for name in ("w1", "w2")]
    for k in keys:
        k.parent.mkdir()
        good("key", "new", "--name", k.parent.name, "--for", "witness", "--no-passphrase", "-o", k)
    with witness(keys[0].parent, keys[0], key) as url:
        policy.write_text(f"witness w1 {vkey(keys[0])} {url}\n"
                          f"witness w2 {vkey(keys[1])} http://127.0.0.1:1/\n"
                          "group g any w1 w2\nquorum g\n")
        good("log", "init", log, "--key", key, "--policy", policy)
        code, out, err = vitrine("log", "add", log, *entries(tmp_path / "f", 0, 1))
        assert code == 0 and out and "without witness w2" in err and "w1" not in err


@pytest.fixture(scope="module")
def shim():
    if not SHIM.is_file():
        pytest.skip("no crash shim in this build")
    r = subprocess.run([str(cli.BUILD / "vitrine"), "version"], capture_output=True,
                       env=dict(os.environ, LD_PRELOAD=str(SHIM)))
    if r.returncode:
        pytest.skip("this build cannot be preloaded (sanitizers)")


def test_init_killed_at_any_call_can_be_repeated(tmp_path, key, shim):
    for n in range(1, 200):
        log = tmp_path / str(n)
        code, out, err = vitrine("log", "init", log, "--key", key, crash_at=n)
        assert code in (0, CRASHED), err
        good("log", "init", log, "--key", key)
        check(log, key)
        if code == 0:
            break
    assert 5 < n < 199


def test_add_killed_at_any_call_goes_on(log, tmp_path, key, shim):
    first = entries(tmp_path / "f", 0, 250)
    more = entries(tmp_path / "f", 250, 12)
    want = [f"{i}\t{p}" for i, p in enumerate(first + more)]
    good("log", "add", log, *first)
    for n in range(1, 300):
        again = tmp_path / f"again{n}"
        shutil.copytree(log, again)
        shutil.copytree(str(log) + ".private", str(again) + ".private")
        code, out, err = vitrine("log", "add", again, *more, crash_at=n)
        assert code in (0, CRASHED), err
        assert out.splitlines() == want[250:250 + len(out.splitlines())]
        assert size(again) >= (262 if out else 250)
        check(again, key)
        assert good("log", "add", again, *more, *first).splitlines() == want[250:] + want[:250]
        check(again, key)
        assert size(again) == 262
        shutil.rmtree(again)
        if code == 0:
            break
    assert 20 < n < 299
