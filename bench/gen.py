#!/usr/bin/env python3
"""Makes the signature sets, file lists and archives that bench/run measures with.

Everything follows from the seed and from the files of /usr of this machine, so a second run with
the same seed gives the same bytes. Output goes to bench/work/NAME/ (not kept in the repository):

  body10k/set.ndb  body90k/set.ndb  body signatures, the first nested in the second
  body10k.yar      body90k.yar      the same as YARA rules
  lit10k/set.ndb   lit90k/set.ndb   one literal per signature
  lit10k.hex       lit90k.hex       the same for Vectorscan, one literal in hex a line
  big/             90,000 body signatures and the digests: set.ndb set.hdb set.hsb
  full.list        files for fast programs
  sub.list         the part of it that clamscan can scan in half a minute
  yara.list        the part for yara
  small.list       many small files
  archives/        the files of archives.list packed five ways
  one.bin          one small file

The shape of the body signatures follows a measured set of real ones: the longest literal has at
least 15 bytes in 83 %, 11-14 in 5 %, 7-10 in 9 %, 4-6 in 1.3 %; the rest is tied to an offset. A
quarter has wildcards. Half of the bytes are random; half are windows of programs, libraries and
data of /usr with a few bytes changed, so that their grams are as common as in real life. A few
dozen signatures are exact windows of files in sub.list: those must be found by everybody.
"""

import itertools
import json
import math
import os
import random
import shutil
import stat
import struct
import subprocess

VERSION = 3  # raise when the output changes: old work folders are then made anew

MB = 1_000_000


class Size:
    """How much to make."""

    def __init__(self, quick):
        self.body = (10_000, 90_000)
        self.hdb, self.hsb = (250_000, 150_000) if quick else (2_500_000, 1_500_000)
        self.full_bytes = 200 * MB if quick else 1_100 * MB
        self.sub_bytes = 20 * MB if quick else 64 * MB
        self.yara_bytes = 60 * MB if quick else 300 * MB
        self.small_files = 5_000 if quick else 50_000
        self.archive_bytes = 20 * MB if quick else 90 * MB


# ------------------------------------------------------------------------------------ files of /usr

# Containers are measured by themselves: a list of raw files holds none, so that every program sees
# the same bytes.
CONTAINER_MAGIC = (b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd",
                   b"7z\xbc\xaf\x27\x1c", b"Rar!", b"MSCF", b"070701", b"070707",
                   b"!<arch>\ndebian", b"\xed\xab\xee\xdb", b"ITSF", b"xar!")
LIST_MIN, LIST_MAX = 24_576, 32 * MB  # sizes in full.list: a mean of about 200 KB


def usr_files():
    """(path, size) of the regular files of /usr, each inode once, in sorted order."""
    seen, ret = set(), []
    for top, dirs, names in os.walk("/usr"):
        dirs.sort()
        for name in sorted(names):
            path = os.path.join(top, name)
            st = os.lstat(path)
            if not stat.S_ISREG(st.st_mode) or st.st_size == 0 or (st.st_dev, st.st_ino) in seen:
                continue
            if not path.isprintable() or not os.access(path, os.R_OK):
                continue
            seen.add((st.st_dev, st.st_ino))
            ret.append((path, st.st_size))
    return ret


def head(path, n=4096):
    with open(path, "rb") as f:
        return f.read(n)


def is_container(path):
    h = head(path, 512)
    return h.startswith(CONTAINER_MAGIC) or h[257:262] == b"ustar"


def is_binary(path):
    """No text, no mark-up: views that are normalised before matching are out of the comparison."""
    h = head(path)
    return b"\0" in h and b"<html" not in h.lower() and b"<!doctype" not in h.lower()


def take_bytes(files, total, size_max=LIST_MAX):
    """The first files that make up `total` bytes."""
    ret, have = [], 0
    for path, size in files:
        if have >= total:
            break
        if size <= size_max:
            ret.append((path, size))
            have += size
    return ret


def full_list(rng, files, total):
    files = [f for f in files if LIST_MIN <= f[1] <= LIST_MAX]
    rng.shuffle(files)
    ret, have = [], 0
    for path, size in files:
        if have >= total:
            break
        if not is_container(path):
            ret.append((path, size))
            have += size
    return ret


