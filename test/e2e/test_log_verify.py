"""vitrine log verify: offline proofs, good and bad."""
import json

import pytest

from cli import ROOT, run

VECTORS = ROOT / "test" / "vectors" / "tlog"
PROOFS = sorted((VECTORS / "tlog-proof").glob("*.tlog-proof"))
# Part of what must be said of each bad one.
REASONS = {
    "crlf": "CR LF", "dup-hash": "8 hashes", "dup-witness1": "quorum is not met",
    "leading-zero-index": "no leading zeroes", "missing-hash": "6 hashes",
    "no-header": "c2sp.org/tlog-proof@v1", "plus-index": "decimal",
    "quorum-1-of-3": "missing w2, w3", "size-leading-zero": "size has a leading zero",
    "trailing-garbage": "newline", "wrong-index": "leaf 255", "wrong-origin": "no log in the policy",
}


def verify(tmp_path, proof, entry, *args):
    (tmp_path / "entry").write_text(entry)
    args = args or ("--policy", VECTORS / "policy.txt")
    return run("vitrine", "log", "verify", *args, proof, tmp_path / "entry", cache=tmp_path)


def entry_of(proof):
    n = proof.name.split(".")[0].split("-")[1]
    return f"fixture entry {n if n.isdigit() else 256}\n"


@pytest.mark.parametrize("proof", PROOFS, ids=lambda p: p.name.split(".")[0])
def test_good_proofs_hold_and_bad_ones_say_why(tmp_path, proof):
    code, out, err = verify(tmp_path, proof, entry_of(proof))
    if proof.name.startswith("ok-"):
        assert (code, err) == (0, "") and "entry: verified\n" in out
        assert out.count("\ncosigned by ") == 3
        return
    why = REASONS[proof.name.split(".")[0].split("-", 1)[1]]
    assert (code, err) == (1, "") and "entry: NOT PROVEN: " in out and why in out


def test_all_vectors_are_here():
    assert [p.name[:2] for p in PROOFS].count("ok") == 5 and len(PROOFS) == 17


def test_a_proof_is_of_one_entry(tmp_path):
    code, out, _ = verify(tmp_path, VECTORS / "tlog-proof" / "ok-255.tlog-proof", "another\n")
    assert code == 1 and "NOT PROVEN" in out


def test_json_is_one_object(tmp_path):
    proof = VECTORS / "tlog-proof" / "ok-299.tlog-proof"
    args = ("--json", "--policy", VECTORS / "policy.txt")
    said = json.loads(verify(tmp_path, proof, entry_of(proof), *args)[1])
    assert (said["verdict"], said["index"], said["size"]) == ("verified", 299, 300)
    assert len(said["cosigned"]) == 3
    code, out, _ = verify(tmp_path, proof, "another\n", *args)
    assert code == 1 and json.loads(out)["verdict"] == "wrong"


def test_what_cannot_be_checked_is_not_called_wrong_or_right(tmp_path):
    good = VECTORS / "tlog-proof" / "ok-0.tlog-proof"
    for args in (("--policy", tmp_path / "none"), ("--policy", good), ("--key", "x")):
        code, out, err = verify(tmp_path, good, entry_of(good), *args)
        assert (code, out) == (2, "") and err.startswith("vitrine: ")
    code, out, err = verify(tmp_path, tmp_path / "none", "x")
    assert (code, out) == (2, "") and "none: No such file" in err
    code, out, err = verify(tmp_path, good, "x" * 65536)
    assert (code, out) == (2, "") and "longer than 65535 bytes" in err
