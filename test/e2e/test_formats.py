"""Ignore lists, file types, categories of unwanted applications, heuristics: what clamscan 1.4.6 finds
with them, and that ours finds the same. Without clamscan the recorded answers are checked alone."""
import hashlib
import io
import subprocess
import zipfile

import pytest

from cli import run
from oracle import REAL

DATA = b"\0\1 xx ABCDEFGH yy HELLOHELLO \0"
HELLO, WORLD = b"HELLOHELLO".hex(), b"WORLDWORLD".hex()
BODY, OTHER = "Sig.One:0:*:4142434445464748", "Sig.Two:0:*:4243444546"
LOGICAL = "Log.One;Target:0;0;4142434445"
ROW = f"{hashlib.md5(DATA).hexdigest()}:{len(DATA)}:Hash.One"
SETS = {"a.ndb": f"{BODY}\n{OTHER}\n", "a.hdb": ROW + "\n", "a.ldb": LOGICAL + "\n",
        "a.db": "Old.One (Clam)=4142434445\n"}
ALL = {"Sig.One", "Sig.Two", "Hash.One", "Log.One", "Old.One"}


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def names(out):
    return {line.split(": ", 1)[1].removesuffix(" FOUND").removesuffix(".UNOFFICIAL")
            for line in out.splitlines() if line.endswith(" FOUND")}


class Box:
    """Scans one file with a set of signatures: ours as clamscan, and the real one if it is there."""

    def __init__(self, tmp):
        self.tmp, self.n = tmp, 0

    def found(self, sets, data, *options):
        self.n += 1
        db, file = self.tmp / f"db{self.n}", self.tmp / f"file{self.n}"
        db.mkdir()
        for name, text in sets.items():
            (db / name).write_text(text)
        file.write_bytes(data)
        args = ["-d", db, "--no-summary", "--disable-cache", *options, file]
        _, out, err = run("clamscan", *args, cache=self.tmp / "cache")
        assert "Error" not in err and "WARNING" not in err, err
        if REAL:
            theirs = subprocess.run([REAL, *map(str, args)], capture_output=True, text=True, check=False)
            assert names(theirs.stdout) == names(out), (sets, options, theirs.stderr)
        return names(out)


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


IGNORES = [
    ("Nope", set()), ("Sig.One", {"Sig.One"}), ("sig.one", set()), ("Sig.One.UNOFFICIAL", set()),
    (f"Sig.One:{md5(BODY)}", {"Sig.One"}), (f"Sig.One:{md5(BODY).upper()}", {"Sig.One"}),
    (f"Sig.One:{md5('x')}", set()), (f"Sig.One:{md5('x')}\nSig.One:{md5(BODY)}", {"Sig.One"}),
    (f"Sig.One:{md5(BODY)}\nSig.One:{md5('x')}", set()), ("a.ndb:2:Sig.One", {"Sig.One"}),
    ("b.ndb:1:Sig.One", {"Sig.One"}), ("Hash.One", {"Hash.One"}), (f"Hash.One:{md5(ROW)}", {"Hash.One"}),
    ("Log.One", {"Log.One"}), (f"Log.One:{md5(LOGICAL)}", {"Log.One"}), ("Old.One", set()),
    ("Old.One (Clam)", {"Old.One"}), ("Sig.One\nHash.One\nLog.One", {"Sig.One", "Hash.One", "Log.One"}),
]


@pytest.mark.parametrize("entry,gone", IGNORES)
@pytest.mark.parametrize("ext", ["ign", "ign2"])
def test_ignored_signatures_are_not_found(box, entry, gone, ext):
    assert box.found({**SETS, f"z.{ext}": entry + "\n"}, DATA, "-z") == ALL - gone


def test_an_ignored_trusted_digest_trusts_nothing(box):
    sets = {"a.hdb": ROW + "\n", "b.fp": ROW.replace("Hash.One", "Trust") + "\n"}
    assert box.found(sets, DATA) == set()
    assert box.found({**sets, "z.ign2": "Trust\n"}, DATA) == {"Hash.One"}


