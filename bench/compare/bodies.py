"""Remote write 1.0 bodies of `bench.metric_data`'s back end, built by numpy: a day of 57.6 M samples in half a minute.

Every body is one template whose samples are filled in. An entry of K samples is

    0a  length(2)  labels  K x ( 12 10 09 value(8) 10 time(6) )

and what a sender in Go leaves out is left out again: the value where it is 0 (proto3), the second byte of a length below 128.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from bench.metric_data import BackEnd

from spyglass.formats import snappy, wire
from spyglass.model.arrays import F64, I64, U8
from spyglass.model.labels import Labels, labels_of

STEP_MS = 15_000
SCRAPES_PER_BODY = 4
_HEAD, _SAMPLE = 3, 18


class Template:
    """Bodies of `each` samples for every one of S series. pairs [S]: their labels as `pairs_of` encodes them."""

    def __init__(self, pairs: Sequence[bytes], each: int) -> None:
        samples = (b"\x12\x10\x09" + bytes(8) + b"\x10" + bytes(6)) * each
        self._bytes = np.frombuffer(b"".join(b"\x0a\x00\x00" + pair + samples for pair in pairs), np.uint8)
        self._label_sizes = np.array([len(pair) for pair in pairs], np.int64)
        ends = np.cumsum(self._label_sizes + _HEAD + _SAMPLE * each)
        self._lengths = ends - self._label_sizes - _SAMPLE * each - 2
        self._samples: I64 = ends[:, None] - _SAMPLE * np.arange(each, 0, -1)

    def body(self, values: F64, times: Sequence[int]) -> bytes:
        """values [S, each]; times [each] in ms, between 2004 and 2109, where they take six bytes."""
        data, kept = self._bytes.copy(), np.ones(len(self._bytes), bool)
        zero = values == 0
        data[self._samples[..., None] + np.arange(3, 11)] = _octets(values)
        data[self._samples[..., None] + np.arange(12, 18)] = np.frombuffer(
            b"".join(map(wire.put_varint, times)), np.uint8
        ).reshape(-1, 6)
        data[self._samples[zero] + 1] = 7
        kept[self._samples[zero][:, None] + np.arange(2, 11)] = False
        sizes = self._label_sizes + (_SAMPLE - 9 * zero).sum(axis=1)
        data[self._lengths] = np.where(sizes < 128, sizes, sizes & 0x7F | 0x80)
        data[self._lengths + 1] = sizes >> 7
        kept[self._lengths[sizes < 128] + 1] = False
        return data[kept].tobytes()


def pairs_of(labels: Labels) -> bytes:
    """The label fields of an entry."""
    return b"".join(wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value)) for name, value in labels)


def _octets(values: F64) -> U8:
    """[..., 8]."""
    return np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(*values.shape, 8)


def bodies(hours: float, start_ms: int, back_end: BackEnd) -> Iterator[tuple[bytes, int]]:
    """Compressed bodies of a few scrapes each, and how many samples they hold. Half way a tenth of the series is replaced."""
    scrapes = int(hours * 3_600_000 / STEP_MS)
    rows = back_end.scrapes(scrapes)
    labels: list[Labels] = list(back_end.labels)
    template, deployed = Template([*map(pairs_of, labels)], SCRAPES_PER_BODY), False
    for first in range(0, scrapes - SCRAPES_PER_BODY + 1, SCRAPES_PER_BODY):
        if not deployed and first >= scrapes // 2:
            # A deploy: a tenth of the series goes on under another instance.
            labels = [_renamed(one) if n % 10 == 0 else one for n, one in enumerate(labels)]
            template, deployed = Template([*map(pairs_of, labels)], SCRAPES_PER_BODY), True
        values = np.stack([next(rows) for _ in range(SCRAPES_PER_BODY)], axis=1)
        times = [start_ms + (first + n) * STEP_MS for n in range(SCRAPES_PER_BODY)]
        yield snappy.compress(template.body(values, times)), values.size


def _renamed(labels: Labels) -> Labels:
    return labels_of({**dict(labels), "instance": "api:8001"})
