"""Perceptual hashes of pictures (fuzzy_img): what sigtool --fuzzy-img prints for a picture finds it, in
clamscan and here. Pictures are those of the fuzzing corpus, damaged copies of them, and installed ones."""
import glob
import os
import random
import re
import shutil
import subprocess

import pytest

from cli import ROOT, run
from oracle import REAL, WHY
from seed import SEED

SIGTOOL = shutil.which("sigtool")
CORPUS = sorted((ROOT / "test" / "corpus" / "image").glob("*.*"))
INSTALLED = ("/usr/share/**/*.", "/usr/lib/python3*/**/*.", "/usr/local/share/**/*.")
EXACT, ABOUT = ("png", "gif", "bmp"), ("jpg", "jpeg")
MAX_FILES = 150  # of each ending
TIFF = b"II*\0\x08\0\0\0" + bytes(6)

real = pytest.mark.skipif(not REAL or not SIGTOOL, reason=WHY)


def fuzzy(path):
    said = subprocess.run([SIGTOOL, "--fuzzy-img", str(path)], capture_output=True, text=True,
                          errors="replace", timeout=60).stdout
    m = re.search(r": ([0-9a-f]{16})$", said.strip())
    return m[1] if m else None


def names(said):
    return set(re.findall(r"^(.*): (\S+) FOUND$", said, re.M))


def scan_both(folder, files, rules, cache):
    """{(path, name)} of clamscan and ours."""
    database, listed = folder / "a.ldb", folder / "list"
    database.write_text(rules)
    listed.write_text("".join(f"{f}\n" for f in files))
    options = ("-z", "--no-summary", "--disable-cache", f"--database={database}",
               f"--file-list={listed}")
    theirs = subprocess.run([REAL, *options], capture_output=True, text=True, errors="surrogateescape",
                            timeout=300).stdout
    return names(theirs), names(run("clamscan", *options, cache=cache, timeout=300)[1])


def rules_for(hashes):
    """For any type and for pictures; and one that holds if the hash is another."""
    return "".join(f"H{h};Engine:150-255,Target:{t};{e};fuzzy_img#{h}\n".replace("H", p, 1)
                   for h in sorted(hashes) for p, t, e in (("Any.", 0, "0"), ("Picture.", 5, "0"),
                                                           ("Not.", 5, "0=0")))


@real
def test_each_kind_is_found_as_by_clamscan(tmp_path):
    hashes = {fuzzy(f) for f in CORPUS}
    assert len(CORPUS) > 10 and None not in hashes
    theirs, ours = scan_both(tmp_path, CORPUS, rules_for(hashes), tmp_path / "cache")
    assert ours == theirs
    assert {f for f, name in ours if name.startswith("Picture.")} == {str(f) for f in CORPUS}


@real
def test_installed_pictures_are_found_as_by_clamscan(tmp_path):
    rng, wrong = random.Random(SEED), {}
    for kinds in (EXACT, ABOUT):
        files = [f for k in kinds for p in INSTALLED for f in sorted(glob.glob(p + k, recursive=True))
                 if os.path.isfile(f) and "\n" not in f and 0 < os.path.getsize(f) < 1 << 20]
        files = rng.sample(files, min(len(files), MAX_FILES))
        hashes = {f: fuzzy(f) for f in files}
        known = {h for h in hashes.values() if h}
        if not known:
            continue
        theirs, ours = scan_both(tmp_path, files, rules_for(known), tmp_path / "cache")
        wrong[kinds] = {f for f, _ in theirs ^ ours if hashes[f]}, len(hashes)
    if not wrong:
        pytest.skip("no pictures are installed")
    assert not wrong.get(EXACT, (set(),))[0], f"VITRINE_TEST_SEED={SEED}"
    bad, n = wrong.get(ABOUT, (set(), 0))
    assert len(bad) <= 1 + n // 10, bad


@real
def test_of_damaged_pictures_no_more_are_found_than_by_clamscan(tmp_path):
    """Cut short or with a bit changed. PNG and GIF files may be looked at less far here."""
    rng, files = random.Random(SEED), []
    for k in range(200):
        source = rng.choice([f for f in CORPUS if f.suffix[1:] in EXACT])
        data = bytearray(source.read_bytes())
        if rng.random() < 0.5:
            del data[-rng.randrange(1, 64):]
        else:
            data[rng.randrange(30, len(data))] ^= 1 << rng.randrange(8)
        files.append(tmp_path / f"f{k}{source.suffix}")
        files[-1].write_bytes(data)
    hashes = {str(f): fuzzy(f) for f in files}
    rules = rules_for({h for h in hashes.values() if h})
    theirs, ours = scan_both(tmp_path, files, rules, tmp_path / "cache")
    assert {x for x in theirs if hashes[x[0]]} == {x for x in ours if hashes[x[0]]}


def test_a_hash_that_is_not_known_decides_nothing(tmp_path):
    marker = b"hello"
    (tmp_path / "x.tif").write_bytes(TIFF + marker)
    (tmp_path / "text").write_bytes(b"x" * 20 + marker)
    image = "fuzzy_img#0123456789abcdef"
    (tmp_path / "a.ldb").write_text("".join(
        f"{name};Engine:150-255,Target:0;{e};{image};{marker.hex()}\n"
        for name, e in (("Is", "0&1"), ("Either", "0|1"), ("Both", "(0=0)&1"), ("Any", "(0=0)|1"))))
    for target, expected in (("x.tif", ["Any", "Either"]), ("text", ["Any", "Both", "Either"])):
        said = run("clamscan", "-z", "--no-summary", "-d", tmp_path / "a.ldb", tmp_path / target,
                   cache=tmp_path / "cache")[1]
        found = sorted({name.removesuffix(".UNOFFICIAL") for _, name in names(said)})
        assert found == expected, (target, said)
