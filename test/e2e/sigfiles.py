"""Files that a signature should find, and near misses: small programs, documents and archives built
around the pieces of siglang.py."""
import bz2
import dataclasses
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile

import regexgen
import siglang
from siglang import FILL, Offset, Piece, Unmade

MAX_SIZE = 400_000
SPACE = 6  # filler between pieces
WORDS = b"quick brown jumps over lazy dogs "


def filler(rng, n, text=False):
    if text:
        return (WORDS * (n // len(WORDS) + 1))[:n]
    return bytes(rng.choices(FILL, k=n))


class Sheet:
    """A file while it is put together: bytes that are set, the rest is filler."""

    def __init__(self):
        self.bytes = {}
        self.soft = set()

    def free(self, at, data):
        return all(self.bytes.get(at + i, b) == b or at + i in self.soft for i, b in enumerate(data))

    def clear(self, at, n):
        return not any(at + i in self.bytes for i in range(n))

    def put(self, at, data, soft=False):
        if at < 0 or at + len(data) > MAX_SIZE:
            raise Unmade("far away")
        for i, b in enumerate(data):
            self.bytes[at + i] = b
            if soft:
                self.soft.add(at + i)
            else:
                self.soft.discard(at + i)

    def end(self):
        return max(self.bytes, default=-1) + 1

    def render(self, rng, size, text):
        out = bytearray(filler(rng, size, text))
        for at, b in self.bytes.items():
            if at < size:
                out[at] = b
        return bytes(out)


# Hosts: what makes a file of one target type. `sections` are (start, size), `entry` an offset.

@dataclasses.dataclass
class Host:
    head: list  # of (offset, bytes) that must stand
    soft: list = dataclasses.field(default_factory=list)  # of (offset, bytes) that may give way
    start: int = 0  # where content may begin
    sections: list = dataclasses.field(default_factory=list)
    entry: int | None = None
    text: bool = False
    tail: bytes = b""
    tail_at: int | None = None


def version_resource(rva, pairs):
    """A .rsrc section with nothing but version information; `pairs` are what stands behind the heads of
    its strings."""
    def block(key, value, kind, children=b""):
        head = key.encode("utf-16-le") + b"\0\0"
        head += b"\0" * (-(6 + len(head)) % 4)
        body = value + b"\0" * (-len(value) % 4) + children
        return struct.pack("<HHH", 6 + len(head) + len(body), len(value), kind) + head + body

    strings = b""
    for p in pairs:
        one = struct.pack("<HHH", 6 + len(p) + 2, 4, 1) + p + b"\0\0"
        strings += one + b"\0" * (-len(one) % 4)
    table = block("040904b0", b"", 1, strings)
    info = block("StringFileInfo", b"", 1, table)
    fixed = struct.pack("<IIIIIIIIIIIII", 0xFEEF04BD, 0x10000, 0, 1, 0, 1, 0x3F, 0, 4, 1, 0, 0, 0)
    whole = block("VS_VERSION_INFO", fixed, 0, info)

    def folder(ident, target):
        return struct.pack("<IIHHHH", 0, 0, 0, 0, 0, 1) + struct.pack("<II", ident, target)

    tree = folder(16, 0x80000018) + folder(1, 0x80000030) + folder(0x409, 0x48)
    tree += struct.pack("<IIII", rva + 0x58, len(whole), 0, 0)
    return tree + whole


def import_table(rva, imports):
    """(bytes, the string whose MD5 is the import hash). `imports` are (library, [function])."""
    heads, rest, names = b"", b"", []
    base = 20 * (len(imports) + 1)
    for dll, functions in imports:
        thunks = b""
        table = rva + base + len(rest)
        after = base + len(rest) + 4 * (len(functions) + 1)
        blob = b""
        for f in functions:
            thunks += struct.pack("<I", rva + after + len(blob))
            blob += b"\0\0" + f.encode() + b"\0"
            blob += b"\0" * (len(blob) % 2)
            names.append(f"{dll.lower().rsplit('.', 1)[0]}.{f.lower()}")
        dll_at = rva + after + len(blob)
        rest += thunks + bytes(4) + blob + dll.encode() + b"\0"
        rest += b"\0" * (-len(rest) % 4)
        heads += struct.pack("<IIIII", table, 0, 0, dll_at, table)
    return heads + bytes(20) + rest, ",".join(names)


def align(n, to):
    return -(-n // to) * to


def pe_host(rng, sizes, entry_in, entry_at, resource=None, imports=None, plus=None):
    """Sections of the given sizes; the entry point entry_at bytes into section entry_in."""
    plus = rng.random() < 0.3 if plus is None else plus
    opt_size = 0xF0 if plus else 0xE0
    n = len(sizes) + (resource is not None) + (imports is not None)
    first = align(0x98 + opt_size + 40 * n, 0x200)
    table, sections, raw, rva, extra = b"", [], first, 0x1000, []
    dirs = {}
    for i in range(n):
        data = None
        if i < len(sizes):
            size = align(max(1, sizes[i]), 0x200)
        else:
            data = version_resource(rva, resource) if resource is not None and i == len(sizes) else \
                import_table(rva, imports)[0]
            dirs[2 if resource is not None and i == len(sizes) else 1] = (rva, len(data))
            size = align(len(data), 0x200)
            extra.append((raw, data.ljust(size, b"\0")))
        name = [b".text", b".data", b".rdata", b".x"][min(i, 3)]
        table += struct.pack("<8sIIII12sI", name, size, rva, size, raw, bytes(12), 0xE0000020)
        sections.append((raw, size, rva))
        raw, rva = raw + size, rva + align(size, 0x1000)
    entry = sections[entry_in][0] + entry_at
    opt = bytearray(opt_size)
    struct.pack_into("<H", opt, 0, 0x20B if plus else 0x10B)
    struct.pack_into("<I", opt, 16, sections[entry_in][2] + entry_at)
    struct.pack_into("<I", opt, 28, 0x400000)
    struct.pack_into("<IIHHHHHH", opt, 32, 0x1000, 0x200, 4, 0, 0, 0, 4, 0)
    struct.pack_into("<II", opt, 56, rva, first)
    struct.pack_into("<H", opt, 68, 3)
    struct.pack_into("<I", opt, 108 if plus else 92, 16)
    for d, (at, size) in dirs.items():
        struct.pack_into("<II", opt, (112 if plus else 96) + 8 * d, at, size)
    machine = 0x8664 if plus else 0x14C
    head = struct.pack("<HHIIIHH", machine, n, 0, 0, 0, opt_size, 0x22 if plus else 0x102)
    dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80)
    whole = dos.ljust(0x80, b"\0") + b"PE\0\0" + head + bytes(opt) + table
    return Host([(0, whole), *extra], [], first, [s[:2] for s in sections], entry,
                tail_at=raw)


def elf_host(rng, sizes, entry_in, entry_at):
    n, first = len(sizes), 0x40 + 0x38
    table_at = first
    raw = align(table_at + 0x40 * n, 0x40)
    start, sections, table = raw, [], b""
    for size in sizes:
        size = align(max(1, size), 16)
        table += struct.pack("<IIQQQQIIQQ", 0, 1, 6, 0x400000 + raw, raw, size, 0, 0, 1, 0)
        sections.append((raw, size))
        raw += size
    entry = sections[entry_in][0] + entry_at
    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0x400000 + entry, 0x40, table_at, 0, 64, 56, 1, 64, n, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, raw, raw, 0x1000)
    return Host([(0, head + segment + table)], [], start, sections, entry, tail_at=raw)


def macho_host(rng, sizes, entry_in, entry_at):
    n = len(sizes)
    command = 72 + 80 * n
    registers = 312
    raw = align(32 + command + 16 + registers, 16)
    start, sections, body = raw, [], b""
    for size in sizes:
        size = align(max(1, size), 16)
        body += struct.pack("<32sQQII", b"s", 0x1000 + raw, size, raw, 4) + bytes(24)
        sections.append((raw, size))
        raw += size
    entry = sections[entry_in][0] + entry_at
    seg = struct.pack("<II16sQQQQIIII", 0x19, command, b"t", 0x1000, raw, 0, raw, 7, 5, n, 0) + body
    thread = struct.pack("<IIII", 5, 16 + registers, 1, 40) + \
        struct.pack("<Q", 0x1000 + entry).ljust(registers, b"\0")
    head = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x1000012, 0, 2, 2, len(seg + thread), 0, 0)
    return Host([(0, head + seg + thread)], [], start, sections, entry, tail_at=raw)


