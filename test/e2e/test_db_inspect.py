"""vitrine db list, info, explain, diff and test. What explain says of each construct of the language is
in test/golden/explain: NAME.txt. VITRINE_UPDATE_GOLDEN=1 writes these files anew (look at the
difference before it is committed)."""
import hashlib
import json
import os
import pathlib
import re
import shutil

import pytest

import cli
import test_version_info as versions
from seed import random_for

GOLDEN = cli.ROOT / "test" / "golden" / "explain"
UPDATE = os.environ.get("VITRINE_UPDATE_GOLDEN") == "1"
SOURCES = sorted(p for p in GOLDEN.iterdir() if p.suffix != ".txt")


def lines():
    """(name, line, extension) of the sources; a hash has its name behind its digest and size."""
    for p in SOURCES:
        for line in p.read_text().splitlines():
            if line and not line.startswith("#"):
                by_digest = p.suffix in (".hsb", ".hdu", ".mdb", ".fp", ".imp")
                name = line.split(":")[2] if by_digest else re.split("[:;=]", line)[0]
                yield name, line, p.suffix[1:]


def names():
    return sorted({name for name, _, _ in lines()})


class Box:
    def __init__(self, tmp):
        self.dir = tmp

    def db(self, *args, stdin=None):
        return cli.run("vitrine", "db", *args, cache=self.dir / "cache", cwd=self.dir, stdin=stdin)

    def write(self, name, text):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@pytest.fixture(scope="module")
def golden(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp("golden"))
    code, _, err = box.db("build", "--strict", "-o", "g.vdb", *SOURCES)
    assert code == 0, err
    return box


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


@pytest.mark.parametrize("name", names())
def test_explain_says_of_each_construct_what_it_is_known_to_mean(golden, name):
    code, out, err = golden.db("explain", "-d", "g.vdb", name)
    assert (code, err) == (0, "")
    path = GOLDEN / f"{name}.txt"
    if UPDATE:
        path.write_text(out)
    assert out == path.read_text()


# What the constructs in the tables of doc/format/signatures.md look like in a line, by section.
SHAPES = {
    "Offsets": {
        "*": r":\*:", "n": r":0:100:", "EOF-n": r":EOF-\d+:", "EP+n": r":EP\+\d+:", "EP-n": r":EP-\d+:",
        "Sx+n": r":S\d+\+\d+:", "SL+n": r":SL\+\d+:", "SEx": r":SE\d+:", "VI": r":VI:"},
    "Content": {
        "ab": r":0:\*:[0-9a-f]+$", "a?": r"[0-9a-f]\?[0-9a-f]", "?b": r"[0-9a-f]{2}\?[0-9a-f]", "??": r"\?\?",
        "*": r":0:\*:[0-9a-f]+\*[0-9a-f]+$", "{n-m}": r"\{\d+-\d+\}", "{-m}": r"\{-\d+\}",
        "{n-}": r"\{\d+-\}", "{}": r"\{\}", "{n}": r"\{\d+\}", "[n-m]": r"\[\d-\d\]", "[n]": r"\[\d\]",
        "(a|b|…)": r"[^!]\([0-9a-f|]+\)", "!(a|b|…)": r"!\([0-9a-f|]+\)", "(B)": r"\(B\)", "(L)": r"\(L\)",
        "(W)": r"\(W\)"},
    "Target description": {
        "Target:N": r"Target:", "Engine:X-Y": r";Engine:", "FileSize:X-Y": r"FileSize:\d+-\d+",
        "EntryPoint:X-Y": r"EntryPoint:\d+-\d+", "NumberOfSections:X-Y": r"NumberOfSections:\d+-\d+",
        "Container:T": r"Container:CL_TYPE_ZIP", "Intermediates:A>B>C": r"Intermediates:\w+>\w+",
        "HandlerType:T": r"HandlerType:"},
    "Sub-signatures": {
        "i": r"::i", "w": r"::w", "a": r"::wa", "f": r"::f",
        "[Offset:]trigger/regex/flags": r";\d+,\d+:.*/.+/", "id(offset#options#comparisons)": r"\(>>4#",
        "fuzzy_img#<16 hex digits>[#0]": r"fuzzy_img#", "${min-max}group$": r"\$\{\d+-\d+\}\d+\$"},
    "Regular expressions": {c: rf"/[a-zA-Z]*{c}[a-zA-Z]*$" for c in "i s m x A E U g r e".split()},
    "Byte comparisons": {c: rf"#[a-z]*{c}[a-z]*\d+#" for c in "hdailbe"},
    "Files and lines": {x: None for x in "hsb hdu mdb fp imp ndb ndu db ldb ldu cdb zmd rmd".split()},
}
# Nothing of these has a name in the database: inactive, or no signature.
NO_WORDS = {
    "Offsets": {"$n"}, "Target description": {"IconGroup1:", "IconGroup2:"},
    "Files and lines": set("pwdb ign ign2 ftm idb cfg crb pdb gdb wdb cbc cat yar yara ioc info".split()),
}
# Read like another of their row.
SAME_AS = {"hdb": "hsb", "hsu": "hdu", "msb": "mdb", "mdu": "hdu", "msu": "hdu", "sfp": "fp", "sdb": "ndb",
           "cvd": "ndb", "cld": "ndb", "cud": "ndb"}


