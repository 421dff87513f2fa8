"""vitrine monitor against a log, witnesses and a repository on the loopback: the whole way through
fetcher, jail, state on disk, lines of JSON, hook and exit codes."""
import ctypes
import hashlib
import json
import os
import signal
import stat
import subprocess

import pytest

from cli import BUILD, children, wait_for
from tlogsim import Key, Log, Web, release, verdict


class World:
    def __init__(self, tmp):
        self.tmp = tmp
        self.www = tmp / "www"
        for name in ("log", "repo"):
            (self.www / name).mkdir(parents=True)
        self.witnesses = [Key(f"witness{i}.example", 4) for i in (1, 2, 3)]
        self.publisher, self.rebuilder = Key("publisher"), Key("rebuilder")
        self.log = Log(self.www / "log", Key("log.example/e2e"), self.witnesses)
        self.state = tmp / "state"

    def write_policy(self, url, *more, plain=False):
        lines = [f"log {self.log.key.vkey()} {url}/log/"]
        lines += [f"witness w{i} {w.vkey()} {url}/w{i}" for i, w in enumerate(self.witnesses, 1)]
        lines += ["group g 2 w1 w2 w3", "quorum g"]
        if not plain:
            (self.tmp / "pub.pem").write_text(self.publisher.pem())
            lines += ["# who may say what", "publisher pub pub.pem",
                      f"rebuilder r {self.rebuilder.vkey()}",
                      f"repository {url}/repo/{{sha256}}", "subject-within 0s"]
        self.policy = self.tmp / "policy"
        self.policy.write_text("\n".join([*lines, *more]) + "\n")

    def add(self, content, rebuilt=True):
        self.log.entries.append(release(self.publisher, content))
        if rebuilt:
            self.log.entries.append(verdict(self.rebuilder, content))
        (self.www / "repo" / hashlib.sha256(content).hexdigest()).write_bytes(content)

    def look(self, *args):
        r = subprocess.run([str(BUILD / "vitrine"), "monitor", "--once", "--state", str(self.state),
                            *args, str(self.policy)], capture_output=True, timeout=60,
                           stdin=subprocess.DEVNULL)
        lines = [json.loads(line) for line in r.stdout.decode("ascii").splitlines()]
        return r.returncode, lines, r.stderr.decode()


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    with Web(w.www) as web:
        w.web = web
        w.write_policy(web.url)
        w.add(b"first")
        w.log.publish()
        yield w


def names(lines):
    return sorted((x["alert"], x["state"]) for x in lines)


def test_a_good_log_is_silent_and_remembered(world):
    code, lines, err = world.look()
    assert (code, lines) == (0, [])
    assert "taken as the beginning" in err
    for i in range(300):
        world.log.entries.append(world.log.entries[0])
    world.add(b"second")
    world.log.publish()
    code, lines, err = world.look()
    assert (code, lines, err) == (0, [], "")
    world.web.server.asked.clear()
    assert world.look()[0] == 0
    assert not [p for _, p, _ in world.web.server.asked if "tile" in p]


def test_a_plain_policy_works(world):
    world.write_policy(world.web.url, plain=True)
    world.log.entries.append(b"no statement at all")
    world.log.publish()
    code, lines, err = world.look()
    assert (code, lines) == (0, [])
    assert "hashed, not judged" in err


def test_a_split_view_is_found_kept_and_stays_until_it_is_acknowledged(world):
    assert world.look()[0] == 0
    other = [release(world.publisher, b"only for you"), *world.log.entries[1:]]
    good = world.log.note([world.witnesses[1]])
    bad = world.log.note([world.witnesses[1]], other)
    world.log.show_witness(1, bad)
    code, lines, err = world.look()
    assert code == 1
    assert names(lines) == [("split-view", "raised")]
    assert lines[0]["witness"] == "w2" and lines[0]["severity"] == "critical"
    notes = [(world.state / "evidence" / n).read_bytes() for n in lines[0]["evidence"]]
    assert bad in notes and len(notes) == 2
    assert "critical: split-view" in err
    world.log.show_witness(1, good)
    assert world.look()[:2] == (1, [])
    code, lines, _ = world.look("--acknowledge")
    assert (code, names(lines)) == (0, [("split-view", "acknowledged")])
    assert (world.state / "evidence" / hashlib.sha256(bad).hexdigest()).with_suffix(".note").exists()


