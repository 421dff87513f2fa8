"""vitrine scan and vitrine db: exit codes, lines, JSON, what is and is not scanned."""
import json
import os
import pty
import signal
import stat
import subprocess
import time
import zipfile

import pytest

from cli import BUILD, ONE, TWO, children, holds, make_rules, make_tree, rule, run, wait_for


@pytest.fixture
def box(tmp_path):
    rules = make_rules(tmp_path / "rules")

    class Box:
        path = tmp_path
        db = rules

        def scan(self, *args, **kw):
            return run("vitrine", "scan", "--database", kw.pop("db", rules), *args,
                       cache=tmp_path / "cache", cwd=tmp_path, **kw)

        def raw(self, *args, **kw):
            return run("vitrine", *args, cache=tmp_path / "cache", cwd=tmp_path, **kw)

    return Box()


def test_clean_is_0_and_prints_no_result(box):
    (box.path / "clean").write_bytes(b"hello")
    code, out, err = box.scan("clean")
    assert (code, out) == (0, "")
    assert "1 files" in err and "signatures known 2" in err


def test_found_is_1_and_one_line(box):
    (box.path / "bad").write_bytes(ONE)
    assert box.scan("bad")[:2] == (1, "bad: Marker.One FOUND\n")


def test_all_matches_prints_each(box):
    (box.path / "bad").write_bytes(ONE + TWO)
    code, out, _ = box.scan("--all-matches", "bad")
    assert code == 1
    assert sorted(out.splitlines()) == ["bad: Marker.One FOUND", "bad: Marker.Two FOUND"]


def test_missing_file_is_2_is_named_and_the_rest_is_scanned(box):
    (box.path / "clean").write_bytes(b"hello")
    code, out, err = box.scan("nowhere", "clean", "-v")
    assert (code, out) == (2, "clean: OK\n")
    assert "nowhere: cannot be found: No such file or directory" in err


def test_found_wins_over_errors(box):
    (box.path / "bad").write_bytes(ONE)
    assert box.scan("nowhere", "bad")[0] == 1


def test_unreadable_file_is_named_with_its_reason_and_the_scan_goes_on(box):
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    tree = box.path / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(b"x")
    (tree / "a").chmod(0)
    (tree / "b").write_bytes(b"hello")
    code, out, err = box.scan("-v", "tree")
    assert (code, out) == (2, "tree/b: OK\n")
    assert "tree/a: cannot be opened: Permission denied" in err


def test_order_is_sorted_whatever_the_number_of_workers(box):
    tree = box.path / "many"
    tree.mkdir()
    for i in range(300):
        body = ONE if i % 7 == 0 else b"x" * (i * 997 % 50000)
        (tree / f"f{i:03}").write_bytes(body or b"y")
    outs = {box.scan("-v", "--jobs", j, "many")[1] for j in (1, 2, 4)}
    assert len(outs) == 1
    names = [line.split(":")[0] for line in outs.pop().splitlines()]
    assert names == sorted(names) and len(names) == 300


def test_links_are_followed_as_arguments_and_not_inside_folders(box):
    make_tree(box.path / "t")
    code, out, _ = box.scan("t")
    assert code == 1
    assert out.splitlines() == ["t/bad: Marker.One FOUND", "t/sub/bad2: Marker.One FOUND"]
    assert box.scan("t/linkbad")[1] == "t/linkbad: Marker.One FOUND\n"
    assert box.scan("t/dirlink")[1] == "t/dirlink/bad2: Marker.One FOUND\n"


def test_a_dangling_argument_is_an_error(box):
    make_tree(box.path / "t")
    assert box.scan("t/dangling")[0] == 2


def test_fifo_is_an_error_as_argument_and_passed_over_in_a_folder(box):
    tree = box.path / "t"
    tree.mkdir()
    os.mkfifo(tree / "fifo")
    code, out, err = box.scan("t/fifo")
    assert (code, out) == (2, "") and "not a regular file" in err
    code, out, err = box.scan("t")
    assert (code, out) == (0, "") and "1 skipped" in err


def test_device_is_never_opened(box):
    code, _, err = box.scan("/dev/null")
    assert code == 2 and "/dev/null: not a regular file" in err


def test_deeper_than_the_limit_is_not_fully_scanned(box):
    d = box.path / "d"
    for _ in range(4):
        d = d / "d"
    d.mkdir(parents=True)
    (d / "bad").write_bytes(ONE)
    code, out, _ = box.scan("--max-dir-recursion", 3, "d")
    assert (code, out) == (2, "d/d/d/d: NOT FULLY SCANNED (directory recursion limit)\n")
    assert box.scan("--max-dir-recursion", 5, "d")[0] == 1