def constructs():
    """(section, construct) of the tables of the specification, and of the modifiers, which are in a sentence."""
    section = ""
    for line in (cli.ROOT / "doc" / "format" / "signatures.md").read_text().splitlines():
        if line.startswith("#"):
            section = line.strip("# ")
        if section == "Sub-signatures" and line.startswith("`[Offset:]HexSig[::modifiers]`"):
            yield from ((section, x) for x in "iwaf")
        if not line.startswith("| `") or section in ("File types", "Checked and inactive"):
            continue
        cell = re.split(r"(?<!\\)\|", line)[1].replace("\\|", "|")
        for x in re.findall("`([^`]*)`", cell):
            # Options of one letter and extensions that are read alike stand behind each other.
            alike = section == "Regular expressions" or section == "Files and lines"
            yield from ((section, y) for y in (x.split() if alike else [x]))


@pytest.mark.parametrize("section, construct", list(constructs()))
def test_each_construct_of_the_specification_has_a_golden_file(section, construct):
    if construct in NO_WORDS.get(section, ()):
        return
    construct = SAME_AS.get(construct, construct) if section == "Files and lines" else construct
    assert construct in SHAPES[section], "a new construct: give it a signature in test/golden/explain"
    shape = SHAPES[section][construct]
    held = [name for name, line, ext in lines() if (re.search(shape, line) if shape else ext == construct)]
    assert [name for name in held if (GOLDEN / f"{name}.txt").exists()]


def test_the_shapes_of_constructs_are_those_of_the_specification():
    there = set(constructs())
    assert [(s, c) for s, known in SHAPES.items() for c in known if (s, c) not in there] == []


def test_there_is_no_golden_file_without_a_signature():
    assert [p.stem for p in sorted(GOLDEN.glob("*.txt"))] == names()


@pytest.mark.parametrize("name", names())
def test_explain_as_json_says_the_same_words(golden, name):
    code, out, _ = golden.db("explain", "--json", "-d", "g.vdb", name)
    said = []

    def walk(x):
        if isinstance(x, dict):
            said.append(x.get("words", ""))
            for v in x.values():
                walk(v)
        if isinstance(x, list):
            for v in x:
                walk(v)
    walk(json.loads(out))
    lines = {line.strip() for line in golden.db("explain", "-d", "g.vdb", name)[1].splitlines()}
    assert code == 0 and set(said) <= lines | {""}


