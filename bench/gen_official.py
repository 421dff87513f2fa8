"""Makes a set of logical signatures of the shape of ClamAV's official ones, and file lists for it.

Everything follows from the seed, from the PE files of Debian's libwine and from the files of /usr.
Output goes to bench/work/NAME/ beside that of gen.py:

  official/set.ldb  35,000 logical signatures for PE files, 4,000 for others
  pe.list           PE files of libwine
  usr.list          files of /usr, containers and texts too; the first of them:
  usrsub.list       as many as clamscan scans with twinclams in a minute or two
  usrall.list       all regular files of /usr (for --full)
  texts.list        texts of /usr

Counted in a published set of 38,889 logical signatures, and aimed at here: 88 % for PE; 4.1 body
sub-signatures each, half have 5 or more; of these 20.5 % have {}, 0.4 % ??, 0.4 % nibbles, 0.1 %
*, 12.3 % are wide, 9.9 % without case; offsets n 0.8 %, EP+n 0.2 %, Sx+n, SEx and VI a few
dozen; of the signatures 1.5 % have a regular expression, 2.4 % a FileSize, 1.4 % a Container; half
of the longest literals have 18 bytes or less, 1 % have 6 or less. `gen_official.py DIR` counts them
in what was made. Icons (80 signatures of that set) need an icon database and are left out.

The bytes are neither random nor copied. Code is put together from instructions of 32-bit programs
whose operands vary, with the addresses of calls left open as authors do, or spliced from pieces
of 4 to 7 bytes of the code of libwine, each going on where the last two bytes of the one before
stand. Strings are names that libwine's files hold (functions, libraries) and made ones (registry
keys, addresses, file names, names of .NET methods, …). Authors try their signatures on harmless
files: whatever a signature needs has a piece that is rare: two of its grams are not in a sample of
such files; beside it there may be common ones. One signature in a thousand has only common pieces.
Some dozens are windows of the files of the lists: those must be found."""

import collections
import glob
import json
import os
import random
import re
import struct
import sys

import gen

VERSION = 3
PE_SIGS, OTHER_SIGS = 35_000, 4_000
PLANTS = 40

# Targets of the 4,000: most are for any file.
OTHER_TARGETS = [0] * 20 + [6] * 7 + [2] * 5 + [3] * 3 + [7] * 2 + [10, 9, 12]
CONTAINERS = ["ZIP", "RAR", "MSOLE2", "7Z", "OOXML_WORD", "OOXML_XL", "PDF", "MAIL"]


def libwine_files():
    """(path, size) of the PE files of Debian's libwine, sorted."""
    names = []
    for path in glob.glob("/var/lib/dpkg/info/libwine:*.list"):
        with open(path) as f:
            names += f.read().splitlines()
    paths = sorted(n for n in names if n.endswith((".dll", ".exe")) and os.path.isfile(n))
    return [(p, os.path.getsize(p)) for p in paths if gen.head(p, 2) == b"MZ"]


# ------------------------------------------------------------------------- what libwine is made of


def pe_sections(data):
    """[(name, start, end)] of a PE file; nothing if it is damaged."""
    at = struct.unpack_from("<I", data, 60)[0]
    if data[at:at + 4] != b"PE\0\0":
        return []
    count, = struct.unpack_from("<H", data, at + 6)
    table = at + 24 + struct.unpack_from("<H", data, at + 20)[0]
    ret = []
    for i in range(count):
        name, _, _, size, start = struct.unpack_from("<8sIIII", data, table + 40 * i)
        ret.append((name.rstrip(b"\0"), start, start + size))
    return ret


