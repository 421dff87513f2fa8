"""vitrine log serve: the files of a log and nothing else."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from cli import BUILD, run

VITRINE = BUILD / "vitrine"


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of 300 entries, with files in its folder that are none of its own."""
    folder = tmp_path_factory.mktemp("serve")
    key, where = folder / "log.key", folder / "log"
    entries = folder / "entries"
    entries.mkdir()
    for i in range(300):
        (entries / f"{i:03}").write_text(f"entry {i}\n")
    for args in (["key", "new", "--name", "example.com/log", "--no-passphrase", "-o", key],
                 ["log", "init", where, "--key", key],
                 ["log", "add", where, *sorted(entries.iterdir())]):
        code, _, err = run("vitrine", *args, cache=folder)
        assert code == 0, err
    (where / "secret").write_text("secret")
    (where / "checkpoint.bak").write_text("secret")
    (where / "tile" / "0" / "000.bak").write_text("secret")
    outside = folder / "outside"
    outside.write_bytes(b"s" * 8192)
    (where / "tile" / "0" / "005").symlink_to(outside)
    (where / "tile" / "3").symlink_to(where / "tile" / "0")
    (where / "tile" / "4").symlink_to("0")
    os.mkfifo(where / "tile" / "0" / "006")
    (where / "tile" / "0" / "007").mkdir()
    (where / "tile" / "0" / "008").write_bytes(b"x" * 8193)
    return where


class Serve:
    def __init__(self, where, *args, **kw):
        self.p = subprocess.Popen([VITRINE, "log", "serve", where, "--json", *args],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, **kw)
        self.said = json.loads(self.p.stdout.readline())
        self.url = self.said["url"]
        self.port = int(re.search(r":(\d+)/$", self.url).group(1))

    def ask(self, path, method="GET"):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request(method, path)
            r = c.getresponse()
            return r.status, r.read(), r.headers
        finally:
            c.close()

    def stop(self, how=signal.SIGTERM):
        self.p.send_signal(how)
        code = self.p.wait(timeout=20)
        self.p.stdout.close()
        return code


@contextlib.contextmanager
def serve(where, *args):
    s = Serve(where, "--listen", "127.0.0.1:0", *args)
    try:
        yield s
    finally:
        code = s.stop()
    assert code == 0


@pytest.fixture(scope="module")
def server(log):
    with serve(log) as s:
        yield s


def test_it_says_where_it_listens(server, log):
    assert server.said["log"] == str(log)
    assert server.said["url"] == f"http://{server.said['listening']}/"


def test_the_checkpoint_is_text_that_is_kept_for_seconds(server, log):
    code, body, headers = server.ask("/checkpoint")
    assert (code, body) == (200, (log / "checkpoint").read_bytes())
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "public, max-age=5"


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000",
                                  "tile/entries/001.p/44"])
def test_tiles_are_bytes_that_are_kept_for_ever(server, log, path):
    code, body, headers = server.ask("/" + path)
    assert (code, body) == (200, (log / path).read_bytes())
    assert headers["Content-Type"] == "application/octet-stream"
    assert "immutable" in headers["Cache-Control"]


def test_head_says_the_same_without_the_bytes(server):
    for path in ("/checkpoint", "/tile/0/000"):
        code, body, headers = server.ask(path, "HEAD")
        _, whole, same = server.ask(path)
        assert (code, body, headers["Content-Length"]) == (200, b"", str(len(whole)))
        assert headers["Content-Type"] == same["Content-Type"]


@pytest.mark.parametrize("path", [
    "/", "/secret", "/checkpoint.bak", "/tile", "/tile/0", "/tile/0/000.bak", "/config", "/state", "/lock",
    "/tile/0/002", "/tile/0/001.p/43", "/tile/0/000.p/256", "/tile/0/000.p/0", "/tile/0/000.p/044",
    "/tile/00/000", "/tile/0/0", "/tile/0/x000/000", "/tile/64/000", "/tile/data/000", "/Checkpoint",
    "/tile/8/0/000"])
def test_whatever_is_no_file_of_the_log_is_404(server, path):
    code, body, headers = server.ask(path)
    assert (code, body) == (404, b"not found\n")
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/tile/0/005", "/tile/3/000", "/tile/4/000", "/tile/0/006", "/tile/0/007", "/tile/0/008"])
def test_links_pipes_folders_and_what_is_too_long_are_not_served(server, path):
    assert server.ask(path)[0] == 404


