"""Source bundles (doc/format/updates.md): what is compiled from one is what is compiled from the files in
it, byte for byte; same files, same bundle; and what is no bundle is refused."""
import os
import subprocess
import tarfile

import pytest

import cli
import containers


def vitrine(*args):
    r = subprocess.run([str(cli.BUILD / "vitrine"), *map(str, args)], capture_output=True, timeout=60)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def build(out, *srcs):
    code, _, err = vitrine("db", "build", "-q", "-o", out, *srcs)
    assert code == 0, err
    return out.read_bytes()


def refused(out, *srcs):
    code, _, err = vitrine("db", "build", "-q", "-o", out, *srcs)
    assert code == 2 and not out.exists()
    return err


def names(bundle):
    with tarfile.open(bundle) as t:
        return [m.name for m in t]


def header(name, size):
    m = tarfile.TarInfo(name)
    m.size, m.mode = size, 0o644
    h = bytearray(m.tobuf(tarfile.USTAR_FORMAT))
    h[329:345] = b"0000000\0" * 2  # as GNU tar has it
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def archive(path, members):
    """A bundle's bytes for these members, in this order."""
    path.write_bytes(b"".join(header(n, len(d)) + d + b"\0" * (-len(d) % 512) for n, d in members) +
                     b"\0" * 1024)
    return path


@pytest.fixture
def rules(tmp_path):
    d = tmp_path / "rules"
    d.mkdir()
    (d / "b.ndb").write_text(cli.rule("Bundle.B", cli.TWO))
    (d / "a.ndb").write_text(cli.rule("Bundle.A", cli.ONE))
    (d / "x.ign2").write_text("Bundle.Gone\n")
    (d / "c.ndb").write_text(cli.rule("Bundle.Gone", b"something else") + "broken line\n")
    (d / "u.ndu").write_text(cli.rule("PUA.Bundle", b"unwanted thing"))
    (d / "notes.txt").write_text("no signatures")
    (d / "about.cat").write_text("no signatures either")
    return d


def test_database_from_a_bundle_is_the_database_from_its_files(tmp_path, rules):
    bundle = tmp_path / "source.tar"
    build(bundle, rules)
    assert names(bundle) == ["a.ndb", "b.ndb", "c.ndb", "u.ndu", "x.ign2"]
    assert build(tmp_path / "1.vdb", rules) == build(tmp_path / "2.vdb", bundle)


def test_shipped_rules_too(tmp_path):
    bundle = tmp_path / "source.tar"
    build(bundle, cli.ROOT / "signatures")
    assert build(tmp_path / "1.vdb", cli.ROOT / "signatures") == build(tmp_path / "2.vdb", bundle)


def test_same_files_make_the_same_bundle_in_any_order(tmp_path, rules):
    files = [p for p in sorted(rules.iterdir()) if p.suffix in (".ndb", ".ign2", ".ndu")]
    one = build(tmp_path / "1.tar", *files)
    assert one == build(tmp_path / "2.tar", *reversed(files)) == build(tmp_path / "3.tar", rules)
    assert one == build(tmp_path / "4.tar", tmp_path / "1.tar")


def test_files_of_one_name_are_all_kept(tmp_path):
    for i in range(3):
        (tmp_path / f"d{i}").mkdir()
        (tmp_path / f"d{i}" / "same.ndb").write_text(cli.rule(f"Bundle.{i}", b"mark number %d" % i))
    srcs = [tmp_path / f"d{i}" / "same.ndb" for i in range(3)]
    bundle = build(tmp_path / "1.tar", *srcs)
    assert names(tmp_path / "1.tar") == ["2/same.ndb", "3/same.ndb", "same.ndb"]
    assert bundle == build(tmp_path / "2.tar", *srcs[::-1])
    assert build(tmp_path / "1.vdb", *srcs) == build(tmp_path / "2.vdb", tmp_path / "1.tar")


