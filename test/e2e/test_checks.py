"""The checks of the source tree find what they are there to find: each on a small tree with one fault."""
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(tmp_path, tool, files):
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / tool, tmp_path / "tools")
    for name, text in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    r = subprocess.run([tmp_path / "tools" / tool], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    return r.returncode, r.stdout + r.stderr


GOOD = {"base/a.h": "#ifndef A\n#define A\nint a;\n#endif\n", "sig/s.h": "extern int s;\n"}


@pytest.mark.parametrize("name, line", [
    ("base/b.c", '#include "parse/p.h"'), ("match/m.c", '#include "sig/s.h"'),
    ("proc/worker/w.c", '#include "sig/s.h"'), ("db/d.c", '#include "s.h"'),
    ("other/o.c", '#include "base/a.h"'), ("base/b.h", "struct x { struct y y; };"),
])
def test_an_include_that_goes_up_is_found(tmp_path, name, line):
    code, out = run(tmp_path, "check-layers", {**GOOD, "parse/p.h": "extern int p;\n", name: line + "\n"})
    assert code == 1 and f"src/{name}:1:" in out


@pytest.mark.parametrize("name, line", [
    ("sig/s.c", '#include "base/a.h"'), ("proc/compiler/c.c", '#include "sig/s.h"'),
])
def test_an_include_that_goes_down_is_fine(tmp_path, name, line):
    assert run(tmp_path, "check-layers", {**GOOD, name: line + "\n"}) == (0, "")


@pytest.mark.parametrize("name, line", [
    ("base/a.c", "\tstrcpy(a, b);"), ("cli/a.c", "\tgoto out;"), ("cli/a.c", "\tsystem(x);"),
    ("scan/a.c", "\texecve(p, v, e);"), ("sig/a.c", '\tprintf("x");'), ("db/a.c", "\texit(1);"),
    ("parse/a.c", "\tmemcpy(a, b, n);"), ("parse/a.c", "\tx = (const struct h *)p;"),
    ("parse/a.c", "\tx = *(uint32_t *)p;"), ("parse/a.c", "\tp = r->base + 4;"),
    ("match/a.c", "\tp = malloc(n);"), ("scan/a.c", "\tfd = open(p, 0);"),
    ("proc/worker/a.c", "\tfd = socket(1, 2, 3);"),
])
def test_a_banned_call_is_found(tmp_path, name, line):
    code, out = run(tmp_path, "check-banned", {name: "/* c */\n" + line + "\n"})
    assert code == 1 and out.startswith(f"src/{name}:2:")


@pytest.mark.parametrize("name, line", [
    ("base/a.c", "/* strcpy(a, b)\n * goto */"), ("base/a.c", '\tx = "system(";'),
    ("scan/a.c", "\tst = f->open(in, e);"), ("parse/a.c", "static st_t zip_open(struct rd in)"),
    ("proc/broker/a.c", "\texecve(p, v, e);"), ("cli/a.c", '\tprintf("x");'),
    ("parse/a.c", "st_t f(struct x *p, const uint8_t *q)"),
])
def test_what_is_allowed_is_not_found(tmp_path, name, line):
    assert run(tmp_path, "check-banned", {name: line + "\n"}) == (0, "")


@pytest.mark.parametrize("text", [
    "int " + "x" * 100 + ";\n", "int f(void)\n{\n" + "\tx();\n" * 120 + "}\n", "int a;\n" * 801,
    "int a; \n", "/* TO" + "DO */\n",
])
def test_bad_form_is_found(tmp_path, text):
    code, out = run(tmp_path, "check-shape", {"base/a.c": text})
    assert code == 1 and out.startswith("src/base/a.c:")


def documents():
    return [*ROOT.glob("*.md"), *(ROOT / "doc").rglob("*.md"), *(ROOT / "bench").glob("*.md")]


@pytest.mark.parametrize("page", documents(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:\s]+)\)", page.read_text())
    assert [l for l in links if not (page.parent / l).exists()] == []


def test_files_named_in_the_architecture_exist():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    names = re.findall(r"`((?:src|doc|test|tools|bench|signatures)/[\w./-]*)`", text)
    assert names and [n for n in names if not (ROOT / n).exists()] == []
