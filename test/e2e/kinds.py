"""Signatures of other kinds than one body or logical signature, each with files of its own: digests, import
hashes, members of containers, ignore and trust lists, unwanted applications, texts and HTML. No macros: clamscan 1.4.6 crashes with many.

A function gets a random source and a name and gives Made: lines by extension of database, and files."""
import dataclasses
import hashlib
import string
import zipfile
import io

import carriers
import sigfiles
from siglang import FILL


@dataclasses.dataclass
class Made:
    lines: dict  # extension: [line]; the name is in one of them
    cases: list  # (what, bytes)
    name: str = None  # of the finding, if it is another than what was given

    def text(self):
        return " | ".join(f"{k}: {x}" for k, v in self.lines.items() for x in v)


def blob(rng, n=None):
    """Bytes that are found in no other file, and no text."""
    return b"\x00\x01\x02\x03\x00\x05" + rng.randbytes(n or rng.choice([3, 20, 300]))


def marked(rng, mark):
    return b"\x00\x01\x02\x03\x00\x05" + bytes(rng.choices(FILL, k=rng.choice([3, 40]))) + mark + b"\x00\x01"


def changed(rng, data):
    at = rng.randrange(6, len(data))
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def digest(rng, data, kinds=("md5", "sha1", "sha256")):
    text = hashlib.new(rng.choice(kinds), data).hexdigest()
    return text.upper() if rng.random() < 0.2 else text


def size(rng, n, wrong):
    """The field and what must follow the name; sometimes a wrong one."""
    if rng.random() < 0.3:
        return "*", ":73"
    return str(n + rng.choice([-1, 1]) if wrong else n), rng.choice(["", "", ":1", ":51:255"])


def rows(rng, name, data, extension, pattern):
    number, levels = size(rng, len(data), rng.random() < 0.2)
    return {extension: [pattern.format(digest(rng, data), number, name) + levels]}


def file_digest(rng, name):
    data = blob(rng)
    lines = rows(rng, name, data, rng.choice(["hdb", "hsb"]), "{0}:{1}:{2}")
    return Made(lines, [("match", data), ("layers", sigfiles.zipped(data)), ("byte", changed(rng, data)),
                        ("longer", data + b"\0"), ("shorter", data[:-1])])


def section_digest(rng, name):
    n = rng.choice([1, 2, 4])
    host = sigfiles.pe_host(rng, [rng.choice([0x40, 0x300]) for _ in range(n)], 0, 8, plus=rng.random() < 0.3)
    data = bytearray(host.tail_at)
    for at, b in host.head:
        data[at:at + len(b)] = b
    for at, length in host.sections:
        data[at:at + length] = rng.randbytes(length)
    at, length = rng.choice(host.sections)
    lines = rows(rng, name, bytes(data[at:at + length]), rng.choice(["mdb", "msb"]), "{1}:{0}:{2}")
    other = bytearray(data)
    other[at + rng.randrange(length)] ^= 1
    outside = bytes(data[:-1]) + bytes([data[-1] ^ 1])
    return Made(lines, [("match", bytes(data)), ("byte", bytes(other)), ("last byte", outside),
                        ("overlay", bytes(data) + b"more"), ("cut", bytes(data[:-1]))])


def program(rng, imports):
    host = sigfiles.pe_host(rng, [0x40], 0, 0, imports=imports, plus=False)
    data = bytearray(host.tail_at)
    for at, b in host.head:
        data[at:at + len(b)] = b
    return bytes(data)


def some_imports(rng):
    def name():
        return "".join(rng.choices(string.ascii_letters, k=rng.choice([3, 8])))
    return [(name() + rng.choice([".dll", ".DLL", ".ocx", ".sys"]), [name() for _ in range(rng.choice([1, 2, 5]))])
            for _ in range(rng.choice([1, 2, 3]))]


def import_digest(rng, name):
    imports = some_imports(rng)
    text = sigfiles.import_table(0, imports)[1].encode()
    number = rng.choice(["*", str(len(text)), str(len(text)), str(len(text) + 1)])
    row = f"{hashlib.md5(text).hexdigest()}:{number}:{name}"
    cased = [(d.swapcase(), [f.swapcase() for f in fs]) for d, fs in imports]
    other = [(imports[0][0], [*imports[0][1], "more"]), *imports[1:]]
    return Made({"imp": [row]}, [("match", program(rng, imports)), ("case", program(rng, cased)),
                                 ("one more", program(rng, other)), ("order", program(rng, imports[::-1])),
                                 ("one less", program(rng, imports[1:] or [("k.dll", ["x"])]))])


def archive(rng, names, data, secret=False):
    if rng.random() < 0.3 and not secret:
        return sigfiles.tarred(data, names[0]), "CL_TYPE_POSIX_TAR"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])) as z:
        for n in names:
            z.writestr(zipfile.ZipInfo(n), data)
    raw = bytearray(out.getvalue())
    return bytes(raw), "CL_TYPE_ZIP"