def test_a_log_that_forgets_its_past_is_inconsistent(world):
    assert world.look()[0] == 0
    world.log.entries[0] = release(world.publisher, b"rewritten")
    world.add(b"more")
    world.log.publish()
    code, lines, _ = world.look()
    assert code == 1
    assert ("inconsistent", "raised") in names(lines)


def test_entries_are_judged_one_by_one(world):
    stranger = Key("stranger")
    world.log.entries += [b"\xff", release(stranger, b"x"), verdict(world.rebuilder, b"first", "FAILED")]
    world.log.entries.append(release(world.publisher, b"nowhere"))
    world.log.entries.append(verdict(world.rebuilder, b"nowhere"))
    world.log.publish()
    code, lines, _ = world.look()
    assert code == 1
    assert names(lines) == [("bad-entry-signature", "raised"), ("malformed-entry", "raised"),
                            ("rebuild-differs", "raised"), ("subject-missing", "raised")]
    by = {x["alert"]: x for x in lines}
    assert by["malformed-entry"]["entry"] == 2
    assert by["rebuild-differs"]["other"] == "r"
    assert by["subject-missing"]["subject"] == hashlib.sha256(b"nowhere").hexdigest()
    assert by["subject-missing"]["name"] == "a.vdb"


def test_a_file_that_differs_is_found_when_files_are_fetched(world):
    path = world.www / "repo" / hashlib.sha256(b"first").hexdigest()
    path.write_bytes(b"other")
    assert world.look()[:2] == (0, [])
    world.state = world.tmp / "state2"
    world.write_policy(world.web.url, "fetch-subjects yes")
    code, lines, _ = world.look()
    assert (code, names(lines)) == (1, [("subject-differs", "raised")])
    path.write_bytes(b"first")
    code, lines, _ = world.look()
    assert (code, names(lines)) == (0, [("subject-differs", "cleared")])


def test_nobody_rebuilt_it_in_time(world):
    world.write_policy(world.web.url, "rebuilt-within 0s")
    world.add(b"second", rebuilt=False)
    world.log.publish()
    code, lines, _ = world.look()
    assert (code, names(lines)) == (1, [("not-rebuilt", "raised")])


def test_what_cannot_be_checked_is_exit_code_2(world):
    assert world.look()[0] == 0
    (world.www / "log" / "checkpoint").unlink()
    code, lines, err = world.look()
    assert (code, lines) == (2, [])
    assert "could not be checked" in err


def test_a_missing_tile_is_a_gap(world):
    (world.www / "log" / "tile/entries/000.p/2").unlink()
    code, lines, _ = world.look()
    assert (code, names(lines)) == (1, [("gap", "raised")])


def test_the_hook_gets_each_alert_without_a_shell(world):
    out = world.tmp / "out"
    hook = world.tmp / "hook"
    hook.write_text(f'#!/bin/sh\ncat >> "{out}"\necho "$1|$2|$HOME|$SECRET" >> "{out}.args"\n')
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    world.write_policy(world.web.url, f"hook {hook} $HOME;x b")
    world.log.entries.append(b"junk")
    world.log.publish()
    os.environ["SECRET"] = "not for the hook"
    try:
        code, lines, _ = world.look()
    finally:
        del os.environ["SECRET"]
    assert code == 1
    assert [json.loads(x) for x in out.read_text().splitlines()] == lines
    assert (world.tmp / "out.args").read_text() == "$HOME;x|b||\n"
    assert world.look()[:2] == (1, [])
    assert len(out.read_text().splitlines()) == 1


def test_a_hook_that_fails_is_said(world):
    world.write_policy(world.web.url, "hook /bin/false")
    world.log.entries.append(b"junk")
    world.log.publish()
    code, _, err = world.look()
    assert code == 1
    assert "hook /bin/false: exit status 1" in err


def hook_that_fails_once(world):
    out, mark, hook = world.tmp / "out", world.tmp / "mark", world.tmp / "hook"
    hook.write_text(f'#!/bin/sh\n[ -e "{mark}" ] || {{ : > "{mark}"; exit 1; }}\ncat >> "{out}"\n')
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    return hook, out


def test_a_line_that_the_hook_did_not_take_is_told_again(world):
    hook, out = hook_that_fails_once(world)
    world.write_policy(world.web.url, f"hook {hook}", "interval 1s")
    world.log.entries.append(b"junk")
    world.log.publish()
    p = start(world)
    try:
        line = p.stdout.readline()
        wait_for(lambda: out.exists() and out.read_bytes() == line)
    finally:
        p.terminate()
        p.communicate(timeout=30)
    assert p.returncode == 0


