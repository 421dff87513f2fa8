"""Many signatures and many files through clamscan and our program, and what they say differently."""
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from cli import BUILD, ROOT
from oracle import REAL

# No cache: what is found would depend on the order of files.
OPTIONS = ("-z", "--no-summary", "-i", "--disable-cache")
SUFFIX = re.compile(r"(.*): (.*?)(?:\.UNOFFICIAL)? FOUND")
SHOWN = int(os.environ.get("VITRINE_DIFF_SHOWN", "12"))  # differences that are printed


@dataclasses.dataclass
class Case:
    """A file, the name of the signature it was made for, and what was made wrong in it."""
    path: pathlib.Path
    name: str
    what: str


def scan(program, databases, folder, cache, more):
    """(exit code, {file name: set of names}, stderr)"""
    env = dict(os.environ, XDG_CACHE_HOME=str(cache))
    r = subprocess.run([str(program), *OPTIONS, *more, *(f"--database={d}" for d in databases), str(folder)],
                       capture_output=True, timeout=600, env=env)
    found = {}
    for line in r.stdout.decode("latin-1").splitlines():
        m = SUFFIX.fullmatch(line)
        if m:
            found.setdefault(os.path.basename(m[1]), set()).add(m[2])
    return r.returncode, found, r.stderr.decode("latin-1")


def refused(database, cache):
    """[(line, what clamscan says)] of a folder with files a.*: lines that it does not load. They are taken out
    of the files, so that the rest can be used."""
    out, empty = [], cache / "empty"
    empty.mkdir(exist_ok=True)
    while True:
        code, _, said = scan(REAL, [database], empty, cache, ())
        if code in (0, 1):
            return out
        n = re.search(r"Problem parsing database at line (\d+)", said)
        f = re.search(r"Can't load (\S+): ", said)
        assert n and f, said[-2000:]
        path = pathlib.Path(f[1])
        lines = path.read_text(encoding="latin-1").split("\n")
        out.append((lines.pop(int(n[1]) - 1), said.split("\n")[0]))
        path.write_text("\n".join(lines), encoding="latin-1")


def both(databases, folder, cache, more):
    """({file: names} of clamscan, the same of ours)"""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        a = pool.submit(scan, REAL, databases, folder, cache, more)
        b = pool.submit(scan, BUILD / "clamscan", databases, folder, cache, more)
        (code, theirs, said), (our_code, ours, our_said) = a.result(), b.result()
    assert code in (0, 1), f"clamscan refuses the database: {said[-2000:]}"
    assert our_code in (0, 1) or "not fully scanned" in our_said, f"ours: {our_code}: {our_said[-2000:]}"
    return theirs, ours


def write_lines(folder, lines):
    """{extension: lines}"""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for extension, v in lines.items():
        if v:
            (folder / f"a.{extension}").write_text("".join(x + "\n" for x in v), encoding="latin-1")


def inactive(folder, cache):
    """How our compiler counts what it leaves out: {kind: number}."""
    r = subprocess.run([str(BUILD / "vitrine"), "db", "build", "-o", str(cache / "x.vdb"), str(folder)],
                       capture_output=True, text=True, timeout=120)
    assert r.returncode == 0, r.stderr
    said = r.stdout + r.stderr
    return {m[2]: int(m[1]) for m in re.finditer(r"not active in this version: (\d+) with (.*)", said)}, said


def shorten(data):
    return data.hex() if len(data) <= 200 else f"{data[:120].hex()}…{data[-40:].hex()} ({len(data)} bytes)"


def reproduction(case, line, name, mine):
    """All that is needed to see a difference again."""
    data = case.path.read_bytes()
    return (f"{'only ours' if mine else 'only clamscan'}: {name}  (file made for {case.name}: {case.what})\n"
            f"    {line[:600]}\n    {shorten(data)}")


def differences(cases, theirs, ours, lines, comparable):
    """[(name, found here, case)] of all names for which comparable() holds."""
    out = []
    for c in cases:
        a, b = ours.get(c.path.name, set()), theirs.get(c.path.name, set())
        out += [(name, name in a, c) for name in sorted(a ^ b) if comparable(name)]
    return out


# What doc/differences.md explains: (words of the row there, which side finds it, test of signature line and
# case). Everything that is not here is a failure.

def uneven(line):
    groups = [g.split("|") for g in re.findall(r"\(([^()]*)\)", line.split(";", 3)[-1])]
    return any(len(x) != len(g[0]) for g in groups for x in g)


def has_offset(line):
    subs = line.split(";")[3:] or [":".join(line.split(":")[2:])]
    return any(re.match(r"(\d|EOF|EP|S)[^:;]*:", s) for s in subs)


EXPLAINED = [
    ("`Intermediates` with `CL_TYPE_ANY` behind another type", None,
     lambda line, case: re.search(r"Intermediates:[^;,]*CL_TYPE_(?!ANY)\w+>[^;,]*CL_TYPE_ANY", line)),
    ("alternatives of different lengths in a signature with an offset", True,
     lambda line, case: uneven(line) and has_offset(line)),
    ("boundaries under the modifier `f`", True,
     lambda line, case: re.search(r"\([BLW]\)[^;]*::\w*f", line)),
    ("counts of `::wa` where both forms match", None, lambda line, case: re.search(r"::\w*(wa|aw)", line)
     and re.search("[=<>]", line.split(";")[2])),
]


def explained(line, mine, case):
    """The words of the row, or None."""
    for words, side, test in EXPLAINED:
        if side in (None, mine) and test(line, case):
            return words
    return None


def rows_exist():
    text = (ROOT / "doc/differences.md").read_text()
    return [words for words, _, _ in EXPLAINED if words not in text]
