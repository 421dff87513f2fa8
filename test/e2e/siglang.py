"""The signature language once more, read independently of src/sig (from doc/format/signatures.md and
ClamAV's manual), so that files can be made that a signature should find, and files it should not.

What is made is a guess, never a verdict: clamscan has the last word. A flaw is one thing made wrong
on purpose (a byte, a gap, a neighbour), so that a near miss comes out."""
import dataclasses
import re

WORDY = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FILL = b"\x90\x80\x00\xff\x01\xf4\x83\x9c\x07\x11\xe8"  # no letters, no blanks, no magic
BEFORE = {"B": b" -./<@_", "L": b"\n", "W": FILL + b" .-_,\n"}
AFTER = {"B": b"\n\r \"'-/=>_", "L": b"\n", "W": FILL + b" .-_,\n"}
INSIDE = {"B": b" -./<@_\"'=>\r\n", "L": b"\n", "W": FILL + b" .-_,"}


class Unmade(Exception):
    """No file can be made for this, and the reason."""


@dataclasses.dataclass
class Byte:
    value: int
    mask: int
    gap: bool = False  # of "{n}": not followed by 00 in a wide pattern


@dataclasses.dataclass
class Alt:
    choices: list  # of lists of elements
    negated: bool


@dataclasses.dataclass
class Bound:
    kind: str
    negated: bool


@dataclasses.dataclass
class Gap:
    low: int
    high: int | None


@dataclasses.dataclass
class Offset:
    kind: str = "*"  # * abs EOF EP S SL SE VI macro
    n: int = 0
    section: int = 0
    shift: int | None = None


@dataclasses.dataclass
class Body:
    offset: Offset
    elements: list
    mods: str
    kind = "body"


@dataclasses.dataclass
class Regex:
    offset: Offset
    trigger: object
    pattern: str
    flags: str
    kind = "pcre"


@dataclasses.dataclass
class Compare:
    trigger: int
    offset: int
    base: str  # h d a i
    little: bool
    big: bool
    exact: bool
    width: int
    tests: list  # of (sign, value)
    kind = "bytecmp"


@dataclasses.dataclass
class Other:
    """Macro, fuzzy image."""
    kind: str


@dataclasses.dataclass
class Signature:
    name: str
    target: int
    keys: dict
    expression: object
    subs: list
    line: str


def parse_offset(text):
    form, _, shift = text.partition(",")
    if shift and not shift.isdigit():
        raise Unmade("offset")
    more = int(shift) if shift else None
    if form in ("*", "VI"):
        return Offset(form)
    if form.startswith("$"):
        return Offset("macro")
    m = re.fullmatch(r"(EOF)-(\d*)|(EP)([+-]\d*)|(SL)\+(\d*)|SE(\d+)|S(\d+)\+(\d+)|(\d*)", form)
    if not m:
        raise Unmade(f"offset {text}")
    if m[1]:
        return Offset("EOF", int(m[2] or 0), 0, more)
    if m[3]:
        return Offset("EP", int(m[4] if len(m[4]) > 1 else 0), 0, more)
    if m[5]:
        return Offset("SL", int(m[6] or 0), 0, more)
    if m[7] is not None:
        return Offset("SE", 0, int(m[7]), more)
    if m[8] is not None:
        return Offset("S", int(m[9]), int(m[8]), more)
    return Offset("abs", int(m[10] or 0), 0, more)


def parse_group(text, i):
    """What stands in brackets from text[i], and the place behind."""
    depth, parts, start = 0, [], i + 1
    while i < len(text):
        c = text[i]
        if c == "(":
            depth += 1
        elif c == "|" and depth == 1:
            parts.append(text[start:i])
            start = i + 1
        elif c == ")":
            depth -= 1
            if not depth:
                return parts + [text[start:i]], i + 1
        i += 1
    raise Unmade("open bracket")


def parse_range(text, square):
    if not re.fullmatch(r"\d*-?\d*", text):
        raise Unmade("range")
    low, dash, high = text.partition("-")
    if not dash:
        return Gap(int(low or 0), int(low or 0) if low else None)
    return Gap(int(low or 0), int(high) or None if high and not square else
               int(high) if high else None)


def nibbles(pair):
    value = mask = 0
    for c in pair:
        value, mask = value << 4, mask << 4
        if c != "?":
            value, mask = value | int(c, 16), mask | 15
    return Byte(value, mask)


