"""Vector matching: which row of one side meets which row of the other, and what their result is called.

Every (many, one) couple of rows with equal signatures is a *pair*; pairs are computed as whole rows over all steps, so that partners
which only exist at different steps cost no more than the pairs they form. Rows -1 stand for a filled-in partner.
Source: Prometheus promql/engine.go, VectorBinop and resultMetric.
"""

from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask, Objects
from spyglass.model.errors import AmbiguousMatch
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelColumn, Labels, LabelTable, unify
from spyglass.query.exec import histogram_binary
from spyglass.query.exec.arithmetic import ARITHMETIC, COMPARISONS, TRIMS, arithmetic, compare
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.names import METADATA_LABELS, merged
from spyglass.query.exec.sets import presence, signatures
from spyglass.query.plan.nodes import Binary, Matching
from spyglass.query.syntax.quoting import quote

NOT_UNIQUE = ";many-to-many matching not allowed: matching labels must be unique on one side"


@dataclass(frozen=True, slots=True)
class _Sides:
    """The operands as "many" and "one" side; swapped where that is not left and right. Signatures of both, and how many."""

    many: Frame
    one: Frame
    many_ids: I64
    one_ids: I64
    count: int
    swapped: bool
    fill_many: float | None
    fill_one: float | None


@dataclass(frozen=True, slots=True)
class _Pairs:
    """many, one [P]: row numbers, -1 for filled in.  present [P,T].  ids [P]: the signature they share."""

    many: I64
    one: I64
    present: Mask
    ids: I64


def match_vectors(node: Binary, left: Frame, right: Frame, ctx: EvalContext) -> Frame:
    """left op right with matching. Raises: AmbiguousMatch."""
    sides = _sides(node.matching, left, right)
    _check_one_side(node, sides, ctx)
    pairs = _pairs(sides)
    _check_explicit(node, sides, pairs)
    result = _compute(node, sides, pairs, ctx)
    labels = _result_labels(node, sides, pairs, ctx)
    _check_unique(node, labels, pairs)
    drop = _marks(node, pairs, ctx)
    frame = replace(result, labels=labels, drop_names=drop)
    return merged(frame)


def _sides(matching: Matching, left: Frame, right: Frame) -> _Sides:
    left_ids, right_ids, count = signatures(matching, left.labels, right.labels)
    if matching.card == "one-to-many":
        return _Sides(right, left, right_ids, left_ids, count, True, matching.fill_right, matching.fill_left)
    return _Sides(left, right, left_ids, right_ids, count, False, matching.fill_left, matching.fill_right)


def _crowded(ids: I64, present: Mask, count: int) -> Mask:
    """Signatures with two or more samples at a step [count,T]."""
    seen = np.zeros((count, present.shape[1]), np.int64)
    np.add.at(seen, ids, present)
    return seen > 1


def _check_one_side(node: Binary, sides: _Sides, ctx: EvalContext) -> None:
    """The "one" side may have one sample per signature and step. Raises: AmbiguousMatch."""
    if len(np.unique(sides.one_ids)) == len(sides.one_ids):
        return
    crowded = _crowded(sides.one_ids, sides.one.present, sides.count)
    if sides.fill_many is None and sides.fill_one is None and not ctx.options.logql:
        # At a step where the other side is empty Prometheus looks at nothing; Loki does.
        crowded &= sides.many.present.any(axis=0)
    if not crowded.any():
        return
    side = "left" if sides.swapped else "right"
    if ctx.options.logql:
        raise AmbiguousMatch(f"found duplicate series on the {side} hand-side{NOT_UNIQUE}", span=node.span)
    step = int(np.flatnonzero(crowded.any(axis=0))[0])
    signature = int(np.flatnonzero(crowded[:, step])[0])
    rows = np.flatnonzero((sides.one_ids == signature) & sides.one.present[:, step])[:2].tolist()
    first, second = sorted(sides.one.labels.labels(row) for row in rows)
    group = _matched_labels(node.matching, second)
    raise AmbiguousMatch(
        f"found duplicate series for the match group {show(group)} on the {side} hand-side of the operation: "
        f"[{show(first)}, {show(second)}]{NOT_UNIQUE}",
        span=node.span,
    )