def test_control_bytes_of_names_do_not_reach_the_terminal(box):
    tree = box.path / "t"
    tree.mkdir()
    for name in (b"nl\nname", b"esc\x1b[31m", b"c1\xc2\x9bx", b"bidi\xe2\x80\xaex", b"bad\xff", b"back\\slash"):
        with open(os.fsencode(tree) + b"/" + name, "wb") as f:
            f.write(ONE)
    _, out, _ = box.scan("t")
    assert out.splitlines() == [
        "t/back\\\\slash: Marker.One FOUND", "t/bad\\xff: Marker.One FOUND",
        "t/bidi\\xe2\\x80\\xaex: Marker.One FOUND", "t/c1\\xc2\\x9bx: Marker.One FOUND",
        "t/esc\\x1b[31m: Marker.One FOUND", "t/nl\\nname: Marker.One FOUND"]


def test_json_has_one_object_a_line_and_a_summary(box):
    make_tree(box.path / "t")
    code, out, err = box.scan("--json", "t", "nowhere")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and "summary" in rows[-1]
    by_path = {r["path"]: r for r in rows[:-1]}
    assert by_path["t/clean"]["verdict"] == "clean" and by_path["t/clean"]["size"] == 5
    assert by_path["t/bad"]["verdict"] == "found"
    assert by_path["t/bad"]["signatures"] == [{"name": "Marker.One", "official": False, "inner": ""}]
    assert by_path["t/bad"]["reasons"] == [] and by_path["t/bad"]["type"].startswith("CL_TYPE_")
    assert by_path["nowhere"]["verdict"] == "error" and "No such file" in by_path["nowhere"]["error"]
    s = rows[-1]["summary"]
    assert (s["files"], s["found"], s["errors"], s["signatures"]) == (4, 2, 1, 2)


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_member_that_says_it_is_a_device_is_not_clean(box, kind, method):
    member = zipfile.ZipInfo("payload")
    member.external_attr = (kind | 0o644) << 16
    member.compress_type = method
    with zipfile.ZipFile(box.path / "trick.zip", "w") as z:
        z.writestr(member, ONE)
    code, out, _ = box.scan("trick.zip")
    assert code in (1, 2) and out, "content that is not looked at must be said"


def test_json_keeps_the_exact_bytes_of_a_name_that_is_not_utf8(box):
    with open(os.fsencode(box.path) + b"/x\xff\"\ny", "wb") as f:
        f.write(ONE)
    _, out, _ = box.scan("--json", "--infected", b"x\xff\"\ny".decode("utf-8", "surrogateescape"))
    row = json.loads(out.splitlines()[0])
    assert row["path"] == "x\ufffd\"\ny" and bytes.fromhex(row["path_hex"]) == b"x\xff\"\ny"


def test_json_reasons_name_what_was_not_scanned(box):
    (box.path / "big").write_bytes(b"x" * 5000)
    code, out, _ = box.scan("--json", "--max-filesize", "1K", "big")
    row = json.loads(out.splitlines()[0])
    assert code == 2 and row["verdict"] == "incomplete"
    assert row["reasons"][0]["status"] == "limit reached"
    code, out, _ = box.scan("--max-filesize", "1K", "big")
    assert code == 2 and out.startswith("big: NOT FULLY SCANNED (")


def test_stdin_pipe_and_file(box):
    assert box.scan("-", stdin=b"xx" + ONE)[:2] == (1, "stdin: Marker.One FOUND\n")
    assert box.scan("-", stdin=b"clean")[:2] == (0, "")
    (box.path / "bad").write_bytes(ONE)
    with open(box.path / "bad", "rb") as f:
        r = subprocess.run([BUILD / "vitrine", "scan", "-d", box.db, "-"], stdin=f, capture_output=True,
                           timeout=60, env=dict(os.environ, XDG_CACHE_HOME=str(box.path / "cache")))
    assert (r.returncode, r.stdout) == (1, b"stdin: Marker.One FOUND\n")


def test_stdin_over_the_limit_is_not_clean(box):
    code, out, _ = box.scan("--max-filesize", "1K", "-", stdin=b"x" * 5000)
    assert code == 2 and out.startswith("stdin: NOT FULLY SCANNED (")


@pytest.mark.parametrize("program, lines", [
    (["vitrine", "scan"], ["bad: Marker.One FOUND"]), (["clamscan"], ["bad: Marker.One.UNOFFICIAL FOUND"])])
