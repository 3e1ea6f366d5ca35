"""Series descriptions: `metric{label="value"} 1 2+3x2 _ stale {{schema:1 buckets:[5 10]}}x3`.

The notation of Prometheus' rule tests. May import: model, query/promql (for the selector in front).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from spyglass.model.histogram_arithmetic import add, subtract
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import STALE
from spyglass.query.promql.parser import parse_selector
from spyglass.testing.promqltest.histogram_text import parse_histogram
from spyglass.text.durations import parse_prometheus_duration

_NUMBER = r"(?:[0-9][0-9_]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[iI][nN][fF]|[nN][aA][nN])"
_BLANK = re.compile(r"_(?:x([0-9]+))?$")
_FLOATS = re.compile(rf"([-+]?{_NUMBER})(?:([-+]{_NUMBER}))?(?:x([0-9]+))?$")
_HISTOGRAMS = re.compile(r"(\{\{.*?\}\})(?:([-+])(\{\{.*?\}\}))?(?:x([0-9]+))?$", re.DOTALL)
_OFFSETS = re.compile(r"([-+]?[0-9a-z]*?[0-9a-wyz])(?:([-+][0-9a-z]*?[0-9a-wyz]))?(?:x([0-9]+))?$")
_POINT = re.compile(r"\{\{.*?\}\}(?:[-+]\{\{.*?\}\})?(?:x[0-9]+)?|\S+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Point:
    """One place in a series. value None: no sample there. hint_given: the histogram names its counter_reset_hint."""

    value: float | FloatHistogram | None
    hint_given: bool = False


def parse_series(text: str) -> tuple[Labels, list[Point]]:
    """Labels and points of a series description. Raises: ValueError, ParseError."""
    end = _selector_end(text)
    return parse_labels(text[:end]), parse_points(text[end:])


def parse_starts(text: str) -> tuple[Labels, list[int | None]] | None:
    """`metric@st _ -30s-1mx2`: labels and start timestamps, in ms from their samples' times; None: a description of samples."""
    end = _selector_end(text)
    selector = text[:end]
    if selector.endswith("@st"):
        selector = selector[:-3]
    elif text[end : end + 3] == "@st":
        end += 3
    else:
        return None
    items = [item for part in text[end:].split() for item in _expand_starts(part)]
    return parse_labels(selector), items


def _expand_starts(item: str) -> Iterator[int | None]:
    if blank := _BLANK.match(item):
        yield from [None] * int(blank.group(1) or 1)
        return
    match = _OFFSETS.match(item)
    if match is None:
        raise ValueError(f"bad start timestamp {item!r}")
    start, step, times = match.groups()
    value = _offset(start)
    yield value
    for _ in range(int(times or 0)):
        value += _offset(step) if step else 0
        yield value


def _offset(text: str) -> int:
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    return 0 if body == "0" else sign * parse_prometheus_duration(body)


def parse_labels(text: str) -> Labels:
    """`metric{a="b"}` as a label set."""
    return labels_of((matcher.name, matcher.value) for matcher in parse_selector(text.strip() or "{}"))


def _selector_end(text: str) -> int:
    """Where the selector ends and the points begin."""
    brace = text.find("{")
    space = re.search(r"\s", text)
    if brace < 0 or (space is not None and space.start() < brace and text[space.start() :].lstrip()[:1] != "{"):
        return space.start() if space else len(text)
    if space is not None and space.start() < brace:
        # `metric {{schema:...}}`: a space, then a histogram.
        rest = text[space.start() :].lstrip()
        if rest.startswith("{{"):
            return space.start()
    return _closing_brace(text, brace) + 1


def _closing_brace(text: str, opening: int) -> int:
    quote = ""
    at = opening
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\" and quote != "`":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "\"'`":
            quote = char
        elif char == "}":
            return at
        at += 1
    raise ValueError(f"no closing brace in {text!r}")


def parse_points(text: str) -> list[Point]:
    """The points of a series, expanded."""
    return [point for item in _POINT.findall(text) for point in _expand(item)]


def _expand(item: str) -> Iterator[Point]:
    if blank := _BLANK.match(item):
        yield from [Point(None)] * int(blank.group(1) or 1)
    elif item.startswith("stale"):
        yield from [Point(STALE)] * (int(item[6:]) + 1 if item[5:6] == "x" else 1)
    elif item.startswith("{{"):
        yield from _expand_histograms(item)
    else:
        yield from _expand_floats(item)


def _expand_floats(item: str) -> Iterator[Point]:
    match = _FLOATS.match(item)
    if match is None:
        raise ValueError(f"bad point {item!r}")
    start, step, times = match.groups()
    value = float(start.replace("_", ""))
    yield Point(value)
    for _ in range(int(times or 0)):
        value += float(step.replace("_", "")) if step else 0.0
        yield Point(value)


def _expand_histograms(item: str) -> Iterator[Point]:
    match = _HISTOGRAMS.match(item)
    if match is None:
        raise ValueError(f"bad histogram {item!r}")
    start, sign, step, times = match.groups()
    value, given = parse_histogram(start[2:-2])
    if step is None:
        yield from [Point(value, given)] * (int(times or 0) + 1)
        return
    change, given = parse_histogram(step[2:-2])
    yield Point(value, given)
    for _ in range(int(times or 0)):
        value = (add if sign == "+" else subtract)(value, change).histogram
        yield Point(value, given)
