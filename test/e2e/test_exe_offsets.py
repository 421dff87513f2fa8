"""Entry points and sections as clamscan sees them: the same generated PE, ELF and Mach-O files and
the same signatures bound to EP, Sx, SL and NumberOfSections must give the same names.

The body of each file is a fixed random text; a signature exists for every 6 bytes of it at every
kind of offset, so that the names found say exactly where the scanner put the offset.
VITRINE_BUILD names the build folder (default ./build), which must hold a `clamscan`."""
import os
import random
import re
import struct
import subprocess

import pytest

from oracle import REAL, WHY
from seed import SEED

SIZE = 0x3000
FIRST = 0x480  # headers end before
KINDS = ("EP+1280", "S0+1280", "S1+1280", "SL+1280")
OURS = os.path.join(os.environ.get("VITRINE_BUILD", "build"), "clamscan")
_rnd = random.Random(SEED)
FILL = bytes(_rnd.randrange(1, 256) for _ in range(SIZE))
PE_SECTIONS = [(0x1000, 0x1000, 0x400, 0x200), (0x2000, 0x1000, 0x600, 0x200)]
ELF_SEGMENT = (0, 0x400000, 0x2000)
ELF_SECTIONS = [(0x500, 0x100), (0x700, 0x300)]


def overlay(parts):
    body = bytearray(FILL)
    for off, data in parts:
        body[off : off + len(data)] = data
    return bytes(body)


def pe(sections, ep=0x1000, fa=0x200, sa=0x1000, headers=0x400, plus=False, dirs=16):
    opt_size = 0xF0 if plus else 0xE0
    opt = bytearray(opt_size)
    struct.pack_into("<H", opt, 0, 0x20B if plus else 0x10B)
    struct.pack_into("<I", opt, 16, ep)
    struct.pack_into("<II", opt, 32, sa, fa)
    struct.pack_into("<II", opt, 56, 0x10000, headers)
    struct.pack_into("<I", opt, 108 if plus else 92, dirs)
    machine = 0x8664 if plus else 0x14C
    head = b"PE\0\0" + struct.pack("<HHIIIHH", machine, len(sections), 0, 0, 0, opt_size, 0x102)
    table = b"".join(
        struct.pack("<8sIIII12sI", b".s", vsize, va, rsize, raw, bytes(12), 0xE0000020)
        for va, vsize, raw, rsize in sections
    )
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80)
    return overlay([(0, dos), (0x80, head + bytes(opt) + table)])


def elf(sections, entry=0x400510, segment=ELF_SEGMENT, wide=True, big=False, phnum=1):
    order, width = (">" if big else "<"), ("Q" if wide else "I")
    head_size, ph_size, sh_size = (64, 56, 64) if wide else (52, 32, 40)
    off, va, memsz = segment
    head = b"\x7fELF" + bytes([2 if wide else 1, 2 if big else 1, 1]) + bytes(9)
    head += struct.pack(order + "HHI" + 3 * width, 2, 62, 1, entry, head_size, 0x200)
    head += struct.pack(order + "IHHHHHH", 0, head_size, ph_size, phnum, sh_size, len(sections), 0)
    addresses = struct.pack(order + 5 * width, off, va, va, memsz, memsz)
    kind, flags = struct.pack(order + "I", 1), struct.pack(order + "I", 5)
    tail = struct.pack(order + width, 0x1000)
    segment_header = kind + flags + addresses + tail if wide else kind + addresses + flags + tail
    table = b"".join(
        struct.pack(order + "II" + 4 * width + "II" + 2 * width, 0, 1, 0, 0, o, n, 0, 0, 1, 0)
        for o, n in sections
    )
    return overlay([(0, head + segment_header), (0x200, table)])


def macho(sections, pc=None, wide=True, big=False, align=4):
    order, width = (">" if big else "<"), ("Q" if wide else "I")
    cpu = 0x1000012 if wide else 18
    body = struct.pack(
        order + "16s" + 4 * width + "IIII", b"t", 0x1000, 0x2000, 0, 0x2000, 7, 5, len(sections), 0
    )
    for va, size, off in sections:
        body += struct.pack(order + "32s" + 2 * width + "II", b"s", va, size, off, align)
        body += bytes(24 if wide else 20)
    commands = [struct.pack(order + "II", 0x19 if wide else 1, len(body) + 8) + body]
    if pc is not None:
        registers = struct.pack(order + width, pc).ljust(312 if wide else 160, b"\0")
        commands.append(struct.pack(order + "IIII", 5, 16 + len(registers), 1, 40) + registers)
    magic = 0xFEEDFACF if wide else 0xFEEDFACE
    size = sum(map(len, commands))
    head = struct.pack(order + "IIIIIII", magic, cpu, 0, 2, len(commands), size, 0)
    return overlay([(0, head + (bytes(4) if wide else b"") + b"".join(commands))])


