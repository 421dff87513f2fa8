"""Import hashes (.imp): the digest that sigtool --imp prints for a file finds it, in clamscan and here,
and a near miss does not. Files are made here; programs of libwine and clamav-testfiles are used if installed."""
import glob
import os
import random
import re
import shutil
import struct
import subprocess

import pytest

from cli import run
from oracle import REAL, WHY
from seed import SEED

SIGTOOL = shutil.which("sigtool")
INSTALLED = ("/usr/lib/x86_64-linux-gnu/wine/*-windows/*", "/usr/share/clamav-testfiles/*.exe")
VA, RAW = 0x1000, 0x400
NAMES = [b"a.dll", b"WS2_32.dll", b"K.SYS", b"q.exe", b"OLEAUT32.dll", b"wsock32.DLL", b"x.y.dll"]
FUNCTIONS = [b"Foo_1", b"bar", b"g.h", 7, 24, 115, 600]


def pe(libraries, plus=False, size=None):
    """libraries: (name, [function or ordinal]); one section that begins with the import directory."""
    body, width = bytearray(20 * (len(libraries) + 1)), "<Q" if plus else "<I"
    for i, (name, functions) in enumerate(libraries):
        values = []
        for f in functions:
            values.append(f | 1 << (63 if plus else 31) if isinstance(f, int) else VA + len(body))
            body += b"" if isinstance(f, int) else b"\0\0" + f + b"\0"
        at = VA + len(body)
        body += name + b"\0"
        table = VA + len(body)
        body += b"".join(struct.pack(width, v) for v in [*values, 0])
        struct.pack_into("<IIIII", body, 20 * i, table, 0, 0, at, table)
    body = bytes(body).ljust((len(body) + 0x300) // 0x200 * 0x200, b"\0")
    opt = bytearray(0xF0 if plus else 0xE0)
    struct.pack_into("<H", opt, 0, 0x20B if plus else 0x10B)
    struct.pack_into("<I", opt, 16, VA)
    struct.pack_into("<II", opt, 32, 0x1000, 0x200)
    struct.pack_into("<II", opt, 56, 0x100000, RAW)
    struct.pack_into("<I", opt, 108 if plus else 92, 16)
    struct.pack_into("<II", opt, 120 if plus else 104, VA, size or 20 * (len(libraries) + 1))
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664 if plus else 0x14C, 1, 0, 0, 0, len(opt), 0x102)
    table = struct.pack("<8sIIII12sI", b".s", 0x10000, VA, len(body), RAW, bytes(12), 0xE0000020)
    dos = (b"MZ" + bytes(58) + struct.pack("<I", 0x80)).ljust(0x80, b"\0")
    return (dos + head + bytes(opt) + table).ljust(RAW, b"\0") + body


def any_file(rng):
    """Random tables, some with a random word changed."""
    libraries = [(rng.choice(NAMES), rng.choices(FUNCTIONS, k=rng.randrange(4)))
                 for _ in range(rng.randrange(4))]
    data = bytearray(pe(libraries, rng.random() < 0.2, rng.choice([None, None, 21, 0x100])))
    if rng.random() < 0.5:
        value = rng.choice([0, rng.randrange(VA, VA + 0x400), 1 << 31 | rng.randrange(300)])
        struct.pack_into("<I", data, rng.randrange(RAW, min(len(data), RAW + 0x100)) & ~3, value)
    return bytes(data)


def import_hash(path):
    said = subprocess.run([SIGTOOL, "--imp", str(path)], capture_output=True, text=True,
                          errors="replace", timeout=60).stderr
    m = re.search(r"Imphash: (\w{32}):(\d+)", said)
    return (m[1], int(m[2])) if m else None


def rows(files):
    """One signature for each table that there is; of half of them the size is one too large."""
    lines = set()
    for i, key in enumerate(sorted({h for h in map(import_hash, files) if h})):
        digest, size = key
        wrong = i % 4 == 3
        lines.add(f"{digest}:{size + wrong}:Import.{digest[:8]}" if size else
                  f"{digest}:*:Import.Nothing")
    return "".join(line + "\n" for line in sorted(lines))


def names(said):
    return sorted(re.findall(r"^(.*): (\S+) FOUND$", said, re.M))


def compare(folder, files, cache):
    database = folder / "a.imp"
    database.write_text(rows(files))
    listed = folder / "list"
    listed.write_text("".join(f"{f}\n" for f in files))
    options = ("-z", "--no-summary", "--disable-cache", f"--database={database}",
               f"--file-list={listed}")
    theirs = subprocess.run([REAL, *options], capture_output=True, text=True, timeout=300).stdout
    ours = run("clamscan", *options, cache=cache)[1]
    assert names(ours) == names(theirs), f"VITRINE_TEST_SEED={SEED}"
    return len(names(theirs))


@pytest.mark.skipif(not REAL or not SIGTOOL, reason=WHY)
def test_made_files_are_found_as_by_clamscan(tmp_path):
    rng = random.Random(SEED)
    folder = tmp_path / "files"
    folder.mkdir()
    files = [folder / f"f{i}" for i in range(200)]
    for f in files:
        f.write_bytes(any_file(rng))
    assert compare(tmp_path, files, tmp_path / "cache") > 40


@pytest.mark.skipif(not REAL or not SIGTOOL, reason=WHY)
def test_installed_programs_are_found_as_by_clamscan(tmp_path):
    files = [f for pattern in INSTALLED for f in sorted(glob.glob(pattern)) if os.path.isfile(f)]
    if not files:
        pytest.skip("neither libwine nor clamav-testfiles is installed")
    assert compare(tmp_path, files[::5], tmp_path / "cache") > 0


def test_a_text_of_another_length_is_not_found(tmp_path):
    target = tmp_path / "f.exe"
    target.write_bytes(pe([(b"a.dll", [b"x", 7])]))
    digest = "14496fd16594b85f3fe5c9db5833f57b"  # MD5 of "a.x,a.ord7"
    for size, code in (("10", 1), ("11", 0), ("*", 1)):
        (tmp_path / "a.imp").write_text(f"{digest}:{size}:Import\n")
        got = run("clamscan", "--no-summary", "-d", tmp_path / "a.imp", target, cache=tmp_path / "c")
        assert got[0] == code, (size, got)