PROBE = "".join(f"T{t}:{t}:*:{b'hello'.hex()}\n" for t in (1, 2, 5, 6, 9, 10, 11, 12))
JAVA, GIF = "X:CL_TYPE_ANY:CL_TYPE_JAVA", "X:CL_TYPE_ANY:CL_TYPE_GIF"
BINARY = b"\0\1\2\3"
TYPES = [
    (f"0:0:5a5a5a5a:{JAVA}", b"ZZZZ hello \0", {"T12"}),
    (f"0:0:5a5a5a5a:{JAVA}", b"YYYY hello \0", set()),
    (f"0:4:5a5a:{JAVA}", BINARY + b"ZZZZ hello", {"T12"}),
    (f"0:1020:5a5a5a5a:{JAVA}", bytes(1020) + b"ZZZZ hello", {"T12"}),
    (f"0:1021:5a5a5a5a:{JAVA}", bytes(1021) + b"ZZZZ hello", set()),
    (f"0:0:5a5a:{JAVA}\n0:0:5a5a5a5a:{GIF}", b"ZZZZ hello \0", {"T5"}),
    (f"0:4:5a5a:{JAVA}\n0:0:00010203:{GIF}", BINARY + b"ZZ hello", {"T5"}),
    (f"1:*:5a5a5a5a:{JAVA}", BINARY + b"ZZZZ hello", {"T12"}),
    (f"1:*:5a5a5a5a:{JAVA}", bytes(1021) + b"ZZZZ hello", set()),
    (f"1:4:5a5a5a5a:{JAVA}", b"just\nZZZZ hello", set()),
    (f"1:5:5a5a5a5a:{JAVA}", b"just\nZZZZ hello", {"T12"}),
    (f"1:1,10:5a5a5a5a:{JAVA}", BINARY + b"ZZZZ hello", {"T12"}),
    (f"1:1,2:5a5a5a5a:{JAVA}", BINARY + b"ZZZZ hello", set()),
    (f"1:*:5a5a{{2-4}}5b5b:{JAVA}", BINARY + b"ZZ123[[ hello", {"T12"}),
    (f"1:*:5a5a{{2-4}}5b5b:{JAVA}", BINARY + b"ZZ12345[[ hello", set()),
    (f"1:*:5a5a*5b5b:{JAVA}", BINARY + b"ZZ hello [[ ", {"T12"}),
    (f"0:0:00010203:{GIF}\n1:*:5a5a5a5a:{JAVA}", BINARY + b"ZZZZ hello", {"T5"}),
    ("1:*:5a5a5a5a:X:CL_TYPE_TEXT_ASCII:CL_TYPE_JAVA", b"text ZZZZ hello", {"T12"}),
    ("1:*:5a5a5a5a:X:CL_TYPE_ZIP:CL_TYPE_JAVA", b"text ZZZZ hello", set()),
    ("0:5:5a5a5a5a:X:CL_TYPE_ZIP:CL_TYPE_JAVA", b"text ZZZZ hello", {"T12"}),
]


@pytest.mark.parametrize("lines,data,want", TYPES)
def test_file_types_of_a_database_choose_the_target(box, lines, data, want):
    assert box.found({"a.ndb": PROBE, "b.ftm": lines + "\n"}, data, "-z") == want


def test_built_in_file_types_stay(tmp_path):
    """clamscan forgets them when there is one .ftm; see doc/differences.md."""
    (tmp_path / "a.ndb").write_text(PROBE)
    (tmp_path / "b.ftm").write_text(f"0:0:5a5a5a5a:{JAVA}\n")
    (tmp_path / "f").write_bytes(b"%PDF-1.4 hello")
    args = ["-d", tmp_path, "--no-summary", tmp_path / "f"]
    assert names(run("clamscan", *args, cache=tmp_path / "cache")[1]) == {"T10"}


