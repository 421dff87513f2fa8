"""vitrine publish release, import and evidence, and vitrine attest, with a log and two witnesses that run:
what is published is proven, and nothing is published or logged before its time."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

import cli
import containers
from publishing import good, vitrine, vkey, world


@pytest.fixture
def w(tmp_path):
    with world(tmp_path) as made:
        yield made


@pytest.fixture
def rules(tmp_path):
    d = tmp_path / "rules"
    d.mkdir()
    (d / "a.ndb").write_text(cli.rule("Release.A", cli.ONE))
    (d / "u.ndu").write_text(cli.rule("PUA.Release", b"unwanted thing"))
    return d


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_release_is_published_with_statement_and_proof(w, rules, tmp_path):
    code, said, err = w.release(rules)
    assert (code, err) == (0, "")
    vdb, source = w.path("main/main.vdb"), w.path("main/source.tar")
    assert said == {"set": "main", "version": 1, "main.vdb": sha256(vdb), "source.tar": sha256(source),
                    "index": 0, "published": True}
    assert sorted(w.targets_of()) == ["main/main.vdb", "main/main.vdb.zst", "main/release.dsse",
                                      "main/source.tar", "main/source.tar.zst"]
    s = w.statement()
    assert {x["name"]: x["digest"]["sha256"] for x in s["subject"]} == \
        {"main.vdb": sha256(vdb), "source.tar": sha256(source)}
    d = s["predicate"]["buildDefinition"]
    assert d["buildType"] == "https://vitrine-av.org/build/signatures/v1"
    assert d["externalParameters"] == {"set": "main", "version": 1, "pua": False, "strict": False,
                                       "clamav": False}
    assert [x["name"] for x in d["resolvedDependencies"]] == ["source.tar"]
    w.proven(w.path("main/release.dsse"),
             w.path("main/evidence/release.tlog-proof", "evidence"))
    good("log", "check", "--policy", w.policy, w.log)
    # What everybody can do with it: build the same.
    good("db", "build", "-q", "-o", tmp_path / "mine.vdb", source)
    assert sha256(tmp_path / "mine.vdb") == sha256(vdb)


def test_unwanted_programs_only_where_asked_for(w, rules):
    assert w.release(rules)[0] == 0
    assert b"PUA.Release" not in w.path("main/source.tar").read_bytes()
    assert w.release(rules, "--pua")[0] == 0
    assert b"PUA.Release" in w.path("main/source.tar").read_bytes()
    assert w.statement()["predicate"]["buildDefinition"]["externalParameters"]["pua"] is True


def test_next_release_has_the_next_version_and_deltas(w, rules):
    assert w.release(cli.ROOT / "signatures")[1]["version"] == 1
    first = sha256(w.path("main/main.vdb"))
    assert w.release(cli.ROOT / "signatures", rules)[1]["version"] == 2
    assert f"main/delta/main.vdb-{first[:16]}" in w.targets_of()
    assert w.release(cli.ROOT / "signatures", "--version", 2)[0] == 2
    assert w.release(cli.ROOT / "signatures", "--version", 9, "--deltas", 0)[1]["version"] == 9
    assert not [x for x in w.targets_of() if "/delta/" in x]


def test_nothing_is_published_without_the_witnesses_and_goes_on_later(w, rules):
    before = w.tree()
    w.witnesses[1].stop()
    code, out, err = w.release(rules)
    assert code == 2 and out is None and "witness" in err
    assert w.tree() == before and w.entries() == 0
    # Neither can it slip through with something else.
    code, _, err = w.evidence()
    assert code == 2 and "not published" in err and w.tree() == before
    code, _, err = vitrine("publish", "commit", w.dir)
    assert code == 2 and "not in the log yet" in err and w.tree() == before
    w.witnesses[1].start()
    code, said, err = w.release("--continue", publisher=None, targets=None)
    assert (code, said["index"], said["published"]) == (0, 0, True), err
    assert w.entries() == 1
    w.proven(w.path("main/release.dsse"), w.path("main/evidence/release.tlog-proof", "evidence"))


def test_nothing_is_logged_before_every_signature_is_there(w, rules):
    before = w.tree()
    code, said, err = w.release(rules, "--publishers", 2, targets=None)
    assert code == 1 and said["published"] is False and "1 of 2 signatures of publishers" in err
    assert w.entries() == 0 and w.tree() == before
    # The second publisher, then the one who signs targets.
    code, said, err = w.release("--continue", publisher=w.pub2, targets=None)
    assert code == 1 and "targets: 0 of 1" in err and w.entries() == 0 and w.tree() == before
    code, said, err = w.release("--continue", publisher=None)
    assert code == 0 and w.entries() == 1, err
    envelope = json.loads(w.path("main/release.dsse").read_bytes())
    assert len(envelope["signatures"]) == 2
    assert w.release("--continue", publisher=None)[0] == 2  # there is nothing left


def test_a_signature_too_few_of_targets_keeps_the_log_empty(w, rules):
    code, said, err = w.release(rules, targets=None)
    assert code == 1 and "targets: 0 of 1" in err and w.entries() == 0
    assert w.release("--continue", publisher=None)[0] == 0


def test_copies_signed_elsewhere_are_taken_back(w, rules, tmp_path):
    staged, away = w.dir.with_name("repo.private") / "staged", tmp_path / "away"
    away.mkdir()
    assert w.release(rules, "--publishers", 2, targets=None)[0] == 1
    copy = away / "statement.dsse"
    shutil.copy(staged / "main.release.dsse", copy)
    good("publish", "sign", copy, "--key", w.pub2)
    assert w.release("--continue", copy, publisher=None, targets=None)[0] == 1
    copy = away / "targets.json"
    shutil.copy(staged / "targets.json", copy)
    good("publish", "sign", copy, "--key", w.targets)
    (away / "other.dsse").write_text(json.dumps({
        "payload": base64.b64encode(b"{}").decode(), "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": "AAAA"}, {"sig": "BBBB"}]}))
    assert w.release("--continue", away / "other.dsse", publisher=None)[0] == 2 and w.entries() == 0
    code, said, err = w.release("--continue", copy, away / "statement.dsse", publisher=None, targets=None,
                                online=None)
    assert code == 0 and w.entries() == 1, err


def test_only_what_was_staged_whole_goes_on(w, rules, tmp_path):
    assert w.release(rules, targets=None)[0] == 1
    mark = w.dir.with_name("repo.private") / "staged" / "main.release"
    text = mark.read_text()
    mark.write_text(text.replace("staged 1", "staged 0"))
    code, _, err = w.release("--continue", publisher=None)
    assert code == 2 and "interrupted" in err
    mark.write_text(text.replace("version 1", "version 2"))
    code, _, err = w.release("--continue", publisher=None)
    assert code == 2 and "not about the release that is staged" in err
    mark.write_text("nonsense")
    assert w.release("--continue", publisher=None)[0] == 2 and w.entries() == 0
    assert w.release(rules)[0] == 0


def test_a_staged_release_can_be_replaced(w, rules):
    assert w.release(rules, targets=None)[0] == 1
    (rules / "a.ndb").write_text(cli.rule("Release.Better", cli.ONE))
    assert w.release(rules)[1]["version"] == 1
    assert b"Release.Better" in w.path("main/source.tar").read_bytes() and w.entries() == 1


def attest(w, key, verdict, out, *files):
    good("attest", "--key", key, verdict, *files, "-o", out)
    return out


def test_verdicts_of_rebuilders_are_logged_and_proven(w, rules, tmp_path):
    assert w.release(rules)[0] == 0
    files = [w.path("main/main.vdb"), w.path("main/source.tar")]
    targets = w.newest("snapshot").read_bytes()
    one = attest(w, w.reb1, "--passed", tmp_path / "1.dsse", *files)
    two = attest(w, w.reb2, "--failed", tmp_path / "2.dsse", *files)
    assert w.evidence(one)[:2] == (0, "main\t1 verdict\nlog index\t0\n")
    assert w.evidence(two, one)[:2] == (0, "main\t2 verdicts\nlog index\t0\n")
    assert w.evidence()[:2] == (0, "main\t2 verdicts\nlog index\t0\n")
    assert w.entries() == 3 and targets != w.newest("snapshot").read_bytes()
    kept = [w.path(f"main/evidence/rebuild-{k}.dsse", "evidence") for k in (1, 2)]
    assert [p.read_bytes() for p in kept] == [one.read_bytes(), two.read_bytes()]
    for k, p in enumerate(kept, 1):
        w.proven(p, w.path(f"main/evidence/rebuild-{k}.tlog-proof", "evidence"))
    # A new release begins without verdicts.
    (rules / "b.ndb").write_text(cli.rule("Release.B", cli.TWO))
    assert w.release(rules)[0] == 0
    assert sorted(w.targets_of("evidence")) == ["main/evidence/release.tlog-proof"]


def test_verdict_about_something_else_is_refused(w, rules, tmp_path):
    assert w.release(rules)[0] == 0
    before = w.tree()
    (tmp_path / "other").write_bytes(b"x")
    other = attest(w, w.reb1, "--passed", tmp_path / "1.dsse", tmp_path / "other")
    release, junk = w.path("main/release.dsse"), tmp_path / "junk"
    junk.write_bytes(b"{}")
    for bad, why in ((other, "another main.vdb"), (junk, "payload")):
        code, out, err = w.evidence(bad)
        assert code == 2 and out == "" and why in err
    assert w.evidence(release)[0] == 0  # known already: the release itself
    code, _, err = w.evidence(tmp_path / "none")
    assert code == 2 and "none" in err
    assert w.entries() == 1 and w.path("main/main.vdb").name in str(sorted(before))


def test_proofs_get_cosignatures_of_now(w, rules):
    assert w.release(rules)[0] == 0
    proof = w.path("main/evidence/release.tlog-proof", "evidence").read_bytes()
    cli.wait_for(lambda: w.evidence()[0] == 0 and
                 w.path("main/evidence/release.tlog-proof", "evidence").read_bytes() != proof)
    assert w.entries() == 1
    w.proven(w.path("main/release.dsse"), w.path("main/evidence/release.tlog-proof", "evidence"))


def test_import_proves_containers_and_keeps_their_names(w, tmp_path):
    containers.make_certificates(tmp_path)
    data = containers.container([("x.ndb", cli.rule("In.Container", cli.ONE).encode()),
                                 ("1.cbc", b"ClamBCafh`")])
    box = tmp_path / "db"
    box.mkdir()
    (box / "x.cvd").write_bytes(data)
    args = ("publish", "import", w.dir, box / "x.cvd", "--cvdcertsdir", tmp_path / "certs", *w.options())
    code, out, err = vitrine(*args)
    assert code == 2 and out == "" and w.entries() == 0  # not signed
    containers.sign(tmp_path, box / "x.cvd")
    assert vitrine(*args)[0] == 0
    deps = w.statement()["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert deps[1] == {"name": "x.cvd", "digest": {"sha256": hashlib.sha256(data).hexdigest()},
                       "annotations": {"origin": "version 7, proven by .sign file (CMS), root certificate "
                                                 "Test Root"}}
    (tmp_path / "bad").write_bytes(cli.ONE)
    (tmp_path / "cache").mkdir()
    found = [cli.run("clamscan", "--no-summary", *more, tmp_path / "bad", cache=tmp_path / "cache")[1]
             for more in (("-d", w.path("main/main.vdb").rename(tmp_path / "main.vdb")),
                          (f"--cvdcertsdir={tmp_path / 'certs'}", "-d", box / "x.cvd"))]
    assert found[0] == found[1] == f"{tmp_path}/bad: In.Container FOUND\n"


def test_import_refuses_what_proves_nothing(w, rules, tmp_path):
    data = containers.container([("x.ndb", cli.rule("In.Container", cli.ONE).encode())])
    (tmp_path / "x.cud").write_bytes(data)
    for src, why in ((tmp_path / "x.cud", "nothing proves its origin"), (rules, "no signature container")):
        code, out, err = vitrine("publish", "import", w.dir, src, *w.options())
        assert code == 2 and out == "" and why in err
    code, _, err = vitrine("publish", "release", w.dir, tmp_path / "x.cud", *w.options())
    assert code == 2 and "publish import" in err
    assert w.entries() == 0


@pytest.mark.skipif(not containers.published(), reason="no published container (VITRINE_CVD)")
def test_published_containers_become_a_release(w, tmp_path):
    good("publish", "import", w.dir, *containers.published(), *w.options())
    deps = w.statement()["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert len(deps) > 1 and all("proven by" in d["annotations"]["origin"] for d in deps[1:])


def test_client_installs_what_was_published(w, rules, tmp_path):
    """The whole chain: two witnesses, two rebuilders, and the log's history."""
    def update():
        served = w.dir / "log" / "log.example"
        shutil.rmtree(served, ignore_errors=True)
        shutil.copytree(w.log, served)
        code, out, err = vitrine("update", "--policy", tmp_path / "update.policy", "--state",
                                 tmp_path / "state", "--json")
        links = [json.loads(x) for x in out.splitlines()]
        return code, [x for x in links if x.get("outcome") == "refused"], err

    def rebuilt():
        good("db", "build", "-q", "-o", tmp_path / "mine.vdb", w.path("main/source.tar"))
        files = [tmp_path / "mine.vdb", w.path("main/source.tar")]
        assert w.evidence(*(attest(w, k, "--passed", tmp_path / f"{i}.dsse", *files)
                            for i, k in enumerate((w.reb1, w.reb2))))[0] == 0

    (tmp_path / "update.policy").write_text(
        f"repository file://{w.dir}\nroot {w.dir}/metadata/1.root.json\nset main\n"
        f"publisher pub {vkey(w.pub)}\nrebuilder reb1 {vkey(w.reb1)}\nrebuilder reb2 {vkey(w.reb2)}\n"
        f"rebuilds-needed 2\nfreshness 48h\neicar no\n{w.policy.read_text()}")
    for version in (1, 2):
        (rules / "v.ndb").write_text(cli.rule(f"Release.V{version}", cli.TWO))
        assert w.release(rules)[0] == 0
        code, refused, err = update()
        assert code == 1 and "rebuilders" in str(refused), (code, refused, err)
        rebuilt()
        code, refused, err = update()
        assert code == 0, (refused, err)
        current = tmp_path / "state" / "main" / "current" / "main.vdb"
        assert sha256(current) == sha256(w.path("main/main.vdb"))


