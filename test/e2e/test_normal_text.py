"""Normalised text and decoded UTF-16 against clamscan and sigtool 1.4.6: random bytes, texts with many
blanks, UTF-16, and real texts of /usr.

clamscan's copy is the file that it leaves behind with --leave-temps. It goes through a text 128 KiB
at a time and may keep a second blank where a run of blanks crosses such a seam; where, depends on
the signatures loaded. Texts that it sees in one piece are compared here; sigtool's seams are always
the same, so its texts may be long.
VITRINE_BUILD names the build folder (default ./build), which must hold test/probe/normal_probe."""

import pathlib
import shutil
import subprocess

import pytest

from cli import BUILD
from oracle import REAL, WHY
from seed import random_for

PROBE = BUILD / "test" / "probe" / "normal_probe"
SIGTOOL = shutil.which("sigtool", path="/usr/bin:/usr/local/bin")
SEAM = 128 * 1024
REAL_TEXTS = 40
_rnd = random_for("text")

pytestmark = pytest.mark.skipif(REAL is None or SIGTOOL is None, reason=WHY or "no sigtool")


def ours(function, data):
    return subprocess.run([PROBE, function], input=data, capture_output=True, check=True).stdout


def sigtool(option, data, folder, makes):
    (folder / "in").write_bytes(data)
    subprocess.run([SIGTOOL, option + "=in"], cwd=folder, check=True, capture_output=True)
    return (folder / makes).read_bytes()


def left_by_clamscan(data, folder, name):
    """The files with `name` in their path that a scan of the data leaves behind."""
    left = folder / "left"
    left.mkdir()
    (folder / "db.ndb").write_text("Never:0:*:%s\n" % _rnd.randbytes(20).hex())
    (folder / "in").write_bytes(data)
    subprocess.run([REAL, "-d", folder / "db.ndb", "--leave-temps", "--tempdir", left,
                    "--disable-cache", folder / "in"], check=True, capture_output=True)
    return [p.read_bytes() for p in left.rglob("*") if p.is_file() and name in str(p)]


def mixed(n):
    few = bytes(_rnd.choices(range(1, 256), k=5)) + b"aB  \n\t"
    return bytes(_rnd.choices(few, k=n))


def random_texts():
    """Text by its first kilobyte, anything behind it."""
    head = b"Some  Text\n" * 100
    texts = [head + bytes(range(256)), head + _rnd.randbytes(100000)]
    texts += [head + mixed(_rnd.randrange(100000)) for _ in range(8)]
    texts += [t.encode(code) for t in ("Hello  World \u20ac\u4e41\n\n" * 50, "\ufeffZ\u00fcge  A\n" * 9)
              for code in ("utf-8", "utf-16-be", "utf-16")]
    return texts


def usr_texts():
    """Real texts that clamscan sees in one piece and does not take for something else than text."""
    roots = [p for d in ("share/doc", "share/perl", "lib/python3", "include")
             for p in sorted(pathlib.Path("/usr").glob(d + "*")) if p.is_dir()]
    files = [f for r in roots for f in sorted(r.rglob("*"))[:3000]
             if f.suffix in ("", ".py", ".pm", ".h", ".txt", ".md") and f.is_file()]
    _rnd.shuffle(files)
    texts = (f.read_bytes() for f in files if 6 <= f.stat().st_size <= SEAM)
    plain = (t for t in texts if b"<" not in t and not t.startswith(b"%") and b"\nbegin " not in t)
    return [t for _, t in zip(range(REAL_TEXTS), plain)]


@pytest.mark.parametrize("texts", [random_texts, usr_texts])
def test_copies_are_those_of_clamscan(texts, tmp_path):
    compared = 0
    for i, data in enumerate(texts()):
        folder = tmp_path / str(i)
        folder.mkdir()
        copies = left_by_clamscan(data, folder, "clamav-")
        if len(copies) == 1:  # other files are not scanned as text: mail, archives
            assert ours("text", data) == copies[0], data[:200]
            compared += 1
    assert compared >= 10


def test_sigtool_normalises_128_kib_at_a_time(tmp_path):
    for data in [*random_texts(), mixed(700000), b" " * 1000000,
                 b"a" * (SEAM - 1) + b"  " + _rnd.randbytes(300000)]:
        assert ours("text-sigtool", data) == sigtool("--ascii-normalise", data, tmp_path,
                                                     "normalised_text")


def test_sigtool_decodes_utf16_in_strings(tmp_path):
    for data in [*random_texts(), bytes(2000), "A\0B\u0100\u20ac".encode("utf-16") * 1000, b"a\0b"]:
        assert ours("utf16-sigtool", data) == sigtool("--utf16-decode", data, tmp_path, "in.ascii")


def test_clamscan_decodes_html_in_utf16le(tmp_path):
    head = "\ufeff<html>".encode("utf-16-le")
    for i, tail in enumerate([b"", b"a", bytes(1000), _rnd.randbytes(100001)]):
        folder = tmp_path / str(i)
        folder.mkdir()
        assert left_by_clamscan(head + tail, folder, "html-utf16-tmp") == [ours("utf16", head + tail)]
