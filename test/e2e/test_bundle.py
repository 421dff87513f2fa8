"""vitrine bundle make, and what a host without a network does with it."""
import hashlib
import json
import shutil
import subprocess

import pytest

import cli
from test_update import Client, offer, served
from updateworld import MORE, RULES, World


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path / "world")
    w.log.entries += [b"entry %d" % i for i in range(300)]
    offer(w, 1, RULES)
    return w


@pytest.fixture
def client(tmp_path, world):
    return Client(tmp_path, world)


def make(client, out, *args, code=0):
    got, said, err = client.run("bundle", "make", "--policy", client.policy, "-o", out, "--json",
                                *args)
    assert got == code, said + err
    return json.loads(said.splitlines()[-1])


def take_away(world):
    """No host without a network sees this again."""
    shutil.rmtree(world.public)


def test_a_bundle_installs_on_a_host_without_a_network(client, tmp_path):
    bundle = tmp_path / "out.bundle"
    end = make(client, bundle)
    assert end["result"] == "written" and end["version"] == 1 and end["tiles_from"] == 1
    assert end["size"] == bundle.stat().st_size
    assert not client.state.exists()
    take_away(client.world)
    _, end = client.update("--bundle", bundle)
    assert end["result"] == "activated"
    assert (client.state / "main/current/main.vdb").read_bytes() == client.world.vdb


def test_a_client_of_an_older_tree_checks_that_this_one_extends_it(client, tmp_path):
    client.update()
    client.world.log.entries += [b"more %d" % i for i in range(700)]
    offer(client.world, 2, MORE)
    bundle = tmp_path / "out.bundle"
    make(client, bundle)
    take_away(client.world)
    links, end = client.update("--bundle", bundle)
    assert end["result"] == "activated" and client.version() == 2
    assert links["history"] == "passed"


def test_the_rule_text_is_there_for_who_compiles_it(client, tmp_path):
    bundle = tmp_path / "out.bundle"
    make(client, bundle)
    compiling = Client(tmp_path, client.world, compile="local")
    take_away(client.world)
    links, end = compiling.update("--bundle", bundle)
    assert end["result"] == "activated" and links["compiled"] == "passed"


def add_packed(world, folder):
    """main.vdb.zst and source.tar.zst, as a publisher has them."""
    for name, data in (("main.vdb", world.vdb), ("source.tar", world.source)):
        (folder / "plain").write_bytes(data)
        code, out, err = cli.run("test/probe/pack_tool", "compress", folder / "plain",
                                 folder / "packed", 3, cache=folder)
        assert code == 0, err
        world.files["targets"][f"main/{name}.zst"] = (folder / "packed").read_bytes()
    world.next()
    world.write()


def names_of(bundle):
    return subprocess.run(["tar", "-tf", bundle], capture_output=True, text=True,
                          check=True).stdout.split()


def test_large_files_are_carried_as_the_repository_compressed_them(client, tmp_path):
    plain, packed = tmp_path / "plain.bundle", tmp_path / "packed.bundle"
    make(client, plain)
    add_packed(client.world, tmp_path)
    make(client, packed)
    assert packed.stat().st_size < plain.stat().st_size
    names = [n.rsplit("/", 1)[1].split(".", 1)[1] for n in names_of(packed) if "targets/main/" in n]
    assert "main.vdb.zst" in names and "source.tar.zst" in names
    assert "main.vdb" not in names and "source.tar" not in names
    compiling = Client(tmp_path, client.world, compile="local")
    take_away(client.world)
    links, end = compiling.update("--bundle", packed)
    assert end["result"] == "activated" and links["compiled"] == "passed"
    assert (client.state / "main/current/main.vdb").read_bytes() == client.world.vdb


def test_a_compressed_file_that_holds_another_is_not_carried(client, tmp_path):
    world, bundle = client.world, tmp_path / "out.bundle"
    add_packed(world, tmp_path)
    world.files["targets"]["main/main.vdb.zst"] = world.files["targets"]["main/source.tar.zst"]
    world.next()
    world.write()
    end = make(client, bundle, code=1)
    assert end["result"] == "refused" and not bundle.exists()


def test_a_client_of_a_tree_between_two_checkpoints_has_what_it_needs(client, tmp_path):
    world, bundle = client.world, tmp_path / "out.bundle"
    old = world.evidence()
    world.log.entries += [b"between"] * 3
    world.next("evidence", "snapshot", "timestamp")
    world.write()
    client.update()
    world.log.entries += [b"behind"] * 3
    new = world.evidence()
    for name in old:
        if name.endswith("release.tlog-proof"):
            new[name] = old[name]
    world.next("evidence", "snapshot", "timestamp")
    world.write(new)
    make(client, bundle)
    take_away(world)
    links, end = client.update("--bundle", bundle)
    assert end["result"] == "current" and links["history"] == "passed" == links["rebuilders"]


