#!/usr/bin/env python3
"""Records what clamscan answers to the probes t*.py of a folder: usage: record.py FOLDER > cases.json

The probes call scan() of a module h; here that module writes every call down with the answer. Files of
others that the probes read are replaced by ones made here, so that the recording is free of them. A
case is [probe, {database: text}, number of its data, options, exit code, names]."""
import base64
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import types
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import sigfiles  # noqa: E402

PROBES = ("t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12")
IMPORTS = [("KERNEL32.dll", ["ExitProcess", "LoadLibraryA"]), ("USER32.dll", ["MessageBoxA"])]


def program():
    """A PE with version information and imports, and random bytes in its sections."""
    rng = random.Random(3)
    key = "CompanyName\0".encode("utf-16-le")
    text = key + b"\0" * (-(6 + len(key)) % 4) + "Nobody".encode("utf-16-le")
    host = sigfiles.pe_host(rng, [0x600, 0x400, 0x200], 0, 0x4C0 - 0x400, [text], IMPORTS, plus=False)
    sheet = sigfiles.Sheet()
    for at, data in host.head:
        sheet.put(at, data)
    out = bytearray(sheet.render(rng, host.tail_at, False))
    for raw, size in host.sections[:3]:
        out[raw:raw + size] = rng.randbytes(size)
    return bytes(out)


def small_program():
    """544 bytes, as the probes expect, that begin with MZP."""
    rng = random.Random(5)
    host = sigfiles.pe_host(rng, [0x20], 0, 0, plus=False)
    data = bytearray(host.head[0][1].ljust(0x200, b"\0") + rng.randbytes(0x20))
    data[2:4] = b"P\0"
    return bytes(data)


class Recorder:
    def __init__(self):
        self.cases, self.data, self.probe = [], {}, ""

    def number(self, data):
        return self.data.setdefault(bytes(data), len(self.data))

    def scan(self, dbs, data=b"", args=(), fname=None, files=None):
        with tempfile.TemporaryDirectory() as d:
            db = pathlib.Path(d) / "db"
            db.mkdir()
            texts = {}
            for name, c in dbs.items():
                raw = c if isinstance(c, bytes) else (c + "\n").encode()
                (db / name).write_bytes(raw)
                texts[name] = raw.decode("latin-1")
            path = pathlib.Path(d) / (fname or "f")
            path.write_bytes(data)
            r = subprocess.run(["clamscan", "--no-summary", "-d", str(db), *args, str(path)], capture_output=True)
            out = r.stdout.decode("latin-1").replace(d + "/", "").strip().replace(".UNOFFICIAL", "")
            names = sorted(set(re.findall(r"^[^!\n]*?: (.*) FOUND$", out, re.M)))
            self.cases.append([self.probe, texts, self.number(data), list(args), r.returncode, names])
            err = r.stderr.decode("latin-1").replace(d + "/", "").strip()
            errs = [x for x in err.split("\n") if x and "Can't load" not in x and "Malformed database" not in x[:30]]
            return f"{r.returncode} {out!r}" + (f" ERR {errs[:3]}" if err else "")

    def module(self):
        h = types.ModuleType("h")
        h.subprocess, h.os, h.re, h.hashlib = subprocess, os, re, __import__("hashlib")
        h.scan = self.scan
        h.ndb = lambda sig, data, **k: print(f"NDB {sig[:110]:60s} on {data[:40]!r}: ", self.scan({"t.ndb": sig}, data, **k))
        h.ldb = lambda sig, data, dbs=None, **k: print(
            f"LDB {sig[:150]:60s} on {data[:40]!r}: ", self.scan({"t.ldb": sig, **(dbs or {})}, data, **k))
        return h


def png():
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    rng = random.Random(4)
    rows = b"".join(b"\0" + bytes((x * y + rng.randrange(9)) % 256 for x in range(32)) for y in range(32))
    head = (32).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def neighbours():
    """Which byte before or behind a text satisfies a boundary: [signature, where, bytes in hex]."""
    out = []
    pad = bytes([0x90, 0x80, 0, 0xFF, 1, 0xFE, 0x83, 0x9C, 7, 0, 0x11, 0xE8]) * 20
    for where in ("before", "behind"):
        with tempfile.TemporaryDirectory() as d:
            os.mkdir(d + "/f")
            for c in range(256):
                one = bytes([c])
                data = pad + one + b"ABCDE" + pad if where == "before" else pad + b"ABCDE" + one + pad
                pathlib.Path(d, "f", f"{c:02x}").write_bytes(data)
            for sig in [f"T:0:*:({k})4142434445" if where == "before" else f"T:0:*:4142434445({k})"
                        for k in "BLW"] + ["T;Target:0;0;4142434445::f"]:
                db = pathlib.Path(d, "x.ldb" if ";" in sig else "x.ndb")
                db.write_text(sig + "\n")
                r = subprocess.run(["clamscan", "--no-summary", "-i", "-d", str(db), d + "/f"], capture_output=True,
                                   text=True)
                out.append([sig, where, "".join(sorted(re.findall(r"/(..): T", r.stdout)))])
    return out


def main(folder):
    rec = Recorder()
    sys.modules["h"] = rec.module()
    text = {}
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        for sub in ("work/x", "work/f", "external/clamav-1.4.5/unit_tests/input/pe_allmatch"):
            os.makedirs(sub)
        pathlib.Path("work/f/clam.exe").write_bytes(small_program())
        pathlib.Path("external/clamav-1.4.5/unit_tests/input/pe_allmatch/test.exe").write_bytes(program())
        pathlib.Path("external/clamav-1.4.5/logo.png").write_bytes(png())
        image = subprocess.run(["sigtool", "--fuzzy-img", "external/clamav-1.4.5/logo.png"], capture_output=True,
                               text=True).stdout.split()[-1]
        for probe in PROBES:
            rec.probe = probe
            source = (folder / f"{probe}.py").read_text().replace("af2ad01ed42993c7", image)
            source = source.replace("AF2AD01ED42993C7", image.upper())
            saved, sys.stdout = sys.stdout, sys.stderr
            try:
                exec(compile(source, probe, "exec"), {"__name__": probe})
            finally:
                sys.stdout = saved
    data = [base64.b85encode(zlib.compress(x, 9)).decode() for x in rec.data]
    rows = ",\n".join(json.dumps(c) for c in rec.cases)
    print(f'{{"data": {json.dumps(data)},\n"neighbours": {json.dumps(neighbours())},\n"cases": [\n{rows}\n]}}')


main(pathlib.Path(sys.argv[1]).resolve())
