"""The sigtool look-alike against sigtool 1.4.6, where that is installed; and what it does itself."""
import pathlib
import shutil
import subprocess

import pytest

import cli
import containers

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
@pytest.mark.parametrize("data", [b"", b"\0", b"Hello\n", bytes(range(256)) * 600],
                         ids=["none", "nul", "line", "all"])
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
def test_hashes_of_pictures(box):
    pictures = sorted((cli.ROOT / "test" / "corpus" / "image").glob("*.*"))
    code, out, _ = same("--fuzzy-img", *pictures, cwd=box)
    assert code == 0 and out.count(b"\n") == len(pictures) > 10
    for arguments in ([], ["missing", pictures[0]], ["one", pictures[0]]):
        assert same("--fuzzy-img", *arguments, cwd=box)[0] == 1


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


VIEWS = ("nocomment.html", "notags.html", "javascript")


@needs_real
@pytest.mark.parametrize("html", [
    b'<html><head><title>A  B</title><!-- c --></head><body>Hello <b>World</b> &amp; '
    b'<a href="http://X/Y">z</a><script>var foo = "a" + "b"; alert(foo);</script></body></html>',
    b"<html><script></script><script>x</script></html>",
    b"<html>no script</html>",
    b'<html><img src="data:text/plain,abc%20d"></html>',
    b"plain text\n",
    "<html><body>Wide</body></html>".encode("utf-16-le"),
    b"",
])
def test_views_of_html(box, html):
    """The exit code of sigtool 1.4.6 is that of a crash after it has written."""
    got = []
    (box / "page").write_bytes(html)
    for program in (cli.BUILD / "sigtool", REAL):
        code = call(program, "--html-normalise=page", cwd=box)[0]
        assert code == 0 or program == REAL
        got.append({name: (box / name).read_bytes() for name in VIEWS if (box / name).exists()})
        for name in got[-1]:
            (box / name).unlink()
    assert got[0] == got[1]
    same("--html-normalise=missing", cwd=box, streams=(0, 1, 2))


def test_views_of_html_are_written_anew(box):
    (box / "page").write_bytes(b"<html>A <!-- b --><script>c</script></html>")
    for _ in range(2):
        assert ours("--html-normalise=page", cwd=box)[0] == 0
    assert [(box / name).read_bytes() for name in VIEWS] == [
        b"<html>a <script>c</script></html>", b" a ", b"<script>c</script>"]


def without_library(text):
    return [x for x in text.splitlines() if not x.startswith(b"LibClamAV")]


