"""The points of one series as JSON, whatever they are: floats of any size, histograms.

A series' values are dumped by orjson in one go and split at the commas; the pieces are put between the grid's ready-made
timestamps. What orjson writes differently from Go is brought to Go's form: whole numbers lose their `.0`, exponents and values that
are not finite are written one by one. Numbers are those of Prometheus' JSON: `f` format between 1e-6 and 1e21, `e` beyond.
Source: Prometheus util/jsonutil.
"""

from collections.abc import Sequence

import numpy as np
import orjson

from spyglass.api.prometheus.histogram_json import histogram_json
from spyglass.api.prometheus.times_json import format_time
from spyglass.model.arrays import F64, Mask, Objects
from spyglass.text.gofloat import format_json_float


class GridText:
    """The timestamps of a grid as the bytes that stand between values, made once for all series."""

    def __init__(self, times_ms: Sequence[int]) -> None:
        self._times = [format_time(t).encode() for t in times_ms]
        # Each point is `[t,"v"]`: what stands before a value closes the point before it.
        self._between = [b'"],[' + t + b',"' for t in self._times]
        self._array: Objects = np.array(self._between, object)

    def points(self, values: F64, present: Mask, histograms: Objects | None = None) -> bytes:
        """`,"values":[[t,"v"],...]` and `,"histograms":[...]` of one series, each where there are any."""
        out = b""
        if histograms is not None:
            held = np.array([h is not None for h in histograms.tolist()], bool)
            out = self._histograms(histograms, present & held)
            present = present & ~held
        if present.all():
            return self._values(self._between, values) + out
        if not present.any():
            return out
        return self._values(self._array[present].tolist(), values[present]) + out

    def _values(self, between: list[bytes], values: F64) -> bytes:
        pieces: list[bytes] = [b""] * (2 * len(between))
        pieces[0::2] = between
        pieces[1::2] = number_texts(values)
        # The first separator closes a point that is not there.
        pieces[0] = b',"values":[' + between[0][3:]
        pieces.append(b'"]]')
        return b"".join(pieces)

    def _histograms(self, histograms: Objects, where: Mask) -> bytes:
        steps = np.flatnonzero(where).tolist()
        if not steps:
            return b""
        points = [b"[" + self._times[step] + b"," + histogram_json(histograms[step]) + b"]" for step in steps]
        return b',"histograms":[' + b",".join(points) + b"]"


def number_texts(values: F64) -> list[bytes]:
    """Every value as Prometheus' JSON writes it, without quotes."""
    dumped = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = (dumped[1:-1] + b",").replace(b".0,", b",").split(b",")[:-1] if len(values) else []
    if b"e" in dumped or b"n" in dumped or b"0.0000" in dumped:
        odd = [i for i, text in enumerate(texts) if b"e" in text or b"n" in text or b"0.0000" in text]
        for index in odd:
            texts[index] = format_json_float(float(values[index])).encode()
    return texts
