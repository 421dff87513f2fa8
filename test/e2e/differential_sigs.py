"""Random signatures of every active kind, made from windows of files that exist, so that about half of
them match; the rest are near misses (a byte, a distance, an offset or a count that is one off).

Lines need not be well-formed: who uses this leaves those out that the compiler refuses. What clamscan
is known to lose (doc/differences.md) is not made: parts that occur often in front of a gap, alternatives
of different lengths at an offset, boundaries under the modifiers f and w, several rows of one digest."""
import hashlib
import os
import re
import struct

EXE_TARGETS = (1, 6, 9)


class Sample:
    """A file: its bytes, ClamAV target, and entry point and sections (offsets) if it is an executable."""

    def __init__(self, path, data):
        self.path, self.data = str(path), data
        self.target, self.entry, self.sections = 0, None, []
        if data[:7] == b"\x7fELF\2\1\1" and len(data) > 64:
            self.read_elf()
        elif data[:2] == b"MZ" and data[0x80:0x84] == b"PE\0\0":
            self.read_pe()
        elif data[:4] in (b"\x89PNG", b"GIF8", b"\xff\xd8\xff\xe0"):
            self.target = 5

    def read_elf(self):
        self.target = 6
        entry, phoff, shoff = struct.unpack_from("<QQQ", self.data, 24)
        phnum, _, shnum = struct.unpack_from("<HHH", self.data, 56)
        for i in range(phnum):
            kind, _, off, va, _, size = struct.unpack_from("<IIQQQQ", self.data, phoff + 56 * i)
            if kind == 1 and va <= entry < va + size:
                self.entry = entry - va + off
        if shoff + 64 * shnum <= len(self.data):
            self.sections = [struct.unpack_from("<Q", self.data, shoff + 64 * i + 24)[0]
                             for i in range(shnum)]

    def read_pe(self):
        """Of those that the test makes: headers at 0x80."""
        self.target = 1
        n, = struct.unpack_from("<H", self.data, 0x86)
        table = 0x98 + struct.unpack_from("<H", self.data, 0x94)[0]
        entry, = struct.unpack_from("<I", self.data, 0xA8)
        for i in range(n):
            va, size, raw = struct.unpack_from("<III", self.data, table + 40 * i + 12)
            self.sections.append(raw)
            if va <= entry < va + size:
                self.entry = entry - va + raw


def other_byte(rng, b):
    return (b + rng.randrange(1, 256)) % 256


def single(rng, b):
    """One byte in one of the ways to write it."""
    kind = rng.random()
    if kind < 0.25:
        return "??"
    if kind < 0.45:
        return f"{b >> 4:x}?"
    if kind < 0.65:
        return f"?{b & 15:x}"
    others = [f"{other_byte(rng, b):02x}" for _ in range(rng.randrange(1, 4))]
    if kind < 0.9:
        others.insert(rng.randrange(len(others) + 1), f"{b:02x}")
        return "(" + "|".join(others) + ")"
    return "!(" + "|".join(others) + ")"


def several(rng, w):
    """Alternatives of several bytes; also of different lengths."""
    other = bytes(other_byte(rng, b) for b in w)
    if rng.random() < 0.3:
        return f"!({other.hex()})"
    if rng.random() < 0.4:
        other += bytes([rng.randrange(256)])
    pair = [w.hex(), other.hex()]
    rng.shuffle(pair)
    return "(" + "|".join(pair) + ")"


def apart(rng, w):
    """One byte, a distance of a few bytes, the rest; or the other way round. Offsets and distances to
    other parts are those of the rest."""
    gap = rng.randrange(1, min(4, len(w) - 3))
    lo, hi = rng.choice([(gap, gap), (0, gap), (gap, gap + 2), (gap - 1, gap + 1), (gap + 1, gap + 2)])
    form = f"[{lo}]" if lo == hi else f"[{lo}-{hi}]"
    if rng.random() < 0.5:
        return w[:1].hex() + form + w[1 + gap:].hex()
    return w[:-1 - gap].hex() + form + w[-1:].hex()