MAGIC = {
    0: b"\x00\x01\xff\x80", 2: bytes.fromhex("d0cf11e0a1b11ae1"), 3: b"<html><body>\n",
    4: b"From: a@example.org\nTo: b@example.org\nSubject: x\nMIME-Version: 1.0\n\n",
    5: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 7: b"", 10: b"%PDF-1.4\n", 11: b"FWS\x05\x00\x10\x00\x00",
    12: bytes.fromhex("cafebabe00000034"), 13: b"\x00\x01\xff\x80", 14: b"\x00\x01\x00\x02\x00\x03",
}
EXECUTABLE = {1: pe_host, 6: elf_host, 9: macho_host}


def plain_host(target, text):
    if target not in MAGIC:
        raise Unmade(f"target {target}")
    magic = b"" if text and target in (0, 14) else MAGIC[target]
    head = [(0, magic)] if magic else []
    if target in (0, 3, 7):
        return Host([], head, len(magic), text=text or target in (3, 7))
    return Host(head, [], len(magic))


@dataclasses.dataclass
class Plan:
    """What is to be made; each near miss changes one thing of it."""
    counts: dict
    target: int
    what: str = "match"
    flaw: tuple = None  # (sub-signature, flaw)
    moved: tuple = None  # (sub-signature, bytes)
    size: int | None = None
    entry: int | None = None
    sections: int | None = None
    layers: tuple = ()
    digit: tuple = None  # (sub-signature, difference)