def test_explain_takes_names_with_the_suffix_of_reports_and_proposes_others(golden):
    assert golden.db("explain", "-d", "g.vdb", "Body.Star.UNOFFICIAL") == \
        golden.db("explain", "-d", "g.vdb", "Body.Star")
    code, out, err = golden.db("explain", "-d", "g.vdb", "body.start")
    assert code == 2 and out == "" and "Body.Star\n" in err
    code, out, err = golden.db("explain", "--json", "-d", "g.vdb", "nothing like any")
    assert code == 2 and out == "" and "there is no signature" in err


def test_list_gives_every_name_in_order_and_what_stands_under_it(golden):
    code, out, _ = golden.db("list", "-d", "g.vdb")
    assert code == 0
    assert [line.split("  ")[0] for line in out.splitlines()] == names()
    assert "Same.Name  body, logical for any file and text, file hash\n" in out
    assert "Pua.Rule  body for any file, PUA\n" in out


@pytest.mark.parametrize("pattern, found", [
    ("hash.*", ["Hash.AnySize", "Hash.Import", "Hash.Md5", "Hash.Section", "Hash.Sha1", "Hash.Sha256",
                "Hash.Trusted"]),
    ("*.md?", ["Hash.Md5"]),
    ("NAME", ["Same.Name"]),
    ("nothing", []),
])
def test_list_takes_a_part_of_the_name_or_a_pattern_for_all_of_it(golden, pattern, found):
    code, out, _ = golden.db("list", "--json", "-d", "g.vdb", pattern)
    assert code == 0 and [json.loads(x)["name"] for x in out.splitlines()] == found


def test_info_counts_and_reads_sources_too(golden):
    code, out, _ = golden.db("info", "--json", "g.vdb")
    info = json.loads(out)
    assert code == 0 and info["counters"]["file_hashes"] == 6
    assert golden.db("info", GOLDEN / "signatures.ndb")[1].count("\n") > 10


def test_diff_tells_added_removed_and_changed_by_content(box):
    box.write("a.ndb", "Same:0:*:61626364\nGone:0:*:62626364\nOther:0:*:63626364\n"
                       "Two:0:*:64626364\nTwo:0:*:65626364\n")
    box.write("b.ndb", "Before:0:*:66626364\nSame:0:*:61626364\nOther:0:*:63626365\n"
                       "Two:0:*:64626364\nTwo:0:*:65626366\n")
    box.write("a.hdb", "44d88612fea8a8f36de82e1278abb02f:68:Hash\n44d88612fea8a8f36de82e1278abb030:1:H\n")
    box.write("b.hdb", "44d88612fea8a8f36de82e1278abb02f:69:Hash\n44d88612fea8a8f36de82e1278abb030:1:H\n")
    for x in "ab":
        assert box.db("build", "-o", f"{x}.vdb", f"{x}.ndb", f"{x}.hdb")[0] == 0
    code, out, _ = box.db("diff", "a.vdb", "b.vdb")
    assert code == 1 and out.splitlines() == [
        "+ Before", "- Gone", "~ Hash  1 gone, 1 new, 0 the same",
        "~ Other  1 gone, 1 new, 0 the same", "~ Two  1 gone, 1 new, 1 the same",
        "1 added, 1 removed, 3 changed, 2 the same"]
    assert json.loads(box.db("diff", "--json", "a.vdb", "b.vdb")[1].splitlines()[-1])["changed"] == 3


def test_diff_does_not_see_numbers_of_signatures_or_what_the_compiler_chose(box):
    shutil.copy(GOLDEN / "signatures.ndb", box.dir / "a.ndb")
    more = "".join(f"A.More.{i}:0:*:{random_for(i).randbytes(16).hex()}\n" for i in range(300))
    box.write("b.ndb", (GOLDEN / "signatures.ndb").read_text() + more)
    code, out, _ = box.db("diff", "a.ndb", "a.ndb")
    assert code == 0 and ", 0 changed," in out
    code, out, _ = box.db("diff", "a.ndb", "b.ndb")
    assert code == 1 and "300 added, 0 removed, 0 changed," in out


