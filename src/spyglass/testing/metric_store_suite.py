"""The conformance suite of `protocols.metric_store.MetricStore`.

Subclass `MetricStoreSuite`, give it a `harness` fixture, and every store behaves alike: memory, a fresh head, blocks, compacted blocks, a
store that was reopened. `Harness.settle` is called between writing and reading: it is where a disk store writes its blocks or reopens.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
import pytest

from spyglass.model.errors import BudgetExceeded
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import (
    STALE,
    STALE_BITS,
    Exemplar,
    Metadata,
    SampleTile,
    Selection,
    WriteBatch,
    WriteOutcome,
    is_stale,
)
from spyglass.protocols.metric_store import MetricStore, SelectHints

T0 = 1_700_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
ALL_TIME = (-(2**60), 2**60)

Points = list[tuple[int, float]]
Dump = dict[Labels, list[tuple[int, int]]]
"""Per series its samples as (time, bits of the value): NaNs compare."""


class Harness(Protocol):
    """A store under test."""

    @property
    def store(self) -> MetricStore: ...

    def settle(self) -> MetricStore:
        """Bring what was written into the form under test; returns the store to read from (and go on writing to)."""
        ...


class UnlimitedBudget:
    """A query that may use anything."""

    def check(self) -> None: ...

    def charge_samples(self, count: int) -> None: ...

    def charge_bytes(self, count: int) -> None: ...


class SampleLimit(UnlimitedBudget):
    """A query that may load so many samples."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def charge_samples(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise BudgetExceeded("too many samples")


def matchers(text: str) -> list[Matcher]:
    """`'a=x b=~y.* c!=z'` -> matchers; for tests, so values hold no spaces.

    >>> [str(m) for m in matchers('a!~x b=')]
    ['a!~"x"', 'b=""']
    """
    found = []
    for part in text.split():
        op = next(op for op in ("!~", "=~", "!=", "=") if op in part)
        name, _, value = part.partition(op)
        found.append(Matcher.of(name, op, value))
    return found


def write(store: MetricStore, samples: Iterable[tuple[Labels, int, float]], *, durable: bool = False) -> WriteOutcome:
    """Append samples in the order given, as one batch."""
    rows = list(samples)
    refs = store.resolve([labels for labels, _, _ in rows])
    times = np.asarray([time for _, time, _ in rows], np.int64)
    return store.append(WriteBatch(refs, times, np.asarray([v for _, _, v in rows], np.float64)), durable=durable)


def select(store: MetricStore, text: str = "", start_ms: int = ALL_TIME[0], end_ms: int = ALL_TIME[1]) -> Selection:
    return store.select(matchers(text), start_ms=start_ms, end_ms=end_ms, hints=SelectHints(), budget=UnlimitedBudget())


def dump(selection: Selection) -> Dump:
    """Everything in a selection. Asserts the protocol's promises: ascending, disjoint, no row without samples."""
    labels = selection.labels.all_labels()
    found: Dump = {one: [] for one in labels}
    assert len(found) == len(labels), "a series has two rows"
    for piece in selection.pieces:
        if isinstance(piece, SampleTile):
            _dump_tile(piece, labels, found)
        else:
            for at, row in enumerate(piece.rows.tolist()):
                part = slice(piece.offsets[at], piece.offsets[at + 1])
                found[labels[row]] += zip(piece.times[part].tolist(), _bits(piece.values[part]), strict=True)
    with_histograms = {labels[row] for piece in selection.histograms for row in piece.rows.tolist()}
    for one, samples in found.items():
        assert samples or one in with_histograms, "a row without samples"
        times = [time for time, _ in samples]
        assert all(a < b for a, b in pairwise(times)), "times of a series do not ascend"
    return found


def _dump_tile(tile: SampleTile, labels: Sequence[Labels], found: Dump) -> None:
    assert tile.values.flags.c_contiguous
    assert tile.may_be_stale or not is_stale(tile.values).any(), "a stale marker where none was to be"
    for at, row in enumerate(tile.rows.tolist()):
        there = slice(None) if tile.present is None else tile.present[at]
        found[labels[row]] += zip(tile.times[there].tolist(), _bits(tile.values[at][there]), strict=True)


