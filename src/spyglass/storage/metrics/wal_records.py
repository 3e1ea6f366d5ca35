"""What the metric store writes into its journal: one record a kind byte and columns. Format: docs/formats/metrics-wal.md.

    1 series      zstd(JSON): [[reference, [[name, value], ...]], ...]
    2 samples     n u32, flags u8, then columns: refs i64[n], times i64[n], values f64[n]
    3 extras      zstd(JSON): {"exemplars": [[reference, labels, value, time], ...], "metadata": {family: [kind, help, unit]}}
    4 late        as samples: samples behind their series' newest (the out-of-order window)
    5 histograms  zstd(JSON): [[reference, time, histogram], ...], as journals had it before
    6 histograms  columns, see histogram_records.py

The columns are little-endian. Flag 1: all samples have one time, written once. Flag 2: all references have one generation, written
once (u32) before the slots (u32[n]).
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from spyglass.model.arrays import F64, I64
from spyglass.model.labels import Labels

SERIES, SAMPLES, EXTRAS, LATE, HISTOGRAMS = 1, 2, 3, 4, 5

_SAMPLES_HEAD = struct.Struct("<BxxxIB3x")
_ONE_TIME, _ONE_GENERATION = 1, 2

_MAX_JSON_BYTES = 256 << 20


def encode_json(kind: int, value: object) -> bytes:
    return bytes([kind]) + zstandard.compress(orjson.dumps(value), 1)


def decode_json(record: bytes) -> object:
    return orjson.loads(zstandard.decompress(memoryview(record)[1:], max_output_size=_MAX_JSON_BYTES))


def encode_series(series: Iterable[tuple[int, Labels]]) -> bytes:
    return encode_json(SERIES, list(series))


def decode_series(record: bytes) -> list[tuple[int, Labels]]:
    items = decode_json(record)
    assert isinstance(items, list)
    return [(ref, tuple((name, value) for name, value in labels)) for ref, labels in items]


def encode_samples(kind: int, refs: I64, times: I64, values: F64) -> Sequence[memoryview | bytes]:
    """The record as parts, not joined: the columns are written from where they are."""
    flags = 0
    columns: list[npt.NDArray[Any]] = [refs, times, values]
    generation = int(refs[0]) >> 32
    if bool((refs >> 32 == generation).all()):
        flags |= _ONE_GENERATION
        columns[0] = np.concatenate([np.asarray([generation], np.uint32), refs.astype(np.uint32)])
    if bool((times == times[0]).all()):
        flags |= _ONE_TIME
        columns[1] = times[:1]
    head = _SAMPLES_HEAD.pack(kind, len(refs), flags)
    return [head, *(np.ascontiguousarray(column).data.cast("B") for column in columns)]


def decode_samples(record: bytes) -> tuple[I64, I64, F64]:
    """refs [n], times [n], values [n]; views of the record where they can be."""
    _, count, flags = _SAMPLES_HEAD.unpack_from(record)
    at = _SAMPLES_HEAD.size
    refs: I64
    if flags & _ONE_GENERATION:
        stored = np.frombuffer(record, np.uint32, count + 1, at)
        refs = (int(stored[0]) << 32) | stored[1:].astype(np.int64)
        at += stored.nbytes
    else:
        refs = np.frombuffer(record, np.int64, count, at)
        at += refs.nbytes
    times = np.frombuffer(record, np.int64, 1 if flags & _ONE_TIME else count, at)
    at += times.nbytes
    values = np.frombuffer(record, np.float64, count, at)
    return refs, np.repeat(times, count) if flags & _ONE_TIME else times, values
