"""The installed clamscan, if it is of the version whose behaviour we follow.

REAL is its path or None; WHY says what to print when a comparison is skipped."""

import shutil
import subprocess

VERSION = "ClamAV 1.4.6"  # Debian 12 with its security updates


def _find():
    path = shutil.which("clamscan", path="/usr/bin:/usr/local/bin")
    if not path:
        return None, "clamscan is not installed: nothing to compare with"
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    if said.split("/")[0].strip() != VERSION:
        return None, "%s is installed, answers are those of %s" % (said.strip(), VERSION)
    return path, ""


REAL, WHY = _find()
