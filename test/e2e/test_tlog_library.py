"""libvitrine-tlog as what it is installed as: names, dependencies, header, pkg-config, example."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from cli import BUILD, ROOT

LIB = BUILD / "src/tlog/public"
SHARED, ARCHIVE = LIB / "libvitrine-tlog.so", LIB / "libvitrine-tlog.a"
HEADER = ROOT / "include/vitrine/tlog.h"
EXAMPLE = ROOT / "doc/example/check_proof.c"
VECTORS = ROOT / "test/vectors/tlog"
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Werror"]


def out(*cmd, **kw):
    r = subprocess.run([str(c) for c in cmd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=120, **kw)
    assert r.returncode == 0, r.stdout
    return r.stdout


def declared():
    """The functions of the header: names before a parenthesis, outside of comments."""
    text = re.sub(r"/\*.*?\*/", " ", HEADER.read_text(), flags=re.S)
    return set(re.findall(r"\b(vitrine_tlog_\w+)\s*\(", text))


def symbols(*cmd):
    rows = [line.split() for line in out("nm", "-g", "--defined-only", *cmd).splitlines()]
    return {r[2].split("@")[0] for r in rows if len(r) == 3}


def test_the_shared_library_shows_exactly_the_functions_of_the_header():
    assert symbols("-D", SHARED) - {"VITRINE_TLOG_0"} == declared()
    assert len(declared()) > 50


def test_the_archive_shows_exactly_the_functions_of_the_header():
    if not ARCHIVE.exists():
        pytest.skip("no archive in a build with sanitizers")
    assert symbols(ARCHIVE) == declared()


def test_nothing_but_libcrypto_and_libc_is_needed():
    dynamic = out("readelf", "-d", SHARED)
    needed = set(re.findall(r"NEEDED.*\[(.*?)\]", dynamic))
    assert {n.split(".so")[0] for n in needed} <= {"libcrypto", "libc"}
    assert "[libvitrine-tlog.so.0]" in dynamic


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("language", [("c", "c11"), ("c", "gnu2x"), ("c++", "c++11")])
def test_the_header_compiles_alone_and_twice(compiler, language):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    if language[0] == "c++" and compiler == "gcc" and not shutil.which("g++"):
        pytest.skip("no g++")
    out(compiler, "-x", language[0], f"-std={language[1]}", *WARNINGS, "-I", ROOT / "include",
        "-fsyntax-only", "-", input="#include <vitrine/tlog.h>\n#include <vitrine/tlog.h>\n")


def run_example(program, index, proof, tmp_path):
    entry = tmp_path / "entry"
    entry.write_text(f"fixture entry {index}\n")
    env = dict(os.environ, LD_LIBRARY_PATH=str(LIB))
    r = subprocess.run([str(program), str(VECTORS / "policy.txt"),
                        str(VECTORS / f"tlog-proof/{proof}.tlog-proof"), str(entry)],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
                       timeout=60)
    return r.returncode, r.stdout, r.stderr


def check_example(program, tmp_path):
    code, text, err = run_example(program, 256, "ok-256", tmp_path)
    assert (code, err) == (0, "")
    assert text.splitlines()[0] == "in the log log.example.org/av-updates of 300 entries"
    assert "seen by w3 at 1795455570" in text
    code, text, err = run_example(program, 255, "ok-256", tmp_path)
    assert code == 1 and text == "" and "another root of 300" in err
    code, text, err = run_example(program, 256, "bad-quorum-1-of-3", tmp_path)
    assert code == 1 and "missing w2, w3; cosigned by w1" in err


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_example_links_the_shared_library(compiler, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    program = tmp_path / "check_proof"
    out(compiler, "-std=c11", *WARNINGS, "-I", ROOT / "include", EXAMPLE, "-o", program,
        "-L", LIB, "-lvitrine-tlog")
    check_example(program, tmp_path)


def test_the_archive_leaves_inner_names_to_the_program(tmp_path):
    if not ARCHIVE.exists():
        pytest.skip("no archive in a build with sanitizers")
    own = tmp_path / "own.c"
    own.write_text("int fail(void);\nint fail(void) { return 1; }\n"
                   "int buf_add(void);\nint buf_add(void) { return fail(); }\n")
    program = tmp_path / "check_proof"
    out("gcc", "-std=c11", *WARNINGS, "-I", ROOT / "include", EXAMPLE, own, "-o", program, ARCHIVE,
        "-lcrypto")
    check_example(program, tmp_path)


def test_pkg_config_names_the_library_and_libcrypto_only_for_static_linking():
    pc = BUILD / "meson-private"
    if not (pc / "vitrine-tlog.pc").exists():
        pytest.skip("not a Meson build folder")
    env = dict(os.environ, PKG_CONFIG_PATH=str(pc))
    assert "-lcrypto" not in out("pkg-config", "--libs", "vitrine-tlog", env=env)
    assert "-lvitrine-tlog" in out("pkg-config", "--libs", "vitrine-tlog", env=env)
    assert "-lcrypto" in out("pkg-config", "--libs", "--static", "vitrine-tlog", env=env)


def test_each_function_of_the_header_is_in_the_manual():
    page = (ROOT / "man/vitrine-tlog.3").read_text().replace("\\-", "-")
    assert sorted(n for n in declared() if n not in page) == []
