"""Byte comparisons (`0(>>5#hle3#=16)`) of every kind of number with random characters at its place: clamscan
and our program find the same."""
import itertools

import pytest

import diffrun
from oracle import REAL, WHY
from seed import SEED, random_for

KINDS = ["hle", "hl", "hbe", "hb", "ale", "al", "abe", "ab", "de", "d", "dbe"]
LENGTHS = (1, 2, 3, 4, 5, 6, 7, 12, 17, 18)
TESTS = ["=0", ">0", "<8", "<0", "=1", "=10", "=16", "=18", ">100"]
ALPHABETS = [b"01128aAfFxX  -+gG\0\xe8\x90z\n", b"01xXaF", b"0x1 8", b"00xX123456789abcdefF", b"0x12 -+g"]
FILES = 400

pytestmark = pytest.mark.skipif(not REAL, reason=WHY)


def test_numbers_are_read_as_in_clamscan(tmp_path):
    rng, files, cases = random_for("numbers"), tmp_path / "files", []
    lines = {f"{k}{n}{t}": f"{k}{n}{t};Engine:81-255,Target:0;0&1;735961584c;0(>>5#{k}{n}#{t})"
             for k, n, t in itertools.product(KINDS, LENGTHS, TESTS)}
    diffrun.write_lines(tmp_path / "db", {"ldb": list(lines.values())})
    files.mkdir()
    for i in range(FILES):
        text = bytes(rng.choices(ALPHABETS[i % len(ALPHABETS)], k=18))
        (files / str(i)).write_bytes(b"\0\1\xff\x80\x80sYaXL" + text + b"\xe8\x80")
        cases.append(diffrun.Case(files / str(i), "numbers", text))
    theirs, ours = diffrun.both([tmp_path / "db"], files, tmp_path / "cache", ())
    wrong = [diffrun.reproduction(c, lines[name], name, mine)
             for name, mine, c in diffrun.differences(cases, theirs, ours, lines, lines.__contains__)]
    assert not wrong, "\n".join([f"VITRINE_TEST_SEED={SEED}: {len(wrong)} differences", *wrong[:diffrun.SHOWN]])
    assert sum(map(len, theirs.values())) > 20 * FILES, "hardly anything matches: the test tests nothing"
