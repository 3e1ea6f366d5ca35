"""Reduces series to numbers. Source: the behaviour of Grafana's reduce expression and its modes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from spyglass.model.arrays import F64, Mask
from spyglass.query.expressions.values import Value, number

Mode = Literal["", "dropNN", "replaceNN"]
MODES: tuple[Mode, ...] = ("", "dropNN", "replaceNN")

_OF_NUMBERS: Mapping[str, Callable[[F64], float]] = {
    "sum": lambda v: float(v.sum()),
    "mean": lambda v: float(v.mean()) if len(v) else np.nan,
    "min": lambda v: float(v.min()) if len(v) else np.nan,
    "max": lambda v: float(v.max()) if len(v) else np.nan,
    "median": lambda v: float(np.median(v)) if len(v) else np.nan,
}
REDUCERS = frozenset({*_OF_NUMBERS, "count", "last"})


def reduce(values: Sequence[Value], reducer: str, *, mode: Mode = "", replace_with: float = 0.0) -> list[Value]:
    """One number a series, with its labels; numbers pass. mode: what becomes of absent values, NaN and infinities.

    "" (strict): one of them makes the result NaN. dropNN: they are left out, and where nothing is left the result is absent.
    replaceNN: replace_with stands for them.
    """
    return [_reduced(value, reducer, mode, replace_with) for value in values]


def _reduced(value: Value, reducer: str, mode: Mode, replace_with: float) -> Value:
    numbers, present = value.values, value.present
    usable = present & np.isfinite(numbers)
    if mode == "replaceNN":
        numbers, present = np.where(usable, numbers, replace_with), np.ones(len(numbers), np.bool_)
    if value.kind != "series":
        kept = usable[0] if mode == "dropNN" else present[0]
        return number(float(numbers[0]) if kept else None, value.labels)
    if mode == "dropNN":
        numbers, present = numbers[usable], np.ones(int(usable.sum()), np.bool_)
    result = reduced(numbers, present, reducer)
    if result is not None and np.isnan(result) and mode == "dropNN":
        result = None
    if result is not None and np.isnan(result) and mode == "replaceNN":
        result = replace_with
    return number(result, value.labels)


def reduced(values: F64, present: Mask, reducer: str) -> float | None:
    """Strict. None: absent."""
    if reducer == "count":
        return float(len(values))
    if reducer == "last":
        return None if len(values) and not present[-1] else float(values[-1]) if len(values) else np.nan
    if not present.all() or np.isnan(values).any():
        return np.nan
    return _OF_NUMBERS[reducer](values)
