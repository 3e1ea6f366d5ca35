"""The points of many series as JSON, a block of series at a time: 0.09 microseconds a point.

orjson prints a float in less time than Python takes to touch it. So one dump prints a block, and what stands between two values is
written over what the dump has there: behind each value goes a filler, a number whose text with its commas is as long as what is wanted.

    dumped   [0.25,111111111111.0,3.0,111111111111.0]
    wanted    0.25"],[1435781466,"3"]]

Bytes that must go are made NUL (the `.0` of whole numbers) and deleted from the whole block at once; another control character ends a
series, so that the block can be split. Neither occurs in a dump of numbers.
What orjson writes differently from Go and not equally long is left to `GridText`, a series at a time.
"""

from collections.abc import Sequence
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from spyglass.api.prometheus.grid_text import GridText
from spyglass.api.prometheus.times_json import format_time
from spyglass.model.arrays import F64, I64, Mask

BLOCK_POINTS = 8192
"""Points per dump: all buffers of a block stay in the cache."""

_SEPARATOR_MAX = 20
"""Bytes between two values, at most: orjson prints no longer filler in full."""

Bytes = npt.NDArray[np.uint8]
Texts = npt.NDArray[Any]
"""Byte strings of one length as numpy's void type: assigned as they are."""


class BlockText:
    """Writes blocks of series over one grid. times_ms [T]."""

    def __init__(self, times_ms: Sequence[int]) -> None:
        self._one_by_one = GridText(times_ms)
        times = [format_time(time).encode() for time in times_ms]
        self._begins = [b',"values":[[' + time + b',"' for time in times]
        separators = [b'"],[' + time + b',"' for time in times]
        self._width = max(map(len, separators))
        self._filler = float("1" * (min(self._width, _SEPARATOR_MAX) - len(",.0,")))
        # numpy pads with NUL. The last entry ends a series.
        padded = np.array([*separators, b'"]]\1'], f"S{self._width}")
        self._separators: Texts = padded.view(f"V{self._width}")

    def points(self, values: F64, present: Mask) -> list[bytes]:
        """`,"values":[[t,"v"],...]` of each series of a block. values, present [S,T]; no series is empty."""
        strange: Mask = np.any(present & ~self._plain(values), axis=1)
        if strange.all():
            return [self._one_by_one.points(*row) for row in zip(values, present, strict=True)]
        quick = np.flatnonzero(~strange)
        if len(quick) == len(values):
            return self._quick(values, present)
        written = iter(self._quick(values[quick], present[quick]))
        rows = zip(strange.tolist(), values, present, strict=True)
        return [self._one_by_one.points(v, there) if odd else next(written) for odd, v, there in rows]

    def _plain(self, values: F64) -> Mask:
        """Which values orjson writes as Go does, or equally long."""
        if self._width > _SEPARATOR_MAX:
            return np.zeros(values.shape, bool)
        size = np.abs(values)
        # Below 1e-4 Go has more zeros or digits of the exponent, until both write exponents of two digits.
        return (size < 1e16) & ((size >= 1e-4) | (size < 9e-10)) | ~np.isfinite(values)

    def _quick(self, values: F64, present: Mask) -> list[bytes]:
        rows, steps = np.nonzero(present)
        last = np.append(rows[1:] != rows[:-1], True)
        following = np.where(last, -1, np.append(steps[1:], -1))
        first = np.append(True, last[:-1])
        begins = [self._begins[step] for step in steps[first].tolist()]
        return list(map(add, begins, self._written(values[present], following)))

    def _written(self, values: F64, following: I64) -> list[bytearray]:
        """What follows `begins` of each series. values [n]; following [n]: the step of its series' next point, -1 behind the last."""
        pairs = np.empty((len(values), 2))
        pairs[:, 0], pairs[:, 1] = values, self._filler
        text = bytearray(orjson.dumps(pairs.reshape(-1), option=orjson.OPT_SERIALIZE_NUMPY))
        bytes_ = np.frombuffer(text, np.uint8)
        # A comma ends every value and, but for the last, every filler.
        ends = np.flatnonzero(bytes_ == ord(","))[0::2]
        whole = ends[(bytes_[ends - 1] == ord("0")) & (bytes_[ends - 2] == ord("."))]
        bytes_[whole - 1] = bytes_[whole - 2] = 0
        strange = np.flatnonzero(~np.isfinite(values))
        if len(strange):
            # orjson's `null` is as long as Go's longest.
            _windows(bytes_, 4)[ends[strange] - 4] = _not_finite(values[strange])
        _windows(bytes_, self._width)[ends] = self._separators[following]
        bytes_[0] = 0
        return text.translate(None, b"\0").split(b"\1")[:-1]


def _not_finite(values: F64) -> Texts:
    texts = np.where(np.isnan(values), b"NaN", np.where(values > 0, b"+Inf", b"-Inf"))
    return texts.astype("S4").view("V4")


def _windows(data: Bytes, width: int) -> Texts:
    """All stretches of `width` bytes, as one writable array: element i begins at byte i."""
    return np.ndarray((len(data) - width + 1,), f"V{width}", data, strides=(1,))