def part(rng, w, plain, edges):
    """A run of bytes without a gap, or with one to a single byte."""
    if edges and len(w) >= 8 and rng.random() < 0.08:
        return apart(rng, w)
    text, i = "", 0
    while i < len(w):
        chance = 1.0 if plain or i < 2 and rng.random() < 0.8 else rng.random()
        if chance < 0.07:
            text += single(rng, w[i])
        elif chance < 0.085 and i + 3 <= len(w):
            n = rng.randrange(2, 4)
            text += several(rng, w[i:i + n])
            i += n - 1
        else:
            text += f"{w[i]:02x}"
        i += 1
    edge = rng.random() if edges else 1
    if edge < 0.03:
        return rng.choice(["(B)", "(L)", "(W)"]) + text
    return text + rng.choice(["(B)", "(L)", "(W)"]) if edge < 0.06 else text


def parts_with_distances(line):
    """[(part without its distances `[n-m]`, the distances)]: target, the bytes apart and modifiers are in the first."""
    fields = line.split(";")
    if len(fields) > 3:
        target, subs = re.search(r"Target:(\d+)", fields[1])[1], fields[3:]
    elif line.count(":") >= 3:
        target, subs = line.split(":")[1], [line.split(":")[3]]
    else:
        return  # a digest
    for sub in subs:
        body, _, mods = sub.partition("::")
        for text in re.split(r"\{[^}]*\}|\*", body.split(":")[-1].lower()):
            distances = tuple((int(a), int(b or a)) for a, b in re.findall(r"\[(\d+)(?:-(\d+))?\]", text))
            if distances:
                bare = re.sub(r"\[[^]]*\]", "[]", text)
                yield (target, bare, "i" in mods, "w" in mods), distances


def alike_but_for_distances(lines):
    """Those of the lines with a part that differs from a part of another one in the distances of `[n-m]` only."""
    groups = {}
    for line in lines:
        for bare, distances in parts_with_distances(line):
            groups.setdefault(bare, []).append((distances, line))
    return {line for g in groups.values() if len({d for d, _ in g}) > 1 for _, line in g}


def gap_text(rng, n):
    """A gap of n bytes; one in six does not fit."""
    off = rng.choice([-1, 1]) if rng.random() < 0.16 else 0
    n = max(0, n + off)
    more = rng.randrange(0, 20)
    return rng.choice([f"{{{n}}}", f"{{{n}-}}", f"{{-{n + more}}}", "*",
                       f"{{{max(0, n - more)}-{n + more}}}", f"{{{n}-{n}}}"])


def content(rng, data, at, mods=""):
    """A body that starts at `at`; about one in four does not match there."""
    text, pos = "", at
    plain = rng.random() < 0.5
    nparts = rng.choice([1, 1, 1, 1, 2, 2, 3])
    for i in range(nparts):
        if i:
            gap = rng.choice([0, 1, 3, 10, 60, 127, 128, 300])
            text += gap_text(rng, gap)
            pos += gap
        n = rng.choice([2, 3, 4, 5, 7, 8, 11, 15, 20, 32, 60])
        w = bytearray(data[pos:pos + n])
        if len(set(w)) < min(3, max(len(w), 2)) or (nparts > 1 and (len(set(w)) < 4 or data.count(w) > 2)):
            return None
        pos += n
        if rng.random() < 0.12:
            j = rng.randrange(len(w))
            w[j] = other_byte(rng, w[j])
        if "i" in mods or rng.random() < 0.03:
            w = bytearray(bytes(w).swapcase() if rng.random() < 0.5 else w)
        text += part(rng, bytes(w), plain, not {"f", "w"} & set(mods))
    return text


