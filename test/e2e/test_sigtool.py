"""The sigtool look-alike against sigtool 1.4.6, where that is installed; and what it does itself."""
import pathlib
import shutil
import subprocess

import pytest

import cli

REAL = "/usr/bin/sigtool"
SAMPLES = pathlib.Path("/usr/share/clamav-testfiles")


def is_real():
    if not pathlib.Path(REAL).exists():
        return False
    r = subprocess.run([REAL, "--version"], capture_output=True, text=True)
    return r.stdout.startswith("ClamAV 1.4.")


needs_real = pytest.mark.skipif(not is_real(), reason="sigtool 1.4 is not installed")


def call(program, *args, cwd, stdin=b""):
    r = subprocess.run([str(program), *map(str, args)], capture_output=True, cwd=cwd, input=stdin,
                       timeout=60)
    return r.returncode, r.stdout, r.stderr


def ours(*args, cwd, stdin=b""):
    return call(cli.BUILD / "sigtool", *args, cwd=cwd, stdin=stdin)


def same(*args, cwd, stdin=b"", streams=(0, 1)):
    a, b = ours(*args, cwd=cwd, stdin=stdin), call(REAL, *args, cwd=cwd, stdin=stdin)
    for i in streams:
        assert a[i] == b[i]
    return a


@pytest.fixture
def box(tmp_path):
    (tmp_path / "one").write_bytes(b"hello")
    (tmp_path / "two").write_bytes(bytes(range(256)) * 300)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "three").write_bytes(b"3")
    return tmp_path


@needs_real
@pytest.mark.parametrize("option", ["--md5", "--sha1", "--sha256"])
def test_digests_of_files_and_stdin(box, option):
    same(option, "one", "two", "empty", "sub/three", cwd=box)
    same(option, "sub", "one", cwd=box)
    same(option, cwd=box, stdin=b"some bytes\n")
    code, out, err = same(option, "one", "missing", "two", cwd=box)
    assert code == 1 and b"two" not in out and b"Can't access file missing" in err


@needs_real
@pytest.mark.parametrize("data", [b"", b"\0", b"Hello\n", bytes(range(256)) * 600])
def test_hex_dump(box, data):
    same("--hex-dump", cwd=box, stdin=data)


@needs_real
@pytest.mark.parametrize("name", ["clam.exe", "clam-upx.exe", "clam-mew.exe", "clam-fsg.exe"])
def test_digests_of_sections_and_imports(box, name):
    if not (SAMPLES / name).exists():
        pytest.skip("clamav-testfiles is not installed")
    def lines(text):
        return [x for x in text.splitlines() if b"Section{" in x or b"Imphash" in x]
    for option in ("--mdb", "--imp"):
        a = ours(option, SAMPLES / name, cwd=box)
        b = call(REAL, option, SAMPLES / name, cwd=box)
        assert a[0] == b[0] == 0 and lines(a[2]) == lines(b[2])
        assert lines(a[2]) or option == "--imp"


@needs_real
def test_copies_of_text(box):
    texts = [b"AbC  dEf\n\nx\x80y", b"x " * 100000, bytes(range(256)) * 3]
    for text in texts:
        (box / "t").write_bytes(text)
        (box / "u").write_bytes(text.decode("latin-1").encode("utf-16-le"))
        got = []
        for program in (cli.BUILD / "sigtool", REAL):
            assert call(program, "--ascii-normalise=t", cwd=box)[0] == 0
            assert call(program, "--utf16-decode=u", cwd=box)[0] == 0
            got.append(((box / "normalised_text").read_bytes(), (box / "u.ascii").read_bytes()))
            (box / "normalised_text").unlink()
            (box / "u.ascii").unlink()
        assert got[0] == got[1]
    for option in ("--ascii-normalise=missing", "--utf16-decode=missing"):
        same(option, cwd=box, streams=(0, 1, 2))


SIGNATURES = {
    "a.ndb": "Plain:0:*:6c6f6e67\nEntry.Alt:1:EP+10,4:4142434445(46|47){5-10}4849*4a4b4c\n",
    "a.ldb": "Logic.One;Target:0;0&1;636f756e74::i;636f756e742074776f::wa\n",
    "a.hdb": "44d88612fea8a8f36de82e1278abb02f:68:Hash.One\n",
    "a.mdb": "4096:44d88612fea8a8f36de82e1278abb02f:Hash.Section\n",
    "a.hsb": "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f:68:Hash.Two\n",
    "a.fp": "44d88612fea8a8f36de82e1278abb02f:68:Not.Listed\n",
    "a.db": "Old.Style=414243444546\n",
    "a.cdb": "Container:CL_TYPE_ZIP:*:*:*:*:*:*:*:*\n",
    "a.ndu": "Pua.Rule:0:*:61626364\n",
    "a.ign2": "Plain\n",
    "readme.txt": "Plain\n",
}