def _bits(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> list[int]:
    bits: list[int] = np.ascontiguousarray(values).view(np.uint64).tolist()
    return bits


def points(store: MetricStore, text: str = "", start_ms: int = ALL_TIME[0], end_ms: int = ALL_TIME[1]) -> Points:
    """The samples of the one series that matches."""
    (samples,) = dump(select(store, text, start_ms, end_ms)).values()
    return [(time, float(np.uint64(bits).view(np.float64))) for time, bits in samples]


def metric(name: str, **labels: str) -> Labels:
    return labels_of({"__name__": name, **labels})


def grid(labels: Sequence[Labels], start_ms: int, count: int, step_ms: int = 15_000) -> list[tuple[Labels, int, float]]:
    """`count` scrapes of all the series: the value is the series' number times 1000 plus the scrape's."""
    return [(one, start_ms + k * step_ms, n * 1000.0 + k) for k in range(count) for n, one in enumerate(labels)]


class MetricStoreSuite:
    """Given a store, when samples were written and settled, then reads answer as the protocol says."""

    def test_what_was_written_is_read(self, harness: Harness) -> None:
        """Series with shared and with own timestamps come back whole."""
        shared = [metric("shared", i=str(i)) for i in range(9)]
        lone = metric("lone")
        samples = grid(shared, T0, 40) + [(lone, T0 + 7_001 * k, k / 3) for k in range(50)]
        outcome = write(harness.store, samples, durable=True)
        assert outcome.accepted == len(samples)
        assert outcome.rejected == 0
        store = harness.settle()
        expected: dict[Labels, Points] = {}
        for labels, time, value in samples:
            expected.setdefault(labels, []).append((time, value))
        assert dump(select(store)) == {k: [(t, _bits(np.asarray([v]))[0]) for t, v in p] for k, p in expected.items()}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("__name__=a", "01234"),
            ("__name__=a x=1", "1"),
            ("__name__=a x!=1", "0234"),
            ("__name__=a x=~1|3", "13"),
            ("__name__=a x!~1|3", "024"),
            ("__name__=a x=~[1-3]", "123"),
            ("__name__=a x!~[1-3]", "04"),
            ("__name__=a x=", "0"),
            ("__name__=a x!=", "1234"),
            ("__name__=a x=~.*", "01234"),
            ("__name__=a x=~.+", "1234"),
            ("__name__=a x=~|2", "02"),
            ("__name__=a missing=", "01234"),
            ("__name__=a missing=~.+", ""),
            ("__name__=a missing!=q", "01234"),
            ("__name__=nowhere", ""),
            ("__name__=~a|b x=2", "2b"),
            ("x=2 x!=2", ""),
        ],
    )
    def test_matchers(self, harness: Harness, text: str, expected: str) -> None:
        """Equality, inequality, regexes, alternatives; an absent label is the empty string."""
        named = {str(i): metric("a", x=str(i) if i else "") for i in range(5)} | {"b": metric("b", x="2")}
        write(harness.store, grid(list(named.values()), T0, 3))
        found = dump(select(harness.settle(), text))
        assert found.keys() == {named[one] for one in expected}

    def test_the_range_is_closed_on_both_ends(self, harness: Harness) -> None:
        """Samples at the very start and end are there, and series without samples in the range are not."""
        early, late = metric("m", at="early"), metric("m", at="late")
        write(harness.store, [*grid([early], T0, 5), *grid([late], T0 + 10 * MINUTE, 5)])
        store = harness.settle()
        assert points(store, "at=early", T0 + 15_000, T0 + 45_000) == [(T0 + 15_000 * k, float(k)) for k in (1, 2, 3)]
        assert list(dump(select(store, "", T0 + 60_000, T0 + 9 * MINUTE))) == [early]
        assert dump(select(store, "", T0 + 60_001, T0 + 9 * MINUTE)) == {}
        assert select(store, "", T0 + 60_001, T0 + 9 * MINUTE).size == 0

    def test_special_values_survive_bit_for_bit(self, harness: Harness) -> None:
        """Infinities, NaNs, the stale marker, denormals, minus zero."""
        values = [np.inf, -np.inf, np.nan, STALE, -0.0, 5e-324, 1.7976931348623157e308, 0.1]
        write(harness.store, [(metric("m"), T0 + k, v) for k, v in enumerate(values)])
        (samples,) = dump(select(harness.settle())).values()
        assert [bits for _, bits in samples] == _bits(np.asarray(values))
        assert samples[3][1] == STALE_BITS

    def test_an_empty_store_takes_any_age_and_then_only_what_is_young_enough(self, harness: Harness) -> None:
        """1970 first is fine; after the present came, an hour behind it is too old."""
        store = harness.store
        assert write(store, [(metric("old"), 1000, 1.0)]).accepted == 1
        assert write(store, [(metric("new"), T0, 1.0)]).accepted == 1
        store = harness.settle()
        outcome = write(store, [(metric("x"), T0 - HOUR - 1, 1.0), (metric("y"), T0 - HOUR, 1.0)])
        assert (outcome.accepted, outcome.too_old.tolist()) == (1, [0])

    def test_order_within_a_series(self, harness: Harness) -> None:
        """Older: out of order. Same time and value: accepted. Same time, other value: duplicate. The rest of the batch is stored."""
        one, two = metric("one"), metric("two")
        write(harness.store, [(one, T0, 1.0), (two, T0, 1.0)])
        store = harness.settle()
        rows = [(one, T0 - 1, 9.0), (one, T0, 1.0), (two, T0, 2.0), (two, T0 + 1, 5.0)]
        outcome = write(store, rows)
        assert outcome.accepted == 2
        assert outcome.out_of_order.tolist() == [0]
        assert outcome.duplicate.tolist() == [2]
        assert outcome.too_old.tolist() == outcome.unknown.tolist() == []
        store = harness.settle()
        assert points(store, "__name__=one") == [(T0, 1.0)]
        assert points(store, "__name__=two") == [(T0, 1.0), (T0 + 1, 5.0)]

    def test_order_within_a_batch(self, harness: Harness) -> None:
        """A batch is judged sample by sample."""
        one = metric("one")
        rows = [(one, T0 + 5, 1.0), (one, T0 + 4, 1.0), (one, T0 + 5, 1.0), (one, T0 + 5, 2.0), (one, T0 + 6, 3.0)]
        outcome = write(harness.store, rows)
        assert outcome.accepted == 3
        assert outcome.out_of_order.tolist() == [1]
        assert outcome.duplicate.tolist() == [3]
        assert points(harness.settle()) == [(T0 + 5, 1.0), (T0 + 6, 3.0)]

    def test_a_repeated_nan_is_the_same_value(self, harness: Harness) -> None:
        """Values are compared bit by bit: a stale marker sent twice is no duplicate."""
        write(harness.store, [(metric("m"), T0, STALE)])
        store = harness.settle()
        assert write(store, [(metric("m"), T0, STALE)]).accepted == 1
        assert write(store, [(metric("m"), T0, np.nan)]).duplicate.tolist() == [0]

    def test_unknown_references_are_reported(self, harness: Harness) -> None:
        """What was never given out is unknown, and the rest of the batch is stored."""
        (good,) = harness.store.resolve([metric("m")]).tolist()
        refs = np.asarray([-1, good, good + 12345, 0])
        outcome = harness.store.append(WriteBatch(refs, np.full(4, T0), np.ones(4)), durable=False)
        assert outcome.accepted == 1
        assert outcome.unknown.tolist() == [0, 2, 3]
        assert points(harness.settle()) == [(T0, 1.0)]

    def test_references_are_stable(self, harness: Harness) -> None:
        """The same labels give the same positive reference, new and known ones mixed."""
        first = harness.store.resolve([metric("a"), metric("b")])
        again = harness.store.resolve([metric("c"), metric("b"), metric("a"), metric("c")])
        assert (first > 0).all()
        assert again.tolist()[1:3] == first.tolist()[::-1]
        assert again[0] == again[3]

    def test_writing_goes_on_after_settling(self, harness: Harness) -> None:
        """Series continue over whatever was done to the past, hours on end."""
        labels = [metric("m", i=str(i)) for i in range(6)]
        for turn in range(4):
            write(harness.store, grid(labels, T0 + turn * HOUR, 30, 2 * MINUTE))
            harness.settle()
        found = dump(select(harness.store))
        assert {len(samples) for samples in found.values()} == {120}
        assert len(dump(select(harness.store, "i=3", T0 + HOUR, T0 + 2 * HOUR))[labels[3]]) == 31

    def test_labels_can_be_listed(self, harness: Harness) -> None:
        """Names, values and series of what has samples in the range, sorted, limited."""
        write(harness.store, grid([metric("a", x="1", y="1"), metric("b", x="2")], T0, 3))
        write(harness.store, grid([metric("late", z="9")], T0 + 30 * MINUTE, 3))
        store = harness.settle()
        span = {"start_ms": T0, "end_ms": T0 + MINUTE}
        assert store.label_names([], **span) == ["__name__", "x", "y"]
        assert store.label_names([matchers("x=2")], **span) == ["__name__", "x"]
        assert store.label_names([], start_ms=T0, end_ms=T0 + HOUR, limit=2) == ["__name__", "x"]
        assert store.label_values("x", [], **span) == ["1", "2"]
        assert store.label_values("x", [matchers("y=1")], **span) == ["1"]
        assert store.label_values("__name__", [], start_ms=T0, end_ms=T0 + HOUR) == ["a", "b", "late"]
        assert store.label_values("nope", [], **span) == []
        found = store.series([matchers("x=1"), matchers("x=~.+")], **span)
        assert sorted(found.all_labels()) == [metric("a", x="1", y="1"), metric("b", x="2")]
        assert store.series([matchers("__name__=~.+")], start_ms=T0, end_ms=T0 + HOUR, limit=2).size == 2
        assert store.series([matchers("x=7")], **span).size == 0

    def test_time_range(self, harness: Harness) -> None:
        """Oldest and newest sample; None when empty."""
        assert harness.store.time_range() is None
        write(harness.store, grid([metric("a")], T0, 10))
        assert harness.settle().time_range() == (T0, T0 + 135_000)

    def test_the_budget_counts_samples(self, harness: Harness) -> None:
        """A query that touches more than it may ends with BudgetExceeded."""
        write(harness.store, grid([metric("a", i=str(i)) for i in range(10)], T0, 10))
        store = harness.settle()
        span = {"start_ms": T0, "end_ms": T0 + HOUR}
        store.select(matchers("__name__=a"), **span, hints=SelectHints(), budget=SampleLimit(100))
        with pytest.raises(BudgetExceeded):
            store.select(matchers("__name__=a"), **span, hints=SelectHints(), budget=SampleLimit(99))

    def test_exemplars_and_metadata(self, harness: Harness) -> None:
        """Exemplars are kept per series in order of time; metadata per family, with those that disagree."""
        store = harness.store
        (ref,) = store.resolve([metric("m", a="b")]).tolist()
        exemplars = [Exemplar(labels_of({"trace_id": str(k)}), float(k), T0 + k) for k in range(4)]
        empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        for k, one in enumerate(exemplars):
            given = {"m": Metadata("counter", f"help {k // 2}")}
            store.append(WriteBatch(*empty, exemplars=[(ref, one)], metadata=given), durable=False)
        write(store, [(metric("m", a="b"), T0, 1.0)])
        store = harness.settle()
        found = store.exemplars([matchers("a=b")], start_ms=T0 + 1, end_ms=T0 + 2)
        assert found == [(metric("m", a="b"), exemplars[1:3])]
        assert store.exemplars([matchers("a=c")], start_ms=T0, end_ms=T0 + 9) == []
        assert store.metadata() == {"m": [Metadata("counter", "help 0"), Metadata("counter", "help 1")]}

    def test_cardinality(self, harness: Harness) -> None:
        """What status/tsdb shows: series and pairs, largest first."""
        write(harness.store, grid([metric("a", x=str(i)) for i in range(3)] + [metric("b")], T0, 2))
        stats = harness.settle().cardinality(limit=1)
        assert (stats.series, stats.label_pairs) == (4, 5)
        assert list(stats.series_by_metric) == [("a", 3)]
        assert list(stats.values_by_label) == [("x", 3)]
        assert list(stats.series_by_pair) == [("__name__=a", 3)]
        assert (stats.min_time_ms, stats.max_time_ms) == (T0, T0 + 15_000)

    def test_deleted_samples_are_gone_and_the_series_goes_on(self, harness: Harness) -> None:
        """Only the matching series lose the range; what is written afterwards is there; cleaning changes no answer."""
        labels = [metric("m", i=str(i)) for i in range(6)]
        write(harness.store, grid(labels, T0, 40))
        store = harness.settle()
        store.delete([matchers("i=2"), matchers("i=4")], start_ms=T0 + 15_000, end_ms=T0 + 10 * 15_000)
        write(store, grid(labels, T0 + HOUR, 2))
        for _ in range(2):
            found = dump(select(store))
            assert [len(found[one]) for one in labels] == [42, 42, 32, 42, 32, 42]
            assert [time for time, _ in found[labels[2]]][:2] == [T0, T0 + 11 * 15_000]
            store = harness.settle()
            store.clean_tombstones()

    def test_deleting_all_of_a_series(self, harness: Harness) -> None:
        """A series without samples left is in no answer."""
        write(harness.store, grid([metric("a", i=str(i)) for i in range(5)], T0, 5))
        store = harness.settle()
        store.delete([matchers("i=3")], start_ms=ALL_TIME[0], end_ms=ALL_TIME[1])
        assert len(dump(select(store))) == 4
        store.clean_tombstones()
        assert select(harness.settle(), "i=3").size == 0
        assert harness.store.label_values("i", [], start_ms=T0, end_ms=T0 + HOUR) == ["0", "1", "2", "4"]

    def test_native_histograms(self, harness: Harness) -> None:
        """Histogram samples come back whole, beside the floats of the same series, ordered by the same rules."""
        (ref,) = harness.store.resolve([metric("h")]).tolist()
        histograms = [histogram(k) for k in range(3)]
        batch = WriteBatch(
            np.asarray([ref]),
            np.asarray([T0]),
            np.asarray([1.0]),
            np.asarray([ref, ref, ref, ref, ref + 99]),
            np.asarray([T0 + 1, T0 + 2, T0 + 2, T0 + 2, T0 + 3]),
            [histograms[0], histograms[1], histograms[1], histograms[2], histograms[2]],
        )
        outcome = harness.store.append(batch, durable=False)
        assert list(outcome.hist_rejected) == [(3, "duplicate"), (4, "unknown")]
        store = harness.settle()
        selection = select(store)
        assert dump(selection) == {metric("h"): [(T0, _bits(np.asarray([1.0]))[0])]}
        (runs,) = selection.histograms
        assert runs.times.tolist() == [T0 + 1, T0 + 2]
        assert [plain(found) for found in runs.values] == [plain(one) for one in histograms[:2]]
        assert len(select(store, "", T0 + 2, T0 + 2).histograms[0].times) == 1


def histogram(number: int) -> FloatHistogram:
    """Some histogram with every part in use."""
    return FloatHistogram(
        schema=3,
        count=10.5 + number,
        sum=float("inf") if number == 1 else 2.25,
        zero_threshold=1e-128,
        zero_count=2.0,
        positive_index=np.asarray([-3, 0, 7], np.int64),
        positive_counts=np.asarray([1.0, 2.0, 3.0 + number]),
        negative_index=np.asarray([1], np.int64),
        negative_counts=np.asarray([0.5]),
        reset_hint=ResetHint.GAUGE,
    )


def plain(one: object) -> tuple[object, ...]:
    """A histogram as values that compare."""
    assert isinstance(one, FloatHistogram)
    buckets = (one.positive_index, one.positive_counts, one.negative_index, one.negative_counts)
    head = (one.schema, one.count, one.sum, one.zero_threshold, one.zero_count, one.custom_values, one.reset_hint)
    return (*head, *(tuple(array.tolist()) for array in buckets))
