"""Published signature sets, if they are at hand: for every signature a file that should match and near misses;
clamscan and our program must find the same names.

VITRINE_SETS names the folder (default: shared/data beside the tree) with folders of .ldb files; without it the
test is skipped. VITRINE_TEST_SEED (1; printed), VITRINE_SET_SHARE (1: every signature; 4: a
quarter of them, at random)."""
import collections
import os
import pathlib
import random
import shutil

import pytest

import constructs
import diffrun
import sigfiles
import siglang
from cli import ROOT
from constructs import CONSTRUCTS
from oracle import REAL, WHY
from seed import SEED

FOLDER = pathlib.Path(os.environ.get("VITRINE_SETS", ROOT.parent / "shared/data"))
SETS = sorted(p for p in FOLDER.glob("*/*.ldb")) if FOLDER.is_dir() else []
SHARE = int(os.environ.get("VITRINE_SET_SHARE", "1"))
MISSES = 3

pytestmark = [pytest.mark.skipif(not REAL, reason=WHY),
              pytest.mark.skipif(not SETS, reason=f"no signature sets in {FOLDER}")]


def signatures(path):
    for line in path.read_text(encoding="latin-1").split("\n"):
        if line.strip() and not line.startswith("#"):
            yield line.rstrip("\r")


def make_files(lines, folder, rng):
    """(cases, why some have none)"""
    cases, unmade = [], collections.Counter()
    for line in lines:
        if rng.randrange(SHARE):
            continue
        try:
            sig = siglang.parse_ldb(line)
            made = sigfiles.cases(sig, rng, MISSES)
        except siglang.Unmade as e:
            unmade[str(e).split(" at position")[0][:40]] += 1
            continue
        for what, data in made:
            path = folder / str(len(cases))
            path.write_bytes(data)
            cases.append(diffrun.Case(path, sig.name, what))
    return cases, unmade


@pytest.mark.parametrize("path", SETS, ids=[f"{p.parent.name}-{p.stem}" for p in SETS])
def test_the_same_names_in_files_made_for_every_signature(tmp_path, path):
    rng = random.Random(SEED)
    files, db, cache = (tmp_path / n for n in ("files", "db", "cache"))
    for p in (files, db, cache):
        p.mkdir()
    shutil.copy(path, db / "a.ldb")
    lines = list(signatures(path))
    by_name = collections.defaultdict(list)
    for line in lines:
        by_name[line.split(";")[0]].append(line)
    inactive = {n for n, v in by_name.items() for x in v
                if not all(CONSTRUCTS[c].active for c in constructs.of_signature(x))}
    cases, unmade = make_files(lines, files, rng)
    theirs, ours = diffrun.both([db], files, cache, ())
    meant = [c for c in cases if c.what == "match"]
    found = sum(c.name in theirs.get(c.path.name, ()) for c in meant)
    print(f"VITRINE_TEST_SEED={SEED}: {len(lines)} signatures, {len(cases)} cases, {len(meant)} meant to match, "
          f"{found} of them found by clamscan; {len(inactive)} names not active; not made: {dict(unmade)}")
    wrong, known = [], collections.Counter()
    for name, mine, case in diffrun.differences(cases, theirs, ours, by_name, lambda n: n not in inactive):
        line = (by_name.get(name) or ["?"])[0]
        why = diffrun.explained(line, mine, case)
        if why:
            known[why] += 1
        else:
            wrong.append(diffrun.reproduction(case, line, name, mine))
    print("explained in doc/differences.md:", dict(known))
    assert not wrong, "\n".join([f"VITRINE_TEST_SEED={SEED}: {len(wrong)} differences",
                                 *wrong[:diffrun.SHOWN]])
    assert found > len(meant) // 3, "hardly anything matches: the test tests nothing"