def close_to(rng, n, wrong):
    if wrong:
        return rng.choice([str(n + 1), f"{n + 1}-{n + 9}", f"0-{n - 1}"])
    return rng.choice(["*", str(n), f"{n}-{n}", f"{max(0, n - 2)}-{n}", f"{n}-{n + 5}"])


def member(rng, name):
    core = "".join(rng.choices(string.ascii_lowercase, k=8))
    data = blob(rng, rng.choice([5, 70]))
    data, kind = archive(rng, [core + ".exe"], data), len(data)
    (data, kind), inside = data, kind
    wrong = rng.choice([None, None, "type", "size", "real"])
    kind = rng.choice(["CL_TYPE_7Z", "CL_TYPE_GZ"]) if wrong == "type" else rng.choice([kind, kind, "*", "CL_TYPE_ANY"])
    expression = rng.choice([core, "^" + core, core + r"\.exe$", "(?i)" + core.upper(), core[:6] + ".."])
    row = ":".join([name, kind, close_to(rng, len(data), wrong == "size"), expression, "*",
                    close_to(rng, inside, wrong == "real"), rng.choice(["*", "0", "0", "1"]), rng.choice(["*", "1"]),
                    "*", "*"])
    near = core[:-1] + ("a" if core[-1] != "a" else "b")
    renamed = data.replace(core.encode(), near.encode())
    upper = data.replace(core.encode(), core.upper().encode())
    return Made({"cdb": [row]}, [("match", data), ("name", renamed), ("case", upper), ("layers", sigfiles.zipped(data)),
                                 ("longer", data + b"\0")])


def zip_member(rng, name):
    core = "".join(rng.choices(string.ascii_lowercase, k=8))
    inside = blob(rng, 30)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        z.writestr(zipfile.ZipInfo(core + ".x"), inside)
    data = out.getvalue()
    row = ":".join([name, rng.choice(["0", "*", "1"]), core, rng.choice(["*", str(len(inside)), "1"]),
                    rng.choice(["*", str(len(inside))]), "*", rng.choice(["*", "0", "8"]), rng.choice(["*", "1", "2"]), "*"])
    return Made({"zmd": [row]}, [("match", data), ("name", data.replace(core.encode(), core[::-1].encode())),
                                 ("layers", sigfiles.tarred(data))])


def ignored(rng, name):
    """Two signatures in one file, one of which an ignore list names (or nearly)."""
    one, two = rng.randbytes(7), rng.randbytes(7)
    kind = rng.choice(["ndb", "ldb", "hdb"])
    data = marked(rng, one + b"\x00\x07" + two)
    line = {"ndb": f"{name}:0:*:{one.hex()}", "ldb": f"{name};Engine:81-255,Target:0;0;{one.hex()}",
            "hdb": f"{hashlib.md5(data).hexdigest()}:{len(data)}:{name}"}[kind]
    md5 = hashlib.md5(line.encode()).hexdigest()
    # Each form has a file of its own: behind Name:MD5 clamscan cannot read a name alone.
    wrong = md5[:-1] + ("0" if md5[-1] != "0" else "1")
    where, entry = rng.choice([("ign", name), ("ign", name + "x"), ("ign", name.upper()), ("ign", "Zz" + name),
                               ("ign", f"a.{kind}:1:{name}"), ("ign", f"b.{kind}:77:{name}"),
                               ("ign2", f"{name}:{md5}"), ("ign2", f"{name}:{wrong}")])
    return Made({kind: [line], where: [entry]}, [("match", data), ("other", marked(rng, one)),
                                                 ("layers", sigfiles.zipped(data))])


def trusted(rng, name):
    """A marked file in containers; the digest of one of the layers, or nearly, is on the trust list."""
    mark = rng.randbytes(8)
    inner = marked(rng, mark)
    layers = [inner]
    for _ in range(rng.choice([0, 1, 2])):
        layers.append(rng.choice([sigfiles.zipped, sigfiles.tarred, sigfiles.LAYERS["GZ"]])(layers[-1]))
    which = rng.choice(layers)
    number, levels = size(rng, len(which), rng.random() < 0.2)
    row = f"{digest(rng, which if rng.random() < 0.8 else which + b'x')}:{number}:T{name}{levels}"
    outer = layers[-1]
    other = sigfiles.tarred(layers[-1], "other")
    return Made({"ndb": [f"{name}:0:*:{mark.hex()}"], rng.choice(["fp", "sfp"]): [row]},
                [("match", outer), ("around", other), ("inner", inner), ("byte", changed(rng, inner))])


def unwanted(rng, name):
    mark = rng.randbytes(8)
    data = marked(rng, mark)
    name = "PUA." + rng.choice(["Win", "Tool", "win"]) + "." + name
    kind = rng.choice(["ndu", "ldu", "hdu"])
    line = {"ndu": f"{name}:0:*:{mark.hex()}", "ldu": f"{name};Engine:81-255,Target:0;0;{mark.hex()}",
            "hdu": f"{hashlib.md5(data).hexdigest()}:{len(data)}:{name}"}[kind]
    return Made({kind: [line]}, [("match", data), ("byte", changed(rng, data)), ("layers", sigfiles.zipped(data))], name)


