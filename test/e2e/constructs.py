"""Random signatures for every construct of the signature language.

CONSTRUCTS says which are active here: those are compared. An inactive one that the compiler takes, and an
active one that it leaves out, fail a test of test_constructs.py: then the switch is to be turned."""
import dataclasses
import random
import string

import siglang
from kinds import KINDS

EXE = {1: "PE", 6: "ELF", 9: "Mach-O"}


def word(rng, n=None):
    """Bytes that are rare, letters often."""
    n = n or rng.choice([4, 5, 6, 8, 12])
    if rng.random() < 0.5:
        return "".join(rng.choices(string.ascii_letters + string.digits, k=n)).encode()
    return bytes(rng.randrange(256) for _ in range(n))


def letters(rng, n=None):
    return "".join(rng.choices(string.ascii_letters, k=n or rng.choice([4, 6, 9]))).encode()


def h(data):
    return data.hex()


def ndb(rng, body, target=0, offset="*"):
    return f"{{name}}:{target}:{offset}:{body}"


def ldb(rng, subs, expression=None, target=0, keys="", engine="Engine:81-255"):
    expression = expression or "&".join(str(i) for i in range(len(subs)))
    return ";".join(["{name}", f"{engine},Target:{target}" + ("," + keys if keys else ""), expression, *subs])


def either(rng, body, target=0, offset="*"):
    """The same body in either kind of signature."""
    if rng.random() < 0.5:
        return ndb(rng, body, target, offset)
    return ldb(rng, [body if offset == "*" else f"{offset}:{body}"], target=target)


def literal(rng):
    return either(rng, h(word(rng)))


def nibble(rng):
    v = rng.randrange(256)
    one = rng.choice([f"{v >> 4:x}?", f"?{v & 15:x}"])
    return either(rng, rng.choice([h(word(rng)) + one, one + h(word(rng)), h(word(rng)) + one + h(word(rng))]))


def anything(rng):
    return either(rng, h(word(rng)) + "??" * rng.choice([1, 2, 5]) + h(word(rng)))


def gap(rng):
    n = rng.choice([0, 1, 3, 10, 60, 127, 128, 200])
    more = rng.choice([1, 3, 20])
    form = rng.choice(["*", f"{{{n}-{n + more}}}", f"{{{n}-}}", f"{{-{n + more}}}", f"{{{max(1, n)}}}",
                       f"{{{n}-{n}}}" if n else "{0-1}"])
    text = h(word(rng, 6)) + form + h(word(rng, 6))
    if rng.random() < 0.4:
        text += rng.choice(["*", "{2-5}", "{-30}", "{4}"]) + h(word(rng, 7))
    return either(rng, text)


def gap_at_ends(rng):
    text = h(word(rng, 6))
    n = rng.choice([1, 2, 5])
    return either(rng, rng.choice([f"{{{n}}}" + text, text + f"{{{n}}}", f"{{{n}}}{text}{{{n}}}"]),
                  0, rng.choice(["*", "*", "8", "EOF-40"]))


def bracket(rng):
    a = rng.choice([0, 1, 2, 5])
    form = f"[{a}-{a + rng.choice([1, 2, 6])}]"
    one, rest = h(word(rng, 1)), h(word(rng, 6))
    return either(rng, rng.choice([one + form + rest, rest + form + one]))


def byte_set(rng):
    options = rng.sample(range(256), rng.choice([2, 3, 5]))
    return either(rng, h(word(rng)) + rng.choice(["", "", "!"]) + "(" + "|".join(f"{o:02x}" for o in options)
                  + ")" + h(word(rng)))


def strings_set(rng):
    n = rng.choice([2, 3, 6])
    options = [word(rng, n) for _ in range(rng.choice([2, 3]))]
    return either(rng, h(word(rng)) + rng.choice(["", "", "!"]) + "(" + "|".join(map(h, options)) + ")"
                  + h(word(rng)))


def uneven_set(rng):
    options = [h(word(rng, n)) for n in rng.sample([1, 2, 3, 5, 8], rng.choice([2, 3]))]
    if rng.random() < 0.3:
        options[0] = options[0] + "??" + h(word(rng, 2))
    return either(rng, h(word(rng)) + "(" + "|".join(options) + ")" + rng.choice(["", h(word(rng))]))


def nested_set(rng):
    a, b, c = (h(word(rng, 2)) for _ in range(3))
    return either(rng, h(word(rng)) + f"(({a}|{b}){c}|{b}{a})" + h(word(rng)))