class Harmless:
    """Which four bytes (case aside) a sample of harmless files holds: a hash table of bits."""

    BITS = 26
    PIECE = 2_048
    FOLD = bytes(b | 32 for b in range(256))

    def __init__(self):
        self.seen = bytearray(1 << (self.BITS - 3))

    def places(self, data):
        data = data.translate(self.FOLD)
        for i in range(len(data) - 3):
            x = int.from_bytes(data[i:i + 4], "little") * 0x9e3779b1 >> 6 & (1 << self.BITS) - 1
            yield x >> 3, 1 << (x & 7)

    def add(self, data):
        for byte, bit in self.places(data):
            self.seen[byte] |= bit

    def add_files(self, rng, files, count):
        for path, size in rng.choices(files, k=count):
            with open(path, "rb") as f:
                f.seek(rng.randrange(size))
                self.add(f.read(self.PIECE))

    def lacks(self, data):
        """Whether `data` is rare."""
        missing = sum(not self.seen[byte] & bit for byte, bit in self.places(data))
        return missing >= min(2, len(data) - 3)


class Material:
    """Code and strings of PE files."""

    CODE = 32_768  # of one file

    def __init__(self, rng, files):
        self.rng = rng
        code, names, words = [], collections.Counter(), collections.Counter()
        for path, _ in rng.sample(files, min(len(files), 250)):
            with open(path, "rb") as f:
                data = f.read(2 * gen.MB)
            for name, start, end in pe_sections(data):
                if name == b".text" and end > start:
                    at = start + rng.randrange(max(1, end - start - self.CODE))
                    code.append(data[at:min(end, at + self.CODE)])
            found = set(re.findall(rb"(?<=\0)[A-Z][a-z]+[A-Z][A-Za-z]{3,24}(?=\0)", data))
            names.update(found)
            words.update({w.lower() for n in found for w in re.findall(rb"[A-Z][a-z]{2,9}", n)})
        self.code = b"".join(code)
        # Names of one file alone would be found in it by every signature that holds them.
        self.names = [n for n, k in sorted(names.items()) if k >= 2]
        self.words = [w.decode() for w, k in sorted(words.items()) if k >= 2]

    def word(self):
        return self.rng.choice(self.words)

    def spliced(self, n):
        """n bytes that look like the code of these files and are not in them."""
        code, rng = self.code, self.rng
        at = rng.randrange(len(code) - 8)
        ret = bytearray(code[at:at + 4])
        while len(ret) < n:
            start = rng.randrange(len(code))
            at = code.find(bytes(ret[-2:]), start, start + 65_536)
            at = rng.randrange(len(code) - 8) if at < 0 else at + 2
            ret += code[at:at + rng.randint(4, 7)]
        return bytes(ret[:n])


# --------------------------------------------------------------------------------------------- code
# Instructions of 32-bit programs: O is an offset in the stack frame, I a small number, A an address
# that is not known, D four bytes of data, J a short jump.

INSTRUCTIONS = """
8b45O 8b4dO 8b55O 8945O 894dO 8955O 8d45O 8d4dO 8b45O50 ff75O 50 51 52 53 56 57 8bc8 8bf0 8bf8
33c0 33c9 33d2 33db 85c0 3bc3 3bc7 03c1 2bc1 83c4I 83ecI 83c0I 83e8I 83f8I 83c104 83c204 6aI 6a00
6a01 68D 68A e8A e8A e8A ff15A ff15A ff15A a1A 8b0dA c745O00000000 c745OD c745ffffffff 74J 75J 74J
75J 0f84A 0f85A ebJ 7cJ 7fJ 0fb645O 0fb608 0fb611 8a08 8808 40 41 42 46 47 c1e8I c1e0I 33c1 0bc1
23c1 f7d8 1bc0 8b08 8b00 8b5104 8b4008 ffd0 ffd2 ffd6 8b8dA 8945O85c0 8be55dc3 5dc3 c9c3 5f5e5b
5dc20400 558bec 558bec83ecI 558bec6aff68A64a100000000 8bff558bec 8985A 8d85A50 3945O 3b45O 99f7f9
0fafc1 90 cc
""".split()
LIKELY = [64 if len(x) > 2 else 24 for x in INSTRUCTIONS]


def instruction(rng):
    """Bytes, and None for an address that is not known."""
    ret = []
    for item in re.findall("[OIJAD]|[0-9a-f]{2}", rng.choices(INSTRUCTIONS, LIKELY)[0]):
        ret += operand(rng, item) if item.isupper() else [int(item, 16)]
    return ret