def _matched_labels(matching: Matching, labels: Labels) -> Labels:
    if matching.on:
        return tuple(pair for pair in labels if pair[0] in matching.labels)
    return tuple(pair for pair in labels if pair[0] not in matching.labels and pair[0] not in METADATA_LABELS)


def show(labels: Labels) -> str:
    """A label set as upstream writes it in errors: {a="1", b="2"}."""
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"


def _pairs(sides: _Sides) -> _Pairs:
    """All couples of rows with equal signatures, and those with a fill on one side."""
    order = np.argsort(sides.one_ids, kind="stable")
    ordered = sides.one_ids[order]
    start = np.searchsorted(ordered, sides.many_ids, side="left")
    number = np.searchsorted(ordered, sides.many_ids, side="right") - start
    many = np.repeat(np.arange(sides.many.size), number)
    within = np.arange(len(many)) - np.repeat(np.cumsum(number) - number, number)
    one = order[np.repeat(start, number) + within] if len(many) else np.zeros(0, np.int64)
    present = sides.many.present[many] & sides.one.present[one]
    pairs = _Pairs(many, one, present, sides.many_ids[many])
    if sides.fill_one is not None:
        pairs = _with_filled_one(sides, pairs)
    if sides.fill_many is not None:
        pairs = _with_filled_many(sides, pairs)
    return pairs


def _with_filled_one(sides: _Sides, pairs: _Pairs) -> _Pairs:
    partnered = presence(sides.one_ids, sides.one.present, sides.count)[sides.many_ids]
    lonely = sides.many.present & ~partnered
    rows = np.flatnonzero(lonely.any(axis=1))
    return _Pairs(
        np.concatenate([pairs.many, rows]),
        np.concatenate([pairs.one, np.full(len(rows), -1)]),
        np.concatenate([pairs.present, lonely[rows]]),
        np.concatenate([pairs.ids, sides.many_ids[rows]]),
    )


def _with_filled_many(sides: _Sides, pairs: _Pairs) -> _Pairs:
    partnered = presence(sides.many_ids, sides.many.present, sides.count)[sides.one_ids]
    lonely = sides.one.present & ~partnered
    rows = np.flatnonzero(lonely.any(axis=1))
    return _Pairs(
        np.concatenate([pairs.many, np.full(len(rows), -1)]),
        np.concatenate([pairs.one, rows]),
        np.concatenate([pairs.present, lonely[rows]]),
        np.concatenate([pairs.ids, sides.one_ids[rows]]),
    )


def _check_explicit(node: Binary, sides: _Sides, pairs: _Pairs) -> None:
    """In one-to-one matching no two rows of a side may meet the same signature at a step."""
    if node.matching.card != "one-to-one" or len(np.unique(pairs.ids)) == len(pairs.ids):
        return
    if _crowded(pairs.ids, pairs.present, sides.count).any():
        raise AmbiguousMatch(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
            span=node.span,
        )


def _check_unique(node: Binary, labels: LabelTable, pairs: _Pairs) -> None:
    """In many-to-one matching the results of one signature must differ in their labels."""
    if node.matching.card == "one-to-one":
        return
    ids, first = labels.group_ids()
    if len(first) == len(ids):
        return
    both = ids * (int(pairs.ids.max()) + 1) + pairs.ids
    _, both = np.unique(both, return_inverse=True)
    if _crowded(both, pairs.present, int(both.max()) + 1).any():
        raise AmbiguousMatch("multiple matches for labels: grouping labels must ensure unique matches", span=node.span)