def boundary(rng):
    kind, text = rng.choice(["(B)", "(L)", "(W)"]), h(letters(rng))
    return either(rng, rng.choice([kind + text, text + kind, kind + text + rng.choice(["(B)", "(L)", "(W)"])]))


def boundary_inside(rng):
    return either(rng, h(letters(rng)) + rng.choice(["(B)", "(L)", "(W)"]) + h(letters(rng)))


def shift(rng, n):
    return rng.choice([str(n), str(n), f"{n},{rng.choice([0, 1, 4, 100])}"])


def offset_absolute(rng):
    return either(rng, h(word(rng)), 0, shift(rng, rng.choice([0, 0, 1, 7, 100, 1000])))


def offset_end(rng):
    body = h(word(rng))
    return either(rng, body, 0, "EOF-" + shift(rng, len(body) // 2 + rng.choice([0, 0, 1, 9, 300])))


def offset_entry(rng):
    form = rng.choice(["EP+", "EP+", "EP-"]) + shift(rng, rng.choice([0, 0, 1, 16, 200]))
    return either(rng, h(word(rng)), rng.choice(list(EXE)), form)


def offset_section(rng):
    form = f"S{rng.choice([0, 0, 1, 2, 5])}+" + shift(rng, rng.choice([0, 0, 1, 33]))
    return either(rng, h(word(rng)), rng.choice(list(EXE)), form)


def offset_last(rng):
    return either(rng, h(word(rng)), rng.choice(list(EXE)), "SL+" + shift(rng, rng.choice([0, 0, 1, 33])))


def offset_in_section(rng):
    return either(rng, h(word(rng)), rng.choice(list(EXE)),
                  f"SE{rng.choice([0, 0, 1, 3])}" + rng.choice(["", ",10", ",100", ",100000"]))


def offset_version(rng):
    key = rng.choice(["CompanyName", "FileVersion", "OriginalFilename"])
    text = "".join(c + "\0" for c in key + "\0").encode()
    text += b"\0" * (-(6 + len(text)) % 4)
    text += "".join(c + "\0" for c in letters(rng).decode()).encode()
    body = h(text)
    if rng.random() < 0.3:
        body = body[:-4] + "??" + body[-2:]
    return either(rng, body, 1, "VI")


def target(rng):
    return either(rng, h(word(rng)), rng.choice([1, 2, 5, 6, 9, 10, 11, 12, 14]))


def tree(rng, ids, depth=0):
    """An expression of each id once."""
    def cmp(n):
        if rng.random() < 0.5:
            return ""
        x = rng.choice([0, 1, 1, 2, 3])
        return rng.choice("=<>") + str(x) + (f",{rng.randrange(1, n + 1)}" if n > 1 and rng.random() < 0.4 else "")
    if len(ids) == 1:
        return f"{ids[0]}{cmp(1)}"
    cut = rng.randrange(1, len(ids))
    a, b = tree(rng, ids[:cut], depth + 1), tree(rng, ids[cut:], depth + 1)
    text = a + rng.choice("&&|") + b
    return f"({text}){cmp(len(ids))}" if depth and rng.random() < 0.6 else text


def expression(rng):
    n = rng.choice([2, 3, 4, 6])
    return ldb(rng, [h(word(rng, 5)) for _ in range(n)], tree(rng, list(range(n))))


def count(rng):
    return ldb(rng, [h(word(rng, 3))], "0" + rng.choice("=><") + str(rng.choice([0, 1, 2, 3, 5])))


def mod_i(rng):
    text = h(letters(rng))
    if rng.random() < 0.3:
        text += f"({h(letters(rng, 2))}|{h(letters(rng, 2))})" + h(letters(rng))
    return ldb(rng, [text + "::i"])


def mod_w(rng):
    text = h(letters(rng))
    if rng.random() < 0.3:
        text += rng.choice(["??", "{2}", "*", f"({h(letters(rng, 1))}|{h(letters(rng, 1))})"]) + h(letters(rng))
    return ldb(rng, [text + rng.choice(["::w", "::iw"])])


def mod_wa(rng):
    return ldb(rng, [h(letters(rng)) + rng.choice(["::wa", "::iwa", "::a", "::aw"])])


def mod_f(rng):
    return ldb(rng, [h(letters(rng)) + rng.choice(["::f", "::fi", "::fw", "::iwfa"])])


def file_size(rng):
    n = rng.choice([40, 100, 1000])
    return ldb(rng, [h(word(rng, 5))], keys=f"FileSize:{n}-{n + rng.choice([0, 1, 500])}")


def entry_point(rng):
    n = rng.choice([0x480, 0x600])
    t = rng.choice([1, 6, 9])
    return ldb(rng, [h(word(rng, 5))], target=t, keys=f"EntryPoint:{n}-{n + rng.choice([0, 1, 300])}")


def number_of_sections(rng):
    n = rng.choice([1, 2, 3, 7])
    return ldb(rng, [h(word(rng, 5))], target=rng.choice(list(EXE)), keys=f"NumberOfSections:{n}-{n + rng.choice([0, 1])}")


def container(rng):
    t = rng.choice(["ZIP", "POSIX_TAR", "GZ", "BZ", "XZ", "ANY"])
    return ldb(rng, [h(word(rng, 5))], keys=f"Container:CL_TYPE_{t}")


def intermediates(rng):
    chain = [rng.choice(["ZIP", "POSIX_TAR", "GZ", "ANY"]) for _ in range(rng.choice([1, 2, 2, 3]))]
    return ldb(rng, [h(word(rng, 5))], keys="Intermediates:" + ">".join("CL_TYPE_" + t for t in chain),
               engine="Engine:100-255")


def pattern(rng):
    """A regular expression without a text that it finds everywhere."""
    parts = [letters(rng, 3).decode()]
    for _ in range(rng.choice([1, 2, 3])):
        parts.append(rng.choice([
            "[0-9]+", "[a-f]{2,4}", "\\d{3}", "(?:ab|cd)", "(x|yz)*", ".", ".{2,5}", "\\x2d", "\\w", "\\s?",
            "[^0-9]", "\\x00?", "(?i:kl)", "(q)\\1", "a+?", "\\bzz"]))
        parts.append(letters(rng, 2).decode())
    return "".join(parts)


def pcre(rng):
    return ldb(rng, [h(word(rng, 5)), f"0/{pattern(rng)}/" + "".join(f for f in "ismU" if rng.random() < 0.2)], "1")


def pcre_counts(rng):
    return ldb(rng, [h(word(rng, 5)), f"0/{pattern(rng)}/" + rng.choice(["", "g", "gi"])],
               "0&1" + rng.choice(["=1", "=2", ">1", ">2", "<3", ""]))


def pcre_trigger(rng):
    t = rng.choice(["0&1", "0|1", "(0|1)>1", "0>1", "1=0&0", "(0&1)"])
    return ldb(rng, [h(word(rng, 5)), h(word(rng, 5)), f"{t}/{pattern(rng)}/"], rng.choice(["2", "(0|1)&2", "2&0"]))


def pcre_offset(rng):
    off = rng.choice(["20", "20,30", "0,200", "EOF-60", "EOF-80,40"])
    return ldb(rng, [h(word(rng, 5)), f"{off}:0/{pattern(rng)}/" + rng.choice(["", "r", "e", "re", "i"])], "1")


def pcre_offset_exe(rng):
    off = rng.choice(["EP+0", "EP+4,40", "S0+8", "SL+2,20", "S0+0,50"])
    return ldb(rng, [h(word(rng, 5)), f"{off}:0/{pattern(rng)}/" + rng.choice(["", "r", "e"])], "1",
               target=rng.choice(list(EXE)))


def pcre_anchors(rng):
    p = rng.choice(["^" + pattern(rng), pattern(rng) + "$", pattern(rng)])
    return ldb(rng, [h(word(rng, 5)), f"0/{p}/" + "".join(f for f in "msAE" if rng.random() < 0.4)], "1")


def bytecmp(rng):
    kind, n = rng.choice("hdai"), rng.choice([1, 2, 4, 6, 8])
    if kind == "i":
        n = rng.choice([1, 2, 4, 8])
    order = rng.choice(["l", "b"]) if kind in "ih" else rng.choice(["b", "l"]) if kind == "a" else \
        rng.choice(["", "b"])
    if kind == "a":
        order = rng.choice(["", "b", order])
    top = min(256 ** n if kind == "i" else (10 if kind in "da" else 16) ** n, 1 << 31)
    v = rng.randrange(1, max(2, top - 1))
    tests = rng.choice([f"={v}", f">{v}", f"<{v}", f"=0x{v:x}", f">{max(0, v - 9)},<{v + 9}"])
    where = rng.choice([">>5", ">>0x6", ">>20", "<<12", ">>100"])
    return ldb(rng, [h(letters(rng, 5)), f"0({where}#{kind}{order}{rng.choice(['', 'e'])}{n}#{tests})"])


def handler(rng):
    return ldb(rng, [h(word(rng, 5))], keys="HandlerType:CL_TYPE_ZIP")


def fuzzy(rng):
    return ldb(rng, ["fuzzy_img#" + h(random.Random(rng.random()).randbytes(8))], engine="Engine:150-255")


@dataclasses.dataclass
class Construct:
    make: object
    active: bool
    # Of the files made to match, so many do in clamscan whatever the seed: at least six standard deviations below
    # the mean of 25 seeds.
    rate: float = 0.9


CONSTRUCTS = {f.__name__: Construct(f, active, rate) for f, active, rate in (
    (literal, True, 0.95), (nibble, True, 0.95), (anything, True, 0.95), (gap, True, 0.9),
    (gap_at_ends, True, 0.9), (bracket, True, 0.9), (byte_set, True, 0.9), (strings_set, True, 0.9),
    (uneven_set, True, 0.9), (nested_set, True, 0.9), (boundary, True, 0.9), (boundary_inside, True, 0.9),
    (offset_absolute, True, 0.9), (offset_end, True, 0.9), (offset_entry, True, 0.9),
    (offset_section, True, 0.9), (offset_last, True, 0.9), (offset_in_section, True, 0.6),
    (offset_version, True, 0.9), (target, True, 0.8), (expression, True, 0.7), (count, True, 0.8),
    (mod_i, True, 0.9), (mod_w, True, 0.9), (mod_wa, True, 0.9), (mod_f, True, 0.7), (file_size, True, 0.9),
    (entry_point, True, 0.9), (number_of_sections, True, 0.9), (container, True, 0.8),
    (intermediates, True, 0.5), (pcre, True, 0.8), (pcre_counts, True, 0.7), (pcre_trigger, True, 0.7),
    (pcre_offset, True, 0.6), (pcre_offset_exe, True, 0.6), (pcre_anchors, True, 0.6),
    (bytecmp, True, 0.5), (handler, True, 0), (fuzzy, False, 0),
)}
RATES = {"html_tag": 0.25, "html_attribute": 0.3, "html_script": 0.4, "html_style": 0.4, "html_comment": 0.4,
         "html_html_text": 0.4, "html_data_url": 0.3, "text": 0.4, "file_digest": 0.6, "section_digest": 0.6,
         "import_digest": 0.35, "member": 0.05, "zip_member": 0.02, "ignored": 0.15, "trusted": 0.15, "unwanted": 0,
         "text_place": 0.4, "text_end": 0.1}
CONSTRUCTS |= {n: Construct(f, True, RATES.get(n, 0.6)) for n, f in KINDS.items()}
# With a signature bound to the end of texts clamscan makes layers of their copies, and evaluates them once more with
# all counts at 0: these constructs are not put together (doc/views.md, "Two ways to scan the copy").
AT_END = {"text_end"}
NOT_AT_END = {"intermediates", "count", "expression", "pcre_counts", "pcre_trigger"}


def of_signature(line):
    """The constructs of CONSTRUCTS whose switch decides whether a foreign signature is compared."""
    parts = line.split(";")
    out, is_ldb = set(), len(parts) > 2
    tdb = parts[1] if is_ldb else ""
    if "Container:" in tdb:
        out.add("container")
    if "Intermediates:" in tdb:
        out.add("intermediates")
    if "HandlerType:" in tdb:
        out.add("handler")
    for s in siglang.split_subs(";".join(parts[3:])):
        if s.startswith("fuzzy_img#"):
            out.add("fuzzy")
        elif "/" in s:
            out.add("pcre")
        elif "#" in s:
            out.add("bytecmp")
        if s.startswith("VI:"):
            out.add("offset_version")
    if not is_ldb and ":VI:" in line:
        out.add("offset_version")
    return out


# Kinds of databases, by extension: whether they are active. Those that are not here are.
DATABASES = {"idb": False, "pdb": False, "gdb": False, "wdb": False, "cfg": False, "crb": False, "cbc": False,
             "cat": False, "yar": False, "yara": False, "ioc": False, "info": False}
