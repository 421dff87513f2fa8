"""A publisher with a log, witnesses and rebuilders, as files: a repository by doc/format/updates.md,
written from the standards in plain Python, that shares no line with what it tests. Whoever attacks
changes a document before it is signed (`change`), who signs it (`signers`), or what is served
(`serve`, a function from a path and its honest bytes to other ones)."""
import base64
import datetime
import hashlib
import io
import json
import tarfile
import time

import cli
import tlogsim
from tlogsim import Key

DAY = 86400
ORIGIN = "updates.example/log"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def rfc3339(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def source_tar(files):
    """The source bundle: ustar, sorted, nothing of the machine, two zero blocks and no more."""
    out = io.BytesIO()
    for name, data in sorted(files.items()):
        cut = name.rfind("/", 0, 156) if len(name) > 100 else -1
        info = tarfile.TarInfo(name[cut + 1:])
        info.size, info.mode = len(data), 0o644
        head = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
        head[329:345] = b"0000000\0" * 2  # device numbers, which not every version writes
        head[345:345 + max(cut, 0)] = name[:max(cut, 0)].encode()
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        out.write(bytes(head) + data + bytes(-len(data) % 512))
    return out.getvalue() + bytes(1024)


def inclusion(hashes, i):
    if len(hashes) < 2:
        return []
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if i < k:
        return inclusion(hashes[:k], i) + [tlogsim.root(hashes[k:])]
    return inclusion(hashes[k:], i - k) + [tlogsim.root(hashes[:k])]


def tuf_key(key):
    return {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.pub.hex()}}


def key_id(key):
    return sha256(canonical(tuf_key(key)))


def role(keys, threshold=1):
    return {"keyids": [key_id(k) for k in keys], "threshold": threshold}