def test_a_killed_worker_costs_one_file_and_never_its_verdict(box, program, lines):
    (box.path / "first").write_bytes(b"hello" * 1000)
    (box.path / "bad").write_bytes(ONE)
    box.scan("bad")
    os.mkfifo(box.path / "list")
    jobs = ["--jobs", "1"] if len(program) == 2 else []
    p = subprocess.Popen([BUILD / program[0], *program[1:], *jobs, "--no-summary", "-d", box.db, "-f", "list"],
                         cwd=box.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         env=dict(os.environ, XDG_CACHE_HOME=str(box.path / "cache")))
    with open(box.path / "list", "w") as feed:
        worker, = wait_for(lambda: children(p.pid))
        os.kill(worker, signal.SIGSTOP)
        feed.write("first\n")
        feed.flush()
        wait_for(lambda: holds(p.pid, box.path / "first"))
        time.sleep(0.3)
        os.kill(worker, signal.SIGKILL)
        feed.write("bad\n")
    out, err = p.communicate(timeout=60)
    assert p.returncode == 1 and out.splitlines()[-1:] == lines
    assert "first: OK" not in out and "scan worker" in out + err


def test_file_list_by_line_and_by_nul(box):
    make_tree(box.path / "t")
    (box.path / "list").write_text("t/clean\nt/bad\n\n")
    assert box.scan("-f", "list")[:2] == (1, "t/bad: Marker.One FOUND\n")
    assert box.scan("-0", "-f", "-", stdin=b"t/bad\0t/sub\0")[1].splitlines() == [
        "t/bad: Marker.One FOUND", "t/sub/bad2: Marker.One FOUND"]
    assert box.scan("-f", "nolist")[0] == 2
    assert box.scan("-f", "list", "t")[0] == 2


def test_include_and_exclude(box):
    make_tree(box.path / "t")
    assert box.scan("--exclude", "bad$", "t")[1] == "t/sub/bad2: Marker.One FOUND\n"
    assert box.scan("--exclude-dir", "sub", "t")[1] == "t/bad: Marker.One FOUND\n"
    assert box.scan("--include", "2$", "t")[1] == "t/sub/bad2: Marker.One FOUND\n"
    assert box.scan("--exclude", "(", "t")[0] == 2


def test_output_switches(box):
    make_tree(box.path / "t")
    code, out, err = box.scan("--quiet", "t")
    assert (code, out, err.count("\n")) == (1, "", 0) or "compiling" in err
    assert "OK" not in box.scan("-v", "-i", "t")[1]
    assert box.scan("--no-summary", "t")[2] == ""


def test_colour_and_progress_only_on_a_terminal(box):
    make_tree(box.path / "t")
    box.scan("t")
    main, side = pty.openpty()
    r = subprocess.run([BUILD / "vitrine", "scan", "-d", box.db, "t"], stdout=side, stderr=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, cwd=box.path, timeout=60,
                       env=dict(os.environ, XDG_CACHE_HOME=str(box.path / "cache")))
    os.close(side)
    shown = os.read(main, 65536)
    os.close(main)
    assert r.returncode == 1 and b"\x1b[1;31mFOUND" in shown
    assert "\x1b" not in box.scan("t")[1]


@pytest.mark.parametrize("args", [["--nonsense"], ["-Z"], ["--max-filesize", "abc", "x"], ["--jobs"], []])
def test_wrong_usage_is_2_with_a_hint(box, args):
    code, out, err = box.raw("scan", *args)
    assert (code, out) == (2, "") and "vitrine scan --help" in err


def test_help_has_examples_and_version(box):
    for args in (["--help"], ["scan", "--help"], ["db", "build", "--help"], ["db", "info", "--help"]):
        code, out, _ = box.raw(*args)
        assert code == 0 and "Examples:" in out
    assert box.raw("help", "scan")[1] == box.raw("scan", "--help")[1]
    assert box.raw("--version")[1].startswith("vitrine ")
    assert box.raw("nonsense")[0] == 2


def test_cpumask_level_is_checked(box):
    (box.path / "bad").write_bytes(ONE)
    assert box.scan("--cpumask", "scalar", "bad")[0] == 1
    assert box.scan("--cpumask", "quantum", "bad")[0] == 2


def cache_files(box):
    return sorted(p.name for p in (box.path / "cache" / "vitrine").iterdir())


def test_compiled_once_and_kept_by_content(box):
    (box.path / "bad").write_bytes(ONE)
    assert "compiling" in box.scan("bad")[2]
    assert "compiling" not in box.scan("bad")[2]
    first = [n for n in cache_files(box) if n.endswith(".vdb")]
    os.utime(box.db)
    code, _, err = box.scan("bad")
    assert code == 1 and "compiling" not in err, "same content, other times: found by content"
    box.db.write_text(rule("Other", TWO))
    code, _, err = box.scan("bad")
    assert code == 0 and "compiling" in err
    assert len([n for n in cache_files(box) if n.endswith(".vdb")]) == len(first) + 1