@pytest.fixture
def database(tmp_path):
    folder = tmp_path / "db"
    folder.mkdir()
    for name, text in SIGNATURES.items():
        (folder / name).write_text(text)
    return folder


@needs_real
def test_names_of_signatures(box, database):
    for name in SIGNATURES:
        same(f"--list-sigs=db/{name}", cwd=box)
    same("-ldb/a.ndb", cwd=box)
    same("--list-sigs=db/missing", cwd=box, streams=(0, 1, 2))
    (box / "bad.ndb").write_text("Good:0:*:61626364\nbad\n")
    same("--list-sigs=./bad.ndb", cwd=box, streams=(0, 1, 2))
    for args in (["--list-sigs=db"], [f"--datadir={database}", "--list-sigs"]):
        a, b = ours(*args, cwd=box), call(REAL, *args, cwd=box)
        assert a[0] == b[0] == 0 and sorted(a[1].splitlines()) == sorted(b[1].splitlines())


@needs_real
@pytest.mark.parametrize("pattern", ["Plain", "plain", "^Logic", "(One|Two)$", "no such", "[", "."])
def test_search_for_signatures(box, database, pattern):
    args = [f"--datadir={database}", f"--find-sigs={pattern}"]
    a, b = ours(*args, cwd=box), call(REAL, *args, cwd=box)
    assert a[0] == b[0] and sorted(a[1].splitlines()) == sorted(b[1].splitlines())


@needs_real
@pytest.mark.parametrize("line", [
    "Foo:0:*:414243", "Foo:1:EP+5,7:4142*43{-5}44{5-}45", "Foo:1:SE3:414243:51:100",
    "Foo:4:VI:414243:51", "X=4142434445", "Foo:0:0:4142??43{5}44(45|46)!(4748|4950)(W)[3-5]4?",
    "Foo:0:*:(B)41(B)42(L)43(W)44(B)", "Foo:0:*:(L)4142", "Foo:0:*:!(B)4142", "Foo:0:*:?142",
    "Foo:0:*:41[3]42[2-4]43!(41|42)44(e0|e1|)45", "Foo:13:*:414243", "Foo:x:*:414243",
    "L;Target:0;0&1;414243;EP+0:0/x\\/y/g", "L;Target:0;(0|1)>2,1;SL+4:414243::iwaf;4142::f",
    "L;Target:0;0;0&1/ab+c/", "L;Target:0;0&1;414243", "nothing", "A:B:C", "a:1:*:41:5:6:7",
    "id;1;2", "", "Foo:0:*:00410a0d80ff7f41",
])
def test_signatures_decoded(box, line):
    same("--decode-sigs", cwd=box, stdin=line.encode() + b"\n")
    same("--decode-sigs", cwd=box, stdin=line.encode() + b"\nNext:0:*:444546")


def test_what_is_not_supported_is_said(box):
    for option in ("--build=x", "--vba=one", "--unpack=one", "-uone"):
        code, out, err = ours(option, cwd=box)
        assert code == 1 and out == b"" and b"not supported by this version" in err


@needs_real
def test_unknown_options_are_refused_in_the_same_words(box):
    a, b = ours("--nope", cwd=box), call(REAL, "--nope", cwd=box)
    assert a[0] == b[0] == 1 and a[2].split(b": ", 1)[1] == b[2].split(b": ", 1)[1]


def test_help_has_examples(box):
    code, out, _ = ours("--help", cwd=box)
    assert code == 0 and b"Examples:" in out and b"--decode-sigs" in out
    assert ours(cwd=box)[0] == 1


def test_a_link_in_place_of_the_output_is_not_followed(box):
    (box / "target").write_text("keep")
    (box / "normalised_text").symlink_to("target")
    assert ours("--ascii-normalise=one", cwd=box)[0] == 1
    assert (box / "target").read_text() == "keep"


def test_the_look_alike_is_a_link_beside_the_program():
    assert (cli.BUILD / "sigtool").is_symlink() and shutil.which(str(cli.BUILD / "sigtool"))
