"""Answers of clamscan that were recorded (test/oracle/cases.json, made by test/oracle/record.py), replayed: our
program answers the same, or the difference is in a table here that names its row of doc/differences.md."""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import zlib

import pytest

import constructs
from cli import BUILD, ROOT
from constructs import CONSTRUCTS, DATABASES

RECORDED = json.loads((ROOT / "test/oracle/cases.json").read_text())
DATA = [zlib.decompress(base64.b85decode(x)) for x in RECORDED["data"]]
PROBES = sorted({c[0] for c in RECORDED["cases"]}, key=lambda p: int(p[1:]))

# Where our answer differs: (words of the row in doc/differences.md or doc/format/signatures.md, test of
# (databases, data, options, recorded answer, our answer)).
DIFFERENT = [
    ("one of several names is told", lambda dbs, data, options, theirs, ours:
     "-z" not in options and theirs[0] == ours[0] == 1 and len("".join(dbs.values()).split("\n")) > 2),
    ("a folder with nothing but databases for potentially unwanted", lambda dbs, data, options, theirs, ours:
     all(n.endswith("u") for n in dbs) and theirs == (0, []) and ours == (2, [])),
]


def inactive(dbs):
    """The constructs and kinds of databases used that are not active yet."""
    out = set()
    for name, text in dbs.items():
        extension = name.rsplit(".", 1)[1]
        out |= {extension} if not DATABASES.get(extension, True) else set()
        if extension in ("ndb", "ldb"):
            for line in text.split("\n"):
                out |= {c for c in constructs.of_signature(line) if not CONSTRUCTS[c].active}
    return out


def scan(folder, dbs, data, options):
    """(exit code, names) of our program."""
    (folder / "db").mkdir(parents=True)
    for name, text in dbs.items():
        (folder / "db" / name).write_bytes(text.encode("latin-1"))
    (folder / "f").write_bytes(data)
    env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
    r = subprocess.run([str(BUILD / "clamscan"), "--no-summary", "-d", str(folder / "db"), *options,
                        str(folder / "f")], capture_output=True, timeout=60, env=env)
    out = r.stdout.decode("latin-1").replace(f"{folder}/", "").replace(".UNOFFICIAL", "")
    return r.returncode, sorted(set(re.findall(r"^[^!\n]*?: (.*) FOUND$", out, re.M)))


def explained(case, ours):
    _, dbs, number, options, code, names = case
    return next((words for words, test in DIFFERENT
                 if test(dbs, DATA[number], options, (code, names), ours)), None)


def same(case, ours):
    """Without -z it is open which of several names is told."""
    _, _, _, options, code, names = case
    return ours == (code, names)


def text_of(dbs):
    return " | ".join(f"{n}: {t.strip()}" for n, t in dbs.items())


@pytest.mark.parametrize("probe", PROBES)
def test_recorded_answers(tmp_path, probe):
    cases = [c for c in RECORDED["cases"] if c[0] == probe]
    active = [c for c in cases if not inactive(c[1])]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda ic: scan(tmp_path / str(ic[0]), ic[1][1], DATA[ic[1][2]], ic[1][3]),
                                enumerate(active)))
    wrong, known = [], 0
    for case, ours in zip(active, answers):
        if same(case, ours):
            continue
        if explained(case, ours):
            known += 1
            continue
        wrong.append(f"{text_of(case[1])[:400]} {case[3]}\n    data {DATA[case[2]][:60].hex()} "
                     f"({len(DATA[case[2]])} bytes)\n    recorded {case[4:]}, ours {list(ours)}")
    print(f"{probe}: {len(cases)} cases, {len(active)} active, {known} different as documented")
    assert not wrong, f"{len(wrong)} of {len(active)}:\n" + "\n".join(wrong)


@pytest.mark.parametrize("signature,where,expected", RECORDED["neighbours"])
def test_recorded_neighbours(tmp_path, signature, where, expected):
    pad = bytes([0x90, 0x80, 0, 0xFF, 1, 0xFE, 0x83, 0x9C, 7, 0, 0x11, 0xE8]) * 20
    files = tmp_path / "f"
    files.mkdir()
    for c in range(256):
        one = bytes([c])
        data = pad + one + b"ABCDE" + pad if where == "before" else pad + b"ABCDE" + one + pad
        (files / f"{c:02x}").write_bytes(data)
    db = tmp_path / ("x.ldb" if ";" in signature else "x.ndb")
    db.write_text(signature + "\n")
    r = subprocess.run([str(BUILD / "clamscan"), "--no-summary", "-i", "-d", str(db), str(files)], timeout=60,
                       capture_output=True, text=True, env=dict(os.environ, XDG_CACHE_HOME=str(tmp_path)))
    assert "".join(sorted(re.findall(r"/(..): T", r.stdout))) == expected, r.stderr


def test_explanations_are_rows_of_the_documentation():
    text = "".join(pathlib.Path(ROOT, "doc", p).read_text() for p in ("differences.md", "format/signatures.md"))
    assert not [words for words, _ in DIFFERENT if words not in text]
