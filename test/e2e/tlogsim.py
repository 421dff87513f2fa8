"""A small world of transparency for end-to-end tests, written from the standards alone and in plain
Python: Ed25519 (RFC 8032), notes and cosignatures (C2SP), a log as a folder of tiles, witnesses that
show what they cosigned, envelopes (DSSE), and a web server for the folder."""
import base64
import hashlib
import http.server
import json
import threading
import time

# ---- Ed25519, RFC 8032 section 5.1, in extended coordinates ----
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def _base():
    y = 4 * pow(5, P - 2, P) % P
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return (x, y, 1, x * y % P)


def _add(a, b):
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = v - u, d - c, d + c, v + u
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(s, a):
    r = (0, 1, 1, 0)
    while s:
        if s & 1:
            r = _add(r, a)
        a, s = _add(a, a), s >> 1
    return r


BASE = _base()


def _encode(a):
    z = pow(a[2], P - 2, P)
    x, y = a[0] * z % P, a[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Key:
    """An Ed25519 key of a note (type 1), of a witness (type 4), or of who signs statements."""

    def __init__(self, name, kind=1):
        self.name, self.kind = name, kind
        h = hashlib.sha512(hashlib.sha256(name.encode()).digest()).digest()
        self.s = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = h[32:]
        self.pub = _encode(_times(self.s, BASE))
        self.id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + self.pub).digest()[:4]

    def sign(self, msg):
        r = _number(self.prefix, msg) % L
        big_r = _encode(_times(r, BASE))
        s = (r + _number(big_r, self.pub, msg) % L * self.s) % L
        return big_r + s.to_bytes(32, "little")

    def vkey(self):
        key = base64.b64encode(bytes([self.kind]) + self.pub).decode()
        return f"{self.name}+{self.id.hex()}+{key}"

    def pem(self):
        der = bytes.fromhex("302a300506032b6570032100") + self.pub
        return ("-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(der).decode() +
                "\n-----END PUBLIC KEY-----\n")

    def line(self, text, when=0):
        """The line of a signature, or of a cosignature at that time."""
        if self.kind == 4:
            sig = when.to_bytes(8, "big") + self.sign(b"cosignature/v1\ntime %d\n" % when + text)
        else:
            sig = self.sign(text)
        return f"\u2014 {self.name} {base64.b64encode(self.id + sig).decode()}\n".encode()


# ---- trees and tiles ----
def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(hashes[:k]) + root(hashes[k:])).digest()


def tile_name(n):
    last = f"{n % 1000:03d}"
    return f"x{n // 1000:03d}/{last}" if n >= 1000 else last


class Log:
    def __init__(self, folder, key, witnesses):
        self.folder, self.key, self.witnesses, self.entries = folder, key, witnesses, []

    def text(self, entries=None):
        entries = self.entries if entries is None else entries
        r = root([leaf(e) for e in entries])
        return f"{self.key.name}\n{len(entries)}\n{base64.b64encode(r).decode()}\n".encode()

    def note(self, witnesses, entries=None, when=None):
        text = self.text(entries)
        when = int(time.time()) if when is None else when
        lines = [self.key.line(text)] + [w.line(text, when) for w in witnesses]
        return text + b"\n" + b"".join(lines)

    def write_tiles(self):
        hashes = [leaf(e) for e in self.entries]
        level = 0
        while hashes:
            for n in range((len(hashes) + 255) // 256):
                self._write(f"tile/{level}/", n, [*hashes[n * 256:n * 256 + 256]])
            hashes = [root(hashes[i:i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
            level += 1
        for n in range((len(self.entries) + 255) // 256):
            part = self.entries[n * 256:n * 256 + 256]
            self._write("tile/entries/", n, [len(e).to_bytes(2, "big") + e for e in part])

    def _write(self, prefix, n, items):
        name = prefix + tile_name(n) + (f".p/{len(items)}" if len(items) < 256 else "")
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(items))

    def publish(self, when=None):
        """Tiles, then the checkpoint cosigned by all witnesses, then what each of them shows."""
        self.write_tiles()
        for i, w in enumerate(self.witnesses):
            self.show_witness(i, self.note([w], when=when))
        (self.folder / "checkpoint").write_bytes(self.note(self.witnesses, when=when))

    def show_witness(self, i, note):
        path = self.folder.parent / f"w{i + 1}" / hashlib.sha256(self.key.name.encode()).hexdigest()
        path.mkdir(parents=True, exist_ok=True)
        (path / "checkpoint").write_bytes(note)


# ---- envelopes ----
def envelope(key, statement):
    body, kind = json.dumps(statement).encode(), "application/vnd.in-toto+json"
    pae = f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body
    return json.dumps({"payload": base64.b64encode(body).decode(), "payloadType": kind,
                       "signatures": [{"sig": base64.b64encode(key.sign(pae)).decode()}]}).encode()


def _statement(content, name, kind, predicate):
    return {"_type": "https://in-toto.io/Statement/v1", "predicateType": kind,
            "subject": [{"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}],
            "predicate": predicate}


def release(key, content, name="a.vdb"):
    return envelope(key, _statement(content, name, "https://slsa.dev/provenance/v1", {
        "buildDefinition": {"buildType": "https://example.org/b", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.org/builder"}}}))


def verdict(key, content, result="PASSED", name="a.vdb"):
    return envelope(key, _statement(content, name, "https://slsa.dev/verification_summary/v1", {
        "verifier": {"id": "https://example.net/r"}, "timeVerified": "2026-11-24T00:00:00Z",
        "resourceUri": name, "policy": {"uri": "https://example.org/p"},
        "verificationResult": result, "verifiedLevels": []}))


# ---- the web ----
class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        self.server.asked.append((self.command, self.path, dict(self.headers)))


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64  # with the usual 5, eight connections at once wait for a second
    daemon_threads = True


class Web:
    """Serves a folder on a free port of the loopback while the block runs."""

    def __init__(self, folder):
        def handler(*a, **k):
            return _Handler(*a, directory=str(folder), **k)
        self.server = _Server(("127.0.0.1", 0), handler)
        self.server.asked = []
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
