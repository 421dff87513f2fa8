"""vitrine update, killed at any call that changes something on the disk, or with a disk that is full from that call on:
scans have a whole release, the old one or the new one, and the next update goes on. What a power cut may lose besides is
tried by test/unit/test_update_state.c."""
import hashlib
import os
import shutil
import subprocess

import pytest

import cli
from updateworld import MORE, RULES, World

SHIM = cli.BUILD / "test" / "crash" / "libcrash_shim.so"
CRASHED = 99


def update(folder, policy, **env):
    given = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), VITRINE_STATE=str(folder / "state"), TZ="UTC",
                 **{k: str(v) for k, v in env.items()})
    if env:
        given["LD_PRELOAD"] = str(SHIM)
    r = subprocess.run([str(cli.BUILD / "vitrine"), "update", "--policy", str(policy), "--json"], text=True,
                       capture_output=True, env=given, stdin=subprocess.DEVNULL, timeout=120)
    return r.returncode, r.stdout + r.stderr


@pytest.fixture
def installed(tmp_path):
    """Release 1 is in use, release 2 is offered. (Folder with the state, policy, digest of each main.vdb)"""
    if not SHIM.exists():
        pytest.skip("no crash shim in this build")
    world = World(tmp_path / "world")
    world.release(1, RULES)
    world.write()
    policy = world.policy(f"file://{world.public}", keep="1")
    code, out = update(tmp_path, policy)
    assert code == 0, out
    old = current(tmp_path)
    world.next()
    world.release(2, MORE)
    world.write()
    shutil.copytree(tmp_path, tmp_path.with_name(tmp_path.name + "-new"), symlinks=True)
    code, out = update(tmp_path.with_name(tmp_path.name + "-new"), policy)
    assert code == 0, out
    new = current(tmp_path.with_name(tmp_path.name + "-new"))
    assert new != old
    return tmp_path, policy, old, new


def current(folder):
    return hashlib.sha256((folder / "state/main/current/main.vdb").read_bytes()).hexdigest()


def start_again(folder, n):
    """The state as it was before the update, in a folder of its own."""
    again = folder.with_name(f"{folder.name}-{n}")
    again.mkdir()
    shutil.copytree(folder / "state", again / "state", symlinks=True)
    return again


def check(folder, policy, old, new, what):
    assert current(folder) in (old, new), what
    for release in (folder / "state/main/releases").iterdir():
        if not release.name.startswith("."):
            have = {p.name for p in release.iterdir()}
            assert {"main.vdb", "evidence.tar", "summary.json"} <= have, what
    code, out = update(folder, policy)
    assert code == 0, f"{what}: {out}"
    assert current(folder) == new, what
    left = [p for p in (folder / "state/main").rglob("*") if p.name in (".new", ".gone", ".current")]
    assert not left, what
    # One that was killed behind the switch leaves the old one to the next activation.
    assert len(list((folder / "state/main/releases").iterdir())) <= 2, what


def test_an_update_that_is_killed_at_any_call_leaves_a_whole_release(installed):
    folder, policy, old, new = installed
    n, code = 0, CRASHED
    while code == CRASHED:
        n += 1
        again = start_again(folder, n)
        code, out = update(again, policy, CRASH_AT=n)
        assert code in (0, CRASHED), out
        check(again, policy, old, new, f"killed behind call {n}")
        shutil.rmtree(again)
    assert n > 20


def test_a_disk_that_is_full_from_any_call_on_leaves_a_whole_release(installed):
    folder, policy, old, new = installed
    n, code = -1, 2
    while code != 0:
        n += 2  # a call that writes and the sync behind it are the same to a full disk
        again = start_again(folder, n)
        code, out = update(again, policy, FULL_AT=n)
        assert code == 0 or (code == 2 and "No space left on device" in out), f"full at call {n}: {out}"
        check(again, policy, old, new, f"full from call {n} on")
        shutil.rmtree(again)
    assert n > 20
