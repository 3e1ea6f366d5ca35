"""Range aggregations from columns: counts, bytes, and numbers in fields, per step and group, without handing out a line.

Time is cut at every window's start and end into elementary intervals; a line adds to one of them, and a window is a difference of
running sums. Quantiles keep the numbers and sort them once. None is the answer where the columns are not enough: the caller scans.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LabelFilter, LineFilter, LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import BucketAnswer, BucketSpec
from spyglass.storage.logs.chosen import Chosen, indices_of, size_of
from spyglass.storage.logs.column import IntColumn
from spyglass.storage.logs.fields import EXTRACTED, metadata_names, source_of
from spyglass.storage.logs.group_codes import groups_of_rows, label_of_rows
from spyglass.storage.logs.line_fields import ERROR, judge_line, line_fields
from spyglass.storage.logs.part import Part, line_sizes, lines_of, metadata_of
from spyglass.storage.logs.pipeline import CompiledPipeline, compile_stages, literals
from spyglass.storage.logs.quantiles import SETTLE_AT, Events
from spyglass.storage.logs.ticks import on_ticks
from spyglass.storage.logs.verdicts import ASK, DROP, KEEP
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float

COUNTED = frozenset({"count", "bytes"})
UNWRAPPED = frozenset({"sum", "avg", "min", "max", "quantile"})
MAX_SLOW_LINES = 200_000
"""Lines without a template that are parsed one by one; beyond that the executor may as well do it."""
MAX_CELLS = 20_000_000
"""Groups times intervals; beyond that the running sums would need more memory than a query should."""


def _seconds(text: str) -> float:
    return parse_go_duration(text) / 1e9


_READERS: dict[str, Callable[[str], float]] = {
    "": parse_go_float,
    "duration": _seconds,
    "duration_seconds": _seconds,
    "bytes": lambda text: float(parse_bytes(text)),
}


MAX_SPARSE = 2
"""Cells per line up to which all of a part's groups are counted without asking first which of them occur."""


class _NotFromColumnsError(Exception):
    """The columns are not enough."""


@dataclass(slots=True)
class _Totals:
    """What has been added up so far: per group and elementary interval."""

    spec: BucketSpec
    steps: I64
    bounds: I64
    groups: dict[Labels, int] = field(default_factory=dict)
    counts: list[I64] = field(default_factory=list)
    sums: list[F64] = field(default_factory=list)
    events: Events = field(init=False)
    slow_lines: int = 0

    def __post_init__(self) -> None:
        q = {"min": 0.0, "max": 1.0}.get(self.spec.operation, self.spec.parameter)
        self.events = Events(self.steps, self.spec.range_ns, q)

    @property
    def needs_sums(self) -> bool:
        return self.spec.operation in ("bytes", "sum", "avg")

    def number(self, labels: Sequence[Labels]) -> I64:
        """The numbers of groups, with room made for new ones."""
        numbers = np.fromiter((self.groups.setdefault(key, len(self.groups)) for key in labels), np.int64, len(labels))
        if len(self.groups) * len(self.bounds) > MAX_CELLS:
            raise _NotFromColumnsError
        while len(self.counts) < len(self.groups):
            self.counts.append(np.zeros(len(self.bounds) + 1, np.int64))
            if self.needs_sums:
                self.sums.append(np.zeros(len(self.bounds) + 1))
        return numbers

    def add(
        self, local: I64, labels: Sequence[Labels], intervals: I64, counts: I64 | None, sizes: F64 | I64 | None
    ) -> None:
        """Lines (or cells of counts lines) of local groups (any integer type) in intervals, which ascend."""
        if not len(local):
            return
        assert sizes is not None or not self.needs_sums, "sums need something to add"
        # Only the intervals that the lines lie in: a part is a small piece of a long query.
        first, width = int(intervals[0]), int(intervals[-1] - intervals[0]) + 1
        rows = np.arange(len(labels))
        if len(labels) * width > MAX_SPARSE * len(local):
            # Many groups of which most are elsewhere: those that are here are numbered first.
            rows = np.flatnonzero(np.bincount(local, minlength=len(labels)))
        base = np.zeros(len(labels), np.int64)
        base[rows] = np.arange(len(rows)) * width - first
        cell = base.take(local)
        cell += intervals
        shape = (len(rows), width)
        total = len(rows) * width
        added = np.bincount(cell, weights=counts, minlength=total).astype(np.int64, copy=False).reshape(shape)
        summed = np.bincount(cell, weights=sizes, minlength=total).reshape(shape) if self.needs_sums else None
        here = np.flatnonzero(added.any(axis=1)).tolist()
        numbers = self.number([labels[rows[i]] for i in here]).tolist()
        place = slice(first, first + width)
        for row, number in zip(here, numbers, strict=True):
            self.counts[number][place] += added[row]
            if summed is not None:
                self.sums[number][place] += summed[row]


