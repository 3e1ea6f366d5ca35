"""Join what the head and the blocks answer into one Selection: the same series from several sources becomes one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter

import numpy as np

from spyglass.model.arrays import I64, U64
from spyglass.model.labels import LabelTable
from spyglass.model.samples import Downsampled, HistogramRuns, Selection
from spyglass.storage.metrics.fingerprints import table_fingerprints
from spyglass.storage.metrics.ragged import merge_ragged, offsets_of, take
from spyglass.storage.metrics.ragged import pieces as pieces_of
from spyglass.storage.metrics.tiles import LazyPiece, PendingTile, Piece, as_ragged, join

Place = tuple[int, int]
"""(start of the window, order of the flush): within a series, samples ascend with it."""

_LAST: Place = (2**62, 2**62)


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What one source holds. The rows of pieces and histograms index `fingerprints` [S,2] and `labels` (S rows)."""

    fingerprints: U64
    labels: LabelTable
    pieces: Sequence[LazyPiece] = ()
    histograms: Sequence[HistogramRuns] = ()
    late: bool = False
    """Its samples may lie between those of other answers."""
    places: Sequence[Place] = ()
    """Of each piece; without: the piece comes after all that have one."""


@dataclass(frozen=True, slots=True)
class ColumnAnswer:
    """What one source holds of some columns. pieces: for each column the same ones with other values; places: as in SourceAnswer."""

    fingerprints: U64
    labels: LabelTable
    pieces: Mapping[str, Sequence[LazyPiece]]
    places: Sequence[Place]
    histograms: Sequence[HistogramRuns] = ()


EMPTY_ANSWER = SourceAnswer(np.zeros((0, 2), np.uint64), LabelTable(0))


def assemble(answers: Sequence[SourceAnswer]) -> Selection:
    """Answers come oldest first, the late ones last. Those that are not late are disjoint in time for any one series.

    Of two samples at one place the earlier answer's stays. The newest source's dictionaries serve the labels.
    """
    answers = [answer for answer in (_only_used(a) for a in answers) if answer.labels.size]
    if not answers:
        return Selection(LabelTable(0))
    rows_of, labels = unify_rows(answers)
    placed = [
        (place, with_rows(piece, rows[piece.rows]))
        for answer, rows in zip(answers, rows_of, strict=True)
        for piece, place in zip(answer.pieces, answer.places or [_LAST] * len(answer.pieces), strict=True)
    ]
    histograms = [replace(h, rows=rows[h.rows]) for a, rows in zip(answers, rows_of, strict=True) for h in a.histograms]
    in_time = [piece for _, piece in sorted(placed, key=itemgetter(0))]
    span = late_span(answers)
    if span is not None:
        # `placed` has them in the order in which they came.
        in_time = _with_late(in_time, [piece for _, piece in placed], span)
    found = join(in_time, labels.size) if in_time else []
    return _whole(Selection(labels, tuple(found), tuple(_one_run(histograms))))


def assemble_columns(
    answers: Sequence[ColumnAnswer], recent: Selection, levels: Sequence[tuple[int, int]], columns: Sequence[str]
) -> Selection:
    """Join buckets, and the samples after them, into one selection. answers: disjoint in time for any one series."""
    answers = [answer for answer in answers if answer.labels.size]
    sources = [SourceAnswer(answer.fingerprints, answer.labels) for answer in answers]
    if recent.size:
        sources.append(SourceAnswer(table_fingerprints(recent.labels), recent.labels))
    if not sources:
        return Selection(LabelTable(0), downsampled=Downsampled(levels))
    rows_of, labels = unify_rows(sources)
    joined = {}
    for name in columns:
        placed = [
            (place, with_rows(piece, rows[piece.rows]))
            for answer, rows in zip(answers, rows_of, strict=False)
            for place, piece in zip(answer.places, answer.pieces[name], strict=True)
        ]
        joined[name] = join([piece for _, piece in sorted(placed, key=itemgetter(0))], labels.size) if placed else []
    found = [*(answer.histograms for answer in answers), *([recent.histograms] if recent.size else [])]
    histograms = [
        replace(runs, rows=rows[runs.rows]) for held, rows in zip(found, rows_of, strict=True) for runs in held
    ]
    pieces = [replace(piece, rows=rows_of[-1][piece.rows]) for piece in recent.pieces]
    return _whole(Selection(labels, tuple(pieces), tuple(_one_run(histograms)), Downsampled(levels, joined)))


def _whole(selection: Selection) -> Selection:
    """Without series of which nothing could be read (damaged chunks)."""
    used = np.zeros(selection.size, np.bool_)
    past = selection.downsampled
    columns = next(iter(past.columns.values()), ()) if past is not None else ()
    for piece in (*selection.pieces, *selection.histograms, *columns):
        used[piece.rows] = True
    if used.all():
        return selection
    rank = np.cumsum(used) - 1
    if past is not None:
        renamed = {name: [replace(p, rows=rank[p.rows]) for p in pieces] for name, pieces in past.columns.items()}
        past = Downsampled(past.levels, renamed)
    return Selection(
        selection.labels.take(np.flatnonzero(used)),
        tuple(replace(piece, rows=rank[piece.rows]) for piece in selection.pieces),
        tuple(replace(runs, rows=rank[runs.rows]) for runs in selection.histograms),
        past,
    )