def operand(rng, kind):
    if kind == "O":
        return [(-4 * rng.randint(1, 24)) & 255 if rng.random() < 0.7 else 4 * rng.randint(2, 6)]
    if kind == "I":
        return [rng.choice((1, 2, 3, 4, 4, 5, 6, 8, 8, 10, 12, 12, 16, 20, 24, 32, 64))]
    if kind == "J":
        return [rng.randint(2, 90)]
    if kind == "A":
        return [None] * 4
    return list(rng.choice((rng.randbytes(4), struct.pack("<I", rng.randrange(1 << 16)))))


def code(rng, n, open_addresses):
    """At least n bytes in a row that are known: tokens (gen.clam_token)."""
    ret, run, longest = [], bytearray(), 0
    while longest < n:
        for byte in instruction(rng):
            if byte is None and open_addresses:
                ret += [("lit", bytes(run))] if run else []
                gap = ret.pop()[1] if ret and ret[-1][0] == "gap" else 0
                ret.append(("gap", gap + 1, gap + 1))
                run = bytearray()
            else:
                run.append(rng.randrange(256) if byte is None else byte)
                longest = max(longest, len(run))
    return whole(ret + [("lit", bytes(run))])


def whole(tokens):
    """Literals of less than 3 bytes between gaps, and gaps at the ends, are nothing to search."""
    ret = []
    for token in tokens:
        if token[0] == "lit" and len(token[1]) < 3:
            token = ("gap", len(token[1]), len(token[1]))
        if token[0] == "gap" and ret and ret[-1][0] == "gap":
            n = ret.pop()[1] + token[1]
            token = ("gap", n, n)
        ret.append(token)
    while ret[0][0] == "gap":
        ret.pop(0)
    while ret[-1][0] == "gap":
        ret.pop()
    return ret


# ------------------------------------------------------------------------------------------ strings

TEMPLATES = [
    "Software\\Microsoft\\Windows\\CurrentVersion\\Run\\%W%W", "SOFTWARE\\%W\\%W%W", "%w%w%n.exe",
    "http://%w%w.com/%w.php", "http://www.%w%w%n.net/%w/", "%w.%w%w.ru", "\\%W%W\\%w.dat",
    "%w%w.dll", "Mozilla/4.0 (compatible; MSIE 6.0; %W %n.0)", "cmd.exe /c %w %w", "%W%W%n",
    "Global\\%W%W%n", "get_%W%W", "set_%W%W", "<%W%W>k__BackingField", "%W.%W.%W%n",
    "add_%W%WChanged", "%W%WCompleted", "c:\\%w\\%w%w\\Release\\%w.pdb",
    "D:\\%W\\%W %W\\obj\\Debug\\%w.pdb", "%W %W %w: %%s", "%w=%%s&%w=%%d",
    "Content-Disposition: form-data; name=\"%w%w\"", "%W%W%W", "frm%W%W", "btn%W%n",
    "Unable to %w %w %w", "Failed to %w the %w", "/%w/%w.php?%w=", "%w_%w_%w",
    "CreateObject(\"%W.%W\")", "taskkill /f /im %w.exe", "%w%w@%w.com", "Copyright (C) %W %W %n",
    "%W%WForm", "My.%W%W", "%WService%n", "%w %w %w",
]


def made_string(rng, material, low):
    """A string of at least `low` bytes."""
    text = re.sub("%[wWn]", lambda m: {"w": material.word, "n": lambda: str(rng.randrange(1, 2010)),
                                       "W": lambda: material.word().capitalize()}[m[0][1]](),
                  rng.choice(TEMPLATES)).replace("%%", "%").encode()
    if len(text) < low:
        text += b" " + made_string(rng, material, low - len(text) - 1)
    return text


def string(rng, material, n, common):
    """About n bytes of a name that PE files have, or of a made string."""
    if common:
        return rng.choice(material.names)
    text = made_string(rng, material, n)
    at = rng.randrange(len(text) - n + 1) if rng.random() < 0.5 else 0
    return text[at:at + n + rng.choice((0, 0, 0, 2, 5))]


# --------------------------------------------------------------------------------- sub-signatures


