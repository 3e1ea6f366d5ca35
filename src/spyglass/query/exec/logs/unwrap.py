"""`| unwrap duration(took)`: the number in a label, per line; lines without the label drop out."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from spyglass.model.arrays import F64
from spyglass.query.exec.logs.label_filter import compile_predicate
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.plan.log_nodes import LogSource
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float

SAMPLE_ERROR = "SampleExtractionErr"


def _seconds(text: str) -> float:
    return parse_go_duration(text) / 1e9


def _bytes(text: str) -> float:
    return float(parse_bytes(text))


_READERS: dict[str, Callable[[str], float]] = {
    "": lru_cache(maxsize=8192)(parse_go_float),
    "duration": lru_cache(maxsize=8192)(_seconds),
    "duration_seconds": lru_cache(maxsize=8192)(_seconds),
    "bytes": _bytes,
}


def unwrapped(rows: Rows, source: LogSource) -> tuple[Rows, F64]:
    """The lines that have the label, and its value; what is no number is 0 and marked, then the filters behind run."""
    texts = rows.texts(source.unwrap)
    places = [place for place, text in enumerate(texts) if text]
    rows = rows.take(places)
    read = _READERS[source.conversion]
    values = np.zeros(rows.size)
    for place, origin in enumerate(places):
        try:
            values[place] = read(texts[origin])
        except ValueError as err:
            rows.fail(place, SAMPLE_ERROR, str(err))
    for predicate in source.filters:
        kept = [place for place, passed in enumerate(compile_predicate(predicate)(rows)) if passed]
        values = values[np.asarray(kept, np.int64)]
        rows = rows.take(kept)
    return rows, values
