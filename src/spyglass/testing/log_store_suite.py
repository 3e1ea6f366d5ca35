"""The conformance suite of `protocols.log_store.LogStore`.

Subclass `LogStoreSuite`, give it a `harness` fixture, and every store behaves alike: memory, a fresh hot part, blocks, compacted blocks, a
store that was reopened. `Harness.settle` is called between writing and reading: it is where a disk store writes its blocks or reopens.
"""

import random
from collections.abc import Sequence
from typing import Protocol

import pytest

from spyglass.model.errors import Unavailable
from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.protocols.log_store import Direction, LogBatch, LogEntry, LogHints, LogStore

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
ALL_TIME = (-(2**62), 2**62)

Found = list[tuple[int, Labels, str, Labels]]
"""(time, stream, line, metadata), in the order of the scan."""


class Harness(Protocol):
    """A store under test."""

    @property
    def store(self) -> LogStore: ...

    def settle(self) -> LogStore:
        """Bring what was written into the form under test; returns the store to read from (and go on writing to)."""
        ...


class UnlimitedBudget:
    """A query that may use anything."""

    def check(self) -> None: ...

    def charge_samples(self, count: int) -> None: ...

    def charge_bytes(self, count: int) -> None: ...


def matchers(text: str) -> list[Matcher]:
    """`'a=x b=~y.*'` -> matchers; for tests, so values hold no spaces."""
    found = []
    for part in text.split():
        op = next(op for op in ("!~", "=~", "!=", "=") if op in part)
        name, _, value = part.partition(op)
        found.append(Matcher.of(name, op, value))
    return found


def stream(**labels: str) -> Labels:
    return labels_of(labels)


def entry(seconds: float, line: str, **metadata: str) -> LogEntry:
    return LogEntry(T0 + int(seconds * SECOND), line, labels_of(metadata))


def rows_of(batches: Sequence[LogBatch]) -> Found:
    """Batches as plain rows; raises where a batch's columns disagree."""
    found: Found = []
    for batch in batches:
        labels = batch.labels.all_labels()
        metadata = batch.metadata if batch.metadata is not None else [()] * batch.size
        columns = (batch.times_ns.tolist(), batch.stream.tolist(), batch.lines, metadata)
        found += [(time, labels[code], line, meta) for time, code, line, meta in zip(*columns, strict=True)]
    return found


def read(
    store: LogStore,
    selector: str = "",
    *,
    span: tuple[int, int] = ALL_TIME,
    direction: Direction = "forward",
    limit: int = 0,
) -> Found:
    scan = store.scan(
        matchers(selector),
        (),
        start_ns=span[0],
        end_ns=span[1],
        direction=direction,
        hints=LogHints(limit=limit),
        budget=UnlimitedBudget(),
    )
    assert scan.stages_done == 0, "there was no stage to do"
    return rows_of(list(scan.batches))


APP = stream(app="web", env="prod")
WORKER = stream(app="worker", env="prod")


