"""Called as clamscan: the lines, summary and exit codes of the real one, compared line by line with it
where it is installed, and with what it printed (version 1.4.6) where not."""
import os
import re

import pytest

from cli import ONE, TWO, make_rules, make_tree, run
from oracle import REAL, WHY

@pytest.fixture
def box(tmp_path):
    class Box:
        path = tmp_path
        db = make_rules(tmp_path / "db")

        def ours(self, *args, **kw):
            return run("clamscan", *args, cache=tmp_path / "cache", cwd=tmp_path, **kw)

        def real(self, *args, **kw):
            return run(REAL, *args, cache=tmp_path / "cache", cwd=tmp_path, **kw)

    make_tree(tmp_path / "t")
    return Box()


def lines(text):
    """Without what depends on time and on how data is counted; walk order is the file system's there."""
    drop = re.compile(r"^(Time|Start Date|End Date|Data scanned|Data read):")
    return sorted(re.sub(r"^\S+/clamscan:", "clamscan:", line) for line in text.splitlines()
                  if not drop.match(line))


SAME = [
    ["-d", "db", "t"], ["-d", "db", "-r", "t"], ["-d", "db", "-r", "-i", "t"],
    ["-d", "db", "-r", "-o", "t"], ["-d", "db", "-ri", "t", "--no-summary"],
    ["-d", "db", "--quiet", "-r", "t"], ["-d", "db", "-v", "t/bad", "t/empty", "t/clean"],
    ["-d", "db", "t/link", "t/linkbad", "t/dirlink"], ["-d", "db", "t/"], ["-d", "db", "t/../t/bad"],
    ["-d", "db", "/nonexistent", "t/clean"], ["-d", "db", "/nonexistent", "t/bad"],
    ["-d", "db", "-i", "/nonexistent", "t/clean"], ["-d", "db", "--quiet", "/nonexistent"],
    ["-d", "db", "fifo"], ["-d", "db", "--stdout", "/nonexistent", "fifo", "t/bad"],
    ["-d", "db", "--follow-dir-symlinks=0", "--follow-file-symlinks=0", "-r", "t", "t/link", "t/dirlink"],
    ["-d", "db", "-r", "--exclude=bad", "--exclude-dir=sub", "t"], ["-d", "db", "-r", "--include=bad", "t"],
    ["-d", "db", "-r", "--include-dir=sub", "t"], ["-d", "db", "-f", "list"],
    ["-d", "db", "-f", "list", "t/sub"], ["-d", "db", "-f", "nolist"], ["-d", "db", "--rec", "t"],
    ["-ddb", "t/bad"], ["-d", "db", "--", "t/bad"], ["-d", "db", "--max-dir-recursion=9", "-r", "t"],
    ["-d", "db", "--allmatch=no", "t/bad"], ["-d", "db", "--infected=yes", "t"],
    ["-d", "db", "--leave-temps", "--gen-json=no", "--disable-cache", "--bell", "t/bad"],
    ["-V"], ["--xx"], ["--s"], ["-d", "db", "-x", "t"], ["-d", "db", "-d"], ["-d", "db", "--max-filesize"],
    ["-d", "db", "--max-filesize=abc", "t"], ["-d", "db", "--max-filesize=1kb", "t"],
    ["-d", "db", "--recursive=maybe", "t"], ["-d", "db", "--statistics=xx", "t"],
    ["-d", "db", "--max-scansize=-1", "t"], ["-d", "db", "--max-files=1.5", "t"],
    ["-d", "db", "--move=nonexist", "t/bad"],
    ["-d", "emptydb", "t"], ["-d", "nodb", "t"], ["-d", "baddb", "t"], ["-d", "bad.ndb", "t"],
    ["-d", "e.ndb", "t"], ["-d", "odd.xyz", "t"], ["-d", "emptydb", "-d", "db", "t"],
    ["-d", "db", "--official-db-only", "t"], ["-d", "nodb", "--quiet", "t"],
]


def make_databases(path):
    for name in ("emptydb", "baddb"):
        (path / name).mkdir()
    (path / "baddb" / "a.ndb").write_text("x:0:*:zz\n")
    (path / "bad.ndb").write_text("A:0:*:aabbccddee\nB:0:*:zz\n")
    (path / "e.ndb").write_text("")
    (path / "odd.xyz").write_text("A:0:*:aabbccddee\n")
    (path / "list").write_text("t/bad\nt/clean\n")
    os.mkfifo(path / "fifo")


@pytest.mark.parametrize("args", SAME, ids=" ".join)
def test_same_lines_and_exit_code_as_the_real_one(box, args):
    if not REAL:
        pytest.skip(WHY)
    make_databases(box.path)
    ours, real = box.ours(*args), box.real(*args)
    assert ours[0] == real[0]
    assert lines(ours[1]) == lines(real[1])
    assert lines(ours[2]) == lines(real[2])


def test_stdin_same_as_the_real_one(box):
    if not REAL:
        pytest.skip(WHY)
    for body in (ONE, b"clean", b""):
        ours, real = (f("-d", "db", "-", stdin=body) for f in (box.ours, box.real))
        assert (ours[0], lines(ours[1])) == (real[0], lines(real[1]))