def old_body(rng, name):
    mark = rng.randbytes(8)
    near = bytes([mark[0], mark[1] ^ 1]) + mark[2:]
    line = f"{name}={mark.hex()}"  # no .sdb: with one clamscan also matches HTML as it is (doc/differences.md)
    return Made({"db": [line]}, [("match", marked(rng, mark)), ("byte", marked(rng, near)),
                                 ("layers", sigfiles.zipped(marked(rng, mark)))])


# Texts and HTML.

def content(rng, core):
    """Ways to look for the core."""
    h, n = core.encode().hex(), len(core)
    cut = 2 * rng.randrange(2, n - 1)
    way = rng.random()
    if way < 0.4:
        return h
    if way < 0.55:
        return h[:cut] + "??" + h[cut + 2:] if cut + 4 < 2 * n else h
    if way < 0.7 and 6 <= cut <= 2 * n - 6:
        return h[:cut] + rng.choice(["*", "{0-3}", "{-2}", "{0-}"]) + h[cut:]
    if way < 0.8:
        return h[:-2] + f"({h[-2:]}|71)"
    return rng.choice(["{1}", ""]) + h


def seek(rng, name, core, target, offsets=("*",)):
    """A signature that finds the core, in any of the files of signatures."""
    way, off = rng.random(), rng.choice(offsets)
    body = content(rng, core)
    at = "" if off == "*" else off + ":"
    if way < 0.5:
        return {"ndb": [f"{name}:{target}:{off}:{body}"]}
    head = f"{name};Engine:81-255,Target:{target};"
    if way < 0.65:
        return {"ldb": [f"{head}0;{at}{core.encode().hex()}" + rng.choice(["", "::i", "::f", "::wa", "::i"])]}
    if way < 0.8:
        first, _, last = core.partition(" ")
        return {"ldb": [f"{head}0{rng.choice('&&|')}1;{first.encode().hex()};{(last or first).encode().hex()}"]}
    if way < 0.9:
        return {"ldb": [f"{head}0&1;{core[:3].encode().hex()};0/{core.replace(' ', '.')}/{rng.choice(['', 'i', 's'])}"]}
    return {"ldb": [f"{head}0&1;{body};{rng.choice(['20', '6f', '61'])}{rng.choice(['74', '20'])}"]}


def edits(rng, carrier, n=4, letters_only=False):
    return [("match", carrier.data)] + [("edit", carriers.edit(rng, carrier, letters_only)) for _ in range(n)]


def text(rng, name):
    core = carriers.phrase(rng)
    lines = seek(rng, name, core, rng.choice([7, 7, 0]))
    cases = edits(rng, carriers.text(rng, core))
    return Made(lines, [*cases, ("layers", sigfiles.zipped(cases[0][1]))])


def text_place(rng, name):
    """Offsets are those of the copy."""
    core = carriers.phrase(rng)
    front = carriers.prose(rng, 3) + " "
    carrier = carriers.ascii_text(rng, front, core, " " + carriers.prose(rng, 3))
    n = len(front) + rng.choice([0, 0, 0, 1, -1])
    return Made(seek(rng, name, core, rng.choice([7, 0]), (str(n), f"{n},2", f"{n - 1},1")), edits(rng, carrier))


def text_end(rng, name):
    """Offsets from the end of the copy: clamscan then goes over texts in another way."""
    core = carriers.phrase(rng)
    back = " " + carriers.prose(rng, 3)
    head, mid, tail = (carriers.rough_bytes(rng, t, False) for t in (carriers.prose(rng, 9) + " ", core, back))
    n = len(core) + len(back) + rng.choice([0, 0, 0, 1, -1])
    carrier = carriers.Carrier(head + mid + tail, len(head), len(head) + len(mid))
    return Made(seek(rng, name, core, rng.choice([7, 7, 0]), (f"EOF-{n}", f"EOF-{n},2")), edits(rng, carrier))


def html_of(way):
    def make(rng, name):
        core = carriers.phrase(rng).ljust(6, "x")  # clamscan passes over objects of fewer bytes
        sought = core
        if way is carriers.in_attribute:
            sought = core.replace(" ", "/")
        elif way is carriers.in_style:
            sought = core.replace(" ", "")
        lines = seek(rng, name, sought, rng.choice([3, 3, 0]) if way is not carriers.in_data_url else 0)
        # Edits break archives, and what scripts mean that are none (doc/differences.md).
        count = 0 if way is carriers.in_data_url else 4
        cases = edits(rng, carriers.html(rng, core, way), count, letters_only=way is carriers.in_script)
        if not count:
            cases += [("other", carriers.html(rng, carriers.phrase(rng), way).data) for _ in range(3)]
        return Made(lines, [*cases, ("layers", sigfiles.zipped(cases[0][1]))])
    return make


KINDS = {f.__name__: f for f in (file_digest, section_digest, import_digest, member, zip_member, ignored, trusted,
                                 unwanted, old_body, text, text_place, text_end)}
KINDS |= {"html_" + w.__name__.removeprefix("in_").removeprefix("with_"): html_of(w)
          for w in dict.fromkeys(carriers.HTML_WAYS)}