def offset(rng, s, at, target):
    """An offset that fits the place `at`; one in six is one off."""
    if rng.random() < 0.45:
        return "*"
    place = at + (rng.choice([-1, 1]) if rng.random() < 0.16 else 0)
    shift = rng.choice([0, 0, 1, 5, 300])
    place = max(0, place - rng.randrange(shift + 1))
    forms = [str(place), f"EOF-{len(s.data) - place}"]
    if target in EXE_TARGETS:
        if s.entry is not None:
            forms.append(f"EP{'+' if place >= s.entry else '-'}{abs(place - s.entry)}")
        for i, raw in enumerate(s.sections):
            if raw <= place < raw + 0x10000 and (raw or i == 0):
                forms += [f"S{i}+{place - raw}"]
                if i == len(s.sections) - 1:
                    forms.append(f"SL+{place - raw}")
                shift = shift or 300 if rng.random() < 0.1 else shift
        forms.append(f"SE{rng.randrange(max(1, len(s.sections)))}")
    form = rng.choice(forms)
    if form.startswith("SE"):
        return f"{form},{rng.choice([100, 100000])}"
    return f"{form},{shift}" if shift else form


def offset_for(rng, s, at, target, body):
    groups = [g.split("|") for g in re.findall(r"\(([^()]*)\)", body)]
    uneven = any(len(x) != len(g[0]) for g in groups for x in g)
    return "*" if uneven else offset(rng, s, at, target)


def place_in(rng, s):
    if s.entry is not None and s.entry + 8 < len(s.data) and rng.random() < 0.15:
        return s.entry
    if rng.random() < 0.1:
        return rng.choice([0, 0, max(0, len(s.data) - 16)])
    return rng.randrange(max(1, len(s.data) - 4))


def target_for(rng, s):
    return rng.choice([0, s.target, s.target, rng.choice([0, 1, 2, 5, 6, 9, 10, 11, 12])])


def ndb(rng, s, name):
    at, target = place_in(rng, s), target_for(rng, s)
    w = s.data[at:at + rng.randrange(6, 20)]
    if rng.random() < 0.06 and len(set(w)) > 5:
        return f"{name}:{target}:*:{apart(rng, w)}"
    body = content(rng, s.data, at)
    return body and f"{name}:{target}:{offset_for(rng, s, at, target, body)}:{body}"


def comparison(rng, n):
    kind = rng.random()
    if kind < 0.55:
        return ""
    if kind < 0.7:
        return "=0"
    x = rng.choice([0, 1, 1, 2, 3, 5])
    y = f",{rng.randrange(1, n + 2)}" if rng.random() < 0.3 else ""
    return rng.choice("=<>") + str(x) + y


def expression(rng, ids, depth=0):
    """Each id once."""
    if len(ids) == 1:
        return str(ids[0]) + comparison(rng, 1)
    cut = rng.randrange(1, len(ids))
    a, b = (expression(rng, x, depth + 1) for x in (ids[:cut], ids[cut:]))
    if rng.random() < 0.4 and ("&" in a or "|" in a) and not a.startswith("("):
        a = f"({a}){comparison(rng, cut)}"
    text = a + rng.choice("&&|") + b
    return f"({text}){comparison(rng, len(ids))}" if depth and rng.random() < 0.5 else text


def subsig(rng, samples, s, target):
    if rng.random() < 0.15:
        s = rng.choice(samples)
    mods = "".join(m for m in "iwaf" if rng.random() < (0.2 if m == "i" else 0.1))
    at = place_in(rng, s)
    body = content(rng, s.data, at, mods)
    if not body:
        return None
    w = s.data[at:at + rng.randrange(2, 5)]
    if rng.random() < 0.1 and len(set(w)) > 1:
        body = w.hex()  # short ones occur often: counts
    off = offset_for(rng, s, at, target, body)
    return ("" if off == "*" else off + ":") + body + ("::" + mods if mods else "")