RULES = """Logic.Both;Target:0;0&1;6669727374{2-4}7365636f6e64;7468697264
Logic.Count;Target:0;(0|1)>2;6669727374;7468697264
Logic.Word;Target:0;0;7468697264::f
Logic.Pe;Engine:51-255,Target:1;0&1;EP+0:6669727374;7468697264
Logic.Place;Target:0;0;10:7468697264
Logic.Size;Engine:51-255,FileSize:1000-2000,Target:0;0;7468697264
Logic.Regex;Engine:81-255,Target:0;0&1;6669727374;0/th[a-i]rd/gi
Logic.Number;Engine:81-255,Target:0;0&1;6669727374;0(>>5#de2#>40)
Logic.Zip;Engine:81-255,Target:0,Container:CL_TYPE_ZIP;0;6669727374
"""


@pytest.mark.parametrize("name, content, code, said", [
    ("Logic.Both", b"first..second third", 0, ["at offset 0 (0x0), part 2 at 7", "Verdict: found"]),
    ("Logic.Both", b"first.....second third", 1,
     ["part 2 is in the file at offset 10, but not within 2 to 4 bytes behind part 1 (which is at 0)",
      "no:  sub-signature 0 matches (0 found)", "yes: sub-signature 1 matches (1 found)",
      "Verdict: not found"]),
    ("Logic.Both", b"first..secon third", 1, ["the bytes of part 2 are nowhere in the file"]),
    ("Logic.Both", b"first", 1, ["the file has 5 bytes, it needs at least 13"]),
    ("Logic.Count", b"first first third", 0, ["matches 2 times", "at offset 6 (0x6)", "(3 found)"]),
    ("Logic.Count", b"first third.....", 1, ["(2 found)"]),
    ("Logic.Word", b"athird third", 0, ["matches 1 time", "at offset 7"]),
    ("Logic.Word", b"athird", 1, ["no letter or digit may stand beside"]),
    ("Logic.Pe", b"first third", 1, ["which this file lacks", "it is for Windows executables"]),
    ("Logic.Place", b"third", 1, ["its place lies outside"]),
    ("Logic.Place", b"third..........third", 1,
     ["it is in the file at offset 0, 15; it must start at offset 10"]),
    ("Logic.Regex", b"first THIRD thbrd", 0,
     ["because its trigger holds", "at offset 12 (0xc), 5 bytes", "it matches 2 times"]),
    ("Logic.Regex", b"firs THIRD", 1, ["because its trigger does not hold"]),
    ("Logic.Regex", b"first secnd", 1, ["it does not match"]),
    ("Logic.Number", b"xfirst41", 0, ["it matches 1 time"]),
    ("Logic.Number", b"xfirst40", 1, ["it does not match"]),
    ("Logic.Zip", b"first", 1, ["no:  the container directly around the object is CL_TYPE_ZIP"]),
    ("Logic.Size", b"third", 1, ["no:  the size of the file in bytes is 1000 to 2000 (it is 5)"]),
])
def test_test_says_where_it_matches_or_why_not_as_a_scan_does(box, name, content, code, said):
    box.write("r.ldb", RULES)
    box.write("file", content)
    got, out, err = box.db("test", "-d", "r.ldb", name, "file")
    assert (got, err) == (code, "")
    for words in said:
        assert words in out
    assert box.db("test", "-d", "r.ldb", name, "-", stdin=content)[:2] == (code, out)
    scan = cli.run("vitrine", "scan", "-z", "-d", "r.ldb", "file", cache=box.dir / "cache",
                   cwd=box.dir)
    assert (f"{name} FOUND" in scan[1]) == (code == 0)
    result = json.loads(box.db("test", "--json", "-d", "r.ldb", name, "file")[1])
    views = [v["signatures"][0]["verdict"]["found"] for v in result.get("views", [result])]
    assert any(views) == (code == 0)