class Subsig:
    def __init__(self, tokens, modifiers="", offset=None):
        self.tokens, self.modifiers, self.offset = tokens, modifiers, offset

    def text(self):
        ret = "%s:" % self.offset if self.offset else ""
        ret += "".join(map(gen.clam_token, self.tokens))
        return ret + ("::" + self.modifiers if self.modifiers else "")


def sprinkle(rng, tokens):
    """Rare wildcards: ??, a nibble or * in the middle of the longest literal."""
    x = rng.random()
    literal = gen.longest_literal(tokens)
    if x > 0.012 or len(literal) < 12:
        return tokens
    i, k = tokens.index(("lit", literal)), len(literal) // 2 + rng.randrange(-2, 3)
    joint = ("any", 1) if x < 0.006 else ("high", literal[k]) if x < 0.0105 else ("gap", 0, None)
    return (tokens[:i] + [("lit", literal[:k]), joint, ("lit", literal[k + 1:])] + tokens[i + 1:])


class Maker:
    """Signatures of some style: code, strings, wide strings, .NET, data, all of it."""

    STYLES = ["code"] * 9 + ["strings"] * 4 + ["wide"] * 3 + ["data"] * 2 + ["mixed"] * 5

    def __init__(self, rng, material, windows, harmless, names):
        self.rng, self.material, self.windows = rng, material, windows
        self.harmless, self.names = harmless, names

    def length(self, long):
        """Of the longest literal in a sub-signature; half of the signatures have 18 or less."""
        rng = self.rng
        if not long:
            return rng.randint(5, 14)
        return rng.choice((15, 16, 16, 16, 17, 18)) if rng.random() < 0.6 else \
            17 + int(rng.expovariate(1 / 8))

    def rare(self, style, n, target, cut=None):
        """The first of some that is not in harmless files."""
        for _ in range(20):
            ret = self.subsig(style, n, target, cut)
            if self.harmless.lacks(gen.longest_literal(ret.tokens)):
                return ret
        return Subsig([("lit", self.rng.randbytes(n))])

    def pieces(self, styles, lengths, target, all_needed, cut):
        """One of each length; if all are needed, some may be common, but not the longest."""
        ret = []
        for k, n in enumerate(lengths):
            common = all_needed and n < max(lengths) and self.rng.random() < 0.3
            make = self.subsig if common else self.rare
            ret.append(make(styles[k % len(styles)], n, target, cut))
        self.rng.shuffle(ret)
        return ret

    def subsig(self, style, n, target, cut):
        """With `cut`, no literal is longer than that."""
        ret = self.some(style, n, target)
        if cut:
            ret.tokens = [(t[0], t[1][:cut]) if t[0] == "lit" else t for t in ret.tokens]
        return ret

    def some(self, style, n, target):
        rng = self.rng
        kind = style
        if style == "mixed":
            kind = rng.choice(("code", "code", "strings", "wide", "data"))
        if target != 1 and kind == "code":
            kind = rng.choice(("strings", "window"))
        if kind == "code":
            return self.code(n)
        if kind == "data":
            return Subsig(sprinkle(rng, self.parted([("lit", rng.randbytes(n))])))
        if kind == "window":
            return Subsig(sprinkle(rng, [("lit", self.windows.changed(self.windows.take(n)))]))
        wide = kind == "wide"
        common = target == 1 and not wide and rng.random() < 0.25
        text = string(rng, self.material, max(4, n // 2) if wide else n, common)
        fold = rng.random() < (0.36 if wide else 0.22)
        return Subsig([("lit", text)], ("w" if wide else "") + ("i" if fold else ""))

    def code(self, n):
        rng = self.rng
        x = rng.random()
        if x < 0.70:
            return Subsig(sprinkle(rng, code(rng, n, True)))
        if x < 0.90:
            tokens = code(rng, n, False)
            return Subsig(sprinkle(rng, [("lit", tokens[0][1][:n])]))
        return Subsig(sprinkle(rng, self.parted([("lit", self.material.spliced(n))])))

    def parted(self, tokens):
        """One in two goes on behind a gap."""
        rng = self.rng
        if rng.random() < 0.5:
            return tokens
        low = rng.randrange(0, 20)
        gap = ("gap", low, low + rng.choice((0, 0, rng.randint(1, 60))) + (low == 0))
        return tokens + [gap, ("lit", rng.randbytes(rng.randint(3, 8)))]

    def count(self):
        """Sub-signatures: 4.1 on average, half have 5 or more."""
        return self.rng.choices((1, 2, 3, 4, 5, 6, 7, 8, 12), (27, 10, 6, 4, 29, 9, 7, 5, 3))[0]

    def one(self, target):
        rng = self.rng
        x = rng.random()
        if x < 0.008 and target == 1:
            return self.bound()
        if x < 0.001:
            names = rng.sample(self.material.names, rng.randint(5, 9))
            subs = [Subsig([("lit", n)]) for n in names]
            return self.logical(target, subs, "&".join(map(str, range(len(subs)))))
        cut = None
        if x < 0.155:
            cut = rng.choices((14, 11, 10, 8, 7, 6, 5, 4), (25, 25, 30, 30, 30, 4, 3, 2))[0]
            styles = ("code", "strings")
            lengths = [cut] + [rng.randint(4, cut) for _ in range(rng.randint(2, 5))]
        else:
            styles = (rng.choice(self.STYLES),)
            lengths = [self.length(k == 0 or rng.random() < 0.35) for k in range(self.count())]
        expression, all_needed = self.expression(len(lengths))
        subs = self.pieces(styles, lengths, target, all_needed, cut)
        self.place(subs, target)
        return self.logical(target, subs, expression)

    def place(self, subs, target):
        """Some sub-signatures are tied to a place."""
        rng = self.rng
        for s in subs:
            x = rng.random()
            if x < 0.006:
                s.offset = str(rng.choice((0, 0, 0, 2, 64, 78, 128, 512, rng.randrange(4_096))))
            elif target == 1 and x < 0.0065:
                s.offset = "EP+%d" % rng.choice((0, 0, 0, rng.randrange(1, 256)))
            elif target == 1 and x < 0.0070:
                s.offset = rng.choice(("S0+0", "S1+0", "S2+16", "SE0", "SE1", "VI"))

    def bound(self):
        """Short ones at a place, the rest anywhere."""
        rng = self.rng
        start = bytes(b or 0 for _ in range(3) for b in instruction(rng))[:9]
        first = Subsig([("lit", start)], "", "EP+%d" % rng.choice((0, 0, 0, 5, 16)))
        if len(first.tokens[0][1]) < 3:
            first.tokens = [("lit", b"\x55\x8b\xec")]
        second = Subsig([("lit", bytes.fromhex("4d5a9000"))], "", "0")
        subs = [first, second][:rng.randint(1, 2)] + [self.rare("code", 10, 1)]
        return self.logical(1, subs, "&".join(map(str, range(len(subs)))))

    def expression(self, n):
        """Text, and whether every sub-signature is needed."""
        rng, ids = self.rng, list(range(n))
        x = rng.random()
        every = "&".join(map(str, ids))
        if n == 1:
            return ("0" if x < 0.9 else "0>%d" % rng.randint(1, 4)), True
        if n < 4 or x < 0.62:
            return (every if x < 0.5 else "(%s)" % every), True
        k = rng.randint(1, n - 2)
        head, tail = "&".join(map(str, ids[:k])), "|".join(map(str, ids[k:]))
        if x < 0.80:
            return "%s&(%s)" % (head, tail), False
        if x < 0.90:
            return "%s&((%s)>%d)" % (head, tail, rng.randint(1, n - k - 1)), False
        if x < 0.93:
            return "(%s)|(%s)" % (head, "&".join(map(str, ids[k:]))), False
        if x < 0.96:
            return "(%s)>%d" % ("|".join(map(str, ids)), rng.randint(n // 2, n - 2)), False
        last = "(%d>%d)" % (ids[-1], rng.randint(1, 3)) if x < 0.98 else "(%d=0)" % ids[-1]
        return "%s&%s" % ("&".join(map(str, ids[:-1])), last), False

    def gates(self, target):
        rng, ret = self.rng, ["Engine:81-255"]
        x = rng.random()
        if x < 0.024:
            low = rng.randrange(1, 400) * 1_000
            ret.append("FileSize:%d-%d" % (low, low * rng.randint(2, 6)))
        elif x < 0.038:
            ret.append("Container:CL_TYPE_" + rng.choice(CONTAINERS))
        elif x < 0.039 and target == 1:
            ret.append("NumberOfSections:%d-%d" % (rng.randint(2, 4), rng.randint(4, 9)))
        elif x > 0.9998:
            ret.append("HandlerType:CL_TYPE_RTF")
        return ",".join(ret + ["Target:%d" % target])

    def logical(self, target, subs, expression):
        rng, texts = self.rng, [s.text() for s in subs]
        x = rng.random()
        if x < 0.0145:
            expression += "&%d" % len(texts)
            texts.append(self.regex(len(subs)))
        elif x < 0.0148:
            expression += "&%d" % len(texts)
            texts.append("0(>>%d#ib2#>%d)" % (rng.randrange(4, 40), rng.randrange(1, 900)))
        return ";".join([self.names.next(), self.gates(target), expression, *texts]) + "\n"

    def regex(self, n):
        trigger = "&".join(map(str, range(min(n, self.rng.randint(1, 2)))))
        word = self.material.word
        body = self.rng.choice((
            r"%s[a-z]{3,12}\.(exe|dll)" % word(), r"https?:\/\/[^\s\x22\x27]{4,60}%s\.php" % word(),
            r"%s\s*=\s*[\x22\x27][A-Za-z0-9+\/]{40,}" % word(),
            r"\x55\x8b\xec.{2,40}?\xff\x15.{4}\x85\xc0",
            r"[0-9A-F]{8}-([0-9A-F]{4}-){3}[0-9A-F]{12}.{0,20}%s" % word()))
        return "%s/%s/%s" % (trigger, body, self.rng.choice(("", "i", "s", "is")))


# ----------------------------------------------------------------------- signatures that are found


def planted(rng, files, target, harmless, names, count):
    """Signatures of rare windows of `files`, of every form that a reader could get wrong."""
    files, ret = [f[0] for f in files if 8_192 <= f[1] <= 4 * gen.MB and gen.is_binary(f[0])], []
    for path in rng.sample(files, min(len(files), 6 * count)):
        with open(path, "rb") as f:
            data = f.read()
        places = [gen.plant_at(rng, data) for _ in range(3)]
        if None in places or not all(harmless.lacks(data[at:at + 20]) for at in places):
            continue
        if len(ret) == count or (target and data[:2] != b"MZ"):
            continue
        w = [data[at:at + 48] for at in places]
        subs = [Subsig(gen.planted_tokens(rng, gen.PLANT_FORMS[len(ret) % 10], w[0])),
                Subsig([("lit", w[1][:24])], rng.choice(("", "i"))),
                Subsig([("lit", w[2])], "", rng.choice((None, str(places[2]))))]
        size = rng.choice(("", "FileSize:%d-%d," % (len(data), len(data))))
        tdb = "Engine:81-255,%sTarget:%d" % (size, target)
        expression = rng.choice(("0&1&2", "0&(1|2)", "(0|1|2)>1", "(0|1|2)>2,2", "0&1&(2>1)|0&2"))
        ret.append(";".join([names.next(), tdb, expression, *(s.text() for s in subs)]) + "\n")
    return ret


# ------------------------------------------------------------------------------------------- output


def write_lists(seed, out, files, wine, quick):
    rng = random.Random("%s/usr" % seed)
    gen.write_lines(out + "/usrall.list", (p + "\n" for p, _ in files))
    chosen = [f for f in files if f[1] <= 25 * gen.MB]
    rng.shuffle(chosen)
    for name, total in (("usr", 100 if quick else 1_200), ("usrsub", 10 if quick else 150)):
        gen.write_lines("%s/%s.list" % (out, name),
                        (p + "\n" for p, _ in gen.take_bytes(chosen, total * gen.MB)))
    texts = [f for f in chosen if b"\0" not in gen.head(f[0])]
    gen.write_lines(out + "/texts.list",
                    (p + "\n" for p, _ in gen.take_bytes(texts, (3 if quick else 24) * gen.MB)))
    wine = list(wine)
    rng.shuffle(wine)
    wine = gen.take_bytes(wine, 30 * gen.MB) if quick else wine
    gen.write_lines(out + "/pe.list", (p + "\n" for p, _ in wine))
    return wine, gen.take_bytes(chosen, 20 * gen.MB)


def make_set(seed, out, files, wine, listed):
    rng = random.Random("%s/official" % seed)
    names = gen.Names(rng)
    material = Material(rng, wine)
    harmless = Harmless()
    for text in TEMPLATES:
        for constant in re.split("%[wWn]", text):
            harmless.add(constant.replace("%%", "%").encode())
    for name in material.names:
        harmless.add(name)
    for some, number in ((wine, 5_000), (files, 4_000)):
        harmless.add_files(rng, some, number)
    maker = Maker(rng, material, gen.Windows(rng, files), harmless, names)
    lines = planted(rng, listed[0], 1, harmless, names, PLANTS // 2)
    lines += [maker.one(1) for _ in range(PE_SIGS - len(lines))]
    lines += planted(rng, listed[1], 0, harmless, names, PLANTS // 2)
    while len(lines) < PE_SIGS + OTHER_SIGS:
        lines.append(maker.one(rng.choice(OTHER_TARGETS)))
    gen.write_lines(out + "/official/set.ldb", lines)


def generate(seed, out, quick, say=print):
    """Fills `out` unless it already holds this seed's files. False if libwine is not there."""
    stamp, path = {"seed": seed, "quick": quick, "version": VERSION}, out + "/official.json"
    if os.path.exists(path):
        with open(path) as f:
            if json.load(f) == stamp:
                return True
    wine = libwine_files()
    if not wine:
        return False
    say("making the official-like set in %s …" % out)
    files = gen.usr_files()
    listed = write_lists(seed, out, files, wine, quick)
    make_set(seed, out, files, wine, listed)
    with open(path, "w") as f:
        json.dump(stamp, f)
    return True


# ----------------------------------------------------------------------------------------- counting


def count(path):
    """Prints what the head of this file speaks of."""
    c, subs, lengths, numbers = collections.Counter(), 0, [], []
    with open(path) as f:
        for line in f:
            fields = line.rstrip("\n").split(";")
            body = [s for s in fields[3:] if "/" not in s and "#" not in s]
            c["regex"] += any("/" in s for s in fields[3:])
            c["FileSize"] += "FileSize" in fields[1]
            c["Container"] += "Container" in fields[1]
            subs += len(body)
            numbers.append(len(body))
            longest = 0
            for s in body:
                text, _, modifiers = s.partition("::")
                offset, _, content = text.rpartition(":")
                c["sub {}"] += "{" in content
                c["sub ??"] += "??" in content
                c["sub nibble"] += bool(re.search(r"(?<![0-9a-f?])[0-9a-f]\?|\?[0-9a-f]", content))
                c["sub *"] += "*" in content
                c["sub w"] += "w" in modifiers
                c["sub i"] += "i" in modifiers
                c["sub offset " + re.sub("[0-9]+", "n", offset)] += offset != ""
                runs = map(len, re.findall("[0-9a-f]+", re.sub(r"\{[^}]*\}", " ", content)))
                longest = max(longest, max(runs) // 2 * (2 if "w" in modifiers else 1))
            lengths.append(longest)
    lengths.sort()
    numbers.sort()
    n = len(lengths)
    print("%d signatures, %d sub-signatures (%.2f each, median %d)"
          % (n, subs, subs / n, numbers[n // 2]))
    print("longest literal: median %d, <= 6 in %.1f %%, >= 15 in %.1f %%"
          % (lengths[n // 2], 100 * sum(x <= 6 for x in lengths) / n,
             100 * sum(x >= 15 for x in lengths) / n))
    for what, k in sorted(c.items()):
        print("%-24s %6d  %.2f %%" % (what, k, 100 * k / (subs if what.startswith("sub") else n)))


if __name__ == "__main__":
    count(os.path.join(sys.argv[1], "official", "set.ldb"))