def conditions(rng, s, target):
    text = f"Engine:51-255,Target:{target}"
    if rng.random() < 0.1:
        size = len(s.data) + rng.choice([0, 0, 0, 1])
        text += f",FileSize:{rng.choice([0, size])}-{rng.choice([size, size + 1000])}"
    if target in EXE_TARGETS and rng.random() < 0.1:
        n = len(s.sections) + rng.choice([0, 0, 1])
        text += f",NumberOfSections:{n}-{n + rng.randrange(3)}"
    if target in EXE_TARGETS and s.entry is not None and rng.random() < 0.1:
        text += f",EntryPoint:{s.entry}-{s.entry + rng.randrange(3)}"
    return text


def ldb(rng, samples, s, name):
    target = target_for(rng, s)
    n = rng.choice([1, 1, 2, 2, 3, 4, 6])
    subs = [subsig(rng, samples, s, target) for _ in range(n)]
    if None in subs:
        return None
    text = expression(rng, list(range(n)))
    return ";".join([name, conditions(rng, s, target), text, *subs])


def digest_line(rng, data, name, section=False):
    digest = rng.choice([hashlib.md5, hashlib.sha1, hashlib.sha256])(data).hexdigest()
    size, level = len(data), ""
    kind = rng.random()
    if kind < 0.2:
        size, level = "*", ":73"
    elif kind < 0.3:
        size += 1
    elif kind < 0.35:
        digest = f"{int(digest[0], 16) ^ 1:x}" + digest[1:]
    first, second = (size, digest) if section else (digest, size)
    return f"{first}:{second}:{name}{level}"


def section_lines(rng, s, name):
    table = 0x98 + struct.unpack_from("<H", s.data, 0x94)[0]
    for i in range(len(s.sections)):
        n, raw = struct.unpack_from("<II", s.data, table + 40 * i + 16)
        if raw + n <= len(s.data):
            yield digest_line(rng, s.data[raw:raw + n], f"{name}-{i}", section=True)


def one_each(lines, seen):
    """Lines whose digest was not there before."""
    for line in lines:
        digest = max(line.split(":"), key=len)
        if digest not in seen:
            seen.add(digest)
            yield line


def databases(rng, samples, layers, count):
    """{file name: lines}. `layers` are further objects (archives, members): digests only."""
    ret = {k: [] for k in ("a.ndb", "a.ldb", "a.hdb", "a.hsb", "a.mdb", "a.msb", "a.fp", "a.sfp")}
    for i in range(count):
        s = rng.choice(samples)
        if rng.random() < 0.5:
            ret["a.ndb"].append(ndb(rng, s, f"Body.{i}"))
        else:
            ret["a.ldb"].append(ldb(rng, samples, s, f"Logic.{i}"))
    for i, data in enumerate([s.data for s in samples] + layers):
        ret[rng.choice(["a.hdb", "a.hsb"])].append(digest_line(rng, data, f"Hash.{i}"))
        if rng.random() < 0.06:
            ret[rng.choice(["a.fp", "a.sfp"])].append(digest_line(rng, data, f"Trust.{i}"))
    for i, s in enumerate(samples):
        if s.target == 1:
            ret[rng.choice(["a.mdb", "a.msb"])] += section_lines(rng, s, f"Section.{i}")
    seen = set()
    for k in ("a.hdb", "a.hsb", "a.mdb", "a.msb"):
        ret[k] = list(one_each(ret[k], seen))
    return {k: [x for x in v if x] for k, v in ret.items()}


def write(folder, lines):
    os.makedirs(folder, exist_ok=True)
    for name, v in lines.items():
        if v:
            with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                f.writelines(x + "\n" for x in v)


def any_expression(rng, ids, depth=0):
    """Blocks in blocks, ids more than once, comparisons of all kinds."""
    terms = []
    for _ in range(rng.choice([1, 2, 2, 3, 3, 4, 5]) if depth < 3 else 1):
        if depth < 3 and rng.random() < 0.3:
            inner = any_expression(rng, ids, depth + 1)
            terms.append(f"({inner})" + (comparison(rng, 3) if "&" in inner or "|" in inner else ""))
        else:
            terms.append(str(rng.randrange(ids)) + comparison(rng, 1))
    text = terms[0]
    for t in terms[1:]:
        text += rng.choice("&|") + t
    return text
