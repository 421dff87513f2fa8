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
