"""vitrine-fetcher from outside: what it asks, what it makes of good and bad answers, and its jail.
fetch_probe starts it and prints the answers."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from cli import BUILD, wait_for
from httpd import Together, certificate, gzipped, ok, reset, serving, silent, tls
from seed import random_for


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    """The fetcher is looked for beside the program that starts it."""
    folder = tmp_path_factory.mktemp("fetcher")
    shutil.copy(BUILD / "test/probe/fetch_probe", folder)
    shutil.copy(BUILD / "src/proc/vitrine-fetcher", folder)
    return folder / "fetch_probe"


def number(body):
    return sum(b * (i + 1) for i, b in enumerate(body))


def ask(probe, *lines, options=(), env=None, code=0):
    """{tag: (status, rest of the line)}"""
    text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
    r = subprocess.run([probe, *map(str, options)], input=text, capture_output=True, text=True,
                       timeout=60, env=env)
    assert r.returncode == code, r.stdout + r.stderr
    answers = {}
    for line in r.stdout.splitlines():
        m = re.match(r"(\d+) (\d+|refused) (.*)", line)
        if m:
            answers[int(m.group(1))] = (m.group(2), m.group(3))
    return answers


def get(url, tag=1, max=1 << 20, timeout=10000):
    return ("GET", tag, max, timeout, url)


def one(probe, url, **kw):
    options = kw.pop("options", ())
    return ask(probe, get(url, **kw), options=options)[1]


def fails(probe, url, text, **kw):
    status, why = one(probe, url, **kw)
    assert status == "0", why
    assert re.search(text, why), why


def test_a_body_arrives_whole(probe):
    body = random_for("body").randbytes(3_000_000)
    with serving({"/big": ok(body, headers=["Content-Type: application/octet-stream"])}) as s:
        status, rest = one(probe, s.url("/big"), max=len(body))
    assert status == "200"
    assert rest == f"application/octet-stream {len(body)} {number(body)}"


def test_a_request_says_nothing_that_is_not_needed(probe):
    with serving({"/a": ok(b"x"), "/post": ok(b"y")}) as s:
        ask(probe, get(s.url("/a")))
        ask(probe, ("POST", 1, 100, 5000, s.url("/post"), "text/plain", 3))
    host = f"Host: 127.0.0.1:{s.port}\r\n".encode()
    assert s.requests == [
        b"GET /a HTTP/1.1\r\n" + host + b"\r\n",
        b"POST /post HTTP/1.1\r\n" + host + b"Content-Type: text/plain\r\nContent-Length: 3\r\n\r\nxxx"]


def test_the_environment_changes_nothing(probe):
    """No proxy, no settings of curl, no name server of a test from there."""
    env = dict(os.environ, http_proxy="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1", HOME="/")
    with serving({"/a": ok(b"x")}) as s:
        assert ask(probe, get(s.url("/a")), env=env)[1][0] == "200"


def test_a_proxy_that_is_named_is_used(probe):
    with serving({"http://log.invalid/a": ok(b"abc")}) as s:
        status, rest = one(probe, "http://log.invalid/a", options=["--proxy", s.url("")])
    assert (status, rest.split()[1]) == ("200", "3")


def test_a_large_body_is_posted(probe):
    size = 3_000_000
    with serving({"/post": lambda s, r: s.sendall(ok(str(len(r.split(b"\r\n\r\n", 1)[1])).encode()))}) as s:
        answer = ask(probe, ("POST", 1, 100, 10000, s.url("/post"), "text/plain", size))[1]
    assert answer == ("200", f"- 7 {number(str(size).encode())}")


def test_a_status_is_handed_on_with_its_body(probe):
    with serving({"/c": ok(b"17\n", "409 Conflict", ["Content-Type: text/x.tlog.size"])}) as s:
        assert one(probe, s.url("/c")) == ("409", f"text/x.tlog.size 3 {number(b'17' + bytes([10]))}")
        assert one(probe, s.url("/none"))[0] == "404"


def test_an_answer_that_is_too_long_is_an_error(probe):
    with serving({"/a": ok(b"x" * 101), "/b": ok(b"x" * 5_000_000), "/c": ok(b"x" * 100)}) as s:
        fails(probe, s.url("/a"), "longer than allowed", max=100)
        fails(probe, s.url("/b"), "longer than allowed", max=100_000)
        assert one(probe, s.url("/c"), max=100)[0] == "200"


def test_a_long_page_does_not_hide_that_there_is_no_file(probe):
    with serving({"/a": ok(b"x" * 100_000, "404 Not Found")}) as s:
        assert one(probe, s.url("/a"), max=8192)[0] == "404"


def test_a_slow_answer_ends_with_the_time(probe):
    with serving({"/a": silent}) as s:
        begin = time.monotonic()
        fails(probe, s.url("/a"), "timed out", timeout=300)
        assert time.monotonic() - begin < 10


def test_a_cut_answer_is_an_error(probe):
    with serving({"/reset": reset, "/short": ok(b"abc", length=100), "/none": b"", "/junk": b"\x00\xff\n"}) as s:
        for path in ("/reset", "/short", "/none", "/junk"):
            fails(probe, s.url(path), ".")


def test_gzip_without_being_asked_for_is_undone(probe):
    body = b"entry" * 1000
    with serving({"/a": gzipped(body)}) as s:
        assert one(probe, s.url("/a"))[1].split()[1:] == [str(len(body)), str(number(body))]


def test_the_limit_holds_for_what_gzip_unfolds_to(probe):
    with serving({"/a": gzipped(bytes(50_000_000))}) as s:
        fails(probe, s.url("/a"), "longer than allowed", max=1_000_000)


def test_no_other_encoding_is_undone(probe):
    with serving({"/a": ok(b"x", headers=["Content-Encoding: br"]),
                  "/b": ok(b"x", headers=["Content-Encoding: gzip, gzip"])}) as s:
        fails(probe, s.url("/a"), "content encoding")
        fails(probe, s.url("/b"), "content encoding")


def test_damaged_gzip_is_an_error(probe):
    with serving({"/a": ok(b"\x1f\x8b\x08garbage", headers=["Content-Encoding: gzip"])}) as s:
        fails(probe, s.url("/a"), ".")


def test_headers_without_end_are_an_error(probe):
    with serving({"/a": ok(b"x", headers=["A: " + "b" * 8000] * 10)}) as s:
        fails(probe, s.url("/a"), "headers are too long")


def test_a_redirect_is_an_answer_and_not_followed(probe):
    with serving({"/b": ok(b"secret")}) as other:
        with serving({"/a": ok(b"", "302 Found", ["Location: " + other.url("/b")])}) as s:
            assert one(probe, s.url("/a"))[0] == "302"
        assert other.requests == []


def test_no_cookie_comes_back(probe):
    with serving({"/a": ok(b"x", headers=["Set-Cookie: id=1; Path=/"])}) as s:
        ask(probe, get(s.url("/a")), get(s.url("/a"), tag=2))
    assert len(s.requests) == 2 and s.requests[0] == s.requests[1]


class Stream:
    """The answer to one streamed request."""
    def __init__(self, probe, url, max=1 << 40, timeout=20000, at=0, bandwidth=0, room=1 << 60):
        status, rest = ask(probe, ("STREAM", 1, max, timeout, url, at, bandwidth, room))[1]
        kind, size, total, sink, failure, *why = rest.split(" ", 5)
        assert kind == "stream"
        self.status, self.size, self.sum = int(status), int(size), int(total)
        self.sink, self.failure, self.why = int(sink), int(failure), "".join(why)


def ranged(body, tell=None):
    """A server with ranges; `tell` makes a Content-Range that is not what is sent."""
    def answer(s, request):
        m = re.search(rb"^Range: bytes=(\d+)-\r$", request, re.M)
        if not m:
            s.sendall(ok(body))
            return
        first = int(m.group(1))
        said = (tell or "bytes {}-{}/{}").format(first, len(body) - 1, len(body))
        s.sendall(ok(body[first:], "206 Partial Content", ["Content-Range: " + said]))
    return answer


LETTERS = bytes(range(65, 91)) * 4000


def test_a_file_goes_to_a_sink_as_it_comes(probe):
    with serving({"/a": ok(LETTERS)}) as s:
        r = Stream(probe, s.url("/a"), max=len(LETTERS))
    assert (r.status, r.size, r.sum) == (200, len(LETTERS), number(LETTERS))


def test_a_file_is_gone_on_with_from_a_byte(probe):
    with serving({"/a": ranged(LETTERS)}) as s:
        r = Stream(probe, s.url("/a"), at=50_001, max=len(LETTERS) - 50_001)
        host = f"Host: 127.0.0.1:{s.port}\r\n".encode()
        assert s.requests == [b"GET /a HTTP/1.1\r\n" + host + b"Range: bytes=50001-\r\n\r\n"]
    assert (r.status, r.size, r.sum) == (206, len(LETTERS) - 50_001, number(LETTERS[50_001:]))


def test_a_server_without_ranges_is_heard_until_that_byte(probe):
    with serving({"/a": ok(LETTERS)}) as s:
        r = Stream(probe, s.url("/a"), at=50_001, max=len(LETTERS) - 50_001)
        assert (r.status, r.size, r.sum) == (200, len(LETTERS) - 50_001, number(LETTERS[50_001:]))
        r = Stream(probe, s.url("/a"), at=len(LETTERS) + 1)
        assert (r.status, r.size) == (0, 0) and "ends before" in r.why


@pytest.mark.parametrize("tell", ["bytes 0-{1}/{2}", "bytes {0}x-{1}/{2}", "{0}-{1}/{2}", "bytes */{2}", "bytes -{0}",
                                  "bytes 99999999999999999999-1/2", "items {0}-{1}/{2}"])
def test_a_part_that_is_not_the_one_asked_for_is_refused(probe, tell):
    with serving({"/a": ranged(LETTERS, tell)}) as s:
        r = Stream(probe, s.url("/a"), at=50_001)
    assert (r.status, r.size) == (0, 0) and "Content-Range" in r.why


def test_two_ranges_that_differ_are_refused(probe):
    two = "bytes {0}-{1}/{2}\r\nContent-Range: bytes 0-1/{2}"
    with serving({"/a": ranged(LETTERS, two)}) as s:
        assert "Content-Range" in Stream(probe, s.url("/a"), at=50_001).why


def test_a_part_nobody_asked_for_is_refused(probe):
    with serving({"/a": ok(b"abc", "206 Partial Content", ["Content-Range: bytes 0-2/9"])}) as s:
        r = Stream(probe, s.url("/a"))
        assert (r.status, r.size) == (0, 0) and "a part of a file" in r.why
        fails(probe, s.url("/a"), "a part of a file")


def test_a_part_of_an_encoded_file_is_refused(probe):
    coded = ok(b"abc", "206 Partial Content", ["Content-Range: bytes 5-7/8", "Content-Encoding: gzip"])
    with serving({"/a": coded}) as s:
        r = Stream(probe, s.url("/a"), at=5)
    assert (r.status, r.size) == (0, 0)


def test_a_page_that_says_error_is_not_streamed(probe):
    with serving({"/a": ok(b"x" * 100_000, "500 No"), "/b": ok(b"x" * 10, "404 Not Found")}) as s:
        for path, status in (("/a", 500), ("/b", 404)):
            r = Stream(probe, s.url(path))
            assert (r.status, r.size) == (status, 0)


def test_a_stream_that_is_too_long_says_so(probe):
    with serving({"/a": ok(LETTERS)}) as s:
        r = Stream(probe, s.url("/a"), max=len(LETTERS) - 1)
        assert (r.status, r.failure) == (0, 1) and r.size < len(LETTERS)
        assert Stream(probe, s.url("/a"), at=9, max=len(LETTERS) - 10).failure == 1


def test_a_stream_that_breaks_off_leaves_what_came(probe):
    with serving({"/a": ok(LETTERS, length=len(LETTERS) + 1), "/b": silent}) as s:
        r = Stream(probe, s.url("/a"))
        assert (r.status, r.failure) == (0, 0) and 0 < r.size <= len(LETTERS)
        assert r.sum == number(LETTERS[:r.size])
        assert Stream(probe, s.url("/b"), timeout=300).failure == 2


def test_a_sink_that_fails_ends_the_transfer(probe):
    ended = []

    def endless(s, _request):
        s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        try:
            while True:
                s.sendall(bytes(65536))
        except OSError:
            ended.append(True)
    with serving({"/a": endless}) as s:
        r = Stream(probe, s.url("/a"), room=1_000_000)
        wait_for(lambda: ended)
    assert (r.status, r.sink, r.why) == (0, -28, "the sink is full") and r.size <= 1_000_000


def test_a_limit_of_bytes_a_second_holds(probe):
    with serving({"/a": ok(bytes(300_000))}) as s:
        begin = time.monotonic()
        assert Stream(probe, s.url("/a"), bandwidth=100_000).size == 300_000
        assert time.monotonic() - begin > 1


def peak(pid):
    m = re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())
    return int(m.group(1)) * 1024


def test_a_file_larger_than_the_memory_of_the_fetcher_streams(probe):
    """300 MB, which is more than an answer in memory may have, in some tens of megabytes."""
    size, piece, watched = 300_000_000, bytes(1 << 20), []

    def large(s, _request):
        s.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
        for at in range(0, size, len(piece)):
            s.sendall(piece[:size - at])
            if at == len(piece) * 280:
                watched.append(peak(pid))
    with serving({"/a": large}) as s:
        p = subprocess.Popen([probe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        pid = int(p.stdout.readline().split()[1])
        p.stdin.write(f"STREAM 1 {1 << 40} 60000 {s.url('/a')} 0 0 {1 << 60}\n")
        p.stdin.close()
        assert p.stdout.readline().split()[:4] == ["1", "200", "stream", str(size)]
        assert p.wait(timeout=30) == 0
        p.stdout.close()
    sanitized = b"__asan_init" in (probe.parent / "vitrine-fetcher").read_bytes()
    assert watched[0] < 64 << 20 or sanitized


def test_requests_are_the_same_bytes_whoever_asks(probe, tmp_path):
    """Two clients that differ in all that a system knows of its user."""
    one = {"PATH": os.environ["PATH"], "LANG": "de_DE.UTF-8", "LC_ALL": "C", "TZ": "Asia/Tokyo", "USER": "anna",
           "HOME": str(tmp_path), "HOSTNAME": "kiosk"}
    two = {"PATH": os.environ["PATH"], "LANG": "ja_JP.UTF-8", "TZ": "America/Lima", "USER": "root", "LOGNAME": "root",
           "HOME": "/", "HOSTNAME": "server.example", "http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://a:1",
           "ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": "x", "CURL_HOME": str(tmp_path), "SSL_CERT_FILE": "/none",
           "SSLKEYLOGFILE": str(tmp_path / "keys"), "CURL_CA_BUNDLE": "/none", "USER_AGENT": "x"}
    (tmp_path / ".curlrc").write_text('user-agent = "secret"\ncookie = "id=1"\nreferer = "x"\n')
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login anna password secret\n")
    apart = ["unshare", "--uts", "sh", "-c", "hostname other-host; exec \"$@\"", "sh"]
    can_rename = subprocess.run([*apart, "true"], capture_output=True).returncode == 0
    seen = []
    with serving({"/a": ok(b"x"), "/b": ranged(LETTERS), "/post": ok(b"y")}) as s:
        lines = [" ".join(map(str, x)) + "\n" for x in (
            get(s.url("/a")), ("STREAM", 2, 1 << 20, 5000, s.url("/b"), 7, 0, 1 << 20))]
        for env, prefix, cwd in ((one, [], tmp_path), (two, apart if can_rename else [], "/")):
            for line in lines:
                r = subprocess.run([*prefix, probe], input=line, env=env, cwd=cwd, capture_output=True, text=True,
                                   timeout=60)
                assert r.returncode == 0, r.stderr
            with s.lock:
                seen.append(list(s.requests))
                s.requests.clear()
    assert seen[0] == seen[1] and len(seen[0]) == 2
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pw@127.0.0.1/"])
def test_other_urls_are_refused(probe, url):
    assert one(probe, url)[0] == "refused"


def test_many_at_once(probe):
    paths = [f"/{i}" for i in range(600)]
    together = Together()
    with serving({p: together.ok(p.encode()) for p in paths}) as s:
        lines = [get(s.url(p), tag=i) for i, p in enumerate(paths)]
        answers = ask(probe, *lines, options=["--per-host", 4])
    assert {i: a[1] for i, a in answers.items()} == \
        {i: f"- {len(p)} {number(p.encode())}" for i, p in enumerate(paths)}
    assert 1 < together.most <= 4


def test_a_host_that_hangs_does_not_hold_up_another(probe):
    with serving({"/a": silent}) as slow, serving({"/b": ok(b"x")}) as quick:
        lines = [get(slow.url("/a"), tag=i, timeout=1500) for i in range(20)]
        p = subprocess.Popen([probe, "--per-host", "4"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
        p.stdin.write("".join(" ".join(map(str, x)) + "\n" for x in [*lines, get(quick.url("/b"), tag=99)]))
        p.stdin.close()
        p.stdout.readline()
        first = p.stdout.readline()
        p.kill()
        p.wait()
        p.stdout.close()
    assert first.startswith("99 200 ")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    certificate(folder, "ca")
    certificate(folder, "other-ca")
    return folder


def test_https_with_a_certificate_of_the_given_ca(probe, keys):
    with serving({"/a": ok(b"x")}, tls(*certificate(keys, "good", ca="ca"))) as s:
        ca = ["--ca", keys / "ca.crt"]
        assert one(probe, s.url("/a", "localhost"), options=ca)[0] == "200"
        fails(probe, s.url("/a", "127.0.0.1"), "(?i)subject", options=ca)
        fails(probe, s.url("/a", "localhost"), "(?i)certificate", options=["--ca", keys / "other-ca.crt"])
        fails(probe, s.url("/a", "localhost"), "(?i)certificate")
        assert len(s.requests) == 1


def test_https_for_another_name_is_refused(probe, keys):
    with serving({"/a": ok(b"x")}, tls(*certificate(keys, "host", subject="a.example", ca="ca"))) as s:
        fails(probe, s.url("/a", "localhost"), "(?i)subject", options=["--ca", keys / "ca.crt"])


def test_https_with_an_expired_certificate_is_refused(probe, keys):
    with serving({"/a": ok(b"x")}, tls(*certificate(keys, "old", days=-1, ca="ca"))) as s:
        fails(probe, s.url("/a", "localhost"), "expired", options=["--ca", keys / "ca.crt"])


def test_a_name_is_looked_up_in_the_jail(probe):
    """By a thread that reads /etc/hosts."""
    hosts = pathlib.Path("/etc/hosts")
    text = re.sub("#.*", "", hosts.read_text()) if hosts.exists() else ""
    names = [n for line in text.splitlines() if line.startswith("127.0.0.1") for n in line.split()[1:]
             if not n.startswith("localhost")]
    if not names:
        pytest.skip("/etc/hosts has no other name for 127.0.0.1")
    with serving({"/a": ok(b"x")}) as s:
        assert one(probe, s.url("/a", names[0]))[0] == "200"


def test_the_death_of_the_fetcher_is_an_error_and_no_hang(probe):
    with serving({"/a": silent}) as s:
        r = subprocess.run([probe, "--kill"], input=" ".join(map(str, get(s.url("/a")))) + "\n",
                           capture_output=True, text=True, timeout=30)
    assert (r.returncode, r.stdout.splitlines()[-1]) == (3, "gone the fetcher ended")


def running(probe):
    p = subprocess.Popen([probe], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(p.stdout.readline().split()[1])
    return p, pid


def finish(p):
    p.stdin.close()
    assert p.wait(timeout=30) == 0
    p.stdout.close()


def test_the_fetcher_looks_jailed_from_outside(probe):
    p, pid = running(probe)
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    assert "Seccomp:\t2" in text
    assert "NoNewPrivs:\t1" in text
    assert re.search(r"^CapEff:\t0+$", text, re.M)
    finish(p)


def test_the_fetcher_ends_with_its_client(probe):
    p, pid = running(probe)
    p.send_signal(signal.SIGKILL)
    p.wait()
    p.stdin.close()
    p.stdout.close()

    def ended():
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True
    wait_for(ended)


def test_certificates_that_cannot_be_read_are_an_error(probe, tmp_path):
    r = subprocess.run([probe, "--ca", tmp_path / "none"], capture_output=True, text=True, timeout=30,
                       stdin=subprocess.DEVNULL)
    assert r.returncode == 2 and "No such file" in r.stderr
