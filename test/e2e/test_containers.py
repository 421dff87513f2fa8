"""Signature containers on the command line. Only the publisher can sign, so what is accepted here is unsigned
(.cud); that the signed kinds are refused unless proven is tried with files that look right otherwise, and
with a published container where one is at hand (VITRINE_CVD: a folder with a .cvd or .cld in it)."""
import gzip
import hashlib
import json
import shutil

import pytest

import cli
from cli import ONE, TWO, rule
from containers import TIME, container, header, info, make_certificates, openssl, published, sign, tar

CLAMSCAN = shutil.which("clamscan")
NDB = ("x.ndb", rule("In.Container", ONE).encode())


class Box:
    def __init__(self, path):
        self.path = path
        (path / "db").mkdir()
        (path / "bad").write_bytes(b"xx " + ONE + b" yy")

    def put(self, name, data):
        path = self.path / "db" / name
        path.write_bytes(data)
        return path

    def run(self, program, *args):
        return cli.run(program, *args, cache=self.path / "cache", cwd=self.path)

    def clamscan(self, *args):
        return self.run("clamscan", "--no-summary", *args, "bad")


@pytest.fixture
def box(tmp_path):
    (tmp_path / "cache").mkdir()
    return Box(tmp_path)


def test_an_unsigned_container_is_read_and_its_names_are_unofficial(box):
    for packed in (True, False):
        path = box.put("x.cud", container([NDB], packed))
        assert box.clamscan("-d", path) == (1, "bad: In.Container.UNOFFICIAL FOUND\n", "")


def test_info_tells_by_what_the_origin_is_proven(box):
    path = box.put("x.cud", container([NDB, ("y.foo", b"?")]))
    code, out, _ = box.run("vitrine", "db", "info", "--json", path)
    got = json.loads(out)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert code == 0 and got["containers"][0].pop("words")
    assert got["containers"] == [{
        "file": "x.cud", "time": TIME, "builder": "tester", "scheme": "none", "root": "",
        "proof": "not signed", "sha256": digest, "version": 7, "signatures": 2,
        "functionality_level": 90, "build_time": 1795467600}]
    assert got["inactive"] == {"container member of unknown kind": 1}
    assert got["sources"] == hashlib.sha256(bytes.fromhex(digest)).hexdigest()
    text = box.run("vitrine", "db", "info", path)[1]
    assert f"x.cud: version 7 of {TIME} by tester, 2 signatures" in text
    assert "origin: not signed" in text


def test_what_is_not_proven_is_refused(box):
    body = tar([("x.info", info([NDB])), NDB])
    packed = gzip.compress(body, mtime=0)
    md5 = hashlib.md5(packed).hexdigest()
    for name, data in (("x.cvd", header(md5, "a" * 171).ljust(512) + packed),
                       ("x.cvd", header("0" * 32, "a" * 171).ljust(512) + packed)):
        path = box.put(name, data)
        assert box.clamscan("-d", path) == (2, "", (
            f"LibClamAV Error: Can't load {path}: Can't verify database integrity\n"
            "ERROR: Can't verify database integrity\n"))
        assert box.run("vitrine", "scan", "-d", path, "bad")[0] == 2
        assert box.run("vitrine", "db", "info", path)[0] == 2
        assert box.run("vitrine", "db", "build", "-o", "out.vdb", path)[0] == 2
        assert not (box.path / "out.vdb").exists()
    path = box.put("x.cld", header().ljust(512) + body)
    code, out, err = box.clamscan("-d", path)
    assert code == 2 and out == "" and "Malformed database" in err
    folder = box.clamscan("-d", box.path / "db")
    assert folder[0] == 2 and "cli_loaddbdir: error loading database" in folder[2]


BROKEN = {
    "path": container([("../x.ndb", NDB[1])]),
    "slash": container([("a/x.ndb", NDB[1])]),
    "other digest": container([NDB], listed=[("x.ndb", NDB[1].replace(b"In", b"No"))]),
    "not listed": container([NDB, ("y.ndb", NDB[1])], listed=[NDB]),
    "no info": header().ljust(512) + tar([NDB]),
    "other version": header(version=8).ljust(512) + tar([("x.info", info([NDB])), NDB]),
    "malformed member": container([("x.ndb", b"nonsense\n")]),
    "empty member": container([("x.ndb", b"")]),
    "no header": b"x\n",
    "empty": b"",
    "short": container([NDB])[:300],
    "header alone": container([NDB])[:512],
    "cut": container([NDB])[:-20],
}


# clamscan reads a stream that ends early as far as it goes, and has another word for no stream at all.
OTHER_WORDS = ("cut", "header alone")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_container_is_refused_as_clamscan_does(box, name):
    path = box.put("x.cud", BROKEN[name])
    code, out, err = box.clamscan("-d", path)
    assert code == 2 and out == "" and f"LibClamAV Error: Can't load {path}: " in err
    if CLAMSCAN:
        said = cli.subprocess.run([CLAMSCAN, "--no-summary", "-d", path, "bad"], cwd=box.path,
                                  capture_output=True, text=True, check=False)
        assert said.returncode == 2 or name == "cut"
        assert name in OTHER_WORDS or said.stderr.splitlines()[-1] == err.splitlines()[-1]


def test_a_bomb_is_refused(box):
    packed = bytearray(container([NDB]))
    packed[-4:] = b"\xff\xff\xff\xff"
    code, _, err = box.clamscan("-d", box.put("x.cud", packed))
    assert code == 2 and "unfolds to more than" in err