def test_keys_for_something_else_are_refused_before_anything_is_made(w, rules):
    before = w.tree()
    for kind in ("publisher", "targets", "online"):
        code, out, err = w.release(rules, **{kind: w.log_key})
        assert code == 2 and out is None and "--for publisher" in err
    assert w.tree() == before and w.entries() == 0


def test_sources_that_are_none_are_refused(w, rules, tmp_path):
    (rules / "bad.ndb").write_text("nonsense\n")
    code, out, err = w.release(rules, "--strict")
    assert code == 2 and out is None and "bad.ndb" in err
    (tmp_path / "a.vdb").write_bytes(b"VITRINDB")
    for src in (tmp_path / "none.ndb", tmp_path / "a.vdb"):
        assert w.release(src)[0] == 2
    assert w.entries() == 0


def test_verdict_says_what_it_is_about(w, tmp_path):
    for i in (1, 2):
        (tmp_path / f"f{i}").write_bytes(b"content %d" % i)
    out = tmp_path / "v.dsse"
    good("attest", "--key", w.reb1, "--key", w.reb2, "--passed", "--subject", tmp_path / "f1",
         tmp_path / "f2", "--time", "2026-11-24T12:00:00Z", "-o", out)
    envelope = json.loads(out.read_bytes())
    s = json.loads(base64.b64decode(envelope["payload"]))
    assert len(envelope["signatures"]) == 2
    assert [(x["name"], x["digest"]["sha256"]) for x in s["subject"]] == \
        [(f"f{i}", sha256(tmp_path / f"f{i}")) for i in (1, 2)]
    p = s["predicate"]
    assert (p["verificationResult"], p["timeVerified"], p["verifier"]["id"]) == \
        ("PASSED", "2026-11-24T12:00:00Z", "reb1.example")
    for bad in (("--passed",), ("--passed", "--failed", tmp_path / "f1"), (tmp_path / "f1",),
                ("--failed", tmp_path / "none"), ("--failed", "--time", "today", tmp_path / "f1")):
        code, said, err = vitrine("attest", "--key", w.reb1, *bad, "-o", tmp_path / "no.dsse")
        assert code == 2 and said == "" and err and not (tmp_path / "no.dsse").exists()


