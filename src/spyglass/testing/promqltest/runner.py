"""Running scripts: every command in order, every `eval` checked, every difference told with its line."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from spyglass.model.histogram_arithmetic import stored_hints
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.model.times import StepGrid
from spyglass.testing.promqltest.nhcb import with_nhcb
from spyglass.testing.promqltest.script import Clear, Eval, Load, Note, parse_script
from spyglass.testing.promqltest.series import Point
from spyglass.testing.promqltest.targets import Answer, RenderedHistogram, Sample, Shown, ShownSample, Starts, Target

EPSILON = 1e-6
"""Relative difference that still counts as equal, upstream's."""
_QUERY_TIMES = re.compile(r"\b(?:start|end|step|range)\s*\(")
"""Functions of the query's own times, which an instant and a range query do not share."""
_SMALLEST_NORMAL = 2.2250738585072014e-308


@dataclass(slots=True)
class Report:
    """What became of a script: evals run, and the failures as text."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return self.cases - len(self.failures)


def run_script(text: str, target: Target) -> Report:
    """Run all commands; go on after failures."""
    report = Report()
    target.clear()
    for command in parse_script(text):
        if isinstance(command, Clear):
            target.clear()
        elif isinstance(command, Load):
            target.write(loaded(command), starts_of(command))
        else:
            report.cases += 1
            problems = list(_check(command, target))
            if problems:
                report.failures.append(f"line {command.line}: {command.query}\n    " + "\n    ".join(problems))
    return report


def loaded(command: Load) -> list[tuple[Labels, list[Sample]]]:
    """The samples of a load command."""
    series = []
    for labels, points in command.series:
        samples = [(i * command.step_ms, p.value) for i, p in enumerate(points) if p.value is not None]
        series.append((labels, samples))
    series = with_nhcb(series) if command.with_nhcb else series
    return [(labels, _as_stored(samples)) for labels, samples in _once(series).items()]


def starts_of(command: Load) -> Starts:
    """The start timestamps that a load command gives: series -> time of the sample -> start, in ms."""
    step = command.step_ms
    return {
        labels: {i * step: i * step + offset for i, offset in enumerate(offsets) if offset is not None}
        for labels, offsets in command.starts
    }


def _once(series: Sequence[tuple[Labels, Sequence[Sample]]]) -> dict[Labels, list[Sample]]:
    """Of a series given twice, the later one counts."""
    return {labels: list(samples) for labels, samples in series}


def _as_stored(samples: list[Sample]) -> list[Sample]:
    """Histograms with the reset hints that a Prometheus storage would give back; the expectations of upstream's scripts are of those."""
    histograms = iter(stored_hints([value if isinstance(value, FloatHistogram) else None for _, value in samples]))
    hinted = [(time_ms, value, next(histograms)) for time_ms, value in samples]
    return [(time_ms, value if stored is None else stored) for time_ms, value, stored in hinted]


def _check(command: Eval, target: Target) -> Iterator[str]:
    if not command.is_instant:
        grid = StepGrid(command.start_ms, command.end_ms, command.step_ms)
        yield from _check_answer(command, target.range(command.query, grid), grid)
        return
    answer = target.instant(command.query, command.start_ms)
    yield from _check_answer(command, answer, StepGrid.instant(command.start_ms))
    if answer.error is None and answer.kind in ("vector", "scalar") and not _QUERY_TIMES.search(command.query):
        yield from _check_as_range(command, answer, target)


def _check_answer(command: Eval, answer: Answer, grid: StepGrid) -> Iterator[str]:
    if command.fail is not None:
        if answer.error is None:
            yield "should fail, but gave an answer"
        elif not command.fail.matches(answer.error):
            yield f"failed with {answer.error!r} instead of {command.fail.message!r}"
        return
    if answer.error is not None:
        yield f"failed: {answer.error}"
        return
    yield from _check_notes("warning", command.warns, command.no_warn, answer.warnings)
    yield from _check_notes("info", command.infos, command.no_info, answer.infos)
    yield from _check_values(command, answer, grid)


def _check_notes(what: str, expected: Sequence[Note], none: bool, found: Sequence[str]) -> Iterator[str]:
    if none and found:
        yield f"unexpected {what}s: {list(found)}"
    for note in expected:
        if not any(note.matches(text) for text in found):
            yield f"no {what} matches {note.message!r}: {list(found)}"
    if expected:
        for text in found:
            if not any(note.matches(text) for note in expected):
                yield f"unexpected {what}: {text}"


def _check_values(command: Eval, answer: Answer, grid: StepGrid) -> Iterator[str]:
    if command.text is not None:
        if answer.kind != "string" or answer.text != command.text:
            yield f"expected the string {command.text!r}, got {answer.kind} {answer.text!r}"
    elif command.scalar is not None:
        values = [value for _, points in answer.series for _, value in points]
        if not all(isinstance(value, float) and close(value, command.scalar) for value in values) or not values:
            yield f"expected the number {command.scalar}, got {values}"
    else:
        yield from _check_series(command, answer, grid)