def buckets(
    parts: Sequence[Part], matchers: Sequence[Matcher], stages: Sequence[LogStage], spec: BucketSpec, budget: Budget
) -> BucketAnswer | None:
    """Raises: CorruptData from a damaged block; through the budget its errors."""
    pipeline = compile_stages(stages)
    operation = spec.operation
    if not pipeline.complete or _undecided(pipeline) or operation not in (UNWRAPPED if spec.unwrap else COUNTED):
        return None
    if spec.by is None and (pipeline.parser is not None or spec.unwrap):
        return None
    steps: I64 = np.arange(spec.start_ns, spec.end_ns + 1, spec.step_ns) if spec.step_ns else np.array([spec.start_ns])
    totals = _Totals(spec, steps, np.unique(np.concatenate([steps, steps - spec.range_ns])))
    try:
        ordered = sorted(parts, key=lambda part: part.min_ns)
        for part in ordered:
            budget.check()
            if totals.events.waiting > SETTLE_AT:
                totals.events.settle(part.min_ns)
            if not _from_ticks(totals, part, matchers, pipeline):
                _from_rows(totals, part, matchers, pipeline, budget)
        return _answer(totals)
    except _NotFromColumnsError:
        return None


def _undecided(pipeline: CompiledPipeline) -> bool:
    """Whether a line filter is a real regex, a pattern or an address: only lines can tell."""
    return any(isinstance(step.stage, LineFilter) and literals(step.stage) is None for step in pipeline.steps)


def _from_ticks(totals: _Totals, part: Part, matchers: Sequence[Matcher], pipeline: CompiledPipeline) -> bool:
    """Counts and bytes of whole streams, where no window end cuts the part off the ticks."""
    spec = totals.spec
    if spec.unwrap or pipeline.steps or not _streams_suffice(part, spec, pipeline):
        return False
    inside = totals.bounds[(totals.bounds >= part.min_ns) & (totals.bounds < part.max_ns)]
    streams = part.streams()
    passes = streams.matching(matchers)
    if not passes.any():
        return True
    grouped = _stream_groups(part, spec)
    if not len(inside):
        rows = np.flatnonzero(passes)
        interval = np.full(len(rows), np.searchsorted(totals.bounds, part.max_ns, side="left"))
        totals.add(grouped[0][rows], grouped[1], interval, streams.counts[rows], streams.sizes[rows])
        return True
    ticks = part.ticks() if on_ticks(inside) else None
    if ticks is None:
        return False
    rows = np.flatnonzero(passes[ticks.code])
    interval = np.searchsorted(totals.bounds, ticks.ends_ns[rows], side="left")
    totals.add(grouped[0][ticks.code[rows]], grouped[1], interval, ticks.count[rows], ticks.size[rows])
    return True


def _streams_suffice(part: Part, spec: BucketSpec, pipeline: CompiledPipeline) -> bool:
    """Whether the groups follow from the streams alone."""
    if spec.by is None:
        return part.metadata() is None
    if not spec.by:
        return True
    if pipeline.parser is not None:
        return False
    beside = metadata_names(part)
    return not any(name in beside or name.removesuffix(EXTRACTED) in beside for name in spec.by)


def _stream_groups(part: Part, spec: BucketSpec) -> tuple[I64, list[Labels]]:
    labels = part.streams().labels
    if spec.by is None:
        return np.arange(len(labels)), list(labels)
    groups: dict[Labels, int] = {}
    keys = [tuple(pair for pair in stream if pair[0] in spec.by) for stream in labels]
    return np.fromiter((groups.setdefault(key, len(groups)) for key in keys), np.int64, len(keys)), list(groups)


