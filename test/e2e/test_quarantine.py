"""--move, --copy, --remove act on the file that was scanned and on nothing else, whoever swaps names
meanwhile. Races are made by replacing files while a slow first file keeps the results waiting."""
import os
import signal
import stat
import subprocess

import pytest

from cli import BUILD, ONE, children, holds, make_rules, run, wait_for
from seed import random_for


@pytest.fixture
def box(tmp_path):
    make_rules(tmp_path / "db")
    (tmp_path / "q").mkdir()
    (tmp_path / "in").mkdir()

    class Box:
        path = tmp_path

        def scan(self, *args):
            return run("vitrine", "scan", "--no-summary", "-d", "db", *args, cache=tmp_path / "cache", cwd=tmp_path)

        def clam(self, *args):
            return run("clamscan", "--no-summary", "-d", "db", *args, cache=tmp_path / "cache", cwd=tmp_path)

    return Box()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_move_takes_the_file_and_its_rights(box):
    bad = box.path / "in" / "bad"
    bad.write_bytes(ONE)
    bad.chmod(0o755)
    code, _, err = box.scan("--move", "q", "in")
    assert code == 1 and not bad.exists()
    moved = box.path / "q" / "bad"
    assert moved.read_bytes() == ONE and stat.S_IMODE(moved.stat().st_mode) == 0o600
    assert f"moved '{bad}' to '{moved}'" in err


def test_copy_leaves_the_file(box):
    (box.path / "in" / "bad").write_bytes(ONE)
    assert box.scan("--copy", "q", "in")[0] == 1
    assert (box.path / "in" / "bad").exists() and (box.path / "q" / "bad").read_bytes() == ONE


def test_remove(box):
    (box.path / "in" / "bad").write_bytes(ONE)
    (box.path / "in" / "clean").write_bytes(b"x")
    assert box.scan("--remove", "in")[0] == 1
    assert names(box.path / "in") == ["clean"]


def test_taken_names_get_a_number_and_nothing_is_overwritten(box):
    (box.path / "q" / "bad").write_bytes(b"mine")
    (box.path / "q" / "bad.001").symlink_to(box.path / "victim")
    (box.path / "in" / "bad").write_bytes(ONE)
    assert box.scan("--move", "q", "in")[0] == 1
    assert (box.path / "q" / "bad").read_bytes() == b"mine"
    assert not (box.path / "victim").exists()
    assert (box.path / "q" / "bad.002").read_bytes() == ONE


def test_large_content_arrives_whole(box):
    body = ONE + random_for("body").randbytes(3_000_000)
    (box.path / "in" / "bad").write_bytes(body)
    box.scan("--move", "q", "in")
    assert (box.path / "q" / "bad").read_bytes() == body


def test_a_link_named_as_argument_leads_to_the_real_file(box):
    (box.path / "real").write_bytes(ONE)
    (box.path / "in" / "link").symlink_to("../real")
    assert box.scan("--remove", "in/link")[0] == 1
    assert not (box.path / "real").exists() and (box.path / "in" / "link").is_symlink()


def test_quarantine_inside_the_scanned_tree_is_left_alone(box):
    (box.path / "q" / "old").write_bytes(ONE)
    code, _, err = box.scan("--move", "q", ".", "--exclude-dir", "db|cache")
    assert code == 1 and names(box.path / "q") == ["old"] and "already in the quarantine" in err


def test_folder_must_exist_and_only_one_action(box):
    (box.path / "in" / "bad").write_bytes(ONE)
    assert box.scan("--move", "nowhere", "in")[0] == 2
    assert box.scan("--move", "q", "--remove", "in")[0] == 2
    assert (box.path / "in" / "bad").exists()


