"""Signature containers as tests make them; only the publisher can sign one. VITRINE_CVD names a folder with
published ones."""
import base64
import gzip
import hashlib
import io
import os
import pathlib
import subprocess
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


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """A root in certs/, a signer by it."""
    (folder / "certs").mkdir()
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out",
            "certs/root.crt", "-subj", "/CN=Test Root", "-days", "30",
            "-addext", "keyUsage=critical,keyCertSign")
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "signer.key", "-out",
            "signer.csr", "-subj", "/CN=Test Signer")
    (folder / "ext").write_text("basicConstraints=critical,CA:FALSE\n"
                                "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n")
    openssl(folder, "x509", "-req", "-in", "signer.csr", "-CA", "certs/root.crt", "-CAkey",
            "root.key", "-CAcreateserial", "-out", "signer.crt", "-days", "30", "-extfile", "ext")


def sign(folder, path, version=7):
    openssl(folder, "cms", "-sign", "-binary", "-signer", "signer.crt", "-inkey", "signer.key", "-in",
            str(path), "-outform", "DER", "-out", "sig.der", "-md", "sha256")
    text = base64.b64encode((folder / "sig.der").read_bytes()).decode()
    out = path.with_name(f"{path.stem}-{version}.cvd.sign")
    out.write_text(f"#clamsign-1.0\n220::pkcs7-pem:{text}\n")
    return out
