"""The cache from keys to references answers as a dictionary would, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.remote_write import UNKNOWN, Key
from spyglass.ingest.key_cache import KeyCache

keys = st.lists(st.sampled_from([bytes([n]) for n in range(40)]), max_size=60)


@given(st.lists(st.tuples(keys, keys), max_size=5))
def test_it_is_a_dictionary(rounds: list[tuple[list[Key], list[Key]]]) -> None:
    """Learning and asking in any order, with repetitions and unknown keys."""
    cache, twin = KeyCache(), dict[Key, int]()
    for number, (learned, asked) in enumerate(rounds):
        pairs = [(key, number * 100 + index + 1) for index, key in enumerate(learned)]
        cache.learn(pairs)
        twin.update(pairs)
        assert cache.refs(asked).tolist() == [twin.get(key, UNKNOWN) for key in asked]
        assert cache.refs(learned).tolist() == [twin[key] for key in learned]