def pe_files():
    rnd = random.Random(SEED)
    yield "pe32", pe(PE_SECTIONS)
    yield "pe32plus", pe(PE_SECTIONS, plus=True)
    yield "pe_header_ep", pe(PE_SECTIONS, ep=0x500)
    yield "pe_dirs99", pe(PE_SECTIONS, dirs=99)
    overlapping = [(0x1000, 0x2000, 0x400, 0x1200), (0x2000, 0x1000, 0x1600, 0x200)]
    yield "pe_overlap", pe(overlapping, 0x2010)
    for n in range(26):
        sections = [
            (
                0x1000 * (i + 1) + rnd.choice((0, 0, 0x10)),
                rnd.choice((0, 0x10, 0x1000, 0x7FFFFFFF)),
                rnd.choice((0x400, 0x5FF, 0x601, 0x617, 0x810, 0xA00, 0x2F00, 0x5000)),
                rnd.choice((0, 0x101, 0x200, 0x3FF, 0x5000, 0x80000000)),
            )
            for i in range(rnd.randrange(1, 6))
        ]
        fa, sa = rnd.choice((0, 1, 3, 0x20, 0x200, 0x400, 0x1000)), rnd.choice((0, 0x200, 0x1000))
        ep = rnd.choice((0x1000, 0x1020, 0x1150, 0x2010, 0x600))
        yield f"pe_{n}", pe(sections, ep, fa, sa, rnd.choice((0, 0x400, 0x1001)), n % 2 == 1)


def elf_files():
    for wide in (False, True):
        for big in (False, True):
            name = f"elf{64 if wide else 32}{'be' if big else 'le'}"
            yield name, elf(ELF_SECTIONS, wide=wide, big=big)
            yield name + "_noep", elf(ELF_SECTIONS, 0, wide=wide, big=big)
            yield name + "_unmapped", elf(ELF_SECTIONS, 0x300000, wide=wide, big=big)
    yield "elf_shift", elf(ELF_SECTIONS, segment=(0x300, 0x400000, 0x2000))
    yield "elf_nosegment", elf(ELF_SECTIONS, phnum=0)
    yield "elf_past", elf([(0x500, 0x100), (0x10000, 0x100)])


def macho_files():
    sections = [(0x1500, 0x101, 0x501), (0x1700, 0x103, 0x703)]
    for wide in (False, True):
        for big in (False, True):
            name = f"macho{64 if wide else 32}{'be' if big else 'le'}"
            yield name, macho(sections, wide=wide, big=big)
            yield name + "_ep", macho(sections, 0x1510, wide, big)
            yield name + "_unmapped", macho(sections, 0x1605, wide, big)
    yield "macho_align31", macho(sections, align=31)
    yield "macho_align32", macho(sections, align=32)


def write_database(folder):
    with open(folder / "offsets.ndb", "w", encoding="ascii") as f:
        for off in range(FIRST, SIZE - 8):
            text = FILL[off : off + 6].hex()
            for target in (1, 6, 9):
                for kind in KINDS:
                    f.write(f"{kind.split('+')[0]}-{off:x}:{target}:{kind}:{text}\n")
    mark = FILL[SIZE - 16 : SIZE - 8].hex()
    with open(folder / "count.ldb", "w", encoding="ascii") as f:
        for target in (1, 6, 9):
            for n in range(8):
                conditions = f"Engine:51-255,Target:{target},NumberOfSections:{n}-{n}"
                f.write(f"Sections-{n};{conditions};0;{mark}\n")


def scan(program, databases, folder):
    run = subprocess.run(
        [program, "-z", "--no-summary", *(f"--database={d}" for d in databases), "-r", str(folder)],
        capture_output=True, text=True, errors="replace", timeout=300, check=False,
    )
    assert run.returncode in (0, 1), run.stderr
    found = {}
    for line in run.stdout.splitlines():
        hit = re.match(r"(.*): (\S+) FOUND$", line)
        if hit:
            found.setdefault(os.path.basename(hit[1]), set()).add(hit[2])
    return found


def test_offsets_are_those_of_clamscan(tmp_path):
    clamscan = REAL
    if not clamscan:
        pytest.skip(WHY)
    databases, files = tmp_path / "db", tmp_path / "files"
    databases.mkdir()
    files.mkdir()
    write_database(databases)
    names = []
    for name, data in [*pe_files(), *elf_files(), *macho_files()]:
        (files / name).write_bytes(data)
        names.append(name)
    theirs = scan(clamscan, [databases], files)
    ours = scan(OURS, [databases], files)
    assert theirs, "clamscan found nothing: the test tests nothing"
    differing = {
        n: (sorted(ours.get(n, ())), sorted(theirs.get(n, ())))
        for n in names
        if ours.get(n, set()) != theirs.get(n, set())
    }
    assert not differing, f"VITRINE_TEST_SEED={SEED}: name: (ours, clamscan's): {differing}"
