"""The views of HTML that test/probe/html_views makes are, byte for byte, those of sigtool and clamscan: on
documentation that is installed, and on made HTML with mutations."""
import hashlib
import os
import pathlib
import struct
import subprocess

import diffrun
import oracle
import pytest
from seed import SEED, random_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VITRINE_BUILD", ROOT / "build"))
TOOL = BUILD / "test/probe/html_views"
SIGTOOL = pathlib.Path(oracle.REAL).with_name("sigtool") if oracle.REAL else None
FILES = 60
MADE = 300
LINES = 60
TOKENS = [b"<", b">", b'"', b"'", b"=", b" ", b"\n", b"&", b";", b"#", b"a", b"B", b"/", b"!", b"<!--",
          b"-->", b"&lt;", b"&foo;", b"&#65;", b"&#x42", b"&eacute;", b"&euro;", b'<a href="', b"<img src=",
          b"<script>", b"</script>", b"<style>", b"</style>", b"<p ", b"data:", b",", b"%41", b"\xe9", b"\xe8",
          b"\x00", b"\r\n", b"\t", b"\x01", b"1", b"href", b"text/html", b";base64", b'<a b="c d', b".", b"='",
          b"</a>"]

pytestmark = pytest.mark.skipif(not SIGTOOL or not SIGTOOL.exists(), reason=oracle.WHY or "no sigtool")


@pytest.fixture(name="ours", scope="module")
def fixture_ours():
    """A function from a file to our views, by a program that serves many."""
    if not TOOL.exists():
        pytest.skip("test/probe/html_views is not built")
    with subprocess.Popen([TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        def number():
            return struct.unpack("<I", p.stdout.read(4))[0]

        def view():
            n = number()
            return p.stdout.read(n) if n != 0xffffffff else None

        def views(data):
            p.stdin.write(struct.pack("<I", len(data)) + data)
            p.stdin.flush()
            ret = [view() for _ in range(3)]
            return ret + [sorted(view() for _ in range(number()))]
        yield views
        p.stdin.close()


def theirs(data, folder):
    """sigtool --html-normalise; it writes the views and then crashes, which is its own affair."""
    folder.mkdir()
    source = folder / "in"
    source.write_bytes(data)
    subprocess.run([SIGTOOL, "--html-normalise", source], cwd=folder, check=False,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ret = [(folder / n).read_bytes() if (folder / n).exists() else None
           for n in ("nocomment.html", "notags.html", "javascript")]
    return ret + [sorted(p.read_bytes() for p in folder.glob("rfc2397/*"))]


def test_views_of_installed_documentation(ours, tmp_path):
    files = sorted(p for p in pathlib.Path("/usr/share/doc").rglob("*.htm*")
                   if p.suffix in (".htm", ".html") and p.is_file() and 0 < p.stat().st_size < 1 << 20)
    if not files:
        pytest.skip("no HTML below /usr/share/doc")
    random_for("documentation").shuffle(files)
    different = [str(f) for i, f in enumerate(files[:FILES])
                 if ours(f.read_bytes()) != theirs(f.read_bytes(), tmp_path / str(i))]
    assert not different


# As it is with target 0, its views with both: what each of them finds in the file below, however it is encoded.
BODIES = [f"{name}.{target};Engine:81-255,Target:{target}{more};0;{body}" for target in (0, 3, 4, 7)
          for name, body, more in [
              ("wide", "61616142::iw", ""), ("bytes", "4100410041004200", ""), ("start", "0:fffe3c0068", ""),
              ("end", "EOF-4:3e007800", ""), ("size", "71007500", ",FileSize:516-516"), ("view", "71756963", ""),
              ("handler", "71007500", ",HandlerType:CL_TYPE_HTML_UTF16"), ("container", "71007500", ",Container:CL_TYPE_ANY")]]


@pytest.mark.parametrize("options", [[], ["--scan-html=no"], ["--normalize=no"], ["--max-htmlnormalize=50"]])
def test_html_in_utf16_is_matched_as_it_is_too(tmp_path, options):
    data = (ROOT / "test/corpus/html/wide_with_data_url_is_matched_as_it_is").read_bytes()
    files = tmp_path / "files"
    diffrun.write_lines(tmp_path / "db", {"ldb": BODIES})
    files.mkdir()
    for code in ("utf-16-le", "utf-16-be", "latin-1"):
        (files / code).write_bytes(data.decode("utf-16").encode(code))
    (files / "mark").write_bytes(data)
    theirs, ours = diffrun.both([tmp_path / "db"], files, tmp_path / "cache", options)
    assert ours == theirs and "wide.0" in ours["mark"] and "wide.3" not in ours["mark"]


def body_left_by_clamscan(page, box):
    """What clamscan takes out of the one data: URL of a page."""
    box.mkdir()
    (box / "never.ndb").write_text("Never:0:*:deadbeef00112233\n")
    (box / "page").write_bytes(page)
    subprocess.run([oracle.REAL, "-d", box / "never.ndb", "--leave-temps", "--tempdir", box, "--disable-cache",
                    box / "page"], check=True, capture_output=True)
    return next((p.read_bytes() for p in box.rglob("mail-tmp*/*") if p.is_file()), None)


def test_text_in_a_data_url_is_the_lines_of_a_mail_as_in_clamscan(tmp_path):
    rnd, bodies, pages = random_for("lines"), {}, tmp_path / "pages"
    pages.mkdir()
    for i in range(LINES):
        data = bytes(rnd.choices(b"aB\xe9\n\n\r\r \t\v\f\x1b", k=rnd.randrange(6, 40)))
        page = b'<html><img src="data:x,%s">' % b"".join(b"%%%02x" % c for c in data)
        body = body_left_by_clamscan(page, tmp_path / str(i))
        if body:
            (pages / str(i)).write_bytes(page)
            bodies[str(i)] = body
    rows = {f"{hashlib.sha256(b).hexdigest()}:{len(b)}:{b.hex()}" for b in bodies.values()}
    diffrun.write_lines(tmp_path / "db", {"hsb": sorted(rows)})
    _, found, said = diffrun.scan(BUILD / "clamscan", [tmp_path / "db"], pages, tmp_path / "cache", ())
    missed = [b for n, b in bodies.items() if b.hex() not in found.get(n, ())]
    assert not missed and len(rows) > LINES // 2, f"VITRINE_TEST_SEED={SEED}: {missed} {said}"


def test_views_of_made_html(ours, tmp_path):
    rnd = random_for("html")
    different = []
    for i in range(MADE):
        data = b"".join(rnd.choice(TOKENS) for _ in range(rnd.randint(1, 30)))
        if ours(data)[:2] != theirs(data, tmp_path / str(i))[:2]:
            different.append(data)
    assert not different, f"VITRINE_TEST_SEED={SEED}"
