"""Mirrors are interchangeable: one that lies, lags or is down costs a try and a warning, not the
update, as long as another one serves what passes; and none of it passes for being behind."""
import json
import shutil

import cli
import pytest
import tlogsim
from test_update_attacks import Endless, client, first, installed_second, second
from updateworld import sha256


def ask(client, *urls):
    """The policy names these; the log is where the repository is."""
    path = type(client.world).policy(client.world, "http://x")
    lines = "\n".join(f"repository {url}" for url in urls)
    text = path.read_text().replace("repository http://x", lines).replace(" http://x/log", "")
    path.write_text(text)
    client.world.policy = lambda url, **lines: path
    return path


def told(lines):
    """Of mirrors that failed."""
    return [(l["mirror"], l["outcome"], l.get("link")) for l in lines if "mirror" in l]


def kept(client):
    return [p.read_text() for p in sorted((client.state / "main" / "refused").glob("*.txt"))]


@pytest.fixture()
def evil(client, tmp_path):
    """A copy of the repository with the second release."""
    second(client.world)
    client.world.write()
    shutil.copytree(client.world.public, tmp_path / "evil")
    return tmp_path / "evil"


def spoil(path, change=lambda d: d[:-1] + bytes([d[-1] ^ 1])):
    assert path.is_file()
    path.write_bytes(change(path.read_bytes()))


def with_wrong_signatures(data):
    signed = json.loads(data)
    for s in signed["signatures"]:
        s["sig"] = s["sig"][:-2] + ("00" if s["sig"][-2:] != "00" else "01")
    return json.dumps(signed).encode()


def lie_timestamp(evil):
    spoil(evil / "metadata" / "timestamp.json", lambda d: b"{}")


def lie_root(evil):
    (evil / "metadata" / "2.root.json").write_bytes(b"{}")


LIES = {
    "garbage": ("timestamp", lie_timestamp),
    "signature": ("timestamp", lambda e: spoil(e / "metadata" / "timestamp.json",
                                               with_wrong_signatures)),
    "root": ("root", lie_root),
    "snapshot": ("snapshot", lambda e: spoil(e / "metadata" / "2.snapshot.json")),
    "database": ("files", lambda e: [spoil(p) for p in e.rglob("*.main.vdb")]),
    "truncated": ("files", lambda e: [spoil(p, lambda d: d[:-9]) for p in e.rglob("*.main.vdb")]),
    "proof": ("log", lambda e: [spoil(p) for p in e.rglob("*.release.tlog-proof")]),
    "statement": ("statement", lambda e: [spoil(p) for p in e.rglob("*.release.dsse")]),
    "tiles": ("history", lambda e: [spoil(p) for p in (e / "log" / "tile").rglob("*")
                                    if p.is_file()]),
}


def assert_other_served(client, lines, err, mirror, link):
    assert told(lines) == [(mirror, "refused", link)], (lines, err)
    assert lines[-1]["result"] == "activated"
    assert f"warning: mirror {mirror}: refused at the link '{link}'; the next one is asked" in err
    assert client.found() == ["Marker.One", "Marker.Two"]
    assert len(kept(client)) == 1 and kept(client)[0].endswith(f"\nmirror: {mirror}\n")


@pytest.mark.parametrize("lie", LIES)
def test_a_mirror_that_lies_is_passed_over(client, evil, lie):
    link, make = LIES[lie]
    make(evil)
    with tlogsim.Web(evil) as web:
        ask(client, web.url, client.url)
        code, lines, err = client.update()
        assert code == 0, (lines, err)
        assert_other_served(client, lines, err, web.url, link)


def test_a_mirror_whose_file_never_ends_is_passed_over(client, evil):
    path = f"targets/main/{sha256(client.world.vdb)}.main.vdb"
    with Endless(client.world, path, False) as server:
        ask(client, server.url, client.url)
        code, lines, err = client.update()
        assert code == 0, (lines, err)
        assert_other_served(client, lines, err, server.url, "files")


def test_a_liar_that_is_asked_second_does_not_hide_the_first(client, evil):
    """Only it says that there is a next root, so its word is heard where all are asked together."""
    lie_root(evil)
    with tlogsim.Web(evil) as web:
        ask(client, client.url, web.url)
        code, lines, err = client.update()
        assert code == 0, (lines, err)
        assert_other_served(client, lines, err, web.url, "root")


