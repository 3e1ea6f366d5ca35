"""The cache from keys to references answers as a dictionary would, whatever the order."""

from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.remote_write.columns import UNKNOWN, NoneKnown
from spyglass.formats.remote_write.v1 import decode_v1, encode_v1
from spyglass.formats.series_keys import Key
from spyglass.ingest.key_cache import KeyCache
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import METRIC_NAME

T = 1_700_000_000_000
names = st.lists(st.sampled_from([f"m{n}" * (1 + n % 4) * 30 for n in range(12)]), min_size=1, max_size=20)


def body_of(metrics: list[str], time_ms: int = T) -> bytes:
    return encode_v1([(((METRIC_NAME, metric),), [(time_ms + at, at / 2)]) for at, metric in enumerate(metrics)])


@given(st.lists(names, max_size=4), names)
def test_a_body_of_known_keys_is_read_as_any_other(learned: list[list[str]], asked: list[str]) -> None:
    """Any order and repetition: matched or not, the columns are those of a receiver without a memory."""
    cache = KeyCache()
    refs: dict[Key, int] = {}
    for metrics in learned:
        keys = decode_v1(body_of(metrics)).keys
        refs |= {key: len(refs) + at + 1 for at, key in enumerate(keys)}
        cache.learn([(key, refs[key]) for key in keys])
    columns, plain = decode_v1(body_of(asked), cache), decode_v1(body_of(asked))
    assert columns.keys == plain.keys
    assert columns.times.tolist() == plain.times.tolist()
    assert columns.values.tolist() == plain.values.tolist()
    assert columns.known is not None
    assert columns.known.tolist() == [refs.get(key, UNKNOWN) for key in columns.keys]


@given(names, st.binary(max_size=30), st.integers(0, 400))
def test_a_damaged_body_is_never_taken_for_a_known_one(metrics: list[str], noise: bytes, at: int) -> None:
    """Noise in the middle: the answer is the one that a receiver without a memory gives, errors included."""
    cache = KeyCache()
    good = body_of(metrics)
    cache.learn([(key, n + 1) for n, key in enumerate(dict.fromkeys(decode_v1(good).keys))])
    damaged = good[:at] + noise + good[at + len(noise) :]

    def outcome(known: KeyCache | NoneKnown) -> object:
        try:
            columns = decode_v1(damaged, known)
        except MalformedBody as err:
            return str(err)
        return columns.keys, columns.times.tolist(), columns.values.tobytes()

    assert outcome(cache) == outcome(NoneKnown())


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