@pytest.mark.parametrize("page, command", [
    ("vitrine-publish.1", ("publish", "timestamp")), ("vitrine-publish.1", ("publish", "prune")),
    ("vitrine-publish.1", ("publish", "init")), ("vitrine-publish.1", ("publish", "rotate")),
    ("vitrine-publish.1", ("publish", "commit")), ("vitrine-publish.1", ("publish", "sign")),
    ("vitrine-publish.1", ("publish", "renew")), ("vitrine-publish.1", ("publish", "delegate")),
    ("vitrine-publish.1", ("publish", "release")), ("vitrine-publish.1", ("publish", "import")),
    ("vitrine-publish.1", ("publish", "evidence")), ("vitrine-attest.1", ("attest",))])
def test_the_manual_has_every_option(page, command):
    text = (cli.ROOT / "man" / page).read_text().replace("\\", "")
    words = {x.strip(",.;:'\"[]()") for x in good(*command, "--help").replace("|", " ").split()
             if x.strip("[(").startswith("--")}
    assert words and all(x in text for x in words), [x for x in words if x not in text]


# -- what waits, and what goes its own way --------------------------------------------------------

def other_proof(w, before):
    return w.path("main/evidence/release.tlog-proof", "evidence").read_bytes() != before


def test_proofs_are_renewed_while_a_release_waits(w, rules, tmp_path):
    assert w.release(rules)[0] == 0
    files = [w.path("main/main.vdb"), w.path("main/source.tar")]
    (rules / "a.ndb").write_text(cli.rule("Release.Next", cli.ONE))
    assert w.release(rules, targets=None)[0] == 1
    staged = w.dir.with_name("repo.private") / "staged"
    waits = {p.name: p.read_bytes() for p in staged.glob("*.*")}
    proof = w.path("main/evidence/release.tlog-proof", "evidence").read_bytes()
    one = attest(w, w.reb1, "--passed", tmp_path / "1.dsse", *files)
    assert w.evidence(one)[:2] == (0, "main\t1 verdict\nlog index\t0\n")
    cli.wait_for(lambda: w.timestamp("--proofs-age", "1s")[0] == 0 and other_proof(w, proof))
    assert waits == {p.name: p.read_bytes() for p in staged.glob("*.*")}
    w.proven(w.path("main/release.dsse"), w.path("main/evidence/release.tlog-proof", "evidence"))
    w.proven(one, w.path("main/evidence/rebuild-1.tlog-proof", "evidence"))
    assert w.path("main/main.vdb") == files[0] and w.entries() == 2
    assert w.release("--continue", publisher=None)[0] == 0
    assert w.path("main/main.vdb") != files[0]
    assert sorted(w.targets_of("evidence")) == ["main/evidence/release.tlog-proof"]