def test_what_a_liar_left_in_the_spool_does_not_spoil_the_next(client, evil):
    spool = client.state / "main" / "spool"
    vdb = client.world.vdb
    (spool / sha256(vdb)).write_bytes(b"\0" * (len(vdb) // 2))
    LIES["database"][1](evil)
    with tlogsim.Web(evil) as web:
        ask(client, web.url, client.url)
        code, lines, err = client.update()
        assert code == 0, (lines, err)
        assert_other_served(client, lines, err, web.url, "files")


def test_where_all_lie_the_first_reason_is_the_answer(client, evil, tmp_path):
    shutil.copytree(evil, tmp_path / "evil2")
    lie_timestamp(evil)
    lie_root(tmp_path / "evil2")
    before = client.disk()
    with tlogsim.Web(evil) as one, tlogsim.Web(tmp_path / "evil2") as two:
        ask(client, one.url, two.url)
        code, lines, err = client.update()
        assert code == 1, (lines, err)
        # The root that only the second has is asked for where all are asked together.
        assert told(lines)[0] == (two.url, "refused", "root")
        assert {t[:2] for t in told(lines)} == {(one.url, "refused"), (two.url, "refused")}
        first_reason = next(l["text"] for l in lines if l.get("outcome") == "refused")
        assert lines[-1]["result"] == "refused" and lines[-1]["reason"] == first_reason
        assert "there is no other one to ask" in err
    assert client.disk() == before
    assert client.found() == ["Marker.One"]


def test_a_mirror_that_is_down_is_no_matter(client, evil):
    with tlogsim.Web(evil) as web:
        down = web.url
    ask(client, down, client.url)
    code, lines, err = client.update()
    assert code == 0 and told(lines) == [], (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_a_mirror_that_lags_is_no_answer_to_a_refusal(client, tmp_path):
    """It serves what was current before: a rollback, and not "nothing is new"."""
    shutil.copytree(client.world.public, tmp_path / "old")
    installed_second(client)
    client.world.put("metadata/timestamp.json", b"{}")
    with tlogsim.Web(tmp_path / "old") as lagging:
        ask(client, client.url, lagging.url)
        code, lines, err = client.update()
        assert code == 1 and lines[-1]["result"] == "refused", (lines, err)
        assert told(lines) == [(client.url, "refused", "timestamp"),
                               (lagging.url, "refused", "timestamp")]
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_what_a_refused_mirror_proved_holds_for_the_next(client, evil, tmp_path):
    """The first one shows a newer timestamp and lies about files; the second does not know it: what
    it says of "nothing new" is known to be old."""
    client.world.put("metadata/timestamp.json", b"{}")
    old = tmp_path / "old"
    shutil.copytree(client.world.public, old)
    (old / "metadata" / "timestamp.json").write_bytes(
        (client.state / "main" / "tuf" / "timestamp.json").read_bytes())
    LIES["database"][1](evil)
    with tlogsim.Web(evil) as web, tlogsim.Web(old) as lagging:
        ask(client, web.url, lagging.url)
        code, lines, err = client.update()
        assert code == 1 and told(lines) == [(web.url, "refused", "files"),
                                             (lagging.url, "refused", "timestamp")], (lines, err)
    assert client.found() == ["Marker.One"]


@pytest.mark.parametrize("lie", ["garbage", "database"])
def test_a_folder_behind_a_url_is_a_mirror(client, evil, lie):
    link, make = LIES[lie]
    make(evil)
    with tlogsim.Web(evil) as web:
        ask(client, web.url, client.world.public.as_uri())
        code, lines, err = client.update()
        assert code == 0, (lines, err)
        assert_other_served(client, lines, err, web.url, link)


def test_a_folder_behind_a_url_that_is_down_is_a_mirror(client, evil):
    with tlogsim.Web(evil) as web:
        down = web.url
    ask(client, down, client.world.public.as_uri())
    code, lines, err = client.update()
    assert code == 0 and told(lines) == [(down, "unchecked", None)], (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]
    assert kept(client) == []


def test_a_url_behind_a_folder_is_a_mirror(client, evil):
    lie_timestamp(evil)
    ask(client, evil.as_uri(), client.url)
    code, lines, err = client.update()
    assert code == 0, (lines, err)
    assert_other_served(client, lines, err, evil.as_uri(), "timestamp")


def test_a_folder_that_is_not_there_is_passed_over(client, evil, tmp_path):
    gone = (tmp_path / "gone").as_uri()
    ask(client, gone, client.url)
    code, lines, err = client.update()
    assert code == 0 and told(lines) == [(gone, "unchecked", None)], (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_a_refusal_is_not_forgotten_where_the_next_is_down(client, evil):
    with tlogsim.Web(evil) as web:
        down = web.url
    lie_timestamp(evil)
    with tlogsim.Web(evil) as web:
        ask(client, web.url, down)
        code, lines, err = client.update()
        assert code == 1 and lines[-1]["result"] == "refused", (lines, err)
    assert client.found() == ["Marker.One"]


@pytest.mark.parametrize("form", ["--dry-run", "--check-policy"])
def test_a_dry_run_asks_the_next_one_and_changes_nothing(client, evil, form):
    lie_timestamp(evil)
    before = client.disk()
    with tlogsim.Web(evil) as web:
        ask(client, web.url, client.url)
        code, lines, err = client.update(form)
        assert code == 0 and lines[-1]["result"] == "dry-run", (lines, err)
        assert told(lines) == [(web.url, "refused", "timestamp")]
    assert client.disk() == before and kept(client) == []


def test_a_bundle_is_made_of_what_an_honest_mirror_has(client, evil, tmp_path):
    LIES["database"][1](evil)
    out = tmp_path / "out.bundle"
    with tlogsim.Web(evil) as web:
        policy = ask(client, web.url, client.url)
        code, said, err = cli.run("vitrine", "bundle", "make", "--policy", policy, "-o", out,
                                  "--json", cache=tmp_path / "cache")
        lines = [json.loads(line) for line in said.splitlines()]
        assert code == 0 and told(lines) == [(web.url, "refused", "files")], (said, err)
    code, lines, err = client.update("--bundle", out)
    assert code == 0, (lines, err)
    assert client.found() == ["Marker.One", "Marker.Two"]


def test_a_wrong_clock_is_no_fault_of_mirrors(client, evil):
    state = client.state / "main" / "state"
    lines = state.read_bytes().splitlines(True)[:-1]
    later = client.world.now + 10 * 86400
    lines[1] = f"seen {later}\n".encode()
    body = b"".join(lines)
    state.write_bytes(body + f"sum {sha256(body)}\n".encode())
    with tlogsim.Web(evil) as web:
        ask(client, web.url, client.url)
        code, said, err = client.update()
        assert code == 1 and told(said) == [], (said, err)
        assert [l["link"] for l in said if "link" in l] == ["clock"]