def test_log_same_as_the_real_one(box):
    if not REAL:
        pytest.skip(WHY)
    for more in ([], ["-v"]):
        args = ["-d", "db", *more, "t/clean", "t/empty", "t/bad", "/nonexistent"]
        box.ours("-l", "ours.log", *args)
        box.real("-l", "real.log", *args)
        logs = [lines((box.path / n).read_text()) for n in ("ours.log", "real.log")]
        assert logs[0] == logs[1]
        for n in ("ours.log", "real.log"):
            (box.path / n).unlink()


def test_found_line_summary_and_exit_code(box):
    code, out, err = box.ours("-d", "db", "t/bad", "t/clean")
    assert (code, err) == (1, "")
    assert out.startswith("t/bad: Marker.One.UNOFFICIAL FOUND\nt/clean: OK\n\n"
                          "----------- SCAN SUMMARY -----------\nKnown viruses: 2\nEngine version: 1.4.6\n"
                          "Scanned directories: 0\nScanned files: 2\nInfected files: 1\nData scanned: 0.00 MB\n"
                          "Data read: 0.00 MB (ratio 0.00:1)\nTime: ")
    assert re.search(r"\nTime: \d+\.\d{3} sec \(0 m \d+ s\)\nStart Date: \d{4}:\d\d:\d\d \d\d:\d\d:\d\d\n"
                     r"End Date:   \d{4}:\d\d:\d\d \d\d:\d\d:\d\d\n$", out)


def test_all_matches_one_line_each(box):
    code, out, _ = box.ours("-d", "db", "-z", "--no-summary", "t/bad")
    assert code == 1 and sorted(out.splitlines()) == [
        "t/bad: Marker.One.UNOFFICIAL FOUND", "t/bad: Marker.Two.UNOFFICIAL FOUND"]


def test_no_argument_is_the_current_directory_by_its_absolute_path(box):
    (box.path / "bad").write_bytes(ONE)
    out = box.ours("-d", "db", "--no-summary", "-i")[1]
    assert out == f"{box.path}/bad: Marker.One.UNOFFICIAL FOUND\n"


def test_what_was_not_fully_scanned_is_said_on_stderr_and_ends_with_2(box):
    (box.path / "big").write_bytes(b"x" * 5000)
    code, out, err = box.ours("-d", "db", "--no-summary", "--max-filesize=1K", "big")
    assert (code, out) == (2, "big: OK\n")
    assert err.startswith("WARNING: big: not fully scanned: ")
    code, _, err = box.ours("-d", "db", "--no-summary", "--max-filesize=1K", "--quiet", "big")
    assert (code, err) == (2, "")


def test_folders_below_the_limit_are_said_on_stderr(box):
    (box.path / "a" / "b").mkdir(parents=True)
    (box.path / "a" / "b" / "bad").write_bytes(ONE)
    code, out, err = box.ours("-d", "db", "-r", "--max-dir-recursion=1", "--no-summary", "a")
    assert (code, out) == (2, "")
    assert err == "WARNING: a/b: not fully scanned: directory recursion limit\n"


def test_control_bytes_of_names_are_escaped_here_too(box):
    (box.path / "n").mkdir()
    (box.path / "n" / "a\n\x1b[31mb\\c").write_bytes(ONE)
    out = box.ours("-d", "db", "--no-summary", "n")[1]
    assert out == "n/a\\n\\x1b[31mb\\c: Marker.One.UNOFFICIAL FOUND\n"


def test_options_that_would_change_detection_warn(box):
    code, _, err = box.ours("-d", "db", "--alert-encrypted", "--alert-macros=no", "--gen-json", "t/clean")
    assert code == 0 and err.splitlines() == ["WARNING: --alert-encrypted is not active in this version",
                                              "WARNING: --gen-json is not active in this version"]


def test_every_option_of_the_real_help_is_accepted(box):
    if not REAL:
        pytest.skip(WHY)
    ours = box.ours("--help")[1]
    names = set(re.findall(r"^    --([a-z-]+)", box.real("--help")[1], re.M))
    assert len(names) > 80
    assert not [n for n in names if f"--{n}" not in ours]


def test_unreadable_file_and_folder(box):
    if os.geteuid() == 0:
        pytest.skip("root can read everything")
    (box.path / "t" / "clean").chmod(0)
    (box.path / "t" / "sub").chmod(0)
    code, out, _ = box.ours("-d", "db", "t/clean", "t/sub")
    assert code == 2 and "t/clean: Access denied\nt/sub: Can't open directory.\n" in out
    assert "Total errors: 2" in out
    assert box.ours("-d", "db", "-i", "t/clean")[2] == "WARNING: t/clean: Access denied\n"
    (box.path / "t" / "sub").chmod(0o700)


def test_duplicate_marker_in_two_files_counts_two(box):
    (box.path / "bad3").write_bytes(TWO)
    out = box.ours("-d", "db", "-r", "t", "bad3")[1]
    assert "Infected files: 3" in out