def test_clamscan_lines(box):
    bad = box.path / "in" / "bad"
    bad.write_bytes(ONE)
    assert box.clam("--copy=q", "in")[1] == (
        "in/bad: Marker.One.UNOFFICIAL FOUND\n"
        f"in/bad (real path: '{bad}'): copied to '{box.path}/q/bad'\n")
    assert box.clam("--move=q", "in")[1].splitlines()[1] == (
        f"in/bad (real path: '{bad}'): moved to '{box.path}/q/bad.001'")
    bad.write_bytes(ONE)
    assert box.clam("--remove", "in")[1].splitlines()[1] == f"in/bad (real path: '{bad}'): Removed."
    assert names(box.path / "in") == []


def race(box, action, swap):
    """Scans 0-slow and 1-bad with one worker that is stopped (SIGSTOP) from before the list of files is
    fed until 1-bad was opened and swapped: its action comes after the swap, whatever the timing."""
    (box.path / "in" / "0-slow").write_bytes(random_for("slow").randbytes(1 << 20) * 8)
    bad = box.path / "in" / "1-bad"
    bad.write_bytes(ONE)
    subprocess.run([BUILD / "vitrine", "scan", "-d", "db", "db"], cwd=box.path, capture_output=True,
                   env=dict(os.environ, XDG_CACHE_HOME=str(box.path / "cache")), timeout=60)
    os.mkfifo(box.path / "list")
    p = subprocess.Popen([BUILD / "vitrine", "scan", "--no-summary", "--jobs", "1", "-d", "db", *action,
                          "-f", "list"], cwd=box.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=dict(os.environ, XDG_CACHE_HOME=str(box.path / "cache")))
    feed = open(box.path / "list", "w")
    workers = wait_for(lambda: children(p.pid))
    for w in workers:
        os.kill(w, signal.SIGSTOP)
    feed.write("in/0-slow\nin/1-bad\n")
    feed.close()
    wait_for(lambda: holds(p.pid, bad))
    swap(bad)
    for w in workers:
        os.kill(w, signal.SIGCONT)
    out, err = p.communicate(timeout=60)
    return p.returncode, out.decode(), err.decode()


ACTIONS = [["--move", "q"], ["--copy", "q"], ["--remove"]]


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
def test_race_file_replaced_by_a_link(box, action):
    victim = box.path / "victim"
    victim.write_bytes(b"precious")

    def swap(bad):
        bad.unlink()
        bad.symlink_to(victim)

    code, out, err = race(box, action, swap)
    assert code == 1 and "in/1-bad: Marker.One FOUND" in out and "left where it is" in err
    assert victim.read_bytes() == b"precious" and (box.path / "in" / "1-bad").is_symlink()
    assert names(box.path / "q") == []


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
def test_race_file_replaced_by_another_file(box, action):
    other = box.path / "other"
    other.write_bytes(b"innocent")

    def swap(bad):
        os.rename(other, bad)

    code, _, err = race(box, action, swap)
    assert code == 1 and "left where it is" in err
    assert (box.path / "in" / "1-bad").read_bytes() == b"innocent"
    assert names(box.path / "q") == []


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
def test_race_file_with_the_name_that_the_kernel_gives_a_removed_one(box, action):
    trap = box.path / "in" / "1-bad (deleted)"

    def swap(bad):
        bad.unlink()
        trap.write_bytes(b"precious")

    code, _, err = race(box, action, swap)
    assert code == 1 and "another file has taken the place" in err
    assert trap.read_bytes() == b"precious" and names(box.path / "q") == []


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
def test_race_folder_replaced_by_a_link(box, action):
    trap = box.path / "trap"
    trap.mkdir()
    (trap / "1-bad").write_bytes(b"precious")

    def swap(bad):
        os.rename(box.path / "in", box.path / "away")
        (box.path / "in").symlink_to(trap)

    code, _, err = race(box, action, swap)
    assert code == 1
    assert (trap / "1-bad").read_bytes() == b"precious"
    taken = (box.path / "q" / "1-bad")
    assert not taken.exists() or taken.read_bytes() == ONE
    if action == ["--remove"]:
        assert not (box.path / "away" / "1-bad").exists(), "the scanned file itself, where it is now"
