"""Digests tell keys apart as the bytes do, wherever in a body the keys lie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.series_keys import Key, KeySlices, digests_of

# Alike but for one byte, one the beginning of another, ending in zeros, and shorter than a word.
keys = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"a" * n for n in range(30)] + [b"a" * 8 + b"\0" * n for n in range(9)]),
        st.sampled_from([b"a" * 16 + bytes([n]) + b"a" * 9 for n in range(5)]),
        st.sampled_from([b"abcdefgh" * n for n in range(6)]),
    ),
    max_size=20,
)


def sliced(some: list[bytes], before: bytes, between: bytes) -> KeySlices:
    """The keys in one body, with something around each."""
    body, begins = before, []
    for key in some:
        begins.append(len(body))
        body += key + between
    return KeySlices(body, np.array(begins, np.int64), np.array([*map(len, some)], np.int64) + begins)


@given(keys, st.binary(max_size=9), st.binary(max_size=9))
def test_equal_digests_are_equal_keys(some: list[bytes], before: bytes, between: bytes) -> None:
    """Whatever else the body holds, and however long the others are."""
    body = sliced(some, before, between)
    assert list(body) == some
    alone = [tuple(digests_of([key])[0].tolist()) for key in some]
    assert [*map(tuple, digests_of(body).tolist())] == alone
    assert [*map(tuple, digests_of(some).tolist())] == alone
    assert len(set(alone)) == len(set(some))


def test_labels_are_keys_too() -> None:
    """Of remote write 2.0, whose bodies hold no bytes that name a series."""
    some: list[Key] = [(("a", "b"),), (("a", "b"), ("c", "d")), (("ab", ""),), (("a", 'b","c'),), b'[["a","b"]]x', ()]
    assert len(np.unique(digests_of(some), axis=0)) == len(some)


def test_a_slice_of_keys_is_keys() -> None:
    """With the same digests."""
    body = sliced([b"one long key", b"another one", b"and a third"], b"", b"")
    assert body[1:] == [b"another one", b"and a third"]
    assert (digests_of(body)[1:] == digests_of(body[1:])).all()