def bounds(text):
    low, _, high = text.partition("-")
    return int(low or 0), int(high or 0)


def exe_geometry(sig, plan, pieces, rng):
    """Sizes of the sections, and where the entry point is."""
    need, n = {}, 1
    last = back = ahead = 0
    for off, p in pieces:
        room = off.n + (off.shift or 0) + len(p.data) + 8
        if off.kind in ("S", "SE"):
            n = max(n, off.section + 1)
            need[off.section] = max(need.get(off.section, 0), room)
        elif off.kind == "SL":
            last = max(last, room)
        elif off.kind == "EP":
            ahead, back = max(ahead, room), max(back, -off.n)
    n = max(n, rng.choice([1, 2, 3]))
    if plan.sections is not None:
        n = plan.sections
    if n < 1 or n > 90:
        raise Unmade("number of sections")
    sizes = [need.get(i, 0) + rng.choice([0x40, 0x90, 0x200]) for i in range(n)]
    sizes[-1] = max(sizes[-1], last)
    entry_in = rng.randrange(n)
    entry_at = back + rng.randrange(0, 64)
    sizes[entry_in] = max(sizes[entry_in], entry_at + ahead + 16)
    if sum(sizes) > MAX_SIZE:
        raise Unmade("far away")
    return sizes, entry_in, entry_at


def exe_host(sig, plan, pieces, rng):
    sizes, entry_in, entry_at = exe_geometry(sig, plan, pieces, rng)
    resource = [bytes(p.data) for off, p in pieces if off.kind == "VI"] or None
    if resource and plan.target != 1:
        raise Unmade("VI")
    args = {"resource": resource} if resource else {}
    if resource and plan.sections is not None:
        sizes = sizes[:-1] or sizes
    host = EXECUTABLE[plan.target](rng, sizes, min(entry_in, len(sizes) - 1), entry_at, **args)
    if plan.entry is not None:
        move = plan.entry - host.entry
        if entry_at + move < 0:
            raise Unmade("entry point")
        sizes[min(entry_in, len(sizes) - 1)] += max(0, move)
        host = EXECUTABLE[plan.target](rng, sizes, min(entry_in, len(sizes) - 1), entry_at + move, **args)
        if host.entry != plan.entry:
            raise Unmade("entry point")
    return host


def anchor_of(off, host, size):
    """The first place an offset speaks of; None if there is none."""
    if off.kind == "abs":
        return off.n
    if off.kind == "EOF":
        return size - off.n
    if off.kind == "EP":
        return None if host.entry is None else host.entry + off.n
    index = len(host.sections) - 1 if off.kind == "SL" else off.section
    if not 0 <= index < len(host.sections):
        return None
    return host.sections[index][0] + off.n


def place(sheet, piece, at):
    """Puts a piece down if nothing else is there."""
    whole = piece.before + bytes(piece.data) + piece.after
    start = at - len(piece.before)
    if at == 0:
        start, whole = 0, bytes(piece.data) + piece.after
    if start < 0 or not sheet.free(start, whole):
        return False
    sheet.put(start, whole)
    return True


def shift_of(off, host, rng):
    if off.shift is None:
        if off.kind != "SE":
            return 0
        return rng.randrange(max(1, host.sections[off.section][1] - 64)) if off.section < len(host.sections) else 0
    top = off.shift
    if off.kind == "SE" and off.section < len(host.sections):
        top = min(top, host.sections[off.section][1] - 1)
    return rng.choice([0, min(top, 300), rng.randint(0, min(top, 300))])


