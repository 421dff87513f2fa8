"""The units of systemd/: nothing in them that systemd does not know, and little that they may do."""
import re
import shutil
import subprocess

import pytest

from cli import ROOT

UNITS = sorted((ROOT / "systemd").glob("*.service"))
WORST = 2.0  # clamd's unit has 9.6


def analyze(*args):
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    r = subprocess.run(["systemd-analyze", *args], capture_output=True, text=True, timeout=60,
                       stdin=subprocess.DEVNULL)
    return r.stdout + r.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_exposure_is_at_most_two(unit):
    said = analyze("security", "--offline=true", str(unit))
    m = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    if not m:
        pytest.skip("systemd-analyze cannot rate a file: " + said[-200:])
    assert float(m.group(1)) <= WORST


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_systemd_knows_every_line(unit):
    said = analyze("verify", str(unit))
    ours = [x for x in said.splitlines() if str(unit) in x]
    assert not ours, ours
