"""Running programs and timing them."""

import glob
import os
import statistics
import subprocess
import tempfile
import threading
import time


class Outcome:
    """One finished run: seconds, peak memory in KB, exit code, standard output."""

    def __init__(self, seconds, maxrss_kb, code, out, err):
        self.seconds, self.maxrss_kb, self.code = seconds, maxrss_kb, code
        self.out, self.err = out, err


class Failed(Exception):
    """A program did not do its work: its time means nothing."""


def run(cmd, cores=(0,), env=None, good=(0, 1), watch=None, limit_s=300):
    """Runs cmd on these cores. The affinity is set here and inherited, so that no helper process
    stands between. watch(pid) is called again and again in a thread until the program ends."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores) & mine or mine)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            start = time.monotonic()
            child = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                     env={**os.environ, **(env or {})})
        finally:
            os.sched_setaffinity(0, mine)
        timer = threading.Timer(limit_s, child.kill)
        timer.start()
        watcher = _start_watch(watch, child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        _stop_watch(watcher)
        texts = [_text(f) for f in (out, err)]
    if child.returncode not in good:
        raise Failed("%s: exit %d: %s" % (cmd[0], child.returncode, texts[1][-300:].strip()))
    return Outcome(seconds, usage.ru_maxrss, child.returncode, *texts)


def _text(f):
    f.seek(0)
    return f.read().decode("utf-8", "surrogateescape")


def _start_watch(watch, pid):
    if watch is None:
        return None
    stop = threading.Event()

    def loop():
        while not stop.wait(0.002):
            watch(pid)
    thread = threading.Thread(target=loop)
    thread.start()
    return stop, thread


def _stop_watch(watcher):
    if watcher is not None:
        watcher[0].set()
        watcher[1].join()


def alternate(times, **commands):
    """Runs each of the named functions in turn, `times` rounds; {name: [result, …]}. What disturbs
    the machine for a while then hits all of them."""
    ret = {name: [] for name in commands}
    for _ in range(times):
        for name, call in commands.items():
            ret[name].append(call())
    return ret


def median(outcomes):
    return statistics.median(o.seconds for o in outcomes)


def warm(paths):
    """Reads the files, so that they are in the page cache. Returns their bytes."""
    total, buf = 0, bytearray(1 << 20)
    for path in paths:
        with open(path, "rb", buffering=0) as f:
            while n := f.readinto(buf):
                total += n
    return total


def read_list(path):
    with open(path) as f:
        return f.read().splitlines()


# -------------------------------------------------------------------------------- memory of workers


def _parents():
    ret = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as f:
                fields = f.read().rpartition(")")[2].split()
            ret[int(path.split("/")[2])] = int(fields[1])
        except OSError:
            continue  # it ended in between
    return ret


def descendants(pid):
    parents = _parents()
    found, front = [], {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found += front
    return found


def private_kb(pid):
    """(dirty, clean) private memory in KB. Clean pages are those of mapped files that happen to be
    mapped by this process alone: a second worker shares them."""
    try:
        found = _fields("/proc/%d/smaps_rollup" % pid)
        return found["Private_Dirty"], found["Private_Clean"]
    except PermissionError:  # only root sees that of a process that may not be dumped
        return _fields("/proc/%d/status" % pid)["RssAnon"], 0


def _fields(path):
    """The values in kB of a file of /proc."""
    with open(path) as f:
        words = [line.split() for line in f]
    return {w[0].rstrip(":"): int(w[1]) for w in words if w[-1] == "kB"}


class MemoryWatch:
    """Peaks of private memory over the processes below a program."""

    def __init__(self):
        self.dirty = self.clean = self.samples = 0

    def __call__(self, pid):
        for worker in descendants(pid):
            try:
                dirty, clean = private_kb(worker)
            except (OSError, KeyError):
                continue  # it ended in between
            self.samples += 1
            self.dirty, self.clean = max(self.dirty, dirty), max(self.clean, clean)