def late_span(answers: Sequence[SourceAnswer]) -> tuple[int, int] | None:
    """The closed span of time in which late samples may lie between others; None: there are none."""
    late = [piece_span(piece) for answer in answers if answer.late for piece in answer.pieces]
    return (min(low for low, _ in late), max(high for _, high in late)) if late else None


def grown(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The span with all of the others that touch it, or that touch one that does: the rest lies before or after."""
    while True:
        touching = [other for other in others if other[0] <= span[1] and other[1] >= span[0]]
        wider = (min([span[0], *(low for low, _ in touching)]), max([span[1], *(high for _, high in touching)]))
        if wider == span:
            return span
        span = wider


def piece_span(piece: LazyPiece) -> tuple[int, int]:
    """From its first to its last sample, whichever series' these are."""
    return (int(piece.times.min()), int(piece.times.max())) if len(piece.times) else (2**62, -(2**62))


def _with_late(
    in_time: Sequence[LazyPiece], as_they_came: Sequence[LazyPiece], span: tuple[int, int]
) -> list[LazyPiece]:
    """The pieces before the span, all that reach into it merged, and those after it: in order of time for each series."""
    span = grown(span, [piece_span(piece) for piece in in_time])
    before = [piece for piece in in_time if piece_span(piece)[1] < span[0]]
    after = [piece for piece in in_time if piece_span(piece)[0] > span[1]]
    apart = {id(piece) for piece in (*before, *after)}
    return [*before, *_in_order([piece for piece in as_they_came if id(piece) not in apart]), *after]


def _in_order(found: Sequence[LazyPiece]) -> list[Piece]:
    """Merge everything: the slow way, for when late samples lie between others."""
    assert all(piece.weights is None for piece in found), "what is merged are samples, not rollups"
    ragged = [as_ragged(piece.tile() if isinstance(piece, PendingTile) else piece) for piece in found]
    # merge_ragged wants rows ascending.
    merged = merge_ragged([take(one, np.argsort(one.rows)) for one in ragged])
    return list(pieces_of(merged)) if merged is not None else []


def _one_run(runs: Sequence[HistogramRuns]) -> Sequence[HistogramRuns]:
    """All histograms in one HistogramRuns, ascending in time for each row."""
    if len(runs) < 2:
        return runs
    rows = np.concatenate([np.repeat(run.rows, np.diff(run.offsets)) for run in runs])
    times = np.concatenate([run.times for run in runs])
    values = np.concatenate([run.values for run in runs])
    order = np.lexsort((times, rows))
    rows, times = rows[order], times[order]
    fresh = np.ones(len(rows), np.bool_)
    fresh[1:] = (rows[1:] != rows[:-1]) | (times[1:] != times[:-1])
    kept, counts = np.unique(rows[fresh], return_counts=True)
    return [HistogramRuns(kept, offsets_of(counts), times[fresh], values[order][fresh])]


def unify_rows(answers: Sequence[SourceAnswer]) -> tuple[list[I64], LabelTable]:
    """Number the distinct series of all answers.

    Returns: for each answer the row [S] of each of its series; the labels of all rows.
    """
    if len(answers) == 1:
        return [np.arange(answers[0].labels.size)], answers[0].labels
    newest_first = list(reversed(answers))
    prints = np.concatenate([answer.fingerprints for answer in newest_first])
    first, inverse = unique_fingerprints(prints)
    bounds = np.cumsum([0, *(answer.labels.size for answer in newest_first)])
    # Rows are numbered so that those of one source are neighbours: then its label columns are taken in one piece.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    rows = rank[inverse]
    rows_of = [rows[low:high] for low, high in pairwise(bounds.tolist())]
    owners = np.sort(first)
    tables = []
    for answer, (low, high) in zip(newest_first, pairwise(bounds.tolist()), strict=True):
        own = owners[np.searchsorted(owners, low) : np.searchsorted(owners, high)] - low
        if len(own):
            tables.append(answer.labels if len(own) == answer.labels.size else answer.labels.take(own))
    return list(reversed(rows_of)), LabelTable.concat(tables)


def unique_fingerprints(prints: U64) -> tuple[I64, I64]:
    """The distinct rows of [n,2]. Returns: the first index of each, and for each row the number of its distinct value.

    Sorting by the first word is enough unless two series share it by chance; that is looked for.
    """
    _, first, inverse = np.unique(prints[:, 0], return_index=True, return_inverse=True)
    if (prints[first[inverse], 1] == prints[:, 1]).all():
        return first, inverse
    _, first, inverse = np.unique(prints, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def _only_used(answer: SourceAnswer) -> SourceAnswer:
    """Without the series that have no samples here."""
    used = np.zeros(answer.labels.size, np.bool_)
    for piece in (*answer.pieces, *answer.histograms):
        used[piece.rows] = True
    if used.all():
        return answer
    kept = np.flatnonzero(used)
    rank = np.cumsum(used) - 1
    return SourceAnswer(
        answer.fingerprints[kept],
        answer.labels.take(kept),
        [with_rows(p, rank[p.rows]) for p in answer.pieces],
        [replace(h, rows=rank[h.rows]) for h in answer.histograms],
        answer.late,
        answer.places,
    )


def with_rows(piece: LazyPiece, rows: I64) -> LazyPiece:
    """The piece with other row numbers."""
    renumbered: LazyPiece = replace(piece, rows=rows)
    return renumbered