def test_official_only_leaves_loose_and_unsigned_files_of_folders_out(box):
    cud = box.put("x.cud", container([NDB]))
    loose = box.put("y.ndb", rule("Loose", ONE).encode())
    code, _, err = box.clamscan("--official-db-only", "-d", box.path / "db")
    assert code == 2 and "No supported database files found" in err
    for named, found in ((cud, "In.Container"), (loose, "Loose")):
        assert box.clamscan("--official-db-only", "-d", named)[1] == \
            f"bad: {found}.UNOFFICIAL FOUND\n"
    assert box.run("vitrine", "scan", "--official-db-only", "-d", "db", "bad")[0] == 2
    assert box.run("vitrine", "db", "build", "--official-db-only", "-o", "o.vdb", "db")[0] == 2


def test_the_version_line_has_the_daily_set(box):
    box.put("daily.cvd", container([NDB], version=27000))
    box.put("daily.cld", container([NDB], version=27001))
    assert box.run("clamscan", "-V", "-d", "db") == \
        (0, "ClamAV 1.4.6/27001/Mon Nov 23 21:00:00 2026\n", "")
    (box.path / "none").mkdir()
    assert box.run("clamscan", "-V", "-d", "none")[1] == "ClamAV 1.4.6\n"


def test_of_two_versions_the_newer_is_loaded(box):
    """Neither is signed: which one is refused tells which one was chosen."""
    db = box.path / "db"
    for cvd, cld, kept in ((8, 7, "cvd"), (7, 8, "cld"), (7, 7, "cvd")):
        box.put("main.cvd", container([NDB], version=cvd))
        box.put("main.cld", container([NDB], version=cld))
        err = box.clamscan("-d", db)[2]
        assert f"Can't load {db}/main.{kept}:" in err
        assert "Detected duplicate databases" in err
        assert ("older and will not be loaded" in err) == (cvd != cld)


def test_a_sign_file_and_roots_belong_to_what_is_cached(box):
    """A .sign that nobody's root proves is fatal, also when the container was loaded before."""
    path = box.put("x.cud", container([NDB]))
    assert box.clamscan("-d", path)[0] == 1
    box.put("x.cvd", container([NDB]))
    box.put("x-7.cvd.sign", b"#clamsign-1.0\n220::pkcs7-pem:AAAA\n")
    (box.path / "certs").mkdir()
    code, _, err = box.clamscan("--cvdcertsdir=certs", "-d", box.path / "db" / "x.cvd")
    assert code == 2 and "no certificates here" in err
    (box.path / "certs" / "a.crt").write_text("nothing\n")
    code, _, err = box.clamscan("--cvdcertsdir=certs", "-d", box.path / "db" / "x.cvd")
    assert code == 2 and "no certificate in PEM" in err


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl program")
def test_a_sign_file_proves_a_container(box):
    make_certificates(box.path)
    path = box.put("x.cvd", container([NDB]))
    side = sign(box.path, path)
    assert box.clamscan("-d", path)[0] == 2  # no roots: the header has to prove, and cannot
    roots = ("--cvdcertsdir=certs",)
    assert box.clamscan(*roots, "-d", path) == (1, "bad: In.Container FOUND\n", "")
    assert box.clamscan(*roots, "-d", box.path / "db")[1] == "bad: In.Container FOUND\n"
    got = json.loads(box.run("vitrine", "db", "info", *roots, "--json", path)[1])["containers"][0]
    assert (got["scheme"], got["root"], got["proof"]) == ("cms", "Test Root", "CMS, root Test Root")
    assert box.run("vitrine", "scan", "--official-db-only", *roots, "-d", "db", "bad")[0] == 1

    good = side.read_text()
    side.write_text(good[:200] + ("A" if good[200] != "A" else "B") + good[201:])
    code, _, err = box.clamscan(*roots, "-d", path)
    assert code == 2 and "Can't verify database integrity" in err
    side.write_text(good)
    path.write_bytes(path.read_bytes() + b"\0")
    assert box.clamscan(*roots, "-d", path)[0] == 2

    path.write_bytes(container([NDB]))
    openssl(box.path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "again.key", "-out",
            "certs/z.crt", "-subj", "/CN=Test Root", "-days", "30")
    code, _, err = box.clamscan(*roots, "-d", path)
    assert code == 2 and "two certificates are called 'Test Root'" in err


def test_the_same_container_gives_the_same_bytes(box):
    box.put("x.cud", container([NDB]))
    box.put("y.cud", container([("y.ndb", rule("Other", TWO).encode())]))
    assert box.run("vitrine", "db", "build", "-o", "1.vdb", "db/x.cud", "db/y.cud")[0] == 0
    assert box.run("vitrine", "db", "build", "-o", "2.vdb", "db/y.cud", "db")[0] == 0
    one = json.loads(box.run("vitrine", "db", "info", "--json", "1.vdb")[1])
    assert [c["file"] for c in one["containers"]] == ["x.cud", "y.cud"]
    assert box.run("vitrine", "db", "build", "-o", "3.vdb", "db/y.cud", "db/x.cud")[0] == 0
    assert (box.path / "1.vdb").read_bytes() == (box.path / "3.vdb").read_bytes()


@pytest.mark.skipif(not published(), reason="no published container: name a folder by VITRINE_CVD")
def test_published_containers_are_proven_and_changed_ones_are_not(box):
    words = {".cvd": "legacy MD5/RSA-1024: evidence of origin only", ".cld": ".info SHA-256/RSA-2047"}
    for path in published():
        code, out, _ = box.run("vitrine", "db", "info", "--json", path)
        assert code == 0 and json.loads(out)["containers"][0]["proof"] == words[path.suffix]
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        assert box.run("vitrine", "db", "info", box.put(path.name, data))[0] == 2
