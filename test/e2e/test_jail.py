"""The jails from inside: what is forbidden kills, what is allowed works. jail_probe enters the jail of
a role, tries one thing, and its parent prints how it ended."""
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VITRINE_BUILD", ROOT / "build"))
PROBE = BUILD / "test" / "sandbox" / "jail_probe"
WORKER = BUILD / "src" / "proc" / "vitrine-worker"
NO_LANDLOCK, NO_NAMESPACES, NO_EMPTY_ROOT = 1, 2, 4

# Not killed, but with nothing to find, or over a limit.
REFUSED = {"stat_by_flag", "use_too_much_memory"}


def run(*args, prefix=()):
    r = subprocess.run([*prefix, PROBE, *args], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == 0, r.stderr
    return r.stdout.strip()


@functools.cache
def things():
    return run("list").split()


def outcome(role, thing, prefix=()):
    m = re.fullmatch(r"(.*) missing (\d+)", run(role, thing, prefix=prefix))
    return m.group(1), int(m.group(2))


# What a role may that kills the others.
MAY = {"scan-jit": {"mmap_exec"}}


@pytest.mark.parametrize("role", ["scan", "scan-jit", "compile", "inspect"])
def test_what_is_forbidden_kills(role):
    forbidden = [t for t in things() if not t.startswith(("use_", "do_")) and t not in REFUSED]
    assert len(forbidden) >= 40
    lives = {t: o for t in forbidden if (o := outcome(role, t)[0]) != f"signal {signal.SIGSYS:d}"}
    # A kernel without 32-bit programs has no such entry at all.
    if lives.get("int80") == f"signal {signal.SIGSEGV:d}":
        del lives["int80"]
    assert lives == {t: "worked" for t in MAY.get(role, ())}


@pytest.mark.parametrize("role", ["scan", "scan-jit", "compile", "inspect"])
def test_what_is_allowed_works(role):
    allowed = [t for t in things() if t.startswith("use_") and t not in REFUSED]
    if role != "compile":
        allowed.remove("use_output")
    assert {t: o for t in allowed if (o := outcome(role, t)[0]) != "worked"} == {}


# The roles with folders, threads or a network.
SERVERS = ("log-serve", "witness")
ROLES = ("fetch", "check", "log-write", "verify", *SERVERS)
# One thread, no names of its own to make up.
SINGLE = ("verify",)
# What kills in each of them, of what kills a scan worker.
ALWAYS = """creat connect bind execve fork ptrace kill process_vm_readv mmap_exec mprotect_exec unshare setns
    io_uring bpf keyctl userfaultfd perf mount chroot ioctl prlimit prctl seccomp dup memfd shm personality
    int80 x32""".split()
# What kills only some, and what works where.
WORKS = {
    "do_read_below": ("check", "log-write", "verify", *SERVERS),
    "do_read_beneath": ("check", "log-write", "verify", *SERVERS),
    "do_read_resolver_settings": ("fetch",),
    "do_create": ("log-write", "verify", "witness"),
    "do_write_below": ("log-write", "verify", "witness"),
    "do_thread": tuple(r for r in ROLES if r not in SINGLE),
    "do_random": tuple(r for r in ROLES if r not in SINGLE),
    "do_socket_inet": ("fetch",),
    "do_accept": SERVERS,
    "do_connect": ("fetch",),
    "do_message": ROLES,
    "do_write_stdout": ROLES,
    "do_read_elsewhere": (),
    "do_overwrite_readable": (),
    "do_create_in_readable": (),
    "do_socket_unix": (),
    "do_socket_netlink": (),
    "do_socket_packet": (),
    "do_listen": (),
}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_forbidden_to_all_kills_in_roles_with_folders_or_network(role):
    # Standard: only what has a place in the role is different, by name.
    may = {"fetch": {"connect", "ioctl"}}.get(role, set())
    lives = {t: o for t in ALWAYS if t in things() and t not in may
             and (o := outcome(role, t)[0]) != f"signal {signal.SIGSYS:d}"}
    if lives.get("int80") == f"signal {signal.SIGSEGV:d}":
        del lives["int80"]
    assert lives == {}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_it_is_for_and_no_more(role):
    assert sorted(WORKS) == sorted(t for t in things() if t.startswith("do_"))
    worked = {t for t in WORKS if outcome(role, t)[0] == "worked"}
    missing = outcome(role, "do_message")[1]
    if missing & NO_LANDLOCK:
        pytest.skip("no Landlock: folders are held by the empty root alone")
    assert worked == {t for t, roles in WORKS.items() if role in roles}


@pytest.mark.parametrize("role", ["check", "log-serve", "fetch"])
def test_who_does_not_write_is_killed_for_creating_a_file(role):
    for thing in ("do_create", "do_create_in_readable"):
        assert outcome(role, thing)[0] == f"signal {signal.SIGSYS:d}"


@pytest.mark.parametrize("role", ["check", "log-write", "verify", *SERVERS])
def test_who_has_no_network_is_killed_for_making_a_socket(role):
    for thing in ("do_socket_inet", "do_socket_unix", "do_socket_netlink"):
        assert outcome(role, thing)[0] == f"signal {signal.SIGSYS:d}"


def test_who_verifies_updates_cannot_start_a_thread():
    assert outcome("verify", "do_thread")[0] == f"signal {signal.SIGSYS:d}"


def test_a_scan_worker_cannot_write_even_to_an_open_file():
    assert outcome("scan", "use_output")[0] == f"signal {signal.SIGSYS:d}"


def test_an_inspector_writes_to_pipes_only():
    """The probe's output is a file: an answer goes to a pipe, which has no size."""
    assert outcome("inspect", "use_output")[0] in ("refused", f"signal {signal.SIGXFSZ:d}")


def test_memory_over_the_limit_is_refused():
    assert outcome("scan", "use_too_much_memory")[0] == "refused"
    assert outcome("compile", "use_too_much_memory")[0] == "refused"


def test_there_is_no_file_even_to_ask_about():
    word, missing = outcome("scan", "stat_by_flag")
    assert word == ("worked" if missing & NO_EMPTY_ROOT else "refused")


def test_the_jail_closes_without_root_too(tmp_path):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("not root: the other tests are this one")
    probe = pathlib.Path(shutil.copy(PROBE, "/var/tmp/vitrine-jail-probe"))
    try:
        for thing in ("open", "execve", "use_memory", "use_digests"):
            r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", probe,
                                "scan", thing], capture_output=True, text=True, timeout=60)
            wanted = "worked" if thing.startswith("use_") else "signal 31"
            assert r.stdout.startswith(wanted), (thing, r.stdout, r.stderr)
    finally:
        probe.unlink()


def test_a_waiting_worker_looks_jailed_from_outside():
    """As doc/sandbox.md tells to look: seccomp filter, no capabilities, no new privileges."""
    import socket
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = subprocess.Popen(["bash", "-c", f"exec '{WORKER}' 3<&{theirs.fileno()}"],
                             pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    theirs.close()
    try:
        text = ""
        for _ in range(200):
            text = pathlib.Path(f"/proc/{child.pid}/status").read_text()
            if "Seccomp:\t2" in text:
                break
            time.sleep(0.02)
        assert "Seccomp:\t2" in text
        assert "NoNewPrivs:\t1" in text
        assert re.search(r"^CapEff:\t0+$", text, re.M)
        assert re.search(r"^CapPrm:\t0+$", text, re.M)
    finally:
        ours.close()
        assert child.wait(timeout=10) == 0