def test_who_was_not_told_that_it_is_over_is_told_by_the_exit_code(world):
    world.write_policy(world.web.url)
    gone = world.www / "log" / "tile/entries/000.p/2"
    bundle = gone.read_bytes()
    gone.unlink()
    assert world.look()[0] == 1
    gone.write_bytes(bundle)
    world.write_policy(world.web.url, "hook /bin/false")
    code, lines, _ = world.look()
    assert (code, names(lines)) == (2, [("gap", "cleared")])


def test_the_hook_hears_it_also_when_the_output_is_full(world):
    out, hook = world.tmp / "out", world.tmp / "hook"
    hook.write_text(f'#!/bin/sh\ncat >> "{out}"\n')
    hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    world.write_policy(world.web.url, f"hook {hook}")
    world.log.entries.append(b"junk")
    world.log.publish()
    with open("/dev/full", "wb") as full:
        r = subprocess.run([str(BUILD / "vitrine"), "monitor", "--once", "--state", str(world.state),
                            str(world.policy)], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert r.returncode == 2 and b"stdout" in r.stderr
    assert json.loads(out.read_text())["alert"] == "malformed-entry"


def test_a_monitor_that_cannot_look_any_more_says_so_as_an_alert(world):
    world.write_policy(world.web.url, "interval 1s", "unreachable-after 1s")
    p = start(world)
    state = world.state / "state"
    try:
        good = wait_for(lambda: state.exists() and state.read_bytes())
        for bad in (b"x", None):  # damaged; removed
            state.write_bytes(bad) if bad else state.unlink()
            first = json.loads(p.stdout.readline())
            assert (first["alert"], first["state"]) == ("monitor-failed", "raised")
            state.write_bytes(good)
            second = json.loads(p.stdout.readline())
            assert (second["alert"], second["state"]) == ("monitor-failed", "cleared")
    finally:
        p.terminate()
        p.communicate(timeout=30)
    assert p.returncode == 0


def test_a_damaged_state_is_refused_not_forgotten(world):
    assert world.look()[0] == 0
    state = world.state / "state"
    good = state.read_bytes()
    for bad in (b"", good[:-1], bytes([good[0] ^ 1]) + good[1:], good[:40] + b"x" + good[41:]):
        state.write_bytes(bad)
        code, lines, err = world.look()
        assert (code, lines) == (2, [])
        assert "state" in err
        assert state.read_bytes() == bad
    state.write_bytes(good)
    assert world.look()[0] == 0


def test_requests_carry_nothing_that_tells_who_asks(world):
    assert world.look()[0] == 0
    asked = world.web.server.asked
    assert {c for c, _, _ in asked} == {"GET", "HEAD"}
    assert {frozenset(h) for _, _, h in asked} == {frozenset({"Host"})}


def test_wrong_command_lines_and_policies_are_exit_code_2(world, tmp_path):
    def run(*args):
        r = subprocess.run([str(BUILD / "vitrine"), "monitor", *args], capture_output=True,
                           stdin=subprocess.DEVNULL)
        return r.returncode, r.stdout.decode(), r.stderr.decode()
    assert run()[0] == 2
    assert run("--nonsense", "x")[0] == 2
    assert run(str(tmp_path / "nowhere"))[0] == 2
    code, out, _ = run("--help")
    assert code == 0 and "Examples" in out
    world.write_policy(world.web.url, "nonsense")
    code, _, err = run("--once", str(world.policy))
    assert code == 2 and "line 12" in err


def start(world, *args, **kw):
    return subprocess.Popen([str(BUILD / "vitrine"), "monitor", "--state", str(world.state), *args,
                             str(world.policy)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)


def test_it_runs_until_a_signal_and_says_whether_a_log_lied(world):
    world.write_policy(world.web.url, "interval 1s")
    for want in (0, 1):
        p = start(world)
        try:
            wait_for(lambda: (world.state / "state").exists())
            if want:
                bad = world.log.note([world.witnesses[0]], [b"x", *world.log.entries[1:]])
                world.log.show_witness(0, bad)
                assert json.loads(p.stdout.readline())["alert"] == "split-view"
        finally:
            p.send_signal(signal.SIGTERM)
            p.communicate(timeout=30)
        assert p.returncode == want


def become_first_process():
    """Orphans below become children of this process, as below the first one of a container."""
    PR_SET_CHILD_SUBREAPER = 36
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def test_as_first_process_of_a_container_it_leaves_no_dead_ones(world):
    world.write_policy(world.web.url, "interval 0s")
    p = start(world, preexec_fn=become_first_process)
    try:
        asked = world.web.server.asked
        wait_for(lambda: sum(path == "/log/checkpoint" for _, path, _ in asked) >= 8)
        assert len(children(p.pid)) <= 4  # the watcher, and fetchers of the last steps
    finally:
        p.terminate()
        p.communicate(timeout=30)


def test_one_folder_has_one_monitor(world):
    world.write_policy(world.web.url, "interval 1h")
    p = start(world)
    try:
        wait_for(lambda: (world.state / "state").exists())
        code, _, err = world.look()
        assert code == 2 and "another monitor" in err
    finally:
        p.kill()
        p.communicate()
    code, _, err = world.look()
    assert (code, err) == (0, "")


def test_a_kill_at_any_moment_leaves_a_state_that_can_be_read(world):
    world.write_policy(world.web.url, "interval 0s")
    p = start(world)
    try:
        for i in range(15):
            wait_for(lambda: (world.state / "state").exists())
            p.kill()
            p.communicate()
            world.add(b"%d" % i)
            world.log.publish()
            p = start(world)
    finally:
        p.kill()
        p.communicate()
    assert world.look()[:2] == (0, [])


def test_the_watcher_is_jailed(world):
    """While a slow server keeps it waiting: no capabilities, seccomp, no way to new privileges."""
    import socket
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(8)
    world.write_policy(f"http://127.0.0.1:{s.getsockname()[1]}")
    p = start(world, "--once")
    try:
        conn = s.accept()[0]
        watcher = wait_for(lambda: children(p.pid))[0]

        def field(name):
            with open(f"/proc/{watcher}/status") as f:
                return [line.split()[1] for line in f if line.startswith(name + ":")][0]
        assert wait_for(lambda: field("Seccomp") == "2")
        assert field("NoNewPrivs") == "1"
        assert int(field("CapEff"), 16) == 0
        assert field("Seccomp") == "2"
        conn.close()
    finally:
        p.kill()
        p.communicate()
        s.close()


def test_a_log_of_ours_is_followed_as_it_grows(tmp_path):
    """Made by vitrine log add, served as files, followed; and what these tests write is a log to
    vitrine log check."""
    def vitrine(*args):
        r = subprocess.run([str(BUILD / "vitrine"), *map(str, args)], capture_output=True, timeout=60,
                           cwd=tmp_path, stdin=subprocess.DEVNULL)
        return r.returncode, r.stdout.decode(), r.stderr.decode()
    publisher, rebuilder = Key("publisher"), Key("rebuilder")
    vkey = vitrine("key", "new", "--name", "log.example/own", "--no-passphrase", "-o", "k")[1].strip()
    assert vitrine("log", "init", "log", "--key", "k")[0] == 0
    with Web(tmp_path) as web:
        (tmp_path / "policy").write_text(
            f"log {vkey} {web.url}/log\nquorum none\npublisher p {publisher.vkey()}\n"
            f"rebuilder r {rebuilder.vkey()}\nrebuilt-within 0s\n")
        look = ["monitor", "--once", "--state", "state", "policy"]
        assert vitrine(*look)[:2] == (0, "")
        n = 0
        for more in (1, 2, 300):
            for i in range(n, n + more):
                (tmp_path / f"e{i}").write_bytes(release(publisher, b"%d" % i))
                (tmp_path / f"r{i}").write_bytes(verdict(rebuilder, b"%d" % i))
            names = [f"{c}{i}" for i in range(n, n + more) for c in "er"]
            n += more
            code, _, err = vitrine("log", "add", "log", *names)
            assert code == 0, err
            assert vitrine(*look) == (0, "", "")
        (tmp_path / "alone").write_bytes(release(publisher, b"nobody rebuilt me"))
        assert vitrine("log", "add", "log", "alone")[0] == 0
        code, out, _ = vitrine(*look)
        assert code == 1 and json.loads(out)["alert"] == "not-rebuilt"
    w = World(tmp_path / "other")
    w.log.entries = [b"%d" % i for i in range(600)]
    w.log.publish()
    assert vitrine("log", "check", "--key", w.log.key.vkey(), w.log.folder)[0] == 0