def _from_rows(
    totals: _Totals, part: Part, matchers: Sequence[Matcher], pipeline: CompiledPipeline, budget: Budget
) -> None:
    spec = totals.spec
    passes = part.streams().matching(matchers)
    if not passes.any():
        return
    rows = _rows_between(part, totals.bounds, passes)
    verdicts = pipeline.judge(part) if size_of(rows) else DROP
    if isinstance(verdicts, int):
        if verdicts == DROP:
            return
        slow: Mask | None = None
        every = verdicts == ASK
    else:
        rows = indices_of(rows)
        rows = rows[verdicts[rows] != DROP]
        slow, every = verdicts[rows] == ASK, False
    if every or _must_parse(part, pipeline, spec):
        _from_lines(totals, part, indices_of(rows), pipeline)
        return
    if slow is not None and slow.any():
        rows = indices_of(rows)
        _from_lines(totals, part, rows[slow], pipeline)
        rows = rows[~slow]
    if not size_of(rows):
        return
    budget.charge_samples(size_of(rows))
    values: F64 | I64 | None = None
    if spec.unwrap:
        rows, values = _numbers(part, rows, pipeline, spec)
    grouped = groups_of_rows(part, spec.by, pipeline.parser if spec.by else None, rows)
    if grouped is None:
        _from_lines(totals, part, indices_of(rows), pipeline)
        return
    _add(totals, part, rows, *grouped, values)


def _rows_between(part: Part, bounds: I64, passes: Mask) -> Chosen:
    """Rows of the streams that are in some window."""
    first, last = (int(at) for at in np.searchsorted(part.times(), [bounds[0], bounds[-1]], side="right"))
    if passes.all():
        return slice(first, last)
    rows: I64 = first + np.flatnonzero(passes[part.codes()[first:last]])
    return rows


def _must_parse(part: Part, pipeline: CompiledPipeline, spec: BucketSpec) -> bool:
    """Whether the parser's work matters and the part's template does not do it."""
    if pipeline.parser is None or part.template.kind == pipeline.parser.kind:
        return False
    looked_at = bool(spec.by) or bool(spec.unwrap)
    return looked_at or any(isinstance(step.stage, LabelFilter) for step in pipeline.steps)


def _add(
    totals: _Totals, part: Part, rows: Chosen, local: I64, labels: Sequence[Labels], values: F64 | I64 | None
) -> None:
    times = part.times()[rows]
    if totals.spec.operation in ("min", "max", "quantile"):
        assert values is not None, "there is an unwrapped field"
        used = np.flatnonzero(np.bincount(local, minlength=len(labels)))
        numbers = np.zeros(len(labels), np.int64)
        numbers[used] = totals.number([labels[i] for i in used.tolist()])
        if not totals.events.add(local, numbers, times, values):
            raise _NotFromColumnsError
        return
    intervals = intervals_of(times, totals.bounds)
    sizes = values
    if totals.spec.operation == "bytes":
        sizes = line_sizes(part)[rows].astype(np.float64)
    totals.add(local, labels, intervals, None, sizes)


def _numbers(part: Part, rows: Chosen, pipeline: CompiledPipeline, spec: BucketSpec) -> tuple[Chosen, F64 | I64]:
    """The rows that have the unwrapped label, and its numbers."""
    whole = None if spec.conversion else _whole_numbers(part, pipeline, spec)
    if whole is not None:
        return rows, whole[rows]
    coded = label_of_rows(part, spec.unwrap, pipeline.parser, rows)
    if coded is None:
        raise _NotFromColumnsError
    try:
        reader = _READERS[spec.conversion]
        read = [reader(text) if text else np.nan for text in coded.values]
    except ValueError:
        raise _NotFromColumnsError from None
    has = np.fromiter((bool(text) for text in coded.values), np.bool_, len(coded.values))
    table = np.asarray(read, np.float64)
    if _must_be_whole(spec) and not _whole(table[has]):
        raise _NotFromColumnsError
    if has.all():
        return rows, table[coded.codes]
    kept = np.flatnonzero(has[coded.codes])
    return indices_of(rows)[kept], table[coded.codes[kept]]


def _whole_numbers(part: Part, pipeline: CompiledPipeline, spec: BucketSpec) -> I64 | None:
    """The field where it is a column of integers small enough to be added up exactly."""
    source = source_of(part, spec.unwrap, pipeline.parser)
    if source.unsettled or source.slot is None:
        return None
    column = part.column(source.slot)
    if not isinstance(column, IntColumn) or part.hint(source.slot).high >= 2**31:
        return None
    return column.values


