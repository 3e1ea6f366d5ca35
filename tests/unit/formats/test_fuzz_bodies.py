"""A short form of fuzz/bodies.py: its long form runs for as long as you let it."""

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).parents[3] / "fuzz" / "bodies.py"
ROUNDS = 400
SEED = 20_261


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_bodies", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_bodies"] = module
    spec.loader.exec_module(module)
    return module


bodies = _load()


@pytest.mark.parametrize("name", sorted(bodies.FORMATS))
def test_bodies_of_the_corpus_are_read(name: str) -> None:
    """They are what mutation starts from: a corpus that no decoder takes would find nothing."""
    for body in bodies.corpus_of(name):
        bodies.FORMATS[name].decode(body)


@pytest.mark.parametrize("name", sorted(bodies.FORMATS))
def test_mutated_bodies_give_a_result_or_the_documented_error(name: str) -> None:
    """Seeded; `python fuzz/bodies.py` goes on from there."""
    rnd, corpus = random.Random(SEED), bodies.corpus_of(name)
    for _ in range(ROUNDS):
        body = bodies.mutated(rnd, corpus)
        assert bodies.problem(name, body) == "", body