class LogStoreSuite:
    """What every log store must do."""

    @pytest.fixture
    def harness(self) -> Harness:
        raise NotImplementedError("a subclass gives the harness")

    def test_lines_come_back_in_order_of_time(self, harness: Harness) -> None:
        """Lines appended out of order are read in order; streams are merged."""
        harness.store.append([(APP, [entry(3, "c"), entry(1, "a")]), (WORKER, [entry(2, "b")])])
        store = harness.settle()
        assert read(store) == [
            (T0 + SECOND, APP, "a", ()),
            (T0 + 2 * SECOND, WORKER, "b", ()),
            (T0 + 3 * SECOND, APP, "c", ()),
        ]

    def test_backward_is_the_reverse(self, harness: Harness) -> None:
        """A backward scan gives the same lines in exactly the reverse order, ties included."""
        entries = [entry(i // 3, f"line {i}") for i in range(50)]
        harness.store.append([(APP, entries)])
        store = harness.settle()
        forward = read(store)
        assert [line for _, _, line, _ in forward] == [f"line {i}" for i in range(50)]
        assert read(store, direction="backward") == forward[::-1]

    def test_ties_come_in_order_of_arrival(self, harness: Harness) -> None:
        """Lines of one time, of several streams and shapes, come in the order in which they were appended."""
        for i in range(40):
            line = f'{{"n":{i},"s":"x"}}' if i % 2 else f"plain {i}"
            harness.store.append([(APP if i % 3 else WORKER, [entry(1, line)])])
        lines = [line for _, _, line, _ in read(harness.settle())]
        assert lines == [f'{{"n":{i},"s":"x"}}' if i % 2 else f"plain {i}" for i in range(40)]

    def test_range_is_half_open(self, harness: Harness) -> None:
        """start is in, end is out."""
        harness.store.append([(APP, [entry(1, "a"), entry(2, "b"), entry(3, "c")])])
        store = harness.settle()
        assert [row[2] for row in read(store, span=(T0 + SECOND, T0 + 3 * SECOND))] == ["a", "b"]

    def test_identical_entries_are_stored_once(self, harness: Harness) -> None:
        """The same line at the same time in the same stream with the same metadata is dropped, within a batch and later."""
        same = [entry(1, "x"), entry(1, "x"), entry(1, "y")]
        assert harness.store.append([(APP, same)]) == 2
        store = harness.settle()
        assert store.append([(APP, [entry(1, "x"), entry(1, "x", trace="t"), entry(2, "x")])]) == 2
        assert store.append([(WORKER, [entry(1, "x")])]) == 1
        assert store.append([(APP, [entry(1, "x", trace="t")])]) == 0
        assert len(read(harness.settle())) == 5

    def test_matchers_select_streams(self, harness: Harness) -> None:
        """Equality, inequality, regexes, and a label that some streams lack."""
        dev = stream(app="web", env="dev", host="h1")
        harness.store.append([(APP, [entry(1, "p")]), (WORKER, [entry(2, "w")]), (dev, [entry(3, "d")])])
        store = harness.settle()

        def lines(selector: str) -> list[str]:
            return [row[2] for row in read(store, selector)]

        assert lines("app=web") == ["p", "d"]
        assert lines("app!=web") == ["w"]
        assert lines("app=~w.*") == ["p", "w", "d"]
        assert lines("app=~w") == []
        assert lines("host=") == ["p", "w"]
        assert lines("host!=") == ["d"]
        assert lines("app=web env!~d.*") == ["p"]

    def test_lines_are_byte_exact(self, harness: Harness) -> None:
        """What comes in goes out: JSON of every spelling, control characters, unicode, empty and long lines."""
        lines = [
            "",
            " ",
            "plain",
            "tab\tnew\nline\r\n\x00nul",
            "ünïcödé 日本語 🙂",
            '{"a":1}',
            '{"a": 1.50, "b" : "x" }',
            '{"a":"q\\"uote","b":"back\\\\slash"}',
            '{"a":{"b":{"c":true}},"d":null,"e":[1,2,3],"f":["x","y"]}',
            '{"a":01}',
            '{"a":',
            "level=info msg=\"hello world\" n=5 e= x='y'",
            "a=b c=d",
            "x" * 100_000,
            "é" * 70_000,
        ]
        harness.store.append([(APP, [entry(i, line) for i, line in enumerate(lines)])])
        assert [row[2] for row in read(harness.settle())] == lines

    def test_many_shapes_survive(self, harness: Harness) -> None:
        """Hundreds of templated lines mixed with their near misses come back as they were."""
        rng = random.Random(7)
        lines = [random_line(rng, i) for i in range(3000)]
        batches = [lines[i : i + 300] for i in range(0, len(lines), 300)]
        for number, batch in enumerate(batches):
            entries = [entry(number * 10 + i / 100, line) for i, line in enumerate(batch)]
            harness.store.append([(APP, entries[::2]), (WORKER, entries[1::2])])
        found = read(harness.settle())
        assert [row[2] for row in found] == lines

    def test_metadata_is_kept(self, harness: Harness) -> None:
        """Structured metadata comes back with its line; lines without have none."""
        entries = [entry(1, "a", trace="t1", user="u"), entry(2, "b"), entry(3, "c", trace="t1", user="u")]
        harness.store.append([(APP, entries)])
        metadata = [row[3] for row in read(harness.settle())]
        assert metadata == [(("trace", "t1"), ("user", "u")), (), (("trace", "t1"), ("user", "u"))]

    def test_series_labels_and_values(self, harness: Harness) -> None:
        """Streams, label names and values of what has lines in the range."""
        harness.store.append([(APP, [entry(1, "a")]), (WORKER, [entry(100, "b")])])
        store = harness.settle()
        early = {"start_ns": T0, "end_ns": T0 + 50 * SECOND}
        late = {"start_ns": T0, "end_ns": T0 + 500 * SECOND}
        assert store.series([], **late).all_labels() == [APP, WORKER]
        assert store.series([matchers("app=web"), matchers("app=none")], **late).all_labels() == [APP]
        assert store.series([], **early).all_labels() == [APP]
        assert store.label_names([], **late) == ["app", "env"]
        assert store.label_values("app", [], **late) == ["web", "worker"]
        assert store.label_values("app", [], **early) == ["web"]
        assert store.label_values("app", matchers("env=dev"), **late) == []
        assert store.label_values("none", [], **late) == []

    def test_stats_and_volume(self, harness: Harness) -> None:
        """Entries and bytes of the range, and bytes by label."""
        harness.store.append([(APP, [entry(1, "é"), entry(2, "bb")]), (WORKER, [entry(3, "cccc")])])
        store = harness.settle()
        stats = store.stats_of([], start_ns=T0, end_ns=T0 + 10 * SECOND)
        assert (stats.streams, stats.entries, stats.bytes) == (2, 3, 8)
        part = store.stats_of(matchers("app=web"), start_ns=T0 + 2 * SECOND, end_ns=T0 + 10 * SECOND)
        assert (part.streams, part.entries, part.bytes) == (1, 1, 2)
        volumes = store.volume([], start_ns=T0, end_ns=T0 + 10 * SECOND, by=["app"])
        assert sorted(volumes) == [((("app", "web"),), 4), ((("app", "worker"),), 4)]
        assert store.volume([], start_ns=T0, end_ns=T0 + 10 * SECOND, by=[]) == [((), 8)]

    def test_delete(self, harness: Harness) -> None:
        """A delete takes the lines of the selector in the range, and no other."""
        harness.store.append([(APP, [entry(i, f"a{i}") for i in range(10)]), (WORKER, [entry(5, "w")])])
        store = harness.settle()
        store.delete(matchers("app=web"), (), start_ns=T0 + 3 * SECOND, end_ns=T0 + 7 * SECOND)
        expected = ["a0", "a1", "a2", "w", "a7", "a8", "a9"]
        assert [row[2] for row in read(store)] == expected
        assert store.append([(APP, [entry(4, "a4")])]) == 1
        assert len(read(harness.settle())) == len(expected) + 1

    def test_what_is_appended_later_is_seen(self, harness: Harness) -> None:
        """Appending after reading, older and newer than what is there, keeps the order."""
        harness.store.append([(APP, [entry(i, f"{i}") for i in range(10, 20)])])
        store = harness.settle()
        assert len(read(store)) == 10
        store.append([(APP, [entry(i, f"{i}") for i in (5, 25, 15.5)])])
        times = [row[0] for row in read(harness.settle())]
        assert times == sorted(times)
        assert len(times) == 13

    def test_subscribers_hear_what_is_stored(self, harness: Harness) -> None:
        """A subscription gets later appends without what was dropped as a repeat, and nothing after close."""
        store = harness.store
        store.append([(APP, [entry(1, "before")])])
        subscription = store.subscribe()
        store.append([(APP, [entry(1, "before"), entry(2, "new")])])
        assert [(labels, list(entries)) for labels, entries in subscription.drain()] == [(APP, [entry(2, "new")])]
        assert subscription.drain() == []
        subscription.close()
        store.append([(APP, [entry(3, "later")])])
        assert subscription.drain() == []
        assert subscription.dropped == 0

    def test_scans_may_end_early(self, harness: Harness) -> None:
        """Closing the batches after the first leaves the store as it was."""
        harness.store.append([(APP, [entry(i, f"line {i}") for i in range(5000)])])
        store = harness.settle()
        scan = store.scan(
            [], (), start_ns=0, end_ns=2**62, direction="backward", hints=LogHints(limit=10), budget=UnlimitedBudget()
        )
        first = next(iter(scan.batches))
        assert first.lines[0] == "line 4999"
        scan.batches.close()  # type: ignore[attr-defined]
        assert len(read(store)) == 5000

    def test_nothing_stored_is_nothing_found(self, harness: Harness) -> None:
        """An empty store answers everything, with nothing."""
        store = harness.settle()
        assert store.append([]) == 0
        assert store.append([(APP, [])]) == 0
        assert read(store) == []
        assert store.series([], start_ns=0, end_ns=2**62).size == 0
        assert store.label_names([], start_ns=0, end_ns=2**62) == []
        assert store.stats_of([], start_ns=0, end_ns=2**62).entries == 0

    def test_a_closed_store_refuses(self, harness: Harness) -> None:
        """Appending to a closed store is refused; closing twice is fine."""
        harness.store.close()
        harness.store.close()
        with pytest.raises(Unavailable):
            harness.store.append([(APP, [entry(1, "x")])])


def random_line(rng: random.Random, number: int) -> str:
    kind = rng.randrange(9)
    if kind == 8:
        value = rng.choice(['a\\"b', "tab\\t", "\\u00e9", "\\ud800", "\\x", "path\\\\", "\\", "é", "error", "\\ufffd"])
        return f'{{"level":"{value}","n":{number % 40},"id":"{number}"}}'
    if kind < 3:
        level = rng.choice(["info", "warn", "error"])
        return f'{{"level":"{level}","n":{rng.randrange(10 ** rng.randrange(1, 19))},"id":"{rng.getrandbits(64):x}-{number}"}}'
    if kind == 3:
        value = rng.choice(["1", "-1", "1.5", "007", "true", "null", "1e3", "[1,2]", "[]", '"x"', "{}", "nope", ""])
        return f'{{"level":"info","n":{value},"id":"{number}"}}'
    if kind == 4:
        return f'level=info n={rng.randrange(1000)} msg="request {number} done" path=/a/{rng.randrange(5)}'
    if kind == 5:
        value = rng.choice(["a=b", '"q"', "x y", "", "é", '"un'])
        return f"level=info n={number} msg={value} path=/a"
    if kind == 6:
        stamp = rng.choice(
            [
                "2026-11-23T19:23:08.123Z",
                "2026-02-30T00:00:00.000Z",
                "2026-13-01T00:00:00.000Z",
                "1969-01-01T00:00:00.000Z",
            ]
        )
        return f'{{"ts":"{stamp}","id":{number}}}'
    return "".join(chr(rng.choice([34, 92, 123, 125, 61, 32, 97, 233, 10])) for _ in range(rng.randrange(30))) + str(
        number
    )