class World:
    def __init__(self, folder, now=None):
        self.folder, self.now = folder, int(time.time() if now is None else now)
        self.public = folder / "public"
        (self.public / "log").mkdir(parents=True)
        self.keys = {n: Key(n) for n in ("root-1", "root-2", "targets-1", "targets-2", "online")}
        self.publisher = Key("publisher")
        self.rebuilders = [Key("rebuilder-1"), Key("rebuilder-2")]
        self.witnesses = [Key(f"w{i}.example", 4) for i in (1, 2, 3)]
        self.log = tlogsim.Log(self.public / "log", Key(ORIGIN), self.witnesses)
        self.log.entries = [b"an older entry", b"another one"]
        self.cosigners, self.when = self.witnesses, None
        self.root_keys = [self.keys["root-1"], self.keys["root-2"]]
        self.targets_keys = [self.keys["targets-1"], self.keys["targets-2"]]
        self.online = self.keys["online"]
        self.expires = {"root": 365 * DAY, "targets": 90 * DAY, "evidence": 7 * DAY,
                        "snapshot": 7 * DAY, "timestamp": 2 * DAY}
        self.version = dict.fromkeys(self.expires, 1)
        self.change, self.signers = {}, {}
        self.serve = lambda path, data: data
        self.roots, self.files, self.written = {}, {}, {}
        self.verdicts = ["PASSED", "PASSED"]

    # ---- documents ----
    def sign(self, name, signed, keys):
        signed = self.change.get(name, lambda s: s)(signed)
        keys = self.signers.get(name, keys)
        return json.dumps({"signatures": [
            {"keyid": key_id(k), "sig": k.sign(canonical(signed)).hex()} for k in keys],
            "signed": signed}, indent=1).encode()

    def head(self, name):
        return {"_type": "targets" if name == "evidence" else name, "spec_version": "1.0.31",
                "version": self.version[name], "expires": rfc3339(self.now + self.expires[name])}

    def make_root(self):
        roles = {"root": role(self.root_keys, 2), "targets": role(self.targets_keys, 2),
                 "snapshot": role([self.online]), "timestamp": role([self.online])}
        keys = {key_id(k): tuf_key(k) for k in
                [*self.root_keys, *self.targets_keys, self.online]}
        n = self.version["root"]
        old = self.roots.get(n - 1, (b"", []))[1]
        signers = self.root_keys + [k for k in old if k not in self.root_keys]
        doc = self.sign("root", dict(self.head("root"), consistent_snapshot=True, keys=keys,
                                     roles=roles), signers)
        self.roots[n] = (doc, list(self.root_keys))

    # ---- releases ----
    def compile(self, files):
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        for old in work.iterdir():
            old.unlink()
        for name, data in files.items():
            (work / name).write_bytes(data)
        out = self.folder / "work.vdb"
        code, _, err = cli.run("vitrine", "db", "build", "-o", out, work,
                               cache=self.folder / "cache")
        assert code == 0, err
        return out.read_bytes()

    def statement(self, version, vdb, source):
        return {"_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": "main.vdb", "digest": {"sha256": sha256(vdb)}},
                            {"name": "source.tar", "digest": {"sha256": sha256(source)}}],
                "predicateType": "https://slsa.dev/provenance/v1",
                "predicate": {
                    "buildDefinition": {
                        "buildType": "https://vitrine-av.org/build/signatures/v1",
                        "externalParameters": {"set": "main", "version": version, "pua": False,
                                               "strict": False, "clamav": False},
                        "internalParameters": {"database": int.from_bytes(vdb[8:12], "little")},
                        "resolvedDependencies": [
                            {"name": "source.tar", "digest": {"sha256": sha256(source)}}]},
                    "runDetails": {"builder": {"id": "https://example.org/builder",
                                               "version": {"vitrine": "0.1.0"}},
                                   "metadata": {"startedOn": rfc3339(self.now)}}}}

    def verdict(self, rebuilder, result, vdb, source):
        return tlogsim.envelope(rebuilder, {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": self.statement(1, vdb, source)["subject"],
            "predicateType": "https://slsa.dev/verification_summary/v1",
            "predicate": {"verifier": {"id": "https://" + rebuilder.name},
                          "timeVerified": rfc3339(self.now), "resourceUri": "main",
                          "policy": {"uri": "https://vitrine-av.org/rebuild/v1"},
                          "verificationResult": result, "verifiedLevels": []}})

    def release(self, version, files, vdb=None):
        """Makes a release of rule files (name to bytes) and puts its statement and the verdicts of
        the rebuilders into the log. write() publishes it."""
        source = source_tar(files)
        vdb = self.compile(files) if vdb is None else vdb
        statement = self.change.get("release", lambda s: s)(self.statement(version, vdb, source))
        envelope = tlogsim.envelope(self.signers.get("release", [self.publisher])[0], statement)
        self.rebuilds = [self.verdict(k, r, vdb, source)
                         for k, r in zip(self.rebuilders, self.verdicts)]
        self.log.entries += [envelope, *self.rebuilds]
        self.vdb, self.source, self.envelope = vdb, source, envelope
        self.files["targets"] = {"main/main.vdb": vdb, "main/source.tar": source,
                                 "main/release.dsse": envelope}

    def proof(self, entry, entries=None):
        entries = self.log.entries if entries is None else entries
        i = entries.index(entry)
        hashes = [tlogsim.leaf(e) for e in entries]
        lines = "".join(base64.b64encode(h).decode() + "\n" for h in inclusion(hashes, i))
        when = self.now if self.when is None else self.when
        return (f"c2sp.org/tlog-proof@v1\nindex {i}\n{lines}\n".encode() +
                self.log.note(self.cosigners, entries, when))

    def evidence(self):
        files = {"main/evidence/release.tlog-proof": self.proof(self.envelope)}
        for k, rebuild in enumerate(self.rebuilds, 1):
            files[f"main/evidence/rebuild-{k}.dsse"] = rebuild
            files[f"main/evidence/rebuild-{k}.tlog-proof"] = self.proof(rebuild)
        return files

    # ---- publishing ----
    def listing(self, files):
        return {p: {"length": len(d), "hashes": {"sha256": sha256(d)}} for p, d in files.items()}

    def write(self, evidence=None):
        """Writes everything that is served; what `serve` makes of it is what is on the disk."""
        self.log.publish(self.now if self.when is None else self.when)
        self.files["evidence"] = self.evidence() if evidence is None else evidence
        self.make_root()
        delegations = {"keys": {key_id(self.online): tuf_key(self.online)},
                       "roles": [dict(role([self.online]), name="evidence", terminating=True,
                                      paths=["*/evidence/*"])]}
        docs = {
            "evidence": self.sign("evidence", dict(
                self.head("evidence"), targets=self.listing(self.files["evidence"])),
                [self.online]),
            "targets": self.sign("targets", dict(
                self.head("targets"), targets=self.listing(self.files["targets"]),
                delegations=delegations), self.targets_keys)}
        meta = {f"{n}.json": {"version": self.version[n], "length": len(d),
                              "hashes": {"sha256": sha256(d)}} for n, d in docs.items()}
        docs["snapshot"] = self.sign("snapshot", dict(self.head("snapshot"), meta=meta),
                                     [self.online])
        docs["timestamp"] = self.sign("timestamp", dict(self.head("timestamp"), meta={
            "snapshot.json": {"version": self.version["snapshot"],
                              "length": len(docs["snapshot"]),
                              "hashes": {"sha256": sha256(docs["snapshot"])}}}), [self.online])
        out = {f"metadata/{v}.root.json": d for v, (d, _) in self.roots.items()}
        for n, d in docs.items():
            prefix = "" if n == "timestamp" else f"{self.version[n]}."
            out[f"metadata/{prefix}{n}.json"] = d
        for files in self.files.values():
            for path, d in files.items():
                folder, name = path.rsplit("/", 1)
                out[f"targets/{folder}/{sha256(d)}.{name}"] = d
        self.written = out
        for path, d in out.items():
            self.put(path, self.serve(path, d))

    def put(self, path, data):
        where = self.public / path
        if data is None:
            where.unlink(missing_ok=True)
            return
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(data)

    def next(self, *names):
        """The next version of these roles, of all but root if none is named."""
        for n in names or ("targets", "evidence", "snapshot", "timestamp"):
            self.version[n] += 1

    # ---- the customer's side ----
    def policy(self, url, **lines):
        """A policy file beside the pinned root; a line can be replaced, or left out by None."""
        text = {"repository": url, "root": "root.json", "set": "main", "freshness": "48h",
                "hold": "none", "compile": "attested", "rebuilds-needed": "2", "keep": "3"}
        text.update({k.replace("_", "-"): v for k, v in lines.items()})
        rows = [f"{k} {v}" for k, v in text.items() if v is not None]
        rows.append(f"log {self.log.key.vkey()} {url}/log")
        rows += [f"witness w{i} {w.vkey()}" for i, w in enumerate(self.witnesses, 1)]
        rows += ["group two 2 w1 w2 w3", "quorum two",
                 f"publisher acme {Key('publisher').vkey()}"]
        rows += [f"rebuilder r{i} {k.vkey()}" for i, k in enumerate(self.rebuilders, 1)]
        path = self.folder / "update.policy"
        path.write_text("\n".join(rows) + "\n")
        (self.folder / "root.json").write_bytes(self.roots[1][0])
        return path


RULES = {"main.ndb": cli.rule("Marker.One", cli.ONE).encode(),
         "eicar.hsb": (sha256(b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-"
                              b"ANTIVIRUS-TEST-FILE!$H+H*") + ":68:Eicar-Test\n").encode()}
MORE = dict(RULES, **{"more.ndb": cli.rule("Marker.Two", cli.TWO).encode()})
