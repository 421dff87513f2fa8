"""A text that a regular expression matches, made from its syntax tree; Unmade where that is too hard."""
import functools
import re
import re._constants as k
import re._parser as parser
import signal
import warnings

from siglang import Unmade

LONGEST = 1500  # bytes of a text
PATIENCE = 0.01  # seconds of the processor for one search: some expressions take Python for ever
POSIX = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
         "space": r"\s", "xdigit": "0-9a-fA-F", "punct": r"!-/:-@\[-`{-~", "word": r"\w",
         "blank": r" \t", "print": " -~", "graph": "!-~", "cntrl": r"\x00-\x1f"}


def translate(pattern):
    """From the spelling of PCRE to that of Python."""
    text = re.sub(r"\[:(\w+):\]", lambda m: POSIX.get(m[1], ""), pattern)
    text = re.sub(r"\\x\{([0-9a-fA-F]{1,2})\}", lambda m: "\\x" + m[1].rjust(2, "0"), text)
    text = re.sub(r"\\x([0-9a-fA-F])(?![0-9a-fA-F])", r"\\x0\1", text)
    text = text.replace(r"\/", "/").replace(r"\h", r"[ \t]").replace(r"\R", r"\r?\n").replace(r"\z", r"\Z")
    text = re.sub(r"\(\?<(?=[a-zA-Z])", "(?P<", text)
    text = re.sub(r"\\k<(\w+)>", r"(?P=\1)", text)
    return re.sub(r"\\([\"'@#%&<>~`!_=:;,\-/ ])", lambda m: re.escape(m[1]), text)


@functools.lru_cache(maxsize=8192)
def compiled(pattern, flags):
    """(tree, pattern for checking); flags are those of the signature."""
    bits = 0
    for c, f in (("i", re.I), ("s", re.S), ("m", re.M), ("x", re.X)):
        bits |= f if c in flags else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = translate(pattern)
            return parser.parse(text, bits), re.compile(text.encode("latin-1"), bits)
    except (re.error, OverflowError, UnicodeError, RecursionError) as e:
        raise Unmade(f"regular expression: {e}") from e


def members(items):
    """The set of a character class."""
    out, negated = set(), False
    for op, arg in items:
        if op is k.NEGATE:
            negated = True
        elif op is k.LITERAL:
            out.add(arg)
        elif op is k.RANGE:
            out |= set(range(arg[0], min(arg[1], 255) + 1))
        elif op is k.CATEGORY:
            out |= category(arg)
        else:
            raise Unmade(f"class {op}")
    return set(range(256)) - out if negated else out


@functools.lru_cache(maxsize=None)
def category(name):
    text = str(name)
    base = r"\d" if "DIGIT" in text else r"\s" if "SPACE" in text else r"\w"
    yes = {c for c in range(256) if re.match(base.encode(), bytes([c]))}
    return set(range(256)) - yes if "NOT" in text else yes


class Maker:
    def __init__(self, rng, caseless):
        self.rng, self.caseless, self.groups, self.made = rng, caseless, {}, 0

    def pick(self, chars):
        nice = [c for c in chars if 33 <= c < 127 and chr(c).isalnum()] or \
            [c for c in chars if 32 <= c < 127] or sorted(chars)
        if not nice:
            raise Unmade("empty class")
        return bytes([self.rng.choice(sorted(nice))])

    def literal(self, c):
        if c > 255:
            raise Unmade("wide character")
        if self.caseless and chr(c).isascii() and chr(c).isalpha() and self.rng.random() < 0.4:
            return chr(c).swapcase().encode()
        return bytes([c])

    def repeat(self, low, high, inner):
        if low > 4000:
            raise Unmade("long repetition")
        most = min(high, low + self.rng.choice([0, 1, 3])) if high is not k.MAXREPEAT else \
            low + self.rng.choice([0, 1, 3])
        return b"".join(self.make(inner) for _ in range(self.rng.randint(low, max(low, most))))

    def one(self, op, arg):
        if op is k.LITERAL:
            return self.literal(arg)
        if op is k.NOT_LITERAL:
            return self.pick(set(range(256)) - {arg})
        if op is k.ANY:
            return self.pick(set(range(33, 127)))
        if op is k.IN:
            return self.pick(members(arg))
        if op is k.BRANCH:
            return self.make(self.rng.choice(arg[1]))
        if op is k.SUBPATTERN:
            text = self.make(arg[3])
            if arg[0]:
                self.groups[arg[0]] = text
            return text
        if op in (k.MAX_REPEAT, k.MIN_REPEAT, k.POSSESSIVE_REPEAT):
            return self.repeat(arg[0], arg[1], arg[2])
        if op is k.ATOMIC_GROUP:
            return self.make(arg)
        if op is k.GROUPREF:
            return self.groups.get(arg, b"")
        if op in (k.AT, k.ASSERT, k.ASSERT_NOT):
            return b""
        raise Unmade(f"regular expression: {op}")

    def make(self, tree):
        text = b"".join(self.one(op, arg) for op, arg in tree)
        self.made += len(text)
        if self.made > 20 * LONGEST:
            raise Unmade("long repetition")
        return text


class Late(Exception):
    """A search took too long."""


def finds(check, text):
    def stop(*_):
        raise Late
    old = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        return bool(check.search(text))
    except Late:
        return False
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


hopeless = set()


def make(pattern, flags, rng, tries=8):
    """A byte string that the expression finds when it stands alone."""
    if (pattern, flags) in hopeless:
        raise Unmade("regular expression: no text found")
    tree, check = compiled(pattern, flags)
    caseless = "i" in flags or bool(check.flags & re.I)
    for _ in range(tries):
        text = Maker(rng, caseless).make(tree)
        if len(text) <= LONGEST and finds(check, text):
            return text
    hopeless.add((pattern, flags))
    raise Unmade("regular expression: no text found")