def _side_values(frame: Frame, rows: I64, fill: float | None) -> tuple[F64, Objects | None]:
    if frame.size == 0:
        return np.full((len(rows), frame.grid.count), 0.0 if fill is None else fill), None
    values = frame.values[rows]
    histograms = None if frame.histograms is None else frame.histograms[rows]
    if fill is not None:
        values = np.where((rows < 0)[:, None], fill, values)
        if histograms is not None:
            histograms = histograms.copy()
            histograms[rows < 0] = None
    return values, histograms


def _compute(node: Binary, sides: _Sides, pairs: _Pairs, ctx: EvalContext) -> Frame:
    many, many_histograms = _side_values(sides.many, pairs.many, sides.fill_many)
    one, one_histograms = _side_values(sides.one, pairs.one, sides.fill_one)
    left, right = (one, many) if sides.swapped else (many, one)
    labels = LabelTable(len(pairs.many))
    if many_histograms is not None or one_histograms is not None or node.op in TRIMS:
        left_h, right_h = (one_histograms, many_histograms) if sides.swapped else (many_histograms, one_histograms)
        return histogram_binary.elementwise(node, labels, pairs.present, (left, left_h), (right, right_h), ctx)
    if node.op in ARITHMETIC:
        values = arithmetic(node.op, left, right, logql=ctx.options.logql)
        return Frame(labels, ctx.grid, values, pairs.present)
    assert node.op in COMPARISONS, node.op
    kept = compare(node.op, left, right)
    if node.return_bool:
        return Frame(labels, ctx.grid, kept.astype(np.float64), pairs.present)
    return Frame(labels, ctx.grid, left, pairs.present & kept)


def _result_labels(node: Binary, sides: _Sides, pairs: _Pairs, ctx: EvalContext) -> LabelTable:
    """The many side's labels, cut to the matching labels in one-to-one, with `include` taken from the one side."""
    matching = node.matching
    many = _taken(sides.many.labels, pairs.many)
    if (pairs.many < 0).any():
        many = _filled_labels(matching, many, sides.one.labels, pairs)
    if node.op in ARITHMETIC or (node.return_bool and not ctx.options.delayed_names):
        many = many.without(METADATA_LABELS)
    if matching.card == "one-to-one":
        many = many.only(matching.labels) if matching.on else many.without(matching.labels)
    if not matching.include:
        return many
    one = _taken(sides.one.labels, pairs.one)
    if (pairs.one < 0).any():
        one = _filled_labels(matching, one, sides.many.labels, _Pairs(pairs.one, pairs.many, pairs.present, pairs.ids))
    empty = LabelColumn.constant("", many.size)
    for name in matching.include:
        many = many.replaced(name, one.columns.get(name, empty))
    return many


def _taken(labels: LabelTable, rows: I64) -> LabelTable:
    if labels.size == 0:
        return LabelTable(len(rows))
    return labels.take(rows)


def _filled_labels(matching: Matching, table: LabelTable, others: LabelTable, pairs: _Pairs) -> LabelTable:
    """table [P], where rows with pairs.many < 0 take the matching labels of their partner, and nothing else."""
    filled = pairs.many < 0
    partner = _taken(others, pairs.one)
    names = set(table.columns) | set(partner.columns)
    columns: dict[str, LabelColumn] = {}
    empty = LabelColumn.constant("", table.size)
    for name in sorted(names):
        matched = (name in matching.labels) == matching.on and (matching.on or name not in METADATA_LABELS)
        own, other = unify(table.columns.get(name, empty), partner.columns.get(name, empty) if matched else empty)
        columns[name] = LabelColumn(np.where(filled, other.codes, own.codes).astype(np.int32), own.values)
    return LabelTable(table.size, columns)


def _marks(node: Binary, pairs: _Pairs, ctx: EvalContext) -> Mask | None:
    """Delayed name removal: `bool` results are marked; upstream forgets older marks here."""
    if not ctx.options.delayed_names:
        return None
    return np.full(len(pairs.many), node.return_bool)
