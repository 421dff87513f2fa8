"""The HTTP server under the log and the witness (http_probe, in the jail of a witness): good requests are
answered, all others refused, and nobody holds a place for ever."""
import concurrent.futures
import contextlib
import http.client
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from cli import BUILD
from seed import random_for

PROBE = BUILD / "test/probe/http_probe"


class Probe:
    def __init__(self, args):
        self.p = subprocess.Popen([PROBE, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        name = self.p.stdout.readline().split()[0]
        self.port = int(name.rpartition(":")[2])

    def raw(self, data, timeout=10):
        """All that comes back until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            return self.rest(s)

    @staticmethod
    def rest(s):
        got = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while more := s.recv(65536):
                got += more
        return got

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method, path, body=None, headers=None):
        c = self.connection()
        try:
            c.request(method, path, body, headers or {})
            r = c.getresponse()
            return r.status, r.read(), r.headers
        finally:
            c.close()

    def stop(self):
        self.p.stdin.close()
        code = self.p.wait(timeout=20)
        out = self.p.stdout.read()
        self.p.stdout.close()
        return code, out


@contextlib.contextmanager
def probe(*args):
    p = Probe(args)
    try:
        yield p
    finally:
        code, out = p.stop()
    assert (code, out) == (0, "stopped\n")


@pytest.fixture(scope="module")
def server():
    with probe(2, 0, 0, 1000) as p:
        yield p


def status(answer):
    return int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1.") else None


def test_a_get_is_answered(server):
    code, body, headers = server.ask("GET", "/fixed")
    assert (code, body) == (200, b"fixed\n")
    assert headers["Content-Type"] == "text/plain" and headers["Cache-Control"] == "no-cache"


def test_a_head_is_the_same_without_body(server):
    code, body, headers = server.ask("HEAD", "/fixed")
    assert (code, body, headers["Content-Length"]) == (200, b"", "6")


@pytest.mark.parametrize("n", [0, 1, 700, 99_999, 100_000])
def test_a_post_gets_its_whole_body(server, n):
    data = random_for("file").randbytes(n)
    assert server.ask("POST", "/echo", data)[:2] == (200, data)


def test_a_body_in_chunks_is_taken(server):
    def parts():
        for _ in range(10):
            yield b"x" * 1000
    c = server.connection()
    c.request("POST", "/echo", parts(), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    r = c.getresponse()
    assert (r.status, r.read()) == (200, b"x" * 10_000)
    c.close()


def test_many_requests_on_one_connection(server):
    c = server.connection()
    for i in range(200):
        c.request("POST", "/echo", str(i).encode())
        assert c.getresponse().read() == str(i).encode()
    c.close()


def test_a_body_that_is_too_long_is_413_before_it_is_sent(server):
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n"
    assert status(server.raw(head)) == 413


def test_a_body_in_chunks_that_is_too_long_is_413(server):
    body = b"186a1\r\n" + b"x" * 100_001 + b"\r\n0\r\n\r\n"
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert status(server.raw(head + body)) == 413


def test_chunks_without_end_are_cut_off(server):
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(10_000):
                s.sendall(chunk)


def test_a_get_with_a_body_is_413(server):
    assert status(server.raw(b"GET /fixed HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")) == 413


def test_an_unknown_path_is_404(server):
    for path in ("/", "/Fixed", "/fixedd", "/tree"):
        assert server.ask("GET", path)[0] == 404


@pytest.mark.parametrize("method,path,allow", [
    ("POST", "/fixed", "GET, HEAD"), ("DELETE", "/fixed", "GET, HEAD"), ("GET", "/echo", "POST"),
    ("PUT", "/slow", "GET, HEAD, POST"), ("BREW", "/fixed", "GET, HEAD")])
def test_another_method_is_405_with_those_that_are_allowed(server, method, path, allow):
    code, _, headers = server.ask(method, path)
    assert (code, headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("path", [
    b"/tree/%61", b"/tree/%2e%2e/fixed", b"/tree/../fixed", b"/tree/./a", b"/tree//a", b"/tree/..",
    b"/tree/a\\b", b"/tree/a?b", b"/tree/a?", b"/tree/a#b", b"/tree/a/", b"/fixed/", b"/tree/\x80", b"/tree/a\x01b", b"//fixed",
    b"fixed", b"http://a/fixed", b"*", b"/tree/%00", b"/tree/" + b"a" * 2000])
def test_a_path_with_another_spelling_is_400(server, path):
    assert status(server.raw(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")) == 400


def test_a_nul_ends_a_path_and_nothing_behind_it_is_seen(server):
    """libmicrohttpd hands on what stands in front of it."""
    for path, name in ((b"/tree/a\0/../b", b"/tree/a"), (b"/tree/\0", None), (b"\0/fixed", None)):
        answer = server.raw(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        if status(answer) == 200:
            assert answer.partition(b"\r\n\r\n")[2] == name


def test_dots_that_are_no_steps_are_names(server):
    for path in ("/tree/...", "/tree/.a", "/tree/a..b", "/tree/x001/000.p/5"):
        assert server.ask("GET", path)[:2] == (200, path.encode())


def test_a_request_line_or_headers_that_are_too_long_are_refused(server):
    long = b"a" * 20_000
    assert status(server.raw(b"GET /" + long + b" HTTP/1.1\r\nHost: a\r\n\r\n")) in (400, 414)
    assert status(server.raw(b"GET /fixed HTTP/1.1\r\nHost: a\r\nA: " + long + b"\r\n\r\n")) in (413, 431)


@pytest.mark.parametrize("bad", [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET /fixed\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /fixed HTTP/9.9\r\n\r\n",
    b"GET /fixed HTTP/1.1\r\n\r\n", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n"])
def test_what_is_not_http_is_not_answered_with_200(server, bad):
    assert status(server.raw(bad)) != 200


def test_a_handler_that_answers_nothing_is_500(server):
    assert server.ask("GET", "/none")[0] == 500


def test_after_all_that_it_still_answers(server):
    assert server.ask("GET", "/fixed")[0] == 200


def test_a_silent_connection_is_closed():
    with probe(1, 0, 0, 1000) as p, socket.create_connection(("127.0.0.1", p.port), timeout=20) as s:
        assert p.rest(s) == b""


def test_a_request_that_trickles_in_is_cut_off():
    with probe(1, 0, 0, 60_000, 1000) as p, socket.create_connection(("127.0.0.1", p.port)) as s:
        begin = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() < begin + 20:
                s.sendall(b"G")
                time.sleep(0.05)
        assert p.ask("GET", "/fixed")[0] == 200


def test_an_answer_that_is_not_read_is_cut_off():
    with probe(1, 0, 0, 60_000, 1000) as p, socket.create_connection(("127.0.0.1", p.port)) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
        s.settimeout(20)
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                s.sendall(request)


def test_connections_of_one_address_are_limited():
    with probe(1, 100, 3) as p:
        held = [socket.create_connection(("127.0.0.1", p.port), timeout=10) for _ in range(3)]
        for s in held:
            s.sendall(b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"fixed" in s.recv(4096)
        assert p.raw(b"GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n") == b""
        for s in held:
            s.close()


def test_slow_handlers_run_beside_each_other():
    with probe(8) as p, concurrent.futures.ThreadPoolExecutor(16) as pool:
        begin = time.monotonic()
        assert {r[0] for r in pool.map(lambda _: p.ask("GET", "/slow"), range(16))} == {200}
        assert time.monotonic() - begin < 6


def test_a_stop_lets_an_answer_end():
    p = Probe([2])
    with socket.create_connection(("127.0.0.1", p.port), timeout=10) as s:
        s.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        assert p.stop() == (0, "stopped\n")
        assert p.rest(s).endswith(b"fixed\n")


def test_the_server_looks_jailed_from_outside(server):
    text = pathlib.Path(f"/proc/{server.p.pid}/status").read_text()
    assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text