def test_gnu_tar_makes_the_same_bundle(tmp_path, rules):
    files = sorted(p.name for p in rules.iterdir() if p.suffix in (".ndb", ".ign2", ".ndu"))
    subprocess.run(["tar", "--format=ustar", "--owner=0", "--group=0", "--numeric-owner", "--mode=0644",
                    "--mtime=@0", "-b1", "-cf", tmp_path / "theirs.tar", *files], cwd=rules, check=True)
    assert build(tmp_path / "ours.tar", rules) == (tmp_path / "theirs.tar").read_bytes()


def test_bundle_counts_only_where_it_is_named(tmp_path, rules):
    plain = build(tmp_path / "1.vdb", rules)
    archive(rules / "extra.tar", [("extra.ndb", cli.rule("Bundle.Extra", b"extra mark").encode())])
    assert build(tmp_path / "2.vdb", rules) == plain
    assert build(tmp_path / "3.vdb", rules, rules / "extra.tar") != plain


def test_scan_takes_a_bundle(tmp_path, rules):
    build(tmp_path / "source.tar", rules)
    (tmp_path / "bad").write_bytes(cli.ONE)
    code, out, _ = vitrine("scan", "--no-cache", "--database", tmp_path / "source.tar", tmp_path / "bad")
    assert code == 1 and "Bundle.A" in out


def test_what_comes_from_a_container_keeps_its_name(tmp_path):
    text = cli.rule("Bundle.Member", cli.ONE).encode()
    archive(tmp_path / "1.tar", [("main.cvd/main.ndb", text)])
    archive(tmp_path / "2.tar", [("main/main.ndb", text)])
    (tmp_path / "bad").write_bytes(cli.ONE)
    for bundle, name in (("1.tar", "Bundle.Member"), ("2.tar", "Bundle.Member.UNOFFICIAL")):
        r = subprocess.run([str(cli.BUILD / "clamscan"), "--no-summary", "-d", str(tmp_path / bundle),
                            str(tmp_path / "bad")], capture_output=True, timeout=60,
                           env=dict(os.environ, XDG_CACHE_HOME=str(tmp_path)))
        assert r.stdout.decode() == f"{tmp_path}/bad: {name} FOUND\n"


@pytest.mark.parametrize("members, why", [
    ([("a/b/c.ndb", b"")], "deeper than one folder"),
    ([("a.txt", b"")], "no signature file"),
    ([("main.cvd", b"")], "is a container"),
    ([("b.ndb", b""), ("a.ndb", b"")], ""),
    ([("../a.ndb", b"")], ""),
])
def test_what_no_bundle_has_is_refused(tmp_path, members, why):
    bundle = archive(tmp_path / "bad.tar", members)
    assert why in refused(tmp_path / "x.vdb", bundle)
    assert "bad.tar" in refused(tmp_path / "y.tar", bundle)


def test_damaged_bundle_is_refused(tmp_path, rules):
    good = build(tmp_path / "good.tar", rules)
    bad = tmp_path / "bad.tar"
    for data in (good[:-512], good + b"\0" * 512, good[:100] + b"x" + good[101:], b"", b"PK\3\4" * 300):
        bad.write_bytes(data)
        refused(tmp_path / "x.vdb", bad)


def test_container_without_proof_is_taken_apart_only_by_db_build(tmp_path):
    data = containers.container([("x.ndb", cli.rule("Bundle.Cud", cli.ONE).encode())])
    (tmp_path / "x.cud").write_bytes(data)
    build(tmp_path / "1.tar", tmp_path / "x.cud")
    assert names(tmp_path / "1.tar") == ["x.cud/x.ndb"]
    (tmp_path / "x.cvd").write_bytes(data)
    refused(tmp_path / "2.tar", tmp_path / "x.cvd")


@pytest.mark.skipif(not containers.published(), reason="no published containers (VITRINE_CVD)")
def test_bundle_of_containers_finds_what_they_find(tmp_path):
    for path in containers.published():
        build(tmp_path / "b.tar", path)
        build(tmp_path / "1.vdb", path)
        build(tmp_path / "2.vdb", tmp_path / "b.tar")
        lists = [vitrine("db", "list", "--database", tmp_path / f"{i}.vdb")[1] for i in (1, 2)]
        assert lists[0] == lists[1]