def small_list(rng, files, count):
    files = [f for f in files if f[1] < LIST_MIN]
    rng.shuffle(files)
    return [f for f in files if not is_container(f[0])][:count]


# ---------------------------------------------------------------------------- where bytes come from


class Windows:
    """Pieces of real files, each byte of them as likely as any other."""

    POOL = 2_000
    KEEP = MB // 2  # of one file

    def __init__(self, rng, files):
        self.rng = rng
        files = [f for f in files if f[1] >= 8_192]
        rng.shuffle(files)
        self.pool = []
        for path, _ in files:
            if len(self.pool) == self.POOL:
                break
            if is_binary(path):
                self.pool.append(head(path, self.KEEP))
        self.ends = list(itertools.accumulate(map(len, self.pool)))

    def take(self, n):
        """n bytes that a signature author could have chosen: no padding."""
        for _ in range(100):
            data = self.rng.choices(self.pool, cum_weights=self.ends)[0]
            at = self.rng.randrange(len(data) - n)
            window = data[at:at + n]
            if len(set(window)) >= min(n, 24) * 0.6:
                return window
        return window

    def changed(self, literal):
        """One byte in sixteen made another one, at least one."""
        ret = bytearray(literal)
        for _ in range(max(1, len(ret) // 16)):
            ret[self.rng.randrange(len(ret))] ^= self.rng.randrange(1, 256)
        return bytes(ret)


# --------------------------------------------------------------------------------------- signatures
# A signature's content is a list of tokens:
#   ("lit", bytes)  ("any", n)  ("gap", lowest, highest or None)  ("high"/"low", byte)
#   ("alt", [bytes])


def clam_token(token):
    kind, value = token[0], token[1]
    if kind == "lit":
        return value.hex()
    if kind == "any":
        return "??" * value
    if kind == "high":
        return "%x?" % (value >> 4)
    if kind == "low":
        return "?%x" % (value & 15)
    if kind == "alt":
        return "(" + "|".join(a.hex() for a in value) + ")"
    return clam_gap(value, token[2])


def clam_gap(low, high):
    if high is None:
        return "{%d-}" % low if low else "*"
    if low == high:
        return "{%d}" % low
    return "{%d-%d}" % (low, high) if low else "{-%d}" % high


def yara_token(token):
    kind, value = token[0], token[1]
    if kind == "any":
        return " ".join(["??"] * value)
    if kind == "alt":
        return "( " + " | ".join(a.hex() for a in value) + " )"
    if kind != "gap":
        return clam_token(token)
    if token[2] is None:
        return "[%d-]" % value if value else "[-]"
    return "[%d]" % value if value == token[2] else "[%d-%d]" % (value, token[2])


def longest_literal(tokens):
    return max((t[1] for t in tokens if t[0] == "lit"), key=len)


class Signature:
    def __init__(self, name, target, offset, tokens):
        self.name, self.target, self.offset, self.tokens = name, target, offset, tokens

    def ndb(self):
        content = "".join(map(clam_token, self.tokens))
        return "%s:%d:%s:%s\n" % (self.name, self.target, self.offset, content)

    def yara(self, number):
        where = {"*": "$a", "0": "$a at 0"}.get(self.offset)
        if where is None and self.offset.startswith("EP+"):
            where = "$a at entrypoint + " + self.offset[3:]
        elif where is None and self.offset.startswith("EOF-"):
            where = "$a at filesize - " + self.offset[4:]
        elif where is None:
            where = "$a at " + self.offset
        content = " ".join(map(yara_token, self.tokens))
        return "rule s%d { strings: $a = { %s } condition: %s }\n" % (number, content, where)


PLATFORMS = ["Win"] * 14 + ["Unix", "Osx", "Java", "Doc", "Html", "Js", "Php", "Multios"]
KINDS = ["Trojan"] * 6 + ["Malware"] * 4 + ["Virus", "Worm", "Adware", "Downloader", "Dropper",
                                            "Ransomware", "Packed", "Keylogger", "Exploit", "Tool"]
FAMILIES = ["Agent", "Zbot", "Emotet", "Generic", "Upatre", "Gamarue", "Ramnit", "Sality", "Virut",
            "Fareit", "Dinwod", "Kovter", "Razy", "Zusy", "Tofsee", "Ursnif", "Gandcrab", "Mirai",
            "Qbot", "Trickbot", "Nanocore", "Remcos", "Formbook", "Njrat", "Bladabindi", "Xmrig",
            "Coinminer", "Delf", "Injector", "Banload", "Symmi", "Cerber", "Locky", "Swrort"]


class Names:
    """Names as published ones look, each once."""

    def __init__(self, rng):
        self.rng = rng
        self.serial = 100_000
        self.heads = ["%s.%s.%s" % (p, k, f) for p in PLATFORMS for k in KINDS for f in FAMILIES]

    def next(self):
        self.serial += self.rng.randrange(1, 5)
        return "%s-%d-%d" % (self.rng.choice(self.heads), self.serial, self.rng.random() < 0.1)


# (share of the set, shortest and longest of the longest literal, share of those with wildcards,
# number of literals in one with wildcards). Short literals do not stand alone: they would be found
# everywhere.
CLASSES = [
    (0.830, (15, 200), 0.205, (2, 4)),
    (0.050, (11, 14), 0.205, (2, 4)),
    (0.090, (7, 10), 0.60, (3, 5)),
    (0.013, (4, 6), 1.0, (4, 7)),
]


class BodyMaker:
    def __init__(self, rng, windows, names):
        self.rng, self.windows, self.names = rng, windows, names

    def literals(self, lengths):
        """One literal of each length; those of a real window are neighbours in it."""
        if not self.real:
            return [self.rng.randbytes(n) for n in lengths]
        text, ret = self.windows.take(sum(lengths)), []
        for n in lengths:
            ret.append(self.windows.changed(text[:n]))
            text = text[n:]
        return ret

    def literal(self, n):
        return self.literals([n])[0]

    def one(self):
        self.real = self.rng.random() < 0.5
        x = self.rng.random()
        for share, lengths, wild, pieces in CLASSES:
            if x < share:
                return self.floating(self.length(*lengths), wild, pieces)
            x -= share
        return self.bound()

    def length(self, low, high):
        return min(high, low + int(self.rng.expovariate(1 / 20))) if high > 14 \
            else self.rng.randint(low, high)

    def floating(self, length, wild, pieces):
        if self.rng.random() < wild:
            tokens = self.wild_tokens(length, self.rng.randint(*pieces))
        else:
            tokens = [("lit", self.literal(length))]
        return Signature(self.names.next(), 0, "*", tokens)

    def wild_tokens(self, length, pieces):
        """Literals, the longest of `length` bytes, with wildcards between."""
        lengths = [length] + [self.rng.randint(3, min(length, 16)) for _ in range(pieces - 1)]
        self.rng.shuffle(lengths)
        tokens = []
        for literal in self.literals(lengths):
            if tokens:
                tokens.append(self.joint())
            tokens.append(("lit", literal))
        return tokens

    def joint(self):
        rng = self.rng
        x = rng.randrange(20)
        if x < 6:
            return ("any", rng.randint(1, 4))
        if x < 9:
            return (rng.choice(("high", "low")), rng.randrange(256))
        if x < 12:
            return ("gap", 0, None)
        if x < 15:
            low = rng.randrange(0, 24)
            return ("gap", low, low + rng.randint(1, 60))
        if x < 17:
            n = rng.randint(2, 40)
            return ("gap", n, n)
        return ("alt", self.alternatives())

    def alternatives(self):
        n = self.rng.choice((1, 1, 1, 2, 4))
        if self.rng.random() < 0.2:
            return [self.literal(n), self.literal(n + 1), self.literal(n + 2)]
        return [self.literal(n) for _ in range(self.rng.randint(2, 4))]

    def bound(self):
        """Tied to the start or the entry point of PE and ELF files."""
        rng = self.rng
        near = "EP+%d" % rng.randrange(1, 256)
        where = rng.choice(("EP+0", "EP+0", "EP+0", "0", "0", near))
        tokens = [("lit", self.literal(rng.randint(4, 12)))]
        if rng.random() < 0.5:
            tokens += [("any", rng.randint(1, 4)), ("lit", self.literal(rng.randint(3, 8)))]
        return Signature(self.names.next(), rng.choice((1, 6)), where, tokens)


# ------------------------------------------------------------------------ signatures that are found


def elf_entry(data):
    """File offset of the entry point of a 64-bit little-endian ELF file, or None."""
    if data[:6] != b"\x7fELF\2\1" or len(data) < 64:
        return None
    entry, phoff = struct.unpack_from("<QQ", data, 24)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    if entry == 0 or phnum > 64 or phoff + phnum * phentsize > len(data):
        return None
    for i in range(phnum):
        kind, _, off, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * phentsize)
        if kind == 1 and vaddr <= entry < vaddr + filesz:
            return entry - vaddr + off
    return None


def planted_tokens(rng, form, w):
    """48 bytes of a file as a signature of some form that matches them."""
    first, last = ("lit", w[:20]), ("lit", w[28:])
    middle = {
        "plain": [("lit", w[20:28])],
        "any": [("any", 3), ("lit", w[23:26]), ("any", 2)],
        "nibble": [("high", w[20]), ("lit", w[21:27]), ("low", w[27])],
        "star": [("gap", 0, None)],
        "range": [("gap", 3, 60)],
        "most": [("gap", 0, 9)],
        "exact": [("gap", 8, 8)],
        "set": [("alt", [bytes([w[20] ^ 1]), w[20:21]]), ("lit", w[21:28])],
        "strings": [("alt", [rng.randbytes(4), w[20:24], rng.randbytes(4)]), ("lit", w[24:28])],
        "lengths": [("alt", [rng.randbytes(2), w[20:23]]), ("lit", w[23:28])],
    }[form]
    return joined([first] + middle + [last])


def joined(tokens):
    """Literals that are neighbours made one."""
    ret = []
    for token in tokens:
        if ret and token[0] == ret[-1][0] == "lit":
            token = ("lit", ret.pop()[1] + token[1])
        ret.append(token)
    return ret


PLANT_FORMS = ["plain", "any", "nibble", "star", "range", "most", "exact", "set", "strings",
               "lengths"]
PLANT_PLACES = ["*", "*", "*", "*", "n", "EOF-n"]
PLANTS = 48


def plant_at(rng, data):
    for _ in range(200):
        at = rng.randrange(len(data) - 48)
        if len(set(data[at:at + 48])) >= 20:
            return at
    return None


def planted(rng, files, names):
    """Signatures of windows of `files`."""
    files = [f[0] for f in files if f[1] >= 4_096 and is_binary(f[0])]
    rng.shuffle(files)
    ret, entries = [], 0
    for path in files:
        if len(ret) == PLANTS:
            break
        with open(path, "rb") as f:
            data = f.read()
        entry, at = elf_entry(data), plant_at(rng, data)
        if entry is not None and entry + 48 < len(data) and entries < PLANTS // 8:
            entries += 1
            ret.append(Signature(names.next(), 6, "EP+0",
                                 planted_tokens(rng, "any", data[entry:entry + 48])))
        elif at is not None:
            place = rng.choice(PLANT_PLACES).replace("n", str(at))
            if place.startswith("EOF"):
                place = "EOF-%d" % (len(data) - at)
            form = PLANT_FORMS[len(ret) % len(PLANT_FORMS)]
            tokens = planted_tokens(rng, form, data[at:at + 48])
            ret.append(Signature(names.next(), 0, place, tokens))
    return ret


# ------------------------------------------------------------------------------------------- output


def write_lines(path, lines):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.writelines(lines)


def write_body(out, label, sigs):
    write_lines("%s/body%s/set.ndb" % (out, label), (s.ndb() for s in sigs))
    write_lines("%s/body%s.yar" % (out, label), (s.yara(i) for i, s in enumerate(sigs)))


def write_literals(out, label, literals, names):
    write_lines("%s/lit%s.hex" % (out, label), (x.hex() + "\n" for x in literals))
    write_lines("%s/lit%s/set.ndb" % (out, label),
                ("%s:0:*:%s\n" % (names.next(), x.hex()) for x in literals))


def write_hashes(path, rng, names, count, digest_size):
    """Digests with sizes around 300 KB, at most 5 MB."""
    sizes = [max(16, min(5 * MB, int(rng.lognormvariate(math.log(300_000), 1.3))))
             for _ in range(65_536)]
    with open(path, "w") as f:
        for start in range(0, count, 10_000):
            n = min(10_000, count - start)
            text = rng.randbytes(n * digest_size).hex()
            step = 2 * digest_size
            f.writelines("%s:%d:%s\n" % (text[i * step:(i + 1) * step],
                                         rng.choice(sizes) + rng.randrange(1_000), names.next())
                         for i in range(n))


PACKERS = {
    "tree.zip": ["bsdtar", "--format", "zip", "-cf"],
    "tree.tar.gz": ["bsdtar", "-czf"],
    "tree.tar.xz": ["bsdtar", "--options", "xz:compression-level=3", "-cJf"],
    "tree.tar.zst": ["bsdtar", "--zstd", "-cf"],
    "tree.7z": ["bsdtar", "--format", "7zip", "--options", "7zip:compression-level=3", "-cf"],
}


def write_archives(out, files, total):
    folder = out + "/archives"
    os.makedirs(folder, exist_ok=True)
    chosen, members = take_bytes(files, total, 8 * MB), out + "/archives.members"
    write_lines(out + "/archives.list", (p + "\n" for p, _ in chosen))
    write_lines(members, (p[1:] + "\n" for p, _ in chosen))
    for name, cmd in PACKERS.items():
        subprocess.run(cmd + [os.path.join(folder, name), "-C", "/", "-T", members], check=True)


def make_body(seed, out, files, sub):
    rng = random.Random("%s/body" % seed)
    names = Names(rng)
    maker = BodyMaker(rng, Windows(rng, files), names)
    hits = planted(rng, sub, names)
    sigs = hits + [maker.one() for _ in range(90_000 - len(hits))]
    write_body(out, "10k", sigs[:10_000])
    write_body(out, "90k", sigs)
    literals = make_literals(maker, sigs)
    write_literals(out, "10k", literals[:10_000], names)
    write_literals(out, "90k", literals, names)


LITERAL_MIN = 6


def make_literals(maker, sigs):
    """The longest literal of each signature, 90,000 different ones. Alone, one of less than
    LITERAL_MIN bytes would be found in most files. Vectorscan takes a literal that starts with a
    zero byte for an empty one: those are left out, too."""
    found = {}
    while len(found) < 90_000:
        for s in sigs:
            literal = longest_literal(s.tokens)
            usable = len(literal) >= LITERAL_MIN and literal[0] != 0
            if s.offset == "*" and usable and len(found) < 90_000:
                found[literal] = None
        sigs = [maker.one() for _ in range(1_000)]
    return list(found)


def make_big(seed, out, size):
    """90,000 body signatures and the digests in one folder."""
    rng = random.Random("%s/hashes" % seed)
    names = Names(rng)
    names.serial = 10_000_000
    os.makedirs(out + "/big", exist_ok=True)
    shutil.copy(out + "/body90k/set.ndb", out + "/big/set.ndb")
    write_hashes(out + "/big/set.hdb", rng, names, size.hdb, 16)
    write_hashes(out + "/big/set.hsb", rng, names, size.hsb, 32)


def make_lists(seed, out, files, size):
    """Returns the files of sub.list."""
    rng = random.Random("%s/lists" % seed)
    full = full_list(rng, files, size.full_bytes)
    sub = take_bytes(full, size.sub_bytes, 4 * MB)
    lists = {
        "full": full, "sub": sub,
        "yara": take_bytes(full, size.yara_bytes),
        "small": small_list(rng, files, size.small_files),
    }
    for name, chosen in lists.items():
        write_lines("%s/%s.list" % (out, name), (p + "\n" for p, _ in chosen))
    write_archives(out, full, size.archive_bytes)
    with open(out + "/one.bin", "wb") as f:
        f.write(rng.randbytes(4_096))
    return sub


def generate(seed, out, quick, say=print):
    """Fills `out` unless it already holds this seed's files."""
    stamp = {"seed": seed, "quick": quick, "version": VERSION}
    stamp_path = out + "/stamp.json"
    if os.path.exists(stamp_path):
        with open(stamp_path) as f:
            if json.load(f) == stamp:
                return
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    size = Size(quick)
    say("making signatures and file lists in %s …" % out)
    files = usr_files()
    sub = make_lists(seed, out, files, size)
    make_body(seed, out, files, sub)
    make_big(seed, out, size)
    with open(stamp_path, "w") as f:
        json.dump(stamp, f)