def test_test_looks_at_the_normalised_copy_of_text(box):
    box.write("t.ldb", "Copy.Only;Target:7;0;736f6d652074657874\nBoth;Target:0;0;736f6d652074657874\n")
    box.write("file", "This is  SOME\n\n TEXT, and some text.")
    code, out, _ = box.db("test", "-d", "t.ldb", "Copy.Only", "file")
    assert code == 0 and "In the file as it is\n    In" not in out and "at offset 8 (0x8)" in out
    code, out, _ = box.db("test", "-d", "t.ldb", "Both", "file")
    assert code == 0 and "matches 1 time\n" in out and "matches 2 times\n" in out


PAGE = (b"<html><head><title>Some  Title</title><!-- left out --></head><body>Two <b>Words</b>"
        b"<script>var secret = 'a' + 'b';</script>"
        b'<img src="data:text/plain,in%20the%20message"></body></html>')


@pytest.mark.parametrize("name, target, text, views", [
    ("In.Tags", 3, "two <b>words</b>", ["nocomment"]),
    ("In.Text", 3, "some title", ["nocomment", "notags"]),
    ("In.Script", 3, 'var n000="ab"', ["javascript"]),
    ("In.Copy", 7, 'var n000="ab"', ["normalised copy of its scripts"]),
    ("In.Message", 4, "in the message", ["data: URL"]),
    ("In.Any", 0, 'n000="ab"', ["javascript", "normalised copy of its scripts"]),
    ("Comment", 0, "left out", []),
    ("As.It.Is", 0, "Some  Title", []),
    ("Wrong.Target", 7, "two <b>words</b>", []),
])
@pytest.mark.parametrize("form", ["plain", "wide", "late"])
def test_test_looks_at_the_views_of_html_as_a_scan_does(box, name, target, text, views, form):
    box.write("h.ldb", f"{name};Target:{target};0;{text.encode().hex()}\n")
    pages = {"plain": PAGE, "wide": PAGE.decode().encode("utf-16-le"), "late": b"words, " * 300 + PAGE}
    box.write("page", pages[form])
    if form == "late" and target == 0 and text.encode() in PAGE:
        views = ["as it is", *views]
    code, out, err = box.db("test", "--json", "-d", "h.ldb", name, "page")
    assert err == "" and code == (0 if views else 1)
    found = [v["words"] for v in json.loads(out)["views"]
             if any(s["verdict"]["found"] for s in v.get("signatures", []))]
    assert len(found) == len(views) and all(a in b for a, b in zip(views, found))
    scan = cli.run("vitrine", "scan", "-z", "-d", "h.ldb", "page", cache=box.dir / "cache", cwd=box.dir)
    assert (f"{name} FOUND" in scan[1]) == bool(views)


@pytest.mark.parametrize("target, views", [(0, ["as it is"]), (3, [])])
def test_test_looks_at_html_in_utf16_as_it_is_with_signatures_for_any_file(box, target, views):
    box.write("h.ldb", f"Wide;Target:{target};0;{b'Some  Title'.hex()}::w\n")
    box.write("page", PAGE.decode().encode("utf-16-le"))
    code, out, _ = box.db("test", "--json", "-d", "h.ldb", "Wide", "page")
    found = [v["words"] for v in json.loads(out)["views"]
             if any(s["verdict"]["found"] for s in v.get("signatures", []))]
    assert code == (0 if views else 1) and len(found) == len(views) and all(a in b for a, b in zip(views, found))


def test_the_readme_shows_what_db_explain_and_db_test_say(box):
    readme = (cli.ROOT / "README.md").read_text()
    rule, job = (re.search(rf"\$ printf '(.*)' > {f}\n", readme)[1] for f in (r"my\.ldb", r"job\.sh"))
    box.write("my.ldb", rule.replace("\\n", "\n"))
    box.write("job.sh", job.replace("\\n", "\n"))
    for args in (["explain", "-d", "my.ldb", "Curl.Pipe"], ["test", "-d", "my.ldb", "Curl.Pipe", "job.sh"]):
        assert f"$ build/vitrine db {' '.join(args)}\n{box.db(*args)[1]}" in readme