def _must_be_whole(spec: BucketSpec) -> bool:
    """Sums of whole numbers do not depend on the order of adding; others would differ from the executor's in the last digit."""
    return spec.operation in ("sum", "avg")


def _whole(values: F64) -> bool:
    return bool((values == np.floor(values)).all() and (np.abs(values) < 2**31).all())


def _from_lines(totals: _Totals, part: Part, rows: I64, pipeline: CompiledPipeline) -> None:
    """Lines that no template covers, one by one."""
    totals.slow_lines += len(rows)
    if totals.slow_lines > MAX_SLOW_LINES or totals.spec.by is None:
        raise _NotFromColumnsError
    by = totals.spec.by
    streams = part.streams().labels
    metadata = metadata_of(part, rows) or [()] * len(rows)
    kept: list[int] = []
    groups: dict[Labels, int] = {}
    codes: list[int] = []
    values: list[float] = []
    facts = zip(rows.tolist(), lines_of(part, rows), part.codes()[rows].tolist(), metadata, strict=True)
    for row, line, code, of_line in facts:
        fields = line_fields(line, streams[code], of_line, pipeline.parser)
        if fields is None or not _passes(pipeline, fields):
            if fields is None:
                raise _NotFromColumnsError
            continue
        if ERROR in fields:
            raise _NotFromColumnsError
        if totals.spec.unwrap:
            text = fields.get(totals.spec.unwrap)
            if not text:
                continue
            values.append(_number(text, totals.spec))
        kept.append(row)
        key = tuple(sorted((name, fields[name]) for name in by if fields.get(name)))
        codes.append(groups.setdefault(key, len(groups)))
    if kept:
        _add(totals, part, np.asarray(kept), np.asarray(codes), list(groups), np.asarray(values, np.float64))


def _number(text: str, spec: BucketSpec) -> float:
    try:
        value = _READERS[spec.conversion](text)
    except ValueError:
        raise _NotFromColumnsError from None
    if _must_be_whole(spec) and not _whole(np.asarray([value])):
        raise _NotFromColumnsError
    return value


def _passes(pipeline: CompiledPipeline, fields: dict[str, str]) -> bool:
    """Label filters on one line; line filters were decided by the columns, or the pipeline would not be complete."""
    for step in pipeline.steps:
        if isinstance(step.stage, LabelFilter):
            verdict = judge_line(step.stage.predicate, fields)
            if verdict == ASK:
                raise _NotFromColumnsError
            if verdict != KEEP:
                return False
    return True


def _answer(totals: _Totals) -> BucketAnswer:
    labels = list(totals.groups)
    spec, steps, bounds = totals.spec, totals.steps, totals.bounds
    if spec.operation in ("min", "max", "quantile"):
        values = totals.events.quantiles(len(labels))
    else:
        high, low = np.searchsorted(bounds, steps), np.searchsorted(bounds, steps - spec.range_ns)
        counts = _windows(totals.counts, high, low)
        values = counts
        if totals.needs_sums:
            values = _windows(totals.sums, high, low)
            if spec.operation == "avg":
                with np.errstate(invalid="ignore"):
                    values = values / counts
        values = np.where(counts > 0, values, np.nan)
    kept = np.flatnonzero(~np.isnan(values).all(axis=1)) if len(labels) else np.zeros(0, np.int64)
    return BucketAnswer(LabelTable.from_labels([labels[i] for i in kept.tolist()]), values[kept])


def intervals_of(times: I64, bounds: I64) -> I64:
    """[n] the number of bounds before each time; times ascending. The few bounds are looked up, not the many times."""
    cuts = np.searchsorted(times, bounds, side="right")
    sizes = np.diff(np.concatenate(([0], cuts, [len(times)])))
    return np.repeat(np.arange(len(bounds) + 1), sizes)


def _windows(rows: "list[I64] | list[F64]", high: I64, low: I64) -> F64:
    """[G,T] sums over (t - range, t]: interval i holds the lines up to bound i."""
    if not rows:
        return np.zeros((0, len(high)))
    running = np.cumsum(np.stack(rows), axis=1)
    return (running[:, high] - running[:, low]).astype(np.float64)