def parse_content(text):
    out, i, ranged = [], 0, False
    while i < len(text):
        c = text[i]
        negated = c == "!"
        if negated:
            i += 1
            c = text[i]
        if c == "(":
            parts, i = parse_group(text, i)
            if parts[0] in ("B", "L", "W") and len(parts) == 1:
                out.append(Bound(parts[0], negated))
            else:
                out.append(Alt([parse_content(p) for p in parts if p], negated))
        elif c in "{[":
            end = text.index("}" if c == "{" else "]", i)
            gap = parse_range(text[i + 1:end], c == "[")
            i = end + 1
            if c == "{" and gap.low == gap.high and 1 <= gap.low < 128 and not ranged:
                out += [Byte(0, 0, True) for _ in range(gap.low)]
            else:
                ranged = ranged or c == "{"
                out.append(gap)
        elif c == "*":
            out.append(Gap(0, None))
            i += 1
        else:
            if not re.fullmatch(r"[0-9a-fA-F?]{2}", text[i:i + 2]):
                raise Unmade(f"content {text[i:i + 8]}")
            out.append(nibbles(text[i:i + 2]))
            i += 2
    return out


def parse_compare(text):
    m = re.fullmatch(r"(\d+)\((>>|<<)?(0x[0-9a-fA-F]+|\d+)#([hdai])([lb]?)(e?)(\d+)#(.*)\)", text)
    if not m:
        raise Unmade(f"byte comparison {text}")
    tests = [(t[0], int(t[1:], 0)) for t in m[8].split(",")]
    n = int(m[3], 0)
    return Compare(int(m[1]), -n if m[2] == "<<" else n, m[4], m[5] == "l", m[5] == "b",
                   bool(m[6]), int(m[7]), tests)


def parse_sub(text):
    if text.startswith("fuzzy_img#"):
        return Other("fuzzy")
    if "${" in text:
        return Other("macro")
    if "/" in text:
        head, _, rest = text.partition("/")
        pattern, _, flags = rest.rpartition("/")
        off, _, trigger = head.rpartition(":")
        return Regex(parse_offset(off or "*"), parse_expression(trigger), pattern, flags)
    if re.match(r"\d+\([^)]*#", text):
        return parse_compare(text)
    hexed, _, mods = text.partition("::")
    off, _, content = hexed.rpartition(":")
    return Body(parse_offset(off or "*"), parse_content(content), mods)


# Expressions: ("id", n, cmp) and ("block", op-separated terms, cmp); cmp is None or (sign, x, y).

TOKEN = re.compile(r"\s*(\d+|[()&|]|[=<>]\d+(?:,\d+)?|,\d+)")


def parse_expression(text):
    tokens, i = [], 0
    while i < len(text.rstrip()):
        m = TOKEN.match(text, i)
        if not m:
            raise Unmade(f"expression {text}")
        tokens.append(m[1])
        i = m.end()
    tree, rest = parse_chain(tokens)
    if rest:
        raise Unmade(f"expression {text}")
    return tree


def parse_cmp(tokens):
    if tokens and tokens[0][0] in "=<>":
        x, _, y = tokens[0][1:].partition(",")
        return (tokens[0][0], int(x), int(y or 0)), tokens[1:]
    return None, tokens


def parse_chain(tokens):
    if not tokens:
        raise Unmade("expression ends early")
    if tokens[0] == "(":
        inner, rest = parse_chain(tokens[1:])
        if not rest or rest[0] != ")":
            raise Unmade("open bracket")
        cmp, rest = parse_cmp(rest[1:])
        left = ("block", inner, cmp)
    elif tokens[0].isdigit():
        cmp, rest = parse_cmp(tokens[1:])
        left = ("id", int(tokens[0]), cmp)
    else:
        raise Unmade("expression")
    if rest and rest[0] in "&|":
        right, more = parse_chain(rest[1:])
        return (rest[0], left, right), more
    return left, rest


def compare(cmp, total, distinct):
    sign, x, y = cmp
    good = {"=": total == x, ">": total > x, "<": total < x}[sign]
    return good and distinct >= y


def value(tree, counts):
    """(true, sum of counts, set of ids that matched)"""
    if tree[0] == "id":
        n = counts.get(tree[1], 0)
        good = compare((tree[2][0], tree[2][1], 0), n, 1) if tree[2] else n > 0
        return good, n, {tree[1]} if n else set()
    if tree[0] == "block":
        good, n, ids = value(tree[1], counts)
        return compare(tree[2], n, len(ids)) if tree[2] else good, n, ids
    a, b = value(tree[1], counts), value(tree[2], counts)
    if tree[0] == "|":
        return a[0] or b[0], a[1] + b[1], a[2] | b[2]
    good = a[0] and b[0]
    return good, (a[1] + b[1]) if good else 0, (a[2] | b[2]) if good else set()