def test_identity_is_recorded_once_the_source_has_settled(box):
    (box.path / "bad").write_bytes(ONE)
    box.scan("bad")
    assert not [n for n in cache_files(box) if n.endswith(".id")]
    time.sleep(4)
    box.scan("bad")
    assert [n for n in cache_files(box) if n.endswith(".id")]
    assert box.scan("bad")[0] == 1


def test_cache_is_private_and_pruned(box):
    (box.path / "clean").write_bytes(b"hello")
    for i in range(6):
        box.db.write_text(rule(f"N{i}", ONE))
        assert box.scan("clean")[0] == 0
    folder = box.path / "cache" / "vitrine"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = list(folder.glob("*.vdb"))
    assert len(kept) == 4
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in kept)
    assert not list(folder.glob("tmp.*"))


def test_cache_folder_open_to_others_is_not_used(box):
    folder = box.path / "cache" / "vitrine"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    (box.path / "bad").write_bytes(ONE)
    code, _, err = box.scan("bad")
    assert code == 1 and "open to others" in err and not list(folder.iterdir())


def test_cache_folder_that_is_a_link_is_not_used(box):
    (box.path / "cache").mkdir()
    (box.path / "elsewhere").mkdir(mode=0o700)
    (box.path / "cache" / "vitrine").symlink_to(box.path / "elsewhere")
    (box.path / "bad").write_bytes(ONE)
    code, _, err = box.scan("bad")
    assert code == 1 and "cache folder" in err and not list((box.path / "elsewhere").iterdir())


def test_damaged_cached_database_is_compiled_anew(box):
    (box.path / "bad").write_bytes(ONE)
    box.scan("bad")
    kept = next((box.path / "cache" / "vitrine").glob("*.vdb"))
    whole = kept.read_bytes()
    kept.write_bytes(whole[:24] + bytes([whole[24] ^ 1]) + whole[25:])
    code, _, err = box.scan("bad")
    assert code == 1 and "compiling" in err
    assert kept.read_bytes() == whole


def test_damaged_database_is_never_clean(box):
    (box.path / "bad").write_bytes(ONE)
    box.raw("db", "build", "-o", "x.vdb", "rules")
    data = bytearray((box.path / "x.vdb").read_bytes())
    data[24] ^= 1
    (box.path / "x.vdb").write_bytes(data)
    assert box.scan("bad", db="x.vdb")[:2] == (2, "")


def test_no_usable_database_is_an_error(box):
    (box.path / "x").write_bytes(b"x")
    (box.path / "none").mkdir()
    assert box.scan("x", db="none")[0] == 2
    assert box.scan("x", db="nowhere")[0] == 2
    (box.path / "a.txt").write_text("x")
    assert box.scan("x", db="a.txt")[0] == 2


def test_db_build_is_deterministic_and_info_reads_it(box):
    (box.path / "b.ndb").write_text(rule("B", b"another marker"))
    assert box.raw("db", "build", "-o", "1.vdb", "rules/a.ndb", "b.ndb")[0] == 0
    assert box.raw("db", "build", "-o", "2.vdb", "b.ndb", "rules")[0] == 0
    assert (box.path / "1.vdb").read_bytes() == (box.path / "2.vdb").read_bytes()
    code, out, _ = box.raw("db", "info", "--json", "1.vdb")
    info = json.loads(out)
    assert code == 0 and info["counters"]["body"] == 3 and len(info["sources"]) == 64
    assert box.raw("db", "info", "1.vdb")[1].startswith("1.vdb: ")
    (box.path / "bad").write_bytes(ONE)
    assert box.scan("bad", db="1.vdb")[0] == 1


def test_db_build_reports_skipped_lines_and_strict_refuses(box):
    (box.path / "c.ndb").write_text(rule("Good", ONE) + "Bad:0:*:zz\n" * 25)
    code, _, err = box.raw("db", "build", "-o", "c.vdb", "c.ndb")
    assert code == 0 and "c.ndb:2: " in err and "... and 5 more" in err
    (box.path / "c.vdb").write_bytes(b"before")
    code, _, err = box.raw("db", "build", "--strict", "-o", "c.vdb", "c.ndb")
    assert code == 2 and "c.ndb" in err
    assert (box.path / "c.vdb").read_bytes() == b"before", "the old file stays when the new one fails"
    assert not list(box.path.glob("*.tmp.*"))


def test_db_info_refuses_what_is_no_database(box):
    (box.path / "x.vdb").write_bytes(b"not a database" * 100)
    code, out, err = box.raw("db", "info", "x.vdb")
    assert (code, out) == (2, "") and "x.vdb: " in err
