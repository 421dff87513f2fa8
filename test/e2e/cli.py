"""What the end-to-end tests of the command line share: running our programs and making test trees."""
import os
import pathlib
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VITRINE_BUILD", ROOT / "build")).resolve()

ONE = b"VITRINE-" + b"MARKER-ONE"
TWO = b"VITRINE-" + b"MARKER-TWO"


def rule(name, marker):
    return f"{name}:0:*:{marker.hex()}\n"


def make_rules(folder):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "a.ndb"
    path.write_text(rule("Marker.One", ONE) + rule("Marker.Two", TWO))
    return path


def run(program, *args, cache, cwd=None, stdin=None, timeout=60):
    env = dict(os.environ, XDG_CACHE_HOME=str(cache), TZ="UTC")
    given = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    r = subprocess.run([str(BUILD / program), *map(str, args)], capture_output=True, cwd=cwd,
                       env=env, timeout=timeout, **given)
    return r.returncode, r.stdout.decode("utf-8", "surrogateescape"), \
        r.stderr.decode("utf-8", "surrogateescape")


def make_tree(root):
    """Two files to find, clean ones, an empty one, links (good, bad, dangling, a loop), odd names."""
    root.mkdir()
    (root / "sub").mkdir()
    (root / "clean").write_bytes(b"hello")
    (root / "bad").write_bytes(b"xx " + ONE + b" yy " + TWO)
    (root / "empty").write_bytes(b"")
    (root / "sub" / "bad2").write_bytes(ONE)
    (root / "link").symlink_to("clean")
    (root / "linkbad").symlink_to("bad")
    (root / "dangling").symlink_to("nowhere")
    (root / "dirlink").symlink_to("sub")
    (root / "sub" / "loop").symlink_to(root)
    return root


def children(pid):
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(x) for x in text.split()]


def holds(pid, path):
    links = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(fd))
        except FileNotFoundError:
            pass
    return str(path) in links


def wait_for(condition):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("nothing happened in 30 s")
