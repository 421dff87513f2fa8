"""Version information as clamscan sees it: generated PE files with sane, odd and broken version resources
must give the same names for signatures at VI.

Every string has a key of its own, and there is a signature for each key, so the names found say which
keys the scanner saw. VITRINE_BUILD names the build folder (default ./build)."""
import os
import random
import re
import struct
import subprocess

import pytest

from oracle import REAL, WHY
from seed import SEED

FILES = 400
KEYS = [f"k{i:02d}" for i in range(40)]
OURS = os.path.join(os.environ.get("VITRINE_BUILD", "build"), "clamscan")
FIXED = struct.pack("<I", 0xFEEF04BD) + bytes(48)
RSRC, RAW = 0x2000, 0x600


def pad4(b):
    return b + bytes(-len(b) % 4)


def utf16(s):
    return s.encode("utf-16le")


def node(key, value=b"", children=(), value_length=None):
    body = pad4(bytes(6) + utf16(key) + b"\0\0") + value
    for child in children:
        body = pad4(body) + child
    n = len(value) if value_length is None else value_length
    return struct.pack("<HHH", len(body), n, 1) + body[6:]


class Versions:
    """Version resources; some lengths are wrong."""

    def __init__(self, rnd):
        self.rnd, self.wrong = rnd, rnd.choice((0, 0, 0.03, 0.08, 0.2))
        self.keys = iter(KEYS)

    def bend(self, b, chance):
        if self.rnd.random() >= chance:
            return b
        n = struct.unpack_from("<H", b)[0]
        near = (n + 1, n + 2, n + 4, n - 1, n - 2, n - 4, n + 36)
        n = self.rnd.choice((0, 6, 16, 17, 20, 24, 0xFFFF, *near))
        return struct.pack("<H", n & 0xFFFF) + b[2:]

    def string(self):
        key = next(self.keys) + "abcdefgh"[: self.rnd.randrange(6)]
        value = self.rnd.choice((None, "", "v", "va", "value" * self.rnd.randrange(1, 5)))
        if value is None:
            return self.bend(node(key), self.wrong)
        b = node(key, utf16(value) + b"\0\0", (), self.rnd.choice((None, 0, 5)))
        return self.bend(b, self.wrong)

    def branch(self, key, children):
        b = node(key, b"", children)
        b = pad4(b) if self.rnd.random() < 0.5 else b
        return self.bend(struct.pack("<H", len(b)) + b[2:], self.wrong)

    def table(self):
        key = self.rnd.choice(("040904b0",) * 8 + ("zzzzzzzz", "1234567", "123456789", "", "0409"))
        return self.branch(key, [self.string() for _ in range(self.rnd.randrange(4))])

    def top(self):
        if self.rnd.random() < 0.33:
            key = self.rnd.choice(("VarFileInfo",) * 5 + ("Junk",))
            return self.branch(key, [node("Translation", bytes(4))])
        tables = [self.table() for _ in range(self.rnd.choice((0, 1, 1, 1, 2, 3)))]
        return self.branch("StringFileInfo", tables)

    def root(self):
        b = node("VS_VERSION_INFO", FIXED, [self.top() for _ in range(self.rnd.randrange(1, 5))])
        return self.bend(b, self.wrong / 2) + bytes(self.rnd.choice((0, 0, 0, 20)))


def plain(*numbers):
    strings = [node(KEYS[n], utf16("value") + b"\0\0") for n in numbers]
    return node("VS_VERSION_INFO", FIXED, [node("StringFileInfo", b"", [node("040904b0", b"", strings)])])


def two_tables(left, gap):
    """Two tables, `left` bytes behind the strings of the first, and a gap behind all of it."""
    first, second = (node("040904b0", b"", [node(KEYS[n], utf16("value") + b"\0\0")]) for n in (0, 1))
    first = pad4(first) + bytes(left)
    info = pad4(node("StringFileInfo")) + struct.pack("<H", len(first)) + first[2:] + bytes(gap) + second
    return node("VS_VERSION_INFO", FIXED, [struct.pack("<H", len(info)) + info[2:]])


def directory(tree):
    """tree: [(id or None for a name, subtree or data)]; a pair (data, address) has an address of its own."""
    out, leaves = bytearray(), []

    def emit(entries):
        at = len(out)
        out.extend(bytes(16 + 8 * len(entries)))
        named = sum(i is None for i, _ in entries)
        struct.pack_into("<HH", out, at + 12, named, len(entries) - named)
        for n, (ident, below) in enumerate(entries):
            if isinstance(below, list):
                to = 0x80000000 | emit(below)
            else:
                to = len(out)
                leaves.append((to, below))
                out.extend(bytes(16))
            struct.pack_into("<II", out, at + 16 + 8 * n, 0x80007000 if ident is None else ident, to)
        return at

    emit(tree)
    for at, data in leaves:
        data, address = data if isinstance(data, tuple) else (data, RSRC + len(out))
        struct.pack_into("<II", out, at, address, len(data))
        out.extend(pad4(data))
    return bytes(out)