def files_of(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def same_container(path, tmp):
    """--info and --unpack of both, but for what sigtool's library says on stderr."""
    ran = []
    for i, program in enumerate((cli.BUILD / "sigtool", REAL)):
        for option in ("--info", "--unpack"):
            folder = tmp / f"{option}{i}"
            folder.mkdir()
            code, out, err = call(program, f"{option}={path}", cwd=folder)
            ran.append((code, out, without_library(err), files_of(folder)))
            shutil.rmtree(folder)
    assert ran[:2] == ran[2:]
    return ran


MEMBER = {"a.ndb": b"Some:0:*:61626364\n", "b.hdb": b""}


def unsigned(members=MEMBER, listed=None, packed=False):
    return containers.container(list(members.items()), packed, listed and list(listed.items()))


@needs_real
@pytest.mark.parametrize("name, content", [
    ("own.cud", lambda: unsigned()),
    ("packed.cud", lambda: unsigned(packed=True)),
    ("wrong.cud", lambda: unsigned(listed={**MEMBER, "a.ndb": b"other"})),
    ("own.cld", lambda: unsigned()),
    ("own.cvd", lambda: unsigned(packed=True)),
    ("short.cvd", lambda: unsigned()[:400]),
    ("head.cvd", lambda: unsigned()[:512]),
    ("text.cvd", lambda: b"no container at all"),
    ("empty.cvd", lambda: b""),
])
def test_containers_are_shown_and_unpacked(box, name, content):
    (box / name).write_bytes(content())
    ran = same_container(box / name, box)
    if name == "own.cud":
        assert b"Verification: Unsigned container\n" in ran[0][1]
        assert set(ran[1][3]) == {"COPYING", "a.ndb", "b.hdb", "x.info"}


@needs_real
def test_published_containers_are_shown_and_unpacked(box):
    found = containers.published()
    if not found:
        pytest.skip("VITRINE_CVD names no folder with a .cvd or .cld")
    for path in found:
        shutil.copy(path, box / path.name)
        ran = same_container(box / path.name, box)
        assert b"Verification OK.\n" in ran[0][1] and ran[1][3]
        (box / path.name).unlink()


@pytest.mark.parametrize("name", ["../out", ".hidden", "-option", "a/b", ""])
def test_members_have_plain_names_or_nothing_is_unpacked(box, name):
    (box / "own.cud").write_bytes(unsigned({**MEMBER, name: b"x"}))
    (box / "to").mkdir()
    code, _, err = ours("--unpack=../own.cud", cwd=box / "to")
    assert code == 1 and b"is not a valid CVD" in err
    assert files_of(box / "to") == {} and not (box / "out").exists()


def test_unpacking_overwrites_files_and_does_not_follow_links(box):
    (box / "own.cud").write_bytes(unsigned())
    for name in MEMBER:
        (box / name).write_bytes(b"longer than what is in the container")
    assert ours("--unpack=own.cud", cwd=box)[0] == 0
    assert {name: (box / name).read_bytes() for name in MEMBER} == MEMBER
    (box / "target").write_bytes(b"keep")
    (box / "a.ndb").unlink()
    (box / "a.ndb").symlink_to("target")
    code, _, err = ours("--unpack=own.cud", cwd=box)
    assert code == 1 and b"Can't create a.ndb" in err and (box / "target").read_bytes() == b"keep"


@needs_real
def test_options_without_a_value_are_refused_in_the_same_words(box):
    for args in (["--unpack"], ["--unpack="], ["--info="], ["-i"], ["--unpack-current"],
                 ["--unpack-current=nope", "--datadir=sub"], ["--unpack-current=a/b"]):
        a, b = ours(*args, cwd=box), call(REAL, *args, cwd=box)
        assert a[:2] == b[:2]
        assert a[2].replace(str(cli.BUILD / "sigtool").encode(), REAL.encode()) == b[2]


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


TRIED = b"AA1AA2BB3BB4AA5BB6CC7BB8CC9AA0CC"


def same_trial(box, signatures, data):
    (box / "s").write_bytes(signatures.encode())
    (box / "f").write_bytes(data)
    ran = []
    for program in (cli.BUILD / "sigtool", REAL):
        code, out, err = call(program, "--test-sigs=s", "f", cwd=box)
        ran.append((code, out, [x for x in err.splitlines() if x.startswith(b"ERROR: ")]))
    assert ran[0] == ran[1]
    return ran[0]


@needs_real
@pytest.mark.parametrize("body", [
    "4141", "41414141", "41??41", "4?414242*43", "!(41|42)4242", "4141(31|32)4141", "41[2-4]4242",
    "4141*4242*4343", "4141{-4}4242*4343", "4141*4242{-4}4343", "4141{-4}4242{-4}4343",
    "4141{4-}4242{4-}4343", "4141{-50}4141", "4141{3-6}(42|43)(42|43)", "????4141", "41{2}41",
    "(L)4141", "4141(W)", "4141(B)", "41(B)4242",
    "zz", "41", "", " 4142", "41{-2}4141", "41:42", "aa",
])
def test_places_of_bodies(box, body):
    same_trial(box, f"X:0:*:{body}\nY:1:EP+3:4343\nZ={body}\n", TRIED)


@needs_real
def test_places_of_parts_are_told_as_sigtool_tells_them(box):
    """From the third part on: the start that belongs to the last place of the second."""
    _, out, _ = same_trial(box, "X:0:*:4141{-1}4242{11-12}4343\n", b"AABBAABBAABB12CC2345CC")
    assert b"(1 match at offset: 8)" in out
    same_trial(box, "X:0:*:4141{-1}4242*4343{-9}4444\n", b"AABBAABBCCAABB12CC2345DDCC")
    same_trial(box, "X:0:*:4142{0-9}4344*4546\n", b"ABABxxCDEFxABCDxxEFxCD")
    same_trial(box, "X:0:*:4141{5-10}4242\n", b"AAx" * 13 + b"BBx" * 5)
    same_trial(box, "X:0:*:4242\n", b"BB." * 30000)


@needs_real
@pytest.mark.parametrize("sub", [
    "4142::i", "EP+0,4:4142::iwf", "4142::wa", "4142::fi", "4142::z", "4142::iz", "4142::", "*:4142",
    "0/b./", "0/b./g", "7/b./ig", "0/b(/", "3,1:0/B./re", "0/A:b/i::f", "EP:0/A::b/i", "0/x", "",
    "0(>>0#hb2#=512)", "7(<<3#ie1#>1)", "0(>>0#zz", "${1-10}0$",
    "fuzzy_img#c41b1b6b6ab43f60", "fuzzy_img#c41b1b6b6ab43f60#1", "fuzzy_img#aa",
])
def test_places_of_subsignatures(box, sub):
    same_trial(box, f"X;Engine:1-2,Target:1;0&1;4142;{sub}\n", b"ABbxByABbz")


@needs_real
@pytest.mark.parametrize("lines", [
    "# comment\nX:0:*:41424344\n", "\nX:0:*:41424344\n", "X:0:*\n", "X:99:*:41424344\n", "nothing\n",
    "X:0:*:41424344:51:255\nY:0::4142\nbad\nZ:0:*:4142\n", "X;Target:0;0&1;4142\n", "X:0:*:4142\r\n",
    "X:0:*:4142", "",
])
def test_lines_of_signatures_to_try(box, lines):
    same_trial(box, lines, b"ABCDE")
    same_trial(box, lines, b"")


@needs_real
def test_trials_are_refused_in_the_same_words(box):
    (box / "s").write_text("X:0:*:41424344\n")
    for args in (["--test-sigs=s"], ["--test-sigs=missing", "one"], ["--test-sigs=s", "missing"]):
        same(*args, cwd=box, streams=(0, 1, 2))


def test_an_expression_that_matches_nothing_ends(box):
    """sigtool 1.4.6 does not."""
    (box / "s").write_text("X;Target:0;0&1;4142;0/z*/g\n")
    code, out, _ = ours("--test-sigs=s", "one", cwd=box)
    assert code == 0 and b" matches at offsets: " in out


@needs_real
def test_values_of_options_that_take_none_are_refused_in_the_same_words(box):
    for option in ("--fuzzy-img=one", "--md5=one"):
        same(option, cwd=box, streams=(0, 1, 2))


def test_what_is_not_supported_is_said(box):
    for option in ("--build=x", "--vba=one", "-done"):
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