def lay(sheet, host, fixed, floating, eof, rng, size):
    """Everything at its place; the size of the file."""
    for off, piece, moved in fixed:
        for _ in range(30):
            at = anchor_of(off, host, 0)
            if at is None:
                raise Unmade("no such place")
            if place(sheet, piece, at + shift_of(off, host, rng) + moved):
                break
        else:
            raise Unmade("no room")
    cursor = max(sheet.end(), host.start)
    if host.sections and rng.random() < 0.6:
        cursor = min(cursor, host.sections[0][0])
    for piece in floating:
        whole = len(piece.before) + len(piece.data) + len(piece.after)
        cursor += rng.choice([SPACE, SPACE, 2 * SPACE + 1])
        while not sheet.clear(cursor, whole + 1):
            cursor += 16
        place(sheet, piece, cursor + len(piece.before))
        cursor += whole
    least = max(sheet.end() + rng.choice([0, 1, SPACE]), host.tail_at or 0, host.start + 8)
    ends = [off.n - (off.shift or 0) for off, _, _ in eof]
    least += max([0, *ends]) if eof else 0
    if size is None:
        size = least
        size = max([size, *(off.n for off, _, _ in eof)])
    elif size < least:
        raise Unmade("does not fit the size")
    for off, piece, moved in eof:
        for _ in range(30):
            shift = rng.randint(0, min(off.shift or 0, 300))
            at = size - off.n + shift + moved
            if at >= 0 and at + len(piece.data) <= size and place(sheet, piece, at):
                break
        else:
            raise Unmade("no room at the end")
    if size > MAX_SIZE:
        raise Unmade("far away")
    return size


def digits(c, rng, difference):
    """The text that a byte comparison reads."""
    good = None
    for sign, x in c.tests:
        good = {"=": x, ">": x + 1, "<": x - 1}[sign] if good is None else \
            (x + 1 if sign == ">" and good <= x else x - 1 if sign == "<" and good >= x else good)
    v = good + difference
    if v < 0:
        raise Unmade("byte comparison below 0")
    if c.base == "i":
        try:
            return v.to_bytes(c.width, "little" if c.little else "big")
        except OverflowError as e:
            raise Unmade("byte comparison too wide") from e
    text = b"%d" % v if c.base in "da" else b"%x" % v if rng.random() < 0.5 else b"%X" % v
    if c.base == "a" and not c.little and rng.random() < 0.5:
        text = b"0x%x" % v
    if len(text) > c.width:
        raise Unmade("byte comparison too wide")
    text = text.rjust(c.width, b"0") if c.base == "d" or c.big or c.little else text
    if c.little and c.base == "h":
        text = bytes.fromhex(text.decode().rjust(c.width + c.width % 2, "0"))[::-1].hex().encode()
    return text


def overlay_compare(piece, c, rng, difference):
    """Writes the number where the comparison looks, relative to the trigger's piece."""
    text = digits(c, rng, difference)
    if c.offset < 0:
        gap = -c.offset - len(piece.before)
        if gap < len(text):
            raise Unmade("byte comparison in front of its trigger")
        piece.before = text + bytes(rng.choices(FILL, k=gap - len(text))) + piece.before
        return
    more = c.offset + len(text) - len(piece.data)
    if more > 0:
        piece.put(piece.after, True)
        piece.after = b"|"
        more = c.offset + len(text) - len(piece.data)
        if more > 0:
            piece.put(bytes(rng.choices(FILL, k=more)), False)
    if c.offset + len(text) > 5000:
        raise Unmade("far away")
    for i, b in enumerate(text):
        at = c.offset + i
        if piece.fixed[at] and piece.data[at] != b:
            raise Unmade("byte comparison on top of its trigger")
        piece.data[at], piece.fixed[at] = b, 1


def anchored(s, piece, rng):
    """What a text with "^" or "$" needs around it; the offset where it is to be."""
    front = s.pattern.startswith("^") or "A" in s.flags
    if s.pattern.endswith("$"):
        piece.after = b"\n" if "m" in s.flags else b""
        piece.last = "m" not in s.flags
        piece.data += b"\n" if piece.last and "E" not in s.flags and rng.random() < 0.3 else b""
    if front and "m" in s.flags and "A" not in s.flags and s.offset.kind == "*":
        piece.before = b"\n"
    elif front and s.offset.kind == "*":
        return Offset("abs", 0)
    return s.offset