def test_proofs_that_are_young_enough_stay(w, rules):
    assert w.release(rules)[0] == 0
    snapshot, timestamp = w.newest("snapshot"), w.dir / "metadata/timestamp.json"
    before = timestamp.read_bytes()
    code, out, err = w.timestamp()
    assert code == 0 and "proved" not in out, err
    assert w.newest("snapshot") == snapshot and timestamp.read_bytes() != before
    code, out, err = w.timestamp("--proofs-age", "soon")
    assert code == 2 and "--proofs-age" in err


def test_without_the_witnesses_there_is_a_timestamp_and_an_error(w, rules):
    assert w.release(rules)[0] == 0
    timestamp = w.dir / "metadata/timestamp.json"
    before, snapshot = timestamp.read_bytes(), w.newest("snapshot")
    w.witnesses[0].stop()
    cli.wait_for(lambda: w.timestamp("--proofs-age", "1s")[0] == 2)
    code, out, err = w.timestamp("--proofs-age", "1s")
    assert code == 2 and "a new timestamp is published, but no new proofs" in err
    assert timestamp.read_bytes() != before and w.newest("snapshot") == snapshot


def test_several_publishers_sign_copies_of_the_same_statement(w, rules, tmp_path):
    staged = w.dir.with_name("repo.private") / "staged" / "main.release.dsse"
    assert w.release(rules, "--publishers", 3, publisher=w.pub)[0] == 1
    for key in (w.pub2, w.reb1):
        shutil.copy(staged, tmp_path / f"{key.stem}.dsse")
        good("publish", "sign", tmp_path / f"{key.stem}.dsse", "--key", key)
    code, said, err = w.release("--continue", tmp_path / "pub2.dsse", tmp_path / "reb1.dsse", publisher=None)
    assert code == 0 and w.entries() == 1, err
    signatures = json.loads(w.path("main/release.dsse").read_bytes())["signatures"]
    assert len(signatures) == 3 and signatures == sorted(signatures, key=lambda s: base64.b64decode(s["sig"]))