def ids_of(tree):
    if tree[0] == "id":
        return {tree[1]}
    return ids_of(tree[1]) | (ids_of(tree[2]) if tree[0] in "&|" else set())


def split_subs(text):
    """Sub-signatures: a ";" inside of a regular expression separates nothing."""
    return [m[0] for m in re.finditer(r"(?:/(?:\\.|[^/\\])*/|[^;/])+", text)]


def parse_ldb(line):
    name, tdb, expression, rest = line.rstrip("\r\n").split(";", 3)
    subs = split_subs(rest)
    keys = {}
    for pair in tdb.split(","):
        key, _, val = pair.partition(":")
        keys[key] = val
    target = keys.get("Target") or "0"
    if not target.isdigit():
        raise Unmade("target")
    return Signature(name, int(target), keys, parse_expression(expression),
                     [parse_sub(s) for s in subs], line)


def parse_ndb(line):
    name, target, offset, content, *_ = line.rstrip("\r\n").split(":")
    if not (target or "0").isdigit():
        raise Unmade("target")
    body = Body(parse_offset(offset), parse_content(content), "")
    if offset == "":
        body.offset = Offset("abs", 0)
    return Signature(name, int(target or 0), {}, ("id", 0, None), [body], line)


def satisfying(sig, rng, tries=400):
    """Counts of each sub-signature that make the expression true; small ones first."""
    n = len(sig.subs)
    sums = [int(x) for x in re.findall(r"[=<>](\d+)", sig.line.split(";")[2])] if ";" in sig.line else []
    top = min(max([1, *sums]) + 1, 12)
    for k in range(tries):
        most = 1 if k < 40 else top
        if k == 0:
            counts = {i: 1 for i in range(n)}
        else:
            few = rng.random()
            counts = {i: rng.randint(1, most) if rng.random() < few else 0 for i in range(n)}
        if possible(sig, counts) and value(sig.expression, counts)[0]:
            return shrink(sig, counts, rng)
    raise Unmade("no counts found for the expression")


def possible(sig, counts):
    """Regular expressions and comparisons count only with their trigger."""
    for i, s in enumerate(sig.subs):
        if not counts.get(i):
            continue
        if s.kind == "pcre" and not value(s.trigger, counts)[0]:
            return False
        if s.kind == "pcre" and counts[i] > 1 and "g" not in s.flags:
            return False
        if s.kind == "bytecmp" and (not counts.get(s.trigger) or counts[i] > 1):
            return False
        if s.kind in ("macro", "fuzzy"):
            return False
        if s.kind == "body" and counts[i] > 1 and s.offset.kind != "*" and s.offset.shift is None:
            return False
    return True


def shrink(sig, counts, rng):
    """Without what is not needed: nothing of it, or some."""
    often = rng.choice([0.2, 1])
    for i in rng.sample(sorted(counts), len(counts)):
        less = {**counts, i: 0}
        if counts[i] and rng.random() < often and possible(sig, less) and value(sig.expression, less)[0]:
            counts = less
    return counts


# Pieces: bytes for one sub-signature.

class Piece:
    """Bytes, which of them matter, and what must stand in front and behind."""

    def __init__(self):
        self.data, self.fixed = bytearray(), bytearray()
        self.before = self.after = b""
        self.last = False  # nothing may follow

    def put(self, data, fixed=True):
        self.data += data
        self.fixed += bytes([fixed]) * len(data)


def flaws(body):
    """Everything that can be made wrong in it, one at a time."""
    out = []
    for i, e in enumerate(body.elements):
        if isinstance(e, Byte) and e.mask:
            out.append(("byte", i))
            if e.mask == 255 and "i" not in body.mods and chr(e.value).isascii() and chr(e.value).isalpha():
                out.append(("case", i))
        elif isinstance(e, Alt):
            out.append(("alt", i))
        elif isinstance(e, Bound):
            out.append(("bound", i))
        elif isinstance(e, Gap):
            if e.low:
                out.append(("short", i))
            if e.high is not None:
                out.append(("long", i))
    if "f" in body.mods:
        out += [("front", 0), ("back", 0)]
    if "w" in body.mods:
        out.append(("narrow", 0))
    return out


def with_case(rng, value):
    c = chr(value)
    return ord(c.swapcase()) if c.isascii() and c.isalpha() and rng.random() < 0.5 else value


