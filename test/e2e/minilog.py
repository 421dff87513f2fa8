"""A transparency log in a page of Python, for tests of what is not this program: Ed25519 (RFC 8032,
section 5.1), the Merkle tree by its recursive definition (RFC 6962, section 2.1), signed notes and
cosignatures (C2SP). Slow, and shares no line with what it tests."""
import base64
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
I = pow(2, (P - 1) // 4, P)


def sha512(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def recover_x(y, odd):
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * I % P
    if (x * x - xx) % P:
        return None
    return P - x if x & 1 != odd else x


BASE_Y = 4 * pow(5, -1, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
ZERO = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    r = ZERO
    while n:
        if n & 1:
            r = add(r, p)
        p = add(p, p)
        n >>= 1
    return r


def encode(p):
    z = pow(p[2], -1, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(b):
    n = int.from_bytes(b, "little")
    y, odd = n & (1 << 255) - 1, n >> 255
    x = recover_x(y, odd)
    return None if x is None or y >= P else (x, y, 1, x * y % P)


class Key:
    """A private key; kind 1 signs notes, kind 4 cosigns."""

    def __init__(self, seed, name, kind=1):
        h = hashlib.sha512(seed).digest()
        self.a = (int.from_bytes(h[:32], "little") & (1 << 254) - 8) | 1 << 254
        self.prefix, self.name, self.kind = h[32:], name, kind
        self.public = encode(times(self.a, BASE))

    def sign(self, message):
        r = sha512(self.prefix, message) % L
        R = encode(times(r, BASE))
        s = (r + sha512(R, self.public, message) % L * self.a) % L
        return R + s.to_bytes(32, "little")

    def vkey(self):
        return vkey(self.name, self.kind, self.public)

    def line(self, text, name=None):
        name = name or self.name
        sig = key_id(name, 1, self.public) + self.sign(text.encode())
        return f"\u2014 {name} {base64.b64encode(sig).decode()}\n"


def verify(public, message, sig):
    A, R, s = decode(public), decode(sig[:32]), int.from_bytes(sig[32:], "little")
    if A is None or R is None or s >= L or len(sig) != 64:
        return False
    k = sha512(sig[:32], public, message) % L
    return encode(times(s, BASE)) == encode(add(R, times(k, A)))


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name, kind, public):
    blob = base64.b64encode(bytes([kind]) + public).decode()
    return f"{name}+{key_id(name, kind, public).hex()}+{blob}"


def cosignature_time(text, line, key):
    """The time of a valid cosignature/v1 of that vkey, else None."""
    name, _, blob = key.split("+", 2)
    public = base64.b64decode(blob)[1:]
    dash, who, sig = line.rstrip("\n").split(" ")
    sig = base64.b64decode(sig)
    if dash != "\u2014" or who != name or sig[:4] != key_id(name, 4, public) or len(sig) != 76:
        return None
    time = int.from_bytes(sig[4:12], "big")
    message = f"cosignature/v1\ntime {time}\n{text}".encode()
    return time if verify(public, message, sig[12:]) else None


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return node(root(leaves[:k]), root(leaves[k:]))


def subproof(m, leaves, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [root(leaves)]
    k = split(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [root(leaves[:k])]


def b64(data):
    return base64.b64encode(data).decode()


class Log:
    """A log that can show several views: entry i is the same in all of them up to `fork`."""

    def __init__(self, origin, seed, fork=5):
        self.origin, self.fork, self.key = origin, fork, Key(seed, origin)

    def leaves(self, size, view=0):
        return [b"entry %d of view %d" % (i, view if i >= self.fork else 0) for i in range(size)]

    def text(self, size, view=0):
        return f"{self.origin}\n{size}\n{b64(root(self.leaves(size, view)))}\n"

    def note(self, size, view=0, keys=None):
        text = self.text(size, view)
        return text + "\n" + "".join(k.line(text, self.origin) for k in keys or [self.key])

    def proof(self, old, size, view=0):
        return subproof(old, self.leaves(size, view), True) if 0 < old < size else []

    def request(self, old, size, view=0, keys=None):
        lines = "".join(b64(h) + "\n" for h in self.proof(old, size, view))
        return f"old {old}\n{lines}\n{self.note(size, view, keys)}".encode()

    def hash(self):
        return hashlib.sha256(self.origin.encode()).hexdigest()
