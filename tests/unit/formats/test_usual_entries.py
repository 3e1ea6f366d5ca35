"""Remote write entries of labels and then samples, read all at once: exactly what the walk field by field reads, or nothing."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats import wire
from spyglass.formats.remote_write.v1 import decode_v1, encode_v1
from spyglass.formats.usual_entries import UsualEntries, usual_entries
from spyglass.model.labels import labels_of

T = 1_700_000_000_000

texts = st.text(alphabet=st.sampled_from("ab\x07\x09\x10\x12\x80é/"), max_size=40)
values = st.one_of(
    st.just(0.0), st.just(-0.0), st.floats(), st.just(struct.unpack("<d", b"\x12\x07\x10\xff\xff\xff\xff\x10")[0])
)
times = st.integers(T, T + 10**11)
samples = st.lists(st.tuples(times, values), min_size=1, max_size=4)
series = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(["a", "bb", "__name__"]), texts, min_size=1), samples),
    min_size=1,
    max_size=6,
)


def encoded(rows: list[tuple[dict[str, str], list[tuple[int, float]]]], *, zeros: bool) -> bytes:
    """A body. zeros: a value of 0 is written; senders in Go leave it out, as proto3 does."""
    out = b""
    for labels, points in rows:
        pairs = [wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, text)) for name, text in labels.items()]
        entries = [
            wire.put_bytes(2, (wire.put_double(1, value) if zeros or value else b"") + wire.put_int(2, time_ms))
            for time_ms, value in points
        ]
        out += wire.put_bytes(1, b"".join(pairs + entries))
    return out


def walked(body: bytes) -> list[tuple[bytes, list[tuple[int, bytes]]]]:
    """(labels, [(time in ms, the value's bytes)]) of each entry: the plain twin."""
    found = []
    for _, _, entry in wire.fields(body):
        key, points = b"", []
        for number, _, field in wire.fields(wire.message(entry)):
            if number == 1:
                key += wire.put_bytes(1, wire.message(field))
            else:
                parts = {name: part for name, _, part in wire.fields(wire.message(field))}
                value = wire.double(parts[1]) if 1 in parts else 0.0
                points.append((wire.signed(parts[2]), struct.pack("<d", value)))
        found.append((key, points))
    return found


def read(usual: UsualEntries) -> list[tuple[bytes, list[tuple[int, bytes]]]]:
    points = iter(zip(usual.times.tolist(), [struct.pack("<d", value) for value in usual.values.tolist()], strict=True))
    return [
        (key, [next(points) for _ in range(count)])
        for key, count in zip(usual.keys, usual.counts.tolist(), strict=True)
    ]


@given(series, st.booleans())
def test_what_is_read_is_what_the_walk_reads(
    rows: list[tuple[dict[str, str], list[tuple[int, float]]]], zeros: bool
) -> None:
    """Labels and values that hold the bytes of a sample's head end in nothing, or in keys that are no labels; never in other samples."""
    body = encoded(rows, zeros=zeros)
    usual = usual_entries(body)
    if usual is not None and usual.keys == [key for key, _ in walked(body)]:
        assert read(usual) == walked(body)
    columns = decode_v1(body)
    assert columns.times.tolist() == [time for _, points in walked(body) for time, _ in points]


@given(
    st.lists(
        st.lists(st.tuples(times, st.sampled_from([0.0, 1.0, 1e300])), min_size=1, max_size=3), min_size=1, max_size=5
    )
)
def test_ordinary_bodies_are_read(rows: list[list[tuple[int, float]]]) -> None:
    """Any mix of zeros and counts of samples, short and long labels."""
    body = encoded([({"__name__": "m" * (1 + 40 * n)}, points) for n, points in enumerate(rows)], zeros=False)
    usual = usual_entries(body)
    assert usual is not None
    assert read(usual) == walked(body)


def test_anything_else_is_left_to_the_walk() -> None:
    """Nothing, no samples, a time of another length, an exemplar, metadata behind, labels behind samples, a cut body."""
    label, sample = (
        wire.put_bytes(1, wire.put_text(1, "a")),
        wire.put_bytes(2, wire.put_double(1, 2.0) + wire.put_int(2, T)),
    )
    good = wire.put_bytes(1, label + sample)
    early = wire.put_bytes(2, wire.put_double(1, 2.0) + wire.put_int(2, 5))
    assert usual_entries(good) is not None
    for body in (
        b"",
        wire.put_bytes(1, label),
        wire.put_bytes(1, label + early),
        wire.put_bytes(1, label + sample + wire.put_bytes(3, b"")),
        good + wire.put_bytes(3, b""),
        wire.put_bytes(1, label + sample + label),
        good[:-1],
        good + good[:9],
    ):
        assert usual_entries(body) is None, body


@given(st.binary(max_size=60))
def test_noise_is_no_error(noise: bytes) -> None:
    """Whatever bytes come, and wherever they are cut: an answer or None."""
    good = encode_v1([(labels_of({"__name__": "m"}), [(T, 1.0)])])
    for at in range(0, len(good), 5):
        usual_entries(good[:at] + noise)
        usual_entries(noise + good[at:])