def test_test_compares_digests_of_views_of_html(box):
    view = b'var n000="ab";'
    view = b"<script>" + view + b"</script>"
    box.write("h.hsb", f"{hashlib.sha256(view).hexdigest()}:{len(view)}:Script\n")
    box.write("page", PAGE)
    code, out, _ = box.db("test", "-d", "h.hsb", "Script", "page")
    assert code == 0 and "it is the digest of javascript" in out
    scan = cli.run("vitrine", "scan", "-d", "h.hsb", "page", cache=box.dir / "cache", cwd=box.dir)
    assert "Script FOUND" in scan[1]


def test_test_says_why_a_byte_comparison_for_text_does_not_hold(box):
    box.write("c.ldb", "Text.Number;Engine:81-255,Target:7;0&1;6669727374;0(>>5#de2#>40)\n")
    box.write("file", "xfirst41 and more text")
    code, out, _ = box.db("test", "-d", "c.ldb", "Text.Number", "file")
    assert code == 1 and "no byte comparison for text holds in a normalised copy" in out


def test_test_compares_digests_of_files(box):
    box.write("h.hdb", "44d88612fea8a8f36de82e1278abb02f:68:Some\n"
                       "5d41402abc4b2a76b9719d911017c592:5:Hello\n")
    box.write("file", "hello")
    assert box.db("test", "-d", "h.hdb", "Hello", "file")[0] == 0
    code, out, _ = box.db("test", "-d", "h.hdb", "Some", "file")
    assert code == 1 and "the file has 5 bytes, the row is for 68" in out


def test_test_says_what_it_does_not_try(golden):
    code, out, _ = golden.db("test", "-d", "g.vdb", "Member.Any", GOLDEN / "signatures.ndb")
    assert code == 1 and "not tried here" in out


PROGRAM = "ClamBCaghkkcacemd|ahnfefbgfgofegcg```c``abhc``|biacfl:4096\n"
TRIGGER = "Engine:51-255,Target:1;0;4d5a900003"


@pytest.fixture
def program(box):
    """The head of a bytecode program, which is not run here; and a signature that is active."""
    box.write("a.cbc", f"{PROGRAM}BC.Some.Program.{{A,B}};{TRIGGER}\nTedaaa\n")
    box.write("a.ndb", "Active:0:*:6162636465\n")
    assert box.db("build", "-o", "p.vdb", "a.cbc", "a.ndb")[0] == 0
    return box


def test_what_is_known_but_not_active_is_explained_as_that(program):
    for name in ("BC.Some.Program", "BC.Some.Program.UNOFFICIAL"):
        code, out, err = program.db("explain", "-d", "p.vdb", name)
        assert (code, err) == (0, "") and "known, but not active in this version" in out
        assert "What would run it: " in out and f"Trigger: {TRIGGER}\n" in out
        code, out, _ = program.db("test", "-d", "p.vdb", name, "a.ndb")
        assert code == 1 and "not active" in out
    known = json.loads(program.db("explain", "--json", "-d", "p.vdb", "BC.Some.Program")[1])
    assert known["active"] is False and known["run"]["trigger"]["text"] == TRIGGER
    assert program.db("explain", "-d", "p.vdb", "BC.Other")[0] == 2


def test_list_and_info_show_what_is_not_active(program):
    out = program.db("list", "-d", "p.vdb")[1].splitlines()
    assert out[0].startswith("Active  body") and out[1].startswith("BC.Some.Program  bytecode, not active; ")
    assert program.db("list", "-d", "p.vdb", "act")[1].splitlines() == out[:1]
    rows = [json.loads(x) for x in program.db("list", "--json", "-d", "p.vdb")[1].splitlines()]
    assert [(r["name"], r["active"]) for r in rows] == [("Active", True), ("BC.Some.Program", False)]
    note = json.loads(program.db("info", "--json", "p.vdb")[1])["notes"][0]
    assert note["name"] == "BC.Some.Program" and note["trigger"] == TRIGGER