def body(*bodies, content=HELLO):
    return "".join(f"{name}:0:*:{content}\n" for name in bodies)


PUA = ("PUA.Win.Tool", "PUA.Andr.X", "PUA.Win", "PUA", "Win.Tool", "PUA..X", "pua.Win.X", "PUA.Windows.Y")
CATEGORIES = [
    ((), set()), (("--include-pua=Win",), set()), (("--detect-pua",), set(PUA)),
    (("--detect-pua", "--include-pua=Win"), {"PUA.Win.Tool"}),
    (("--detect-pua", "--include-pua=win"), set()),
    (("--detect-pua", "--exclude-pua=Win"), {"PUA.Andr.X", "PUA..X", "PUA.Windows.Y"}),
]


@pytest.mark.parametrize("options,want", CATEGORIES)
def test_categories_choose_among_unwanted_applications(box, options, want):
    other = {"b.ndb": body("Other", content="5a5a5a5a5a5a")}
    assert box.found({"a.ndu": body(*PUA), **other}, DATA, "-z", *options) == want
    assert box.found({"a.ndb": body(*PUA), **other}, DATA, "-z", *options) == set(PUA)


def test_several_categories_add_up(tmp_path):
    """clamscan's list of two is broken; see doc/differences.md."""
    (tmp_path / "a.ndu").write_text(body(*PUA))
    (tmp_path / "f").write_bytes(DATA)
    args = ["-z", "-d", tmp_path / "a.ndu", "--no-summary", "--detect-pua", "--include-pua=Win",
            "--include-pua=Andr", tmp_path / "f"]
    for program in (["clamscan"], ["vitrine", "scan"]):
        out = run(program[0], *program[1:], *args, cache=tmp_path / "cache")[1]
        assert "PUA.Win.Tool" in out and "PUA.Andr.X" in out and "Windows" not in out


def test_categories_are_either_included_or_excluded(tmp_path):
    code, _, err = run("clamscan", "--detect-pua", "--include-pua=Win", "--exclude-pua=Andr", tmp_path,
                       cache=tmp_path / "cache")
    assert code == 2
    assert "ERROR: --exclude-pua and --include-pua cannot be used at the same time" in err


def two_members():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a", "A" * 100 + "HELLOHELLO" * 3)
        z.writestr("b", "B" * 100 + "WORLDWORLD" * 3)
    return out.getvalue()


@pytest.mark.parametrize("first,second,told", [
    ("Heuristics.A", "Real.B", "Real.B"), ("PUA.W.A", "Real.B", "Real.B"),
    ("BC.Heuristics.A", "Real.B", "Real.B"), ("Real.A", "Heuristics.B", "Real.A"),
    ("Weak.A", "Real.B", "Weak.A")])
def test_heuristics_are_told_only_if_nothing_else_is(box, first, second, told):
    sets = {"a.ndb": body(first) + body(second, content=WORLD)}
    assert box.found(sets, two_members()) == {told}
    assert box.found(sets, two_members(), "-z") == {first, second}
    assert box.found(sets, two_members(), "--heuristic-scan-precedence") == {first}
    assert box.found({"a.ndb": body(first)}, two_members()) == {first}


def test_programs_are_listed_with_their_trigger(tmp_path):
    (tmp_path / "a.cbc").write_text("ClamBCaghkkcacemd|ahnfefbgfgofegcg```c``abhc``|biacfl:4096\n"
                                    "BC.Test.Name.{A,B};Engine:56-255,Target:1;0;41424344\n")
    (tmp_path / "a.ndb").write_text(body("A"))
    vdb = tmp_path / "out.vdb"
    assert run("vitrine", "db", "build", "-o", vdb, tmp_path, cache=tmp_path / "cache")[0] == 0
    out = run("vitrine", "db", "info", vdb, cache=tmp_path / "cache")[1]
    assert "bytecode: BC.Test.Name; logical signature; levels 56-255; Engine:56-255,Target:1;0;41424344" in out

