"""TUF's conformance suite against our client, where the suite is at hand: test/tuf/README.md."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

from cli import BUILD, ROOT

SUITE = os.environ.get("VITRINE_TUF_CONFORMANCE")
PYTHON = os.environ.get("VITRINE_TUF_PYTHON", sys.executable)
ENTRY = ROOT / "tools" / "tuf-conformance-client"


@pytest.mark.skipif(not SUITE, reason="VITRINE_TUF_CONFORMANCE is not set: test/tuf/README.md says to what")
def test_the_whole_suite_passes_without_expected_failures():
    assert pathlib.Path(str(ENTRY) + ".xfails").read_text() == ""
    r = subprocess.run([PYTHON, "-m", "pytest", "-q", "tuf_conformance", "--entrypoint", str(ENTRY)],
                       cwd=SUITE, env=dict(os.environ, VITRINE_BUILD=str(BUILD)), capture_output=True,
                       text=True, timeout=600)
    assert r.returncode == 0, r.stdout + r.stderr
    assert int(re.search(r"(\d+) passed", r.stdout).group(1)) >= 113