def pe(resources, plus=False, dirs=16, size=None):
    opt_size = 0xF0 if plus else 0xE0
    opt = bytearray(opt_size)
    struct.pack_into("<H", opt, 0, 0x20B if plus else 0x10B)
    struct.pack_into("<I", opt, 16, 0x1000)
    struct.pack_into("<II", opt, 32, 0x1000, 0x200)
    struct.pack_into("<II", opt, 56, 0x10000, 0x400)
    directories = 112 if plus else 96
    struct.pack_into("<I", opt, directories - 4, dirs)
    struct.pack_into("<II", opt, directories + 16, RSRC, len(resources) if size is None else size)
    head = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 2, 0, 0, 0, opt_size, 0x102)
    raw_size = -(-len(resources) // 0x200) * 0x200
    table = b"".join(
        struct.pack("<8sIIII12sI", b".s", 0x1000, va, rsize, raw, bytes(12), 0xE0000020)
        for va, rsize, raw in ((0x1000, 0x200, 0x400), (RSRC, raw_size, RAW))
    )
    file = bytearray(RAW + raw_size + 0x100)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80)
    for at, part in ((0, dos), (0x80, head + bytes(opt) + table), (RAW, resources)):
        file[at : at + len(part)] = part
    return bytes(file)


def one(data):
    return [(16, [(1, [(0x409, data)])])]


def trees():
    a, b, junk = plain(0, 1), plain(2, 3), b"q" * 8
    yield "two_languages", [(16, [(1, [(1, a), (2, b)])])]
    yield "two_names", [(16, [(1, [(1, a)]), (2, [(1, b)])])]
    yield "two_types", one(a) + one(b)
    yield "other_types", [(None, [(1, [(1, b)])]), (3, [(1, [(1, b)])])] + one(a)
    yield "named", [(16, [(None, [(None, a)])])]
    yield "too_shallow", [(16, [(1, a)])]
    yield "too_deep", [(16, [(1, [(1, [(1, a)])])])]
    yield "data_as_type", [(16, junk)] + one(a)
    yield "empty_type", [(16, [])] + one(a)
    yield "empty_name", [(16, [(1, []), (2, [(1, a)])])]
    yield "bad_address", [(16, [(1, [(1, (a, 0x9000)), (2, b)])])]
    yield "behind_the_section", one((a, RSRC + 0x1F0))
    for left in range(8):
        yield f"left_{left}", one(two_tables(left, 0))
        yield f"left_{left}_padded", one(two_tables(left, -left % 4))
    for languages in (15, 16, 17):
        yield f"{languages}_data", [(16, [(1, [(i, junk) for i in range(languages - 1)] + [(99, a)])])]
    for folders in (16, 40):
        yield f"{folders}_folders", [(16, [(1, [(i, [(1, junk)]) for i in range(folders)] + [(99, a)])])]


def files():
    rnd = random.Random(SEED)
    for name, tree in trees():
        yield name, pe(directory(tree))
    for size in (0, 1, 16):
        yield f"directory_size_{size}", pe(directory(one(plain(0))), size=size)
    for dirs in (2, 3):
        yield f"directories_{dirs}", pe(directory(one(plain(0))), dirs=dirs)
    for n in range(FILES):
        yield f"version_{n}", pe(directory(one(Versions(rnd).root())), plus=n % 2 == 1)


def scan(program, database, folder):
    run = subprocess.run(
        [program, "-z", "--no-summary", f"--database={database}", "-r", str(folder)],
        capture_output=True, text=True, errors="replace", timeout=300, check=False,
    )
    assert run.returncode in (0, 1), run.stderr
    found = {}
    for line in run.stdout.splitlines():
        hit = re.match(r"(.*): (\S+) FOUND$", line)
        if hit:
            found.setdefault(os.path.basename(hit[1]), set()).add(hit[2])
    return found


def test_keys_of_version_information_are_those_of_clamscan(tmp_path):
    if not REAL:
        pytest.skip(WHY)
    folder, database = tmp_path / "files", tmp_path / "keys.ndb"
    folder.mkdir()
    database.write_text("".join(f"{k}:1:VI:{utf16(k).hex()}\n" for k in KEYS))
    names = []
    for name, data in files():
        (folder / name).write_bytes(data)
        names.append(name)
    theirs, ours = scan(REAL, database, folder), scan(OURS, database, folder)
    assert len(theirs) > FILES / 4, "clamscan found next to nothing: the test tests nothing"
    differing = {
        n: (sorted(ours.get(n, ())), sorted(theirs.get(n, ())))
        for n in names
        if ours.get(n, set()) != theirs.get(n, set())
    }
    assert not differing, f"VITRINE_TEST_SEED={SEED}: name: (ours, clamscan's): {differing}"