def pieces_for(sig, plan, rng):
    """[(sub-signature, offset, piece)]"""
    out = []
    for i, s in enumerate(sig.subs):
        for copy in range(plan.counts.get(i, 0)):
            flaw = plan.flaw[1] if plan.flaw and plan.flaw[0] == i and copy == 0 else None
            if s.kind == "body":
                fill = WORDS if plan.target in (3, 7) else FILL
                out.append((i, s.offset, siglang.render(s, rng, flaw, fill)))
            elif s.kind == "pcre":
                piece = Piece()
                text = regexgen.make(s.pattern, s.flags, rng)
                if flaw and text:
                    at = rng.randrange(len(text))
                    text = text[:at] + bytes([text[at] ^ rng.choice([1, 2, 0x80])]) + text[at + 1:]
                piece.put(text)
                out.append((i, anchored(s, piece, rng), piece))
    for i, s in enumerate(sig.subs):
        if s.kind == "bytecmp" and plan.counts.get(i):
            trigger = next((p for j, _, p in out if j == s.trigger), None)
            if trigger is None:
                raise Unmade("byte comparison without its trigger")
            more = plan.digit[1] if plan.digit and plan.digit[0] == i else 0
            overlay_compare(trigger, s, rng, more)
    return out


def readable(pieces):
    data = b"".join(p.before + bytes(p.data) + p.after for _, _, p in pieces)
    return all(32 <= b < 127 or b in b"\n\t" for b in data)


def build(sig, plan, rng):
    """The object itself, without its containers."""
    pieces = pieces_for(sig, plan, rng)
    text = plan.target in (3, 7)
    if text and not readable(pieces):
        raise Unmade("not text")
    flat = [(off, p) for _, off, p in pieces]
    host = exe_host(sig, plan, flat, rng) if plan.target in EXECUTABLE else plain_host(plan.target, text)
    sheet = Sheet()
    for at, data in host.head:
        sheet.put(at, data)
    for at, data in host.soft:
        sheet.put(at, data, soft=True)
    fixed, floating, eof, last = [], [], [], b""
    for i, off, p in pieces:
        moved = plan.moved[1] if plan.moved and plan.moved[0] == i else 0
        if p.last:
            last += bytes(p.data)
        elif off.kind == "*":
            floating.append(p)
        elif off.kind == "EOF":
            eof.append((off, p, moved))
        elif off.kind == "macro":
            raise Unmade("macro")
        elif off.kind != "VI":
            fixed.append((off, p, moved))
    fixed.sort(key=lambda x: x[0].shift or 0)
    size = lay(sheet, host, fixed, floating, eof, rng, plan.size)
    data = sheet.render(rng, size, host.text) + last
    if last and (eof or plan.size is not None):
        raise Unmade("two ends")
    if host.text:
        data = data[:host.start] + roughen(data[host.start:], rng)
    if host.text and plan.target == 3 and not eof and plan.size is None:
        data += b"\n</body></html>\n"
    return data


def roughen(data, rng):
    """The same text, but not as it is in the normalised view."""
    return bytes(b - 32 if 97 <= b <= 122 and rng.random() < 0.3 else b for b in data)


