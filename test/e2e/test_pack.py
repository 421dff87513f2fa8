"""Our archives and compressed files, and what others make of them: GNU tar, bsdtar and zstd."""
import hashlib
import os
import random
import subprocess

import pytest

import cli

TOOL = "test/probe/pack_tool"
# Each is the one spelling of doc/format/updates.md.
TAR = ["tar", "--format=ustar", "--blocking-factor=1", "--mtime=@0", "--owner=0", "--group=0",
       "--numeric-owner", "--mode=0644"]


def tool(*args, tmp_path, code=0):
    got, out, err = cli.run(TOOL, *args, cache=tmp_path)
    assert got == code, out + err
    return err if code else out


NAMES = ["a", "a b", "b.txt", "dir/a", "dir/b", "dir.x/a", "%2Fx", "sub/" + "n" * 90,
         "d" * 60 + "/" + "e" * 60 + "/" + "f" * 20, "p" * 155 + "/" + "q" * 99]
SIZES = [0, 1, 511, 512, 513, 70000]


@pytest.fixture
def tree(tmp_path):
    rng, root = random.Random(5), tmp_path / "tree"
    for i, name in enumerate(NAMES):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(SIZES[i % len(SIZES)]))
        os.utime(path, (12345, 12345))
        path.chmod(0o600)
    return root


def ours(tree, tmp_path):
    out = tmp_path / "ours.tar"
    pairs = [x for n in sorted(NAMES) for x in (n, tree / n)]
    tool("tar", out, *pairs, tmp_path=tmp_path)
    return out


def test_gnu_tar_writes_the_same_bytes(tree, tmp_path):
    theirs = tmp_path / "theirs.tar"
    subprocess.run([*TAR, "-cf", theirs, "-C", tree, *sorted(NAMES)], check=True)
    assert ours(tree, tmp_path).read_bytes() == theirs.read_bytes()


def test_a_folder_sorted_by_gnu_tar_is_the_same(tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i in range(20):
        (flat / f"n{i}.ndb").write_text("x" * i)
    theirs, mine = tmp_path / "theirs.tar", tmp_path / "mine.tar"
    subprocess.run([*TAR, "--sort=name", "--transform=s,^\\./,,", "--no-recursion", "-cf", theirs,
                    "-C", flat, *sorted(os.listdir(flat))], check=True)
    pairs = [x for n in sorted(os.listdir(flat)) for x in (n, flat / n)]
    tool("tar", mine, *pairs, tmp_path=tmp_path)
    assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_other_programs_take_out_what_was_put_in(tree, tmp_path, program):
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run([program, "-xf", ours(tree, tmp_path), "-C", out], check=True)
    for name in NAMES:
        assert (out / name).read_bytes() == (tree / name).read_bytes()
    assert len([p for p in out.rglob("*") if p.is_file()]) == len(NAMES)


def test_ours_are_read_again(tree, tmp_path):
    lines = tool("untar", ours(tree, tmp_path), tmp_path=tmp_path).splitlines()
    assert lines == [f"{n} {(tree / n).stat().st_size}" for n in sorted(NAMES)]


@pytest.mark.parametrize("change,why", [
    (["--mtime=@1"], "time"), (["--owner=:5"], "owner"), (["--mode=0600"], "mode"),
    (["--format=gnu"], "not ustar"), (["--format=pax", "--pax-option=x:=1"], "name|not a regular"),
    (["--blocking-factor=20"], "behind the two zero blocks")])
def test_another_spelling_is_refused(tree, tmp_path, change, why):
    path = tmp_path / "x.tar"
    subprocess.run([*TAR, *change, "-cf", path, "-C", tree, "a", "b.txt"], check=True)
    said = tool("untar", path, tmp_path=tmp_path, code=1)
    assert any(w in said for w in why.split("|")), said


def test_links_and_folders_are_refused(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "l").symlink_to("/etc/passwd")
    for name in ("f", "l"):
        path = tmp_path / "x.tar"
        subprocess.run([*TAR, "-cf", path, "-C", tmp_path, name], check=True)
        tool("untar", path, tmp_path=tmp_path, code=1)


def text(n):
    rng = random.Random(n)
    return b"".join(b"%s:%d:Win.Malware.Agent-%d-0\n" % (rng.randbytes(16).hex().encode(),
                                                       rng.randrange(10 ** 6), i)
                    for i in range(n))


def test_zstd_reads_ours_and_we_read_theirs(tmp_path):
    plain, packed, again = tmp_path / "plain", tmp_path / "packed", tmp_path / "again"
    plain.write_bytes(text(5000))
    tool("compress", plain, packed, 19, tmp_path=tmp_path)
    got = subprocess.run(["zstd", "-dqc", packed], capture_output=True, check=True).stdout
    assert got == plain.read_bytes()
    for level in ("-1", "-19"):
        subprocess.run(["zstd", "-qf", level, plain, "-o", packed], check=True)
        tool("decompress", packed, len(got), again, tmp_path=tmp_path)
        assert again.read_bytes() == got


def test_a_frame_of_a_large_window_is_refused(tmp_path):
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(bytes(16 << 20))
    subprocess.run(["zstd", "-q", "-1", "--long=27", plain, "-o", packed], check=True)
    said = tool("decompress", packed, plain.stat().st_size, tmp_path / "x", tmp_path=tmp_path,
                code=1)
    assert "window" in said


def build(folder, lines, out, tmp_path):
    folder.mkdir()
    for name, data in lines.items():
        (folder / name).write_bytes(data)
    code, _, err = cli.run("vitrine", "db", "build", "-o", out, folder, cache=tmp_path)
    assert code == 0, err


def test_a_delta_of_a_database_leads_to_it(tmp_path):
    old, new, delta, again = (tmp_path / n for n in ("old", "new", "delta", "again"))
    lines = text(6000).splitlines(keepends=True)
    build(tmp_path / "1", {"a.hdb": b"".join(lines[:5000])}, old, tmp_path)
    build(tmp_path / "2", {"a.hdb": b"".join(lines[10:5010])}, new, tmp_path)
    tool("make", old, new, delta, tmp_path=tmp_path)
    assert delta.stat().st_size < 2500
    tool("apply", old, delta, new.stat().st_size, again, tmp_path=tmp_path)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(new.read_bytes()).digest()
    assert "another old file" in tool("apply", new, delta, new.stat().st_size, again,
                                      tmp_path=tmp_path, code=1)