def test_without_the_rule_text_it_is_smaller(client, tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    make(client, a)
    make(client, b, "--no-source")
    assert b.stat().st_size == a.stat().st_size - 512 - -(-len(client.world.source) // 512) * 512
    take_away(client.world)
    assert client.update("--bundle", b)[1]["result"] == "activated"


def test_the_same_repository_gives_the_same_bytes(client, tmp_path):
    a, b, c = (tmp_path / n for n in "abc")
    make(client, a)
    make(client, b, "--from", client.world.public)
    with served(client.world.public) as url:
        make(Client(tmp_path, client.world, url), c)
    assert a.read_bytes() == b.read_bytes() == c.read_bytes()


def test_other_programs_read_it(client, tmp_path):
    bundle = tmp_path / "out.bundle"
    make(client, bundle)
    names = {p: subprocess.run([p, "-tf", bundle], capture_output=True, text=True,
                               check=True).stdout.split() for p in ("tar", "bsdtar")}
    assert names["tar"] == names["bsdtar"]
    first, *rest = names["tar"]
    assert first == "vitrine-bundle" and rest == sorted(rest)
    assert "metadata/1.root.json" in rest and "metadata/timestamp.json" in rest
    for path in set(rest) & set(client.world.written):
        got = subprocess.run(["tar", "-xOf", bundle, path], capture_output=True, check=True)
        assert got.stdout == client.world.written[path]


def test_what_does_not_hold_is_not_written(client, tmp_path):
    bundle = tmp_path / "out.bundle"
    bundle.write_bytes(b"the one of yesterday")
    client.world.cosigners = client.world.witnesses[:1]
    client.world.next()
    client.world.write()
    end = make(client, bundle, code=1)
    assert end["result"] == "refused"
    assert bundle.read_bytes() == b"the one of yesterday"
    assert sorted(p.name for p in tmp_path.glob("out.bundle*")) == ["out.bundle"]


def test_tiles_that_are_not_the_trees_are_refused(client, tmp_path):
    tile = next(p for p in (client.world.public / "log" / "tile" / "0").iterdir() if p.is_file())
    data = bytearray(tile.read_bytes())
    data[5] ^= 1
    tile.write_bytes(data)
    end = make(client, tmp_path / "out.bundle", code=1)
    assert end["result"] == "refused" and "tile" in end["reason"]
    assert not (tmp_path / "out.bundle").exists()


def test_a_repository_that_cannot_be_reached_is_no_refusal(client, tmp_path):
    gone = Client(tmp_path, client.world, "http://127.0.0.1:9")
    end = make(gone, tmp_path / "out.bundle", code=2)
    assert end["result"] == "unchecked" and not (tmp_path / "out.bundle").exists()


@pytest.mark.parametrize("spoil", ["cut", "longer", "member"])
def test_a_damaged_bundle_installs_nothing(client, tmp_path, spoil):
    bundle = tmp_path / "out.bundle"
    make(client, bundle)
    data = bytearray(bundle.read_bytes())
    if spoil == "cut":
        data = data[:-700]
    elif spoil == "longer":
        data += bytes(512)
    else:
        data[data.find(client.world.vdb) + 100] ^= 1
    bundle.write_bytes(data)
    got, out, err = client.run("update", "--policy", client.policy, "--bundle", bundle)
    assert got in (1, 2) and client.current() is None, out + err


def test_a_missing_output_is_said(client):
    code, out, err = client.run("bundle", "make", "--policy", client.policy)
    assert code == 2 and "-o FILE" in err and not out
    code, out, err = client.run("bundle", "make", "--help")
    assert code == 0 and "Usage:" in out and not err


def test_an_update_by_deltas_moves_what_is_new(client, tmp_path):
    """Applied in the verifier's jail."""
    world, old = client.world, {"main.vdb": client.world.vdb, "source.tar": client.world.source}
    compiling = Client(tmp_path, world, compile="local")
    compiling.update()
    world.next()
    world.release(2, MORE)
    for name, new in (("main.vdb", world.vdb), ("source.tar", world.source)):
        for path, data in ((tmp_path / "old", old[name]), (tmp_path / "new", new)):
            path.write_bytes(data)
        code, out, err = cli.run("test/probe/pack_tool", "make", tmp_path / "old", tmp_path / "new",
                                 tmp_path / "delta", cache=tmp_path)
        assert code == 0, err
        digest = hashlib.sha256(old[name]).hexdigest()[:16]
        world.files["targets"][f"main/delta/{name}-{digest}"] = (tmp_path / "delta").read_bytes()
    world.write()
    got, out, err = compiling.run("update", "--policy", compiling.policy)
    assert got == 0 and compiling.version() == 2, out + err
    assert "(delta/main.vdb-" in out and "(delta/source.tar-" in out, out
    assert "did not do" not in out, out
