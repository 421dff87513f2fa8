"""Types of small data, mutated text and files of /usr: those that clamscan 1.4.6 gives.

clamscan tells the type of an object as "RootFileType" with --gen-json. What differs on purpose is
said in doc/differences.md, section "Types": the generators below do not make it, or it is left
out by different_on_purpose().
VITRINE_BUILD names the build folder (default ./build)."""

import json
import pathlib
import re
import subprocess

import pytest

from cli import make_rules, run
from oracle import REAL, WHY
from seed import random_for

HEAD = 40000  # bytes of a real file: no type is decided further in, but for disk images
REAL_FILES = 800
NO_PARTS = ["--scan-%s=no" % w for w in ("archive", "pe", "elf", "pdf", "ole2", "html", "mail")]
# Content whose type depends on case, order, neighbours and place.
PARTS = [b"<html>", b"<HEAD>", b"<Script ", b"<iFrame", b"<TABLE", b"<Table", b"<a ", b"href",
         b"HREF", b"hrEf", b"<img", b"<oBject", b"<?xml version=\"1.0\"?>", b"<Workbook",
         b"<w:wordDocument",
         b"<xdp:xdp", b"<HWPML", b"\nMIME-Version: ", b"\ncontent-type: ", b"%PDF-1.4", b"%PDF-14",
         b"%pdf-1.7", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\n", b" ", b"text", b"\0",
         b"\0\1"]
STARTS = [b"", b"", b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\0", b"From: ", b"From:",
          b"For: ", b"{\\rt", b"%!PS-Adobe-", b"%!PS", b"begin ", b"Mime-Version: ", b"MM", b"GIF",
          b"<?xml version=\"1.0\"?>", b"\xef\xbb\xbf<?xml version=\"1.0\"?>", b"Subject: ",
          b"X-EVS", b"\xca\xfe\xba\xbe\0\0\0\x02", b"\xca\xfe\xba\xbe\0\0\0\x34",
          b"  -lh5-"]
CODES = ["utf-16-le", "utf-16-be"]
CONTENT_OF_ARCHIVES = re.compile(
    rb"PK\x03\x04|Rar!\x1a\x07\x00|MSCF\x00{4}|7z\xbc\xaf\x27\x1c|\x60\xea|MZ.*PE\x00\x00", re.S)

pytestmark = pytest.mark.skipif(REAL is None, reason=WHY)


def clamscan_types(folder, database):
    args = [REAL, "-d", database, "--gen-json", "--debug", "--disable-cache", "--no-summary"]
    said = subprocess.run([*args, *NO_PARTS, folder], capture_output=True, check=True).stderr
    types, name = {}, None
    for line in said.decode("latin-1").splitlines():
        at = re.search(r"Checking realpath of .*/(\d{6})$", line)
        name = at[1] if at else name
        told = re.match(r'  "RootFileType":"(\w+)"', line)
        if told and name:
            types.setdefault(name, told[1])
    return types


def our_types(folder, database, cache):
    code, out, err = run("vitrine", "scan", "--json", f"--database={database}", folder, cache=cache)
    assert code in (0, 2), err  # archives cut off are not fully scanned
    rows = map(json.loads, out.splitlines())
    return {pathlib.PurePath(r["path"]).name: r["type"] for r in rows if "type" in r}


def different_on_purpose(data, ours):
    if ours == "CL_TYPE_ZSTD" or CONTENT_OF_ARCHIVES.search(data[:1024]):
        return True
    return len(re.findall(rb"<(?:\w:)?(?:Workbook|wordDocument)", data)) > 1  # see "Types"


def compare(datas, folder):
    files = folder / "files"
    files.mkdir()
    for i, data in enumerate(datas):
        (files / f"{i:06}").write_bytes(data)
    database = make_rules(folder / "rules")
    theirs, ours = clamscan_types(files, database), our_types(files, database, folder / "cache")
    assert len(theirs) == len(ours) == len(datas)
    different = [(datas[int(n)], t, ours[n]) for n, t in theirs.items() if t != ours[n]]
    return [d for d in different if not different_on_purpose(d[0], d[2])]


def bytes_of(rnd):
    few = rnd.choices(range(256), k=4) + [0, 0, 0x41, 0xff, 0xfe, 0x0a]
    if rnd.random() < 0.3:
        return rnd.randbytes(rnd.randrange(6, 60))
    return bytes(rnd.choices(few, k=rnd.randrange(6, 20)))


def text_with_a_few_other_bytes(rnd):
    text = bytearray(b"Some text of many lines\n" * 50)[:rnd.randrange(6, 1200)]
    for _ in range(rnd.randrange(3)):
        text[rnd.randrange(len(text))] = rnd.randrange(256)
    return bytes(text)


def utf16_with_a_few_other_bytes(rnd):
    code = rnd.choice(CODES)
    mark = rnd.choice([b"", b"\xff\xfe", b"\xfe\xff"])
    text = bytearray(mark + ("Some text \u20ac " * 60).encode(code))[:rnd.randrange(6, 1300)]
    for _ in range(rnd.randrange(4)):
        text[rnd.randrange(len(text))] = rnd.choice([0, 1, 0xfe, 0xff, rnd.randrange(256)])
    return bytes(text)


def content(rnd):
    data = b"".join(rnd.choices(PARTS, k=rnd.randrange(6)))
    if rnd.random() < 0.4:
        data = data.decode("latin-1").encode(rnd.choice(CODES))
    pad = rnd.choice([b"", b"x", b"x" * rnd.randrange(960, 1024), b"<\0", b"\1"])
    return (rnd.choice(STARTS) + pad + data + b".").ljust(6, b"x")


def boot_record(rnd):
    before = content(rnd).ljust(510, rnd.choice([b"x", b"\1", b"\0"]))[:510]
    return before + b"\x55\xaa" + content(rnd)


@pytest.mark.parametrize("make", [bytes_of, text_with_a_few_other_bytes,
                                  utf16_with_a_few_other_bytes, content, boot_record])
def test_random_data_has_clamscans_type(make, tmp_path):
    rnd = random_for(make.__name__)
    assert compare([make(rnd) for _ in range(1500)], tmp_path) == []


AROUND = [(b"some ", b"text"), (b"some", b" text"), (b"a\0\0", b"\0bc"), (b"a\0", b"b\0c"),
          (b"", b"a text"), (b"x" * 1023, b"y"), (b"x" * 1024, b"y")]


def test_every_byte_in_text_and_in_utf16(tmp_path):
    datas = [before + bytes([c]) + after for c in range(256)
             for before, after in AROUND]
    assert compare(datas, tmp_path) == []


def usr_files(rnd):
    roots = ["share", "lib", "include"]
    files = [f for r in roots for f in sorted(pathlib.Path("/usr", r).glob("*/*/*"))
             if f.is_file() and not f.is_symlink() and f.stat().st_size >= 6]
    return rnd.sample(files, min(len(files), REAL_FILES))


def test_files_of_usr_have_clamscans_type(tmp_path):
    datas = [f.read_bytes()[:HEAD] for f in usr_files(random_for("usr"))]
    assert compare(datas, tmp_path) == []