def byte_for(rng, e, mods, wrong=None):
    if wrong == "case":
        return ord(chr(e.value).swapcase())
    if wrong:
        bits = e.mask & -e.mask if rng.random() < 0.5 else e.mask & 0xF0 or e.mask
        return (e.value ^ bits) & 255
    v = (e.value & e.mask) | (rng.randrange(256) & ~e.mask & 255)
    return with_case(rng, v) if "i" in mods and e.mask == 255 else v


def alt_for(rng, e, mods, wrong):
    if e.negated == (not wrong):  # none of them
        n = len(e.choices[0])
        taken = {bytes(x.value for x in c) for c in e.choices} if e.negated else set()
        for _ in range(50):
            data = bytes(rng.choice(FILL) for _ in range(n))
            if data not in taken:
                return data
    out = bytearray()
    for x in rng.choice(e.choices):
        if isinstance(x, Byte):
            out.append(byte_for(rng, x, mods))
        elif isinstance(x, Alt):
            out += alt_for(rng, x, mods, False)
        else:
            raise Unmade("odd alternative")
    return bytes(out)


def gap_length(rng, e, wrong):
    if wrong == "short":
        return e.low - 1
    if wrong == "long":
        return e.high + 1
    if e.high is not None and e.high < e.low:
        raise Unmade("empty range")
    top = e.low + rng.choice([0, 1, 5, 40]) if e.high is None else e.high
    return rng.choice([e.low, min(top, e.low + 300), rng.randint(e.low, min(top, e.low + 300))])


def opens_part(elements, i):
    return i == 0 or isinstance(elements[i - 1], Gap)


def closes_part(elements, i):
    return i == len(elements) - 1 or isinstance(elements[i + 1], Gap)


def bound_char(rng, table, e, wrong):
    allowed = set(table[e.kind])
    if e.kind == "W":
        allowed = set(range(256)) - set(WORDY)
    if e.negated != bool(wrong):
        others = sorted(set(b"x7Q") | set(FILL) - allowed)
        return bytes([rng.choice([c for c in others if c not in allowed])])
    return bytes([rng.choice(sorted(set(table[e.kind])))])


def put_bound(piece, rng, body, i, wrong):
    e, elements = body.elements[i], body.elements
    if i == 0:
        piece.before = bound_char(rng, BEFORE, e, wrong)
    elif i == len(elements) - 1:
        piece.after = bound_char(rng, AFTER, e, wrong)
    elif opens_part(elements, i):
        if piece.fixed and not piece.fixed[-1]:
            piece.data[-1:] = bound_char(rng, BEFORE, e, wrong)
            piece.fixed[-1] = 1
    elif closes_part(elements, i):
        return bound_char(rng, AFTER, e, wrong)
    else:
        piece.put(bound_char(rng, INSIDE, e, wrong))
    return b""


def render(body, rng, flaw=None, fill=FILL):
    """A piece that the body matches, but for the flaw."""
    piece, mods, pending = Piece(), body.mods, b""
    wide = "w" in mods and ("a" not in mods or rng.random() < 0.5)
    if flaw and flaw[0] == "narrow":
        wide = not wide
    for i, e in enumerate(body.elements):
        wrong = flaw[0] if flaw and flaw[1] == i and flaw[0] not in ("front", "back", "narrow") else None
        if isinstance(e, Gap):
            n = max(gap_length(rng, e, wrong), len(pending))
            piece.put(pending)
            piece.put(bytes(rng.choice(fill) for _ in range(n - len(pending))), False)
            pending = b""
        elif isinstance(e, Bound):
            pending = put_bound(piece, rng, body, i, wrong)
        else:
            data = alt_for(rng, e, mods, wrong) if isinstance(e, Alt) else \
                bytes([byte_for(rng, e, mods, wrong)])
            fixed = not (isinstance(e, Byte) and e.mask == 0)
            for b in data:
                piece.put(bytes([b]), fixed)
                if wide and not (isinstance(e, Byte) and e.gap):
                    piece.put(b"\0")
    fullword(piece, rng, mods, flaw, wide)
    return piece


def fullword(piece, rng, mods, flaw, wide):
    if "f" not in mods:
        return
    zero = b"\0" if wide else b""
    front = b"q" if flaw and flaw[0] == "front" else bytes([rng.choice(b".\xff \x90")])
    back = b"Z" if flaw and flaw[0] == "back" else bytes([rng.choice(b".\xff \x90")])
    piece.before, piece.after = front + zero, back + zero
