"""The seed of all random tests here. It is fixed, so that no run of `make test` depends on luck;
`make test-random` draws another one, and VITRINE_TEST_SEED repeats it."""
import os
import random

SEED = os.environ.get("VITRINE_TEST_SEED") or "1"


def random_for(purpose):
    """A generator of its own for each purpose: what one test draws changes nothing for another."""
    return random.Random(f"{SEED}/{purpose}")