def zipped(data, name="member"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def tarred(data, name="member"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
    return out.getvalue()


LAYERS = {
    "ZIP": zipped, "POSIX_TAR": tarred, "GZ": lambda d: gzip.compress(d, mtime=0),
    "BZ": bz2.compress, "XZ": lzma.compress,
}


def pack(data, layers):
    """layers: names from the outermost to the parent."""
    for name in reversed(layers):
        if name not in LAYERS:
            raise Unmade(f"container {name}")
        data = LAYERS[name](data)
    return data


def wanted_layers(sig, rng):
    """A chain of containers that the signature asks for."""
    chain = []
    if "Intermediates" in sig.keys:
        for t in sig.keys["Intermediates"].split(">"):
            t = t.removeprefix("CL_TYPE_")
            chain.append(rng.choice(sorted(LAYERS)) if t == "ANY" else t)
    parent = sig.keys.get("Container")
    if parent:
        parent = parent.removeprefix("CL_TYPE_")
        if parent != "ANY" and (not chain or chain[-1] != parent):
            chain.append(parent)
    return tuple(chain)


def plan_match(sig, rng):
    plan = Plan(siglang.satisfying(sig, rng), sig.target, layers=wanted_layers(sig, rng))
    if sig.target in (4, 13):
        raise Unmade(f"target {sig.target}")
    if "FileSize" in sig.keys:
        low, high = bounds(sig.keys["FileSize"])
        if low > high or low > MAX_SIZE:
            raise Unmade("size")
        plan.size = rng.choice([low, min(high, MAX_SIZE), rng.randint(low, min(high, MAX_SIZE))])
    if "EntryPoint" in sig.keys:
        low, high = bounds(sig.keys["EntryPoint"])
        plan.entry = rng.choice([low, min(high, MAX_SIZE)])
    if "NumberOfSections" in sig.keys:
        low, high = bounds(sig.keys["NumberOfSections"])
        plan.sections = rng.choice([low, min(high, 90)])
    return plan


def plans_near(sig, plan, rng):
    """Plans with one thing changed."""
    change = dataclasses.replace
    out = []
    for i, s in enumerate(sig.subs):
        n = plan.counts.get(i, 0)
        out.append(change(plan, what=f"{i}: one more", counts={**plan.counts, i: n + 1}))
        if not n:
            continue
        out.append(change(plan, what=f"{i}: one less", counts={**plan.counts, i: n - 1}))
        if s.kind == "body":
            out += [change(plan, what=f"{i}: {f[0]}", flaw=(i, f)) for f in siglang.flaws(s)]
        elif s.kind == "pcre":
            out.append(change(plan, what=f"{i}: text", flaw=(i, ("text", 0))))
        elif s.kind == "bytecmp":
            out += [change(plan, what=f"{i}: number", digit=(i, d)) for d in (-1, 1)]
        if s.kind in ("body", "pcre") and s.offset.kind not in ("*", "VI"):
            out += [change(plan, what=f"{i}: place", moved=(i, d)) for d in (-1, 1, 1 + (s.offset.shift or 0))]
    others = [t for t in (0, 1, 2, 5, 6, 9, 10, 11, 12) if t != plan.target]
    if not any(s.kind in ("body", "pcre") and s.offset.kind in ("EP", "S", "SL", "SE", "VI") for s in sig.subs):
        out.append(change(plan, what="target", target=rng.choice(others), entry=None, sections=None))
    if "FileSize" in sig.keys:
        low, high = bounds(sig.keys["FileSize"])
        out += [change(plan, what="size", size=n) for n in (low - 1, high + 1) if n > 0]
    if "EntryPoint" in sig.keys:
        low, high = bounds(sig.keys["EntryPoint"])
        out += [change(plan, what="entry", entry=n) for n in (low - 1, high + 1) if n > 0]
    if "NumberOfSections" in sig.keys:
        low, high = bounds(sig.keys["NumberOfSections"])
        out += [change(plan, what="sections", sections=n) for n in (low - 1, high + 1) if n > 0]
    if "Container" in sig.keys or "Intermediates" in sig.keys:
        out += [change(plan, what="layers", layers=x) for x in
                ((), ("ZIP",), ("GZ",), (*plan.layers, "ZIP"), ("POSIX_TAR", *plan.layers), plan.layers[1:])
                if x != plan.layers]
    return out


def first_made(sig, rng):
    """Some choices of what is to be there cannot be made (two texts at one place): tries several."""
    error = None
    for _ in range(5):
        plan = plan_match(sig, rng)
        try:
            return plan, make(sig, plan, rng)
        except Unmade as e:
            error = e
            if not str(e).startswith("no room"):
                break
    raise error


def make(sig, plan, rng):
    """Bytes for a plan; several attempts, as places may collide."""
    error = None
    for _ in range(4):
        try:
            return pack(build(sig, plan, rng), plan.layers)
        except Unmade as e:
            error = e
    raise error


def kinds_first(plans, rng):
    """A random order in which every kind of near miss comes before a second one of its kind."""
    rng.shuffle(plans)
    seen, first, rest = set(), [], []
    for p in plans:
        kind = p.what.split(": ")[-1]
        (rest if kind in seen else first).append(p)
        seen.add(kind)
    return first + rest


def cases(sig, rng, misses):
    """[(what, bytes)]: one that should match and up to `misses` that should not. Raises Unmade."""
    plan, data = first_made(sig, rng)
    out = [(plan.what, data)]
    for near in kinds_first(plans_near(sig, plan, rng), rng):
        if len(out) > misses:
            break
        try:
            out.append((near.what, make(sig, near, rng)))
        except Unmade:
            continue
    return out
