"""From a body to the store: staleness, limits, forgotten references, refused series."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from spyglass.config.prometheus import ScrapeConfig, parse_prometheus
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.arrays import I64
from spyglass.model.errors import DiskFull
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import SampleRuns, WriteBatch, WriteOutcome, is_stale
from spyglass.model.telemetry import Registry
from spyglass.protocols.metric_store import SelectHints
from spyglass.query.budget import QueryBudget
from spyglass.scrape.writer import LimitExceeded, ScrapeReport, TargetWriter, renamed
from spyglass.storage.memory_metrics import MemoryMetricStore

TARGET = labels_of({"job": "j", "instance": "i"})


class ForgetfulStore(MemoryMetricStore):
    """A store that can lose references, as a head does with series that got no samples for long; or its disk."""

    def __init__(self, *, max_series: int = 0) -> None:
        super().__init__(max_series=max_series)
        self.offset = 0
        self.full = False

    def resolve(self, labels: Sequence[Labels]) -> I64:
        refs = super().resolve(labels)
        return np.where(refs > 0, refs + self.offset, refs)

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        if self.full:
            raise DiskFull("no space left")
        shifted = WriteBatch(batch.refs - self.offset, batch.times, batch.values, metadata=batch.metadata)
        return super().append(shifted, durable=durable)

    def forget(self) -> None:
        """Every reference given out so far is unknown from now on."""
        self.offset += 1000


def job(extra: str = "") -> ScrapeConfig:
    from_file = parse_prometheus(f"scrape_configs: [{{job_name: j{extra}}}]", file="p", folder=Path("/"))
    return from_file.config.jobs[0]


class Bench:
    def __init__(self, extra: str = "", *, max_series: int = 0) -> None:
        self.store = ForgetfulStore(max_series=max_series)
        self.writer = TargetWriter(self.store, MetricIngest(Registry()), TARGET, job(extra))
        self.time_ms = 1_700_000_000_000

    def scrape(self, body: str) -> tuple[int, int, int]:
        """(scraped, kept, added)."""
        self.time_ms += 15_000
        prepared = self.writer.prepare(body.encode(), time_ms=self.time_ms)
        report = ScrapeReport("", 0.1, prepared.scraped, prepared.kept, prepared.added)
        self.writer.commit(prepared, report, self.time_ms)
        return prepared.scraped, prepared.kept, prepared.added

    def fail(self) -> None:
        self.time_ms += 15_000
        self.writer.fail(ScrapeReport("down", 0.1), self.time_ms)

    def values(self, name: str) -> list[str]:
        """All values of the series of a name, stale markers as "stale"."""
        from_store = self.store.select((), start_ms=0, end_ms=2**60, hints=SelectHints(), budget=QueryBudget())
        found: list[str] = []
        for piece in from_store.pieces:
            assert isinstance(piece, SampleRuns)
            for index, row in enumerate(piece.rows.tolist()):
                if dict(from_store.labels.labels(row))["__name__"] == name:
                    values = piece.values[piece.offsets[index] : piece.offsets[index + 1]]
                    stale = is_stale(values).tolist()
                    found += ["stale" if s else f"{v:g}" for v, s in zip(values.tolist(), stale, strict=True)]
        return found


def test_a_series_that_is_gone_gets_one_mark() -> None:
    """And none while it stays away; coming back it goes on."""
    bench = Bench()
    assert bench.scrape("a 1\nb 2\n") == (2, 2, 2)
    for body in ("a 1\n", "a 1\n", "a 2\nb 3\n"):
        bench.scrape(body)
    assert bench.values("a") == ["1", "1", "1", "2"]
    assert bench.values("b") == ["2", "stale", "3"]


def test_a_failed_scrape_ends_everything_once() -> None:
    """Two failures write one mark; up is written every time."""
    bench = Bench()
    bench.scrape("a 1\n")
    bench.fail()
    bench.fail()
    bench.scrape("a 2\n")
    assert bench.values("a") == ["1", "stale", "2"]
    assert bench.values("up") == ["1", "0", "0", "1"]


def test_the_end_of_a_target_ends_the_automatic_series_too() -> None:
    """What a removed target leaves behind."""
    bench = Bench()
    bench.scrape("a 1\n")
    bench.writer.end(bench.time_ms + 1)
    assert bench.values("a") == ["1", "stale"]
    assert bench.values("up") == ["1", "stale"]


def test_forgotten_references_are_resolved_again() -> None:
    """Samples, marks and automatic series all go on; later changes are still seen."""
    bench = Bench()
    for _ in range(3):
        bench.scrape("a 1\nb 2\n")
    bench.store.forget()
    bench.scrape("a 1\nb 2\n")
    bench.scrape("a 1\n")
    bench.store.forget()
    bench.scrape("c 1\n")
    assert bench.values("a") == ["1", "1", "1", "1", "1", "stale"]
    assert bench.values("b") == ["2", "2", "2", "2", "stale"]
    assert bench.values("up") == ["1"] * 6


def test_refused_series_are_asked_for_again() -> None:
    """The series limit refuses the new and keeps the old; a minute later there may be room."""
    bench = Bench(max_series=7)
    bench.scrape("a 1\n")
    bench.scrape("a 1\nb 1\nc 1\n")
    assert bench.values("b") == ["1"]
    assert bench.values("c") == []
    bench.store._max_series = 0
    for _ in range(5):
        bench.scrape("a 1\nb 1\nc 1\n")
    assert bench.values("c")
    assert bench.values("a") == ["1"] * 7


def test_nothing_is_lost_of_the_marks_while_the_disk_is_full() -> None:
    """A series that went away during the full disk is marked afterwards."""
    bench = Bench()
    bench.scrape("a 1\nb 2\n")
    bench.store.full = True
    with pytest.raises(DiskFull):
        bench.scrape("a 1\n")
    bench.store.full = False
    bench.scrape("a 1\n")
    assert bench.values("b") == ["2", "stale"]


def test_limits_let_the_next_scrape_try_again() -> None:
    """A body over a limit stores nothing; a smaller one afterwards is taken."""
    bench = Bench(", sample_limit: 1, label_limit: 3")
    for body, message in (("a 1\nb 1\n", "sample limit exceeded"), ('a{x="1"} 1\n', "label_limit exceeded")):
        with pytest.raises(LimitExceeded, match=message):
            bench.scrape(body)
    bench.scrape("a 3\n")
    assert bench.values("a") == ["3"]


def test_metadata_is_written_again_after_a_scrape_that_was_not_stored() -> None:
    """What a target says of its families is not lost with the first scrape."""
    bench = Bench(", sample_limit: 1")
    with pytest.raises(LimitExceeded):
        bench.scrape("# TYPE a gauge\na 1\nb 1\n")
    bench.scrape("# TYPE a gauge\na 1\n")
    assert bench.store.metadata()["a"][0].kind == "gauge"


def test_a_changed_job_goes_on_where_the_old_one_stopped() -> None:
    """Its writer marks what the old one watched, under the old one's labels, even where the store forgot the references."""
    bench = Bench()
    bench.scrape("a 1\nb 2\n")
    changed = TargetWriter(bench.store, MetricIngest(Registry()), TARGET, job(", sample_limit: 5"))
    changed.inherit(bench.writer)
    bench.writer = changed
    bench.store.forget()
    bench.scrape("a 1\n")
    bench.scrape("a 1\n")
    assert bench.values("a") == ["1", "1", "1"]
    assert bench.values("b") == ["2", "stale"]


def test_churn_does_not_pile_up() -> None:
    """New series at every scrape: the cache starts over now and then, and marks are still written."""
    bench = Bench()
    for round_number in range(40):
        bench.scrape("".join(f'a{{n="{round_number}-{i}"}} 1\n' for i in range(100)))
    assert bench.writer.decoder.size < 2000
    assert bench.values("a").count("stale") == 3900


def test_conflicting_labels_move_until_there_is_room() -> None:
    """exported_ is put in front as often as it takes."""
    assert renamed({"job": "1", "exported_job": "2"}, {"job": "t", "exported_job": "u"}) == {
        "job": "t",
        "exported_job": "u",
        "exported_exported_job": "1",
        "exported_exported_exported_job": "2",
    }
