"""--scan-pe, --scan-elf and --scan-archive as clamscan 1.4.6 takes them: without PE no digest of a section
counts, but entry point and sections are known all the same, and of ELF files nothing changes."""
import hashlib
import os
import re
import subprocess

import pytest

from cli import BUILD
from oracle import REAL, WHY
from test_differential import zipped
from test_exe_offsets import ELF_SECTIONS, FILL, elf, pe

PE = pe([(0x1000, 0x1000, 0x600, 0x200), (0x2000, 0x1000, 0x800, 0x200)])
ELF = elf(ELF_SECTIONS)
ALL = {"pe: Ep", "pe: Sec", "elf: ElfEp", "zip: Ep", "zip: Sec", "elf: Nsec"}
EXPECTED = [
    ([], ALL),
    (["--scan-pe=no"], ALL - {"pe: Sec", "zip: Sec"}),
    (["--scan-elf=no"], ALL),
    (["--scan-archive=no"], ALL - {"zip: Ep", "zip: Sec"}),
]


@pytest.fixture
def box(tmp_path):
    for name in ("db", "files"):
        (tmp_path / name).mkdir()
    (tmp_path / "db/a.ndb").write_text(f"Ep:1:EP+0:{FILL[0x600:0x608].hex()}\n"
                                       f"ElfEp:6:EP+0:{FILL[0x510:0x518].hex()}\n")
    (tmp_path / "db/a.ldb").write_text("Nsec;Engine:51-255,Target:6,NumberOfSections:2-2;0;"
                                       f"{FILL[0x2000:0x2008].hex()}\n")
    section = hashlib.md5(PE[0x600:0x800]).hexdigest()
    (tmp_path / "db/a.mdb").write_text(f"512:{section}:Sec\n")
    for name, data in (("pe", PE), ("elf", ELF), ("zip", zipped([PE]))):
        (tmp_path / "files" / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("options,expected", EXPECTED, ids=lambda x: " ".join(x) if x else "none")
def test_what_a_switch_takes_away(box, options, expected):
    for program in [BUILD / "clamscan", *([REAL] if REAL else [])]:
        r = subprocess.run([program, "-z", "-i", "--no-summary", *options, f"-d{box}/db", f"{box}/files"],
                           capture_output=True, text=True, timeout=60,
                           env=dict(os.environ, XDG_CACHE_HOME=str(box)))
        found = {f"{f}: {n}" for f, n in re.findall(r"files/(\w+): (\w+)\.UNOFFICIAL FOUND", r.stdout)}
        assert found == expected, program
        assert r.returncode == 1 and not r.stderr.count("not active")