class TestKnownPublishers:
    @pytest.fixture
    def w(self, w):
        code, out, err = vitrine("publish", "rotate", w.dir, "publisher", "--add", w.pub, "--add", w.pub2,
                                 "--threshold", 2)
        assert (code, out) == (0, "publisher  2 of 2 keys\n"), err
        return w

    def test_release_needs_as_many_as_the_repository_says(self, w, rules, tmp_path):
        assert w.release(rules, "--publishers", 1)[0] == 2
        code, _, err = w.release(rules)
        assert code == 1 and "1 of 2 signatures of publishers" in err and w.entries() == 0
        assert w.release("--continue", publisher=w.pub2)[0] == 0 and w.entries() == 1

    def test_foreign_keys_are_refused_before_anything_is_staged(self, w, rules):
        code, out, err = w.release(rules, publisher=w.reb1)
        assert code == 2 and out is None and "not one of the publishers'" in err
        assert list((w.dir.with_name("repo.private") / "staged").glob("*.release*")) == []

    def test_foreign_and_wrong_signatures_are_not_taken(self, w, rules, tmp_path):
        staged = w.dir.with_name("repo.private") / "staged" / "main.release.dsse"
        assert w.release(rules)[0] == 1
        before = staged.read_bytes()
        foreign, wrong = tmp_path / "foreign.dsse", tmp_path / "wrong.dsse"
        shutil.copy(staged, foreign)
        good("publish", "sign", foreign, "--key", w.reb1)
        envelope = json.loads(before)
        envelope["signatures"].append({"sig": base64.b64encode(bytes(64)).decode()})
        wrong.write_text(json.dumps(envelope))
        for bad in (foreign, wrong):
            code, _, err = w.release("--continue", bad, publisher=None)
            assert code == 2 and "1 of its 2 signatures are wrong, or of a key that is not" in err
        code, _, err = w.release("--continue", publisher=w.reb1)
        assert code == 2 and staged.read_bytes() == before and w.entries() == 0

    def test_a_threshold_that_grew_holds_for_what_is_staged(self, w, rules):
        good("publish", "rotate", w.dir, "publisher", "--threshold", 1)
        assert w.release(rules, targets=None)[0] == 1
        good("publish", "rotate", w.dir, "publisher", "--threshold", 2)
        code, _, err = w.release("--continue", publisher=None)
        assert code == 1 and w.entries() == 0


