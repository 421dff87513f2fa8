"""Refreshes from a repository by python-tuf, and reads targets: as test/interop/tuf-js/read.js."""
import hashlib
import pathlib
import sys
import tempfile

from tuf.ngclient import Updater


def main():
    state, metadata, targets, *paths = sys.argv[1:]
    root = (pathlib.Path(state) / "root.json").read_bytes()
    updater = Updater(state, metadata, tempfile.mkdtemp(dir=state), targets, bootstrap=root)
    updater.refresh()
    for path in paths:
        info = updater.get_targetinfo(path)
        if not info:
            raise LookupError(path)
        data = pathlib.Path(updater.download_target(info)).read_bytes()
        print("ok", path, hashlib.sha256(data).hexdigest())


try:
    main()
except Exception as e:
    print(f"{type(e).__name__}: {e}", file=sys.stderr)
    sys.exit(1)
