"""For every construct of the signature language: random signatures, for each a file that should match and
near misses that should not. clamscan and our program must find the same names in all of them.

Settings: VITRINE_TEST_SEED (1; printed), VITRINE_DIFF_CASES (20000),
VITRINE_DIFF_INACTIVE=1 (also makes what is not active yet, and looks whether clamscan finds it)."""
import collections
import os
import random
import re

import pytest

import constructs
import diffrun
import sigfiles
import siglang
from constructs import AT_END, CONSTRUCTS, NOT_AT_END
from kinds import KINDS, Made
from oracle import REAL, WHY
from seed import SEED

CASES = int(os.environ.get("VITRINE_DIFF_CASES", "20000"))
ALL = os.environ.get("VITRINE_DIFF_INACTIVE") == "1"
MISSES = 4  # near misses for each signature
BATCH = 2500  # files for each run of clamscan
PUA = [(), ("--detect-pua=yes",), ("--detect-pua=yes", "--include-pua=Win"), ("--detect-pua=yes", "--exclude-pua=Tool")]

pytestmark = pytest.mark.skipif(not REAL, reason=WHY)


def parse(line):
    return siglang.parse_ldb(line) if ";" in line else siglang.parse_ndb(line)


def make(rng, construct, name):
    """Made for a construct of either sort."""
    if construct in KINDS:
        return KINDS[construct](rng, name)
    line = CONSTRUCTS[construct].make(rng).replace("{name}", name, 1)
    return Made({"ldb" if ";" in line else "ndb": [line]}, sigfiles.cases(parse(line), rng, MISSES))


class Batch:
    """A database and the files made for its signatures."""

    def __init__(self, box):
        self.box, self.lines, self.cases = box, {}, []
        self.kind, self.files = {}, collections.defaultdict(list)
        self.unmade = collections.Counter()
        (box / "files").mkdir(parents=True)
        (box / "cache").mkdir()

    def add(self, rng, construct):
        name = f"{construct}.{len(self.lines)}"
        try:
            made = make(rng, construct, name)
        except siglang.Unmade as e:
            self.unmade[f"{construct}: {e}"] += 1
            return
        name = made.name or name
        self.lines[name], self.kind[name] = made.text(), construct
        for extension, lines in made.lines.items():
            self.files[extension] += lines
        for what, data in made.cases:
            path = self.box / "files" / f"{len(self.cases)}"
            path.write_bytes(data)
            self.cases.append(diffrun.Case(path, name, what))

    def construct_of(self, line):
        return next((self.kind[x] for x in re.split("[:;=]", line) if x in self.kind), None)

    def run(self, options=()):
        db = self.box / "db"
        diffrun.write_lines(db, self.files)
        self.refused = [x for x in diffrun.refused(db, self.box / "cache")
                        if CONSTRUCTS.get(self.construct_of(x[0]), CONSTRUCTS["literal"]).active]
        return diffrun.both([db], self.box / "files", self.box / "cache", options)


class Tally:
    """Per construct: signatures, cases, files meant to match, and how many of them clamscan found."""

    def __init__(self):
        self.rows = collections.defaultdict(collections.Counter)
        self.wrong, self.explained, self.unmade = [], collections.Counter(), collections.Counter()

    def take(self, batch, theirs, ours):
        self.unmade += batch.unmade
        self.wrong += [f"clamscan does not load {line[:300]}: {said}" for line, said in batch.refused]
        for n in batch.kind.values():
            self.rows[n]["signatures"] += 1
        for c in batch.cases:
            row = self.rows[batch.kind[c.name]]
            row["cases"] += 1
            hit = c.name in theirs.get(c.path.name, ())
            if c.what == "match":
                row["meant"] += 1
                row["found"] += hit
            else:
                row["missed"] += not hit

        def comparable(name):
            return name not in batch.kind or CONSTRUCTS[batch.kind[name]].active
        for name, mine, case in diffrun.differences(batch.cases, theirs, ours, batch.lines, comparable):
            line = batch.lines.get(name, "?")
            why = diffrun.explained(line, mine, case)
            if why:
                self.explained[why] += 1
            else:
                self.wrong.append(diffrun.reproduction(case, line, name, mine))

    def table(self):
        yield "construct             signatures   cases  meant to match  found by clamscan  near misses missed"
        for name in sorted(CONSTRUCTS):
            r = self.rows.get(name)
            if r:
                yield (f"{name:20} {r['signatures']:11} {r['cases']:7} {r['meant']:15} {r['found']:18} "
                       f"{r['missed']:19}")
            else:
                yield f"{name:20} inactive: not compared"


def chosen(at_end=False):
    return [n for n, c in CONSTRUCTS.items() if (c.active or ALL) and n not in (NOT_AT_END if at_end else AT_END)]


def test_every_construct_gives_the_names_of_clamscan(tmp_path):
    rng, tally, total, n = random.Random(SEED), Tally(), 0, 0
    while total < CASES:
        batch = Batch(tmp_path / str(n))
        names = chosen(n % 3 == 2)
        while len(batch.cases) < min(BATCH, CASES - total + MISSES):
            for name in names:
                batch.add(rng, name)
        tally.take(batch, *batch.run(rng.choice(PUA)))
        total, n = total + len(batch.cases), n + 1
    print(f"VITRINE_TEST_SEED={SEED}: {total} cases in {n} batches", *tally.table(), sep="\n")
    print("explained in doc/differences.md:", dict(tally.explained), "not made:", dict(tally.unmade))
    assert not tally.wrong, "\n".join([f"VITRINE_TEST_SEED={SEED}: {len(tally.wrong)} differences",
                                       *tally.wrong[:diffrun.SHOWN]])
    dull = [k for k, r in tally.rows.items() if r["meant"] > 20 and CONSTRUCTS[k].rate * r["meant"] > r["found"]]
    assert not dull, f"files that should match do not: {dull}"
    made = {n for n in chosen() + chosen(True) if CONSTRUCTS[n].rate}
    assert made <= set(tally.rows), f"made nothing: {made - set(tally.rows)}"


def example(name):
    return CONSTRUCTS[name].make(random.Random(1)).replace("{name}", "X", 1)


@pytest.mark.parametrize("name", [n for n in CONSTRUCTS if n not in KINDS])
def test_switch_says_what_we_do(tmp_path, name):
    """A construct is active if we find the file made for it, where clamscan does; if none can be made, only if
    the compiler takes it."""
    batch = Batch(tmp_path)
    batch.add(random.Random(1), name)
    if batch.cases:
        theirs, ours = batch.run()
        found = [f"{name}.0" in x.get("0", ()) for x in (theirs, ours)]
        if found[0]:
            assert found[1] == CONSTRUCTS[name].active, f"{batch.lines}: turn the switch in constructs.py"
            return
    (tmp_path / "cache").mkdir(exist_ok=True)
    diffrun.write_lines(tmp_path / "db", {"ldb": [example(name)]} if ";" in example(name) else
                        {"ndb": [example(name)]})
    left_out, said = diffrun.inactive(tmp_path / "db", tmp_path)
    assert not (left_out and CONSTRUCTS[name].active), f"{example(name)}\n{said}: turn the switch in constructs.py"


def test_explanations_are_rows_of_the_documentation():
    assert not diffrun.rows_exist()