def test_test_knows_keys_of_version_information(box):
    data = versions.pe(versions.directory(versions.one(versions.plain(0, 1))))
    box.write("file", data)
    key = data.index(versions.utf16(versions.KEYS[1]))
    word = versions.utf16(versions.KEYS[1]).hex()
    other = versions.utf16("value").hex()
    box.write("v.ndb", f"Key:1:VI:{word}\nLater:1:VI,4:{word[4:]}\nValue:1:VI:{other}\n")
    code, out, _ = box.db("test", "-d", "v.ndb", "Key", "file")
    assert code == 0 and f"at offset {key} " in out and "2 keys of version information" in out
    assert box.db("test", "-d", "v.ndb", "Later", "file")[0] == 0
    code, out, _ = box.db("test", "-d", "v.ndb", "Value", "file")
    assert code == 1 and "it must start at one of 2 keys of the version information" in out
    code, out, _ = box.db("test", "-d", "v.ndb", "Key", "v.ndb")
    assert code == 1 and "has no key of version information" in out


@pytest.mark.parametrize("kind", ["CL_TYPE_GIF", "CL_TYPE_TEXT_ASCII"])
def test_test_finds_what_a_scan_finds_in_a_second_look(box, kind):
    box.write("h.ldb", f"Handled;Engine:51-255,Target:0,HandlerType:{kind};0;6669727374\n")
    box.write("file", "some first text")
    code, out, _ = box.db("test", "-d", "h.ldb", "Handled", "file")
    assert code == 0 and f"a file of another type is looked at again as {kind}" in out
    scan = cli.run("vitrine", "scan", "-d", "h.ldb", "file", cache=box.dir / "cache", cwd=box.dir)
    assert "Handled FOUND" in scan[1]


def test_names_and_texts_of_a_database_do_not_act_on_the_terminal(box):
    box.write("n.ndb", b"A\x1b[31m\xe2\x80\xaeB\x9b:0:*:61621b5b333164\n")
    for args in (["list", "-d", "n.ndb"], ["explain", "-d", "n.ndb", b"A\x1b[31m\xe2\x80\xaeB\x9b"]):
        args = [os.fsdecode(a) for a in args]
        for more in ([], ["--json"]):
            code, out, err = box.db(*args[:1], *more, *args[1:])
            assert code == 0, err
            assert "\x1b" not in out and "\u202e" not in out and "\x9b" not in out
            assert not more or json.loads(out)["name"].startswith("A\x1b[31m\u202eB")


def test_a_damaged_database_is_refused(box):
    box.write("a.ndb", "Some:0:*:61626364\n")
    assert box.db("build", "-o", "a.vdb", "a.ndb")[0] == 0
    data = bytearray((box.dir / "a.vdb").read_bytes())
    data[200] ^= 1
    box.write("a.vdb", bytes(data))
    for args in (["info", "a.vdb"], ["list", "-d", "a.vdb"], ["explain", "-d", "a.vdb", "Some"],
                 ["diff", "a.vdb", "a.ndb"], ["test", "-d", "a.vdb", "Some", "a.ndb"]):
        code, out, err = box.db(*args)
        assert code == 2 and out == "" and err


@pytest.mark.parametrize("command", ["info", "list", "explain", "diff", "test"])
def test_every_command_has_help_with_examples_and_counts_its_arguments(box, command):
    code, out, _ = box.db(command, "--help")
    assert code == 0 and "Examples:\n" in out and "Exit code:" in out
    code, out, err = box.db(command, *["x"] * 5)
    assert code == 2 and out == "" and "too many arguments" in err
