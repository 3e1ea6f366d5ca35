"""The points of many series as JSON, a block of series at a time: 0.06 microseconds a point.

orjson prints a float in less time than Python takes to touch it. So one dump prints a block's values; every comma of it becomes the text
that stands between two values, and the times are written into those texts by numpy.

    dumped   [0.25,3.0,7.5,
    commas    0.25"],[..........,"3"],[..........,"7.5"],[..........,"
    wanted    0.25"],[1435781466,"3"]]

Bytes that must go are made NUL (the `.0` of whole numbers) and deleted from the whole block at once, before the commas are replaced. Where
a value ends is known for each, so that series are cut out of the block.
What orjson writes differently from Go and not equally long is left to `GridText`, a series at a time.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from spyglass.api.prometheus.grid_text import GridText
from spyglass.api.prometheus.times_json import format_times
from spyglass.model.arrays import F64, I64, Mask

BLOCK_POINTS = 8192
"""Points per dump: all buffers of a block stay in the cache."""

_BEFORE_TIME, _BEHIND_TIME = b'"],[', b',"'

Bytes = npt.NDArray[np.uint8]
Texts = npt.NDArray[Any]
"""Byte strings of one length as numpy's void type: assigned as they are."""


class BlockText:
    """Writes blocks of series over one grid. times_ms [T]."""

    def __init__(self, times_ms: Sequence[int]) -> None:
        self._times_ms = times_ms
        self._texts = format_times(times_ms)
        width = max(map(len, self._texts))
        self._between = _BEFORE_TIME + bytes(width) + _BEHIND_TIME
        # numpy pads the shorter ones with NUL.
        self._times: Texts = np.array(self._texts, f"S{width}").view(f"V{width}")
        self._padded = min(map(len, self._texts)) < width

    @cached_property
    def _one_by_one(self) -> GridText:
        return GridText(self._times_ms)

    def points(self, values: F64, present: Mask) -> list[bytes]:
        """`,"values":[[t,"v"],...]` of each series of a block. values, present [S,T]; no series is empty."""
        strange: Mask = np.any(present & ~_plain(values), axis=1)
        if strange.all():
            return [self._one_by_one.points(*row) for row in zip(values, present, strict=True)]
        quick = np.flatnonzero(~strange)
        if len(quick) == len(values):
            return self._quick(values, present)
        written = iter(self._quick(values[quick], present[quick]))
        rows = zip(strange.tolist(), values, present, strict=True)
        return [self._one_by_one.points(v, there) if odd else next(written) for odd, v, there in rows]

    def _quick(self, values: F64, present: Mask) -> list[bytes]:
        series, count = values.shape
        if present.all():
            firsts, steps = np.arange(series) * count, np.zeros(series, np.int64)
            text, ends = self._written(np.ascontiguousarray(values).reshape(-1), np.tile(self._times, series))
        else:
            rows, of_points = np.nonzero(present)
            firsts = np.searchsorted(rows, np.arange(series))
            steps = of_points[firsts]
            text, ends = self._written(values[present], self._times[of_points])
        # A series begins behind what follows the last value of the one before it.
        begins = np.append(1, ends[firsts[1:] - 1] + len(self._between))
        lasts = ends[np.append(firsts[1:], len(ends)) - 1]
        places = zip(steps.tolist(), begins.tolist(), lasts.tolist(), strict=True)
        out = [b',"values":[[' + self._texts[step] + b',"' + text[begin:end] + b'"]]' for step, begin, end in places]
        return [one.translate(None, b"\0") for one in out] if self._padded else out

    def _written(self, values: F64, times: Texts) -> tuple[bytearray, I64]:
        """All values with what stands between them, a byte before the first, and where in it each value ends. values, times [n]."""
        compact, ends = _values(values)
        text = compact.replace(b",", self._between)
        ends += np.arange(len(ends)) * (len(self._between) - 1)
        places = ends[:-1] + len(_BEFORE_TIME)
        _windows(np.frombuffer(text, np.uint8), self._times.itemsize)[places] = times[1:]
        return text, ends


def _plain(values: F64) -> Mask:
    """Which values orjson writes as Go does, or equally long."""
    size = np.abs(values)
    # Below 1e-5 Go has more zeros or digits of the exponent, until both write exponents of two digits.
    return (size < 1e16) & ((size >= 1e-5) | (size < 9e-10)) | ~np.isfinite(values)


def _values(values: F64) -> tuple[bytearray, I64]:
    """`[v,v,v,`, and the place of the comma behind each value [n]."""
    text = bytearray(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY))
    text[-1:] = b","
    bytes_ = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(bytes_ == ord(","))
    # What is large enough to be printed with an exponent is not plain.
    finite = np.isfinite(values)
    whole = finite & (values == np.rint(values))
    removed = 2 * whole.astype(np.int8)
    places = ends[whole]
    bytes_[places - 1] = bytes_[places - 2] = 0
    strange = np.flatnonzero(~finite)
    if len(strange):
        # orjson's `null` is as long as Go's longest.
        _windows(bytes_, 4)[ends[strange] - 4] = _not_finite(values[strange])
        removed[strange] = np.isnan(values[strange])
    if not removed.any():
        return text, ends
    del bytes_
    return text.translate(None, b"\0"), ends - np.cumsum(removed, dtype=np.int64)


def _not_finite(values: F64) -> Texts:
    texts = np.where(np.isnan(values), b"NaN", np.where(values > 0, b"+Inf", b"-Inf"))
    return texts.astype("S4").view("V4")


def _windows(data: Bytes, width: int) -> Texts:
    """All stretches of `width` bytes, as one writable array: element i begins at byte i."""
    return np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
