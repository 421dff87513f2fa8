"""Signature containers as tests make them; only the publisher can sign one. VITRINE_CVD names a folder with
published ones."""
import gzip
import hashlib
import io
import os
import pathlib
import tarfile

TIME = "23 Nov 2026 21-00 +0000"


def header(md5="X", dsig="X", version=7, level=90):
    text = f"ClamAV-VDB:{TIME}:{version}:2:{level}:{md5}:{dsig}:tester:1795467600"
    return text.encode()


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            t.addfile(member, io.BytesIO(data))
    return out.getvalue()


def info(members, **fields):
    lines = [header(**fields)] + [f"{n}:{len(d)}:{hashlib.sha256(d).hexdigest()}".encode()
                                  for n, d in members]
    return b"\n".join(lines) + b"\n"


def container(members, packed=True, listed=None, **fields):
    body = tar([("COPYING", b"free\n"), ("x.info", info(listed or members, **fields)), *members])
    return header(**fields).ljust(512) + (gzip.compress(body, mtime=0) if packed else body)


def published():
    folder = os.environ.get("VITRINE_CVD")
    return sorted(p for p in pathlib.Path(folder).iterdir()
                  if p.suffix in (".cvd", ".cld")) if folder else []