def _check_series(command: Eval, answer: Answer, grid: StepGrid) -> Iterator[str]:
    start, step = (command.raw_start_ms, command.raw_step_ms) if command.raw_step_ms else (grid.start_ms, grid.step_ms)
    found = dict(answer.series)
    if len(found) != len(answer.series):
        yield "two series have the same labels"
    if command.ordered and [labels for labels, _ in command.series] != [labels for labels, _ in answer.series]:
        yield f"wrong order: {[labels for labels, _ in answer.series]}"
    for labels, points in command.series:
        wanted = [(start + i * step, point) for i, point in enumerate(points) if point.value is not None]
        if not wanted:
            continue
        if labels not in found:
            yield f"expected {labels}, which is missing; there is {list(found)}"
            continue
        yield from _check_points(labels, wanted, found.pop(labels))
    expected = {labels for labels, _ in command.series}
    for labels, samples in found.items():
        if labels not in expected:
            yield f"unexpected {labels} {samples}"


def _check_points(labels: Labels, wanted: Sequence[tuple[int, Point]], found: Sequence[ShownSample]) -> Iterator[str]:
    if [t for t, _ in wanted] != [t for t, _ in found]:
        yield f"{labels}: expected samples at {[t for t, _ in wanted]}, got {[(t, v) for t, v in found]}"
        return
    for (time_ms, point), (_, value) in zip(wanted, found, strict=True):
        if not _same_value(point, value):
            yield f"{labels} at {time_ms}: expected {point.value}, got {value}"


def _same_value(point: Point, value: Shown) -> bool:
    if isinstance(point.value, FloatHistogram):
        if isinstance(value, RenderedHistogram):
            return _close_renderings(_rendered(point.value), value)
        if not isinstance(value, FloatHistogram):
            return False
        if point.hint_given and point.value.reset_hint != value.reset_hint:
            return False
        return close_histograms(point.value.compacted(), value.compacted())
    assert point.value is not None
    return isinstance(value, float) and close(point.value, value)


def close(left: float, right: float) -> bool:
    """Equal, both NaN, or within EPSILON of each other."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    together, apart = abs(left) + abs(right), abs(left - right)
    if left == 0 or right == 0 or together < _SMALLEST_NORMAL:
        return apart < EPSILON * _SMALLEST_NORMAL
    return apart / min(together, 1.7976931348623157e308) < EPSILON


def close_histograms(left: FloatHistogram, right: FloatHistogram) -> bool:
    """The same layout, and every number close."""
    if left.schema != right.schema or len(left.custom_values) != len(right.custom_values):
        return False
    if left.positive_index.tolist() != right.positive_index.tolist():
        return False
    if left.negative_index.tolist() != right.negative_index.tolist():
        return False
    return all(close(a, b) for a, b in zip(_numbers(left), _numbers(right), strict=True))


def _rendered(histogram: FloatHistogram) -> RenderedHistogram:
    buckets = tuple((b.lower, b.upper, b.count) for b in histogram.all_buckets() if b.count != 0)
    return RenderedHistogram(histogram.count, histogram.sum, buckets)


def _close_renderings(wanted: RenderedHistogram, found: RenderedHistogram) -> bool:
    if len(wanted.buckets) != len(found.buckets):
        return False
    numbers = [(wanted.count, found.count), (wanted.sum, found.sum)]
    for a, b in zip(wanted.buckets, found.buckets, strict=True):
        numbers += zip(a, b, strict=True)
    return all(close(a, b) for a, b in numbers)


def _same_shown(left: Shown, right: Shown) -> bool:
    if isinstance(left, RenderedHistogram):
        return isinstance(right, RenderedHistogram) and _close_renderings(left, right)
    return _same_value(Point(left), right)


def _numbers(histogram: FloatHistogram) -> list[float]:
    return [
        histogram.count,
        histogram.sum,
        histogram.zero_count,
        histogram.zero_threshold,
        *histogram.custom_values,
        *histogram.positive_counts.tolist(),
        *histogram.negative_counts.tolist(),
    ]


def _check_as_range(command: Eval, answer: Answer, target: Target) -> Iterator[str]:
    """An instant's answer has to be that of the same step inside of a range; upstream checks so, too."""
    time_ms = command.start_ms
    grid = StepGrid(time_ms - 60_000, time_ms + 60_000, 60_000)
    ranged = target.range(command.query, grid)
    if ranged.error is not None:
        # Other steps may fail where this one does not.
        return
    at = {labels: dict(points).get(time_ms) for labels, points in ranged.series}
    found = {labels: value for labels, value in at.items() if value is not None}
    for labels, points in answer.series:
        value = found.pop(labels, None)
        if value is None or not _same_shown(points[0][1], value):
            yield f"as a range query: {labels}: {value} instead of {points[0][1]}"
    if found:
        yield f"as a range query: unexpected {found}"