@pytest.mark.parametrize("path", ["/../log.key", "/tile/../checkpoint", "//checkpoint", "/%63heckpoint",
                                  "/checkpoint?x", "/tile/0/..%2f..%2fsecret", "/checkpoint/"])
def test_paths_with_another_spelling_are_400(server, path):
    assert server.ask(path)[0] == 400


def test_other_methods_are_405(server):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        code, _, headers = server.ask("/checkpoint", method)
        assert (code, headers["Allow"]) == (405, "GET, HEAD")


def test_a_log_is_checked_over_it(server, tmp_path):
    code, out, err = run("vitrine", "log", "check", "--json", server.url, cache=tmp_path)
    assert (code, err) == (0, "")
    assert (json.loads(out)["verdict"], json.loads(out)["size"]) == ("verified", 300)


def test_a_new_checkpoint_is_served_at_once(log, tmp_path):
    copy = tmp_path / "log"
    (copy / "tile").mkdir(parents=True)
    with serve(copy) as s:
        assert s.ask("/checkpoint")[0] == 404
        shutil.copy(log / "checkpoint", copy / "new")
        os.rename(copy / "new", copy / "checkpoint")
        assert s.ask("/checkpoint")[:2] == (200, (log / "checkpoint").read_bytes())


def test_the_age_of_a_checkpoint_can_be_chosen(log):
    with serve(log, "--checkpoint-age", "60") as s:
        assert s.ask("/checkpoint")[2]["Cache-Control"] == "public, max-age=60"


def test_connections_of_one_address_can_be_limited(log):
    with serve(log, "--per-address", "2", "--threads", "1") as s:
        held = [socket.create_connection(("127.0.0.1", s.port), timeout=10) for _ in range(2)]
        for c in held:
            c.sendall(b"GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n")
            assert c.recv(100).startswith(b"HTTP/1.1 200")
        with pytest.raises((OSError, http.client.HTTPException)):
            s.ask("/checkpoint")
        for c in held:
            c.close()


def test_both_signals_end_it(log):
    for how in (signal.SIGTERM, signal.SIGINT):
        assert Serve(log, "--listen", "127.0.0.1:0").stop(how) == 0


def test_it_looks_jailed_and_holds_nothing_else(server, log):
    proc = pathlib.Path(f"/proc/{server.p.pid}")
    text = (proc / "status").read_text()
    assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text
    assert re.search(r"^CapEff:\t0+$", text, re.M)
    if os.geteuid() == 0:
        links = [os.readlink(p) for p in (proc / "fd").iterdir()]
        assert [x for x in links if x.startswith("/")].count(str(log)) == 1
        assert (proc / "environ").read_bytes().split(b"\0") == [b"LC_ALL=C.UTF-8", b"TZ=UTC0", b""]


def test_a_socket_of_systemd_is_used(log):
    """As systemd starts it: a listening socket as descriptor 3."""
    starter = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\nos.set_inheritable(3, True)\n"
               "os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\nos.execv(sys.argv[2], sys.argv[2:])\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        p = subprocess.Popen([sys.executable, "-c", starter, str(number), str(VITRINE), "log", "serve", str(log),
                              "--json"], pass_fds=[number], stdout=subprocess.PIPE, text=True)
        try:
            assert json.loads(p.stdout.readline())["listening"] == f"127.0.0.1:{listener.getsockname()[1]}"
            c = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=10)
            c.request("GET", "/checkpoint")
            assert c.getresponse().status == 200
            c.close()
        finally:
            p.terminate()
            assert p.wait(timeout=20) == 0
            p.stdout.close()


@pytest.mark.parametrize("args,text", [
    ([], "one folder"), (["/nowhere-at-all"], "No such file"), (["/etc/passwd"], "Not a directory"),
    (["/tmp", "--listen", "8080"], "ADDRESS:PORT"), (["/tmp", "--listen", "127.0.0.1:65536"], "not a port"),
    (["/tmp", "--listen", "example.com:80"], "numeric address"), (["/tmp", "--listen", "192.0.2.1:0"], "assign")])
def test_what_cannot_be_served_is_an_error(args, text, tmp_path):
    code, out, err = run("vitrine", "log", "serve", *args, cache=tmp_path)
    assert (code, out) == (2, "")
    assert text in err


def test_an_address_that_is_taken_is_an_error(server, log, tmp_path):
    code, _, err = run("vitrine", "log", "serve", log, "--listen", server.said["listening"], cache=tmp_path)
    assert code == 2 and "in use" in err