def test_old_files_are_pruned_and_readers_see_the_same(w, rules):
    for i in range(9):
        (rules / "a.ndb").write_text(cli.rule(f"Release.N{i}", cli.ONE))
        assert w.release(rules)[0] == 0
    before = w.tree()
    assert good("publish", "prune", w.dir) == "0 files removed\n"
    later = ("--time", "2099-01-01T00:00:00Z")
    would = good("publish", "prune", w.dir, "--keep", 2, "--dry-run", *later)
    assert w.tree() == before
    assert good("publish", "prune", w.dir, "--keep", 2, *later) == would.replace("would be ", "")
    assert len(w.tree()) < len(before) and would != "0 files would be removed\n"
    for role in ("targets", "evidence"):
        for name in w.targets_of(role):
            w.path(name, role)
    assert w.release(rules)[0] == 0
    assert len([x for x in w.targets_of() if "/delta/main.vdb" in x]) <= 7
    for bad in (("--keep", 0), ("--age", "never")):
        assert vitrine("publish", "prune", w.dir, *bad)[0] == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"payload": 1, "payloadType": "x"}', '{"signed": {"_type": "root"}}',
                                  '{"signed": {"_type": "targets"}, "signatures": [{}]}', "[" * 100000])
def test_foreign_files_are_refused_before_a_key_is_opened(w, tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    for args in (("sign", tmp_path / "x.json", "--key", tmp_path / "none.key"),
                 ("commit", w.dir, tmp_path / "x.json", "--key", tmp_path / "none.key")):
        code, out, err = vitrine("publish", *args)
        assert code == 2 and out == "" and err and "none.key" not in err


def examples(page):
    """The commands of a manual page's examples, in their order."""
    text = page.read_text().split("\n.SH EXAMPLES\n")[1].split("\n.SH ")[0]
    blocks = re.findall(r"\n\.(?:nf|EX)\n(.*?)\n\.(?:fi|EE)", text, re.S)
    return re.sub(r"\\\n\s+", "", "\n".join(blocks).replace("\\-", "-").replace("\\\\", "\\")
                  .replace("\\e", "\\")).split("\n")


def test_examples_of_the_manual_run_one_after_another(tmp_path, rules):
    """But for asking for passphrases, and for published containers, which are not here."""
    (tmp_path / "srv").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "vitrine").symlink_to(cli.BUILD / "vitrine")
    env = dict(os.environ, PATH=f"{tmp_path}/bin:/usr/bin:/bin")
    ran = 0
    for command in examples(cli.ROOT / "man" / "vitrine-publish.1"):
        if "publish import" in command:
            continue
        command = command.replace("/srv", f"{tmp_path}/srv").replace("key new", "key new --no-passphrase")
        r = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True,
                           stdin=subprocess.DEVNULL, timeout=60)
        # Bob has to sign: that is what 1 says.
        waits = "publish init" in command or "publish release" in command and "--continue" not in command
        assert r.returncode == (1 if waits else 0), (command, r.stdout, r.stderr)
        ran += 1
    assert ran > 15
