"""Start timestamps that targets tell: OpenMetrics' `_created`, the protobuf's, handed to the store where they are wanted."""

import numpy as np
import pytest
from tests.unit.formats.test_exposition_protobuf import family, label
from tests.unit.scrape.test_writer import TARGET, job

from spyglass.formats import wire
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.samples import WriteBatch, WriteOutcome
from spyglass.model.telemetry import Registry
from spyglass.scrape.content import BodyKind
from spyglass.scrape.created import CreatedTimes
from spyglass.scrape.writer import ScrapeReport, TargetWriter
from spyglass.storage.memory_metrics import MemoryMetricStore

T = 1_700_000_000_000

TEXT = """# TYPE jobs counter
jobs_total{q="a"} 7
jobs_created{q="a"} 1700000000.25
jobs_total{q="b"} 8
# TYPE took histogram
took_bucket{le="1"} 1
took_bucket{le="+Inf"} 2
took_count 2
took_sum 3
took_created 1600000000
# TYPE size summary
size{quantile="0.5"} 1
size_count 2
size_sum 3
size_created NaN
# TYPE age_created gauge
age_created 5
age_total 5
# EOF
"""


def told(decoder: ExpositionDecoder, created: CreatedTimes, text: str) -> dict[str, int]:
    """The series that have a start, by their name and labels."""
    decoded = decoder.decode(text.encode(), openmetrics=True)
    starts = created.starts(decoded)
    if starts is None:
        return {}
    names = ["".join(value for _, value in decoder.labels(slot)) for slot in decoded.slots.tolist()]
    return {name: start for name, start in zip(names, starts.tolist(), strict=True) if start}


def test_created_samples_tell_of_their_family() -> None:
    """Of a counter's total, a histogram's buckets, count and sum; by labels; what is no number tells nothing."""
    decoder = ExpositionDecoder()
    created = CreatedTimes(decoder)
    expected = {
        "jobs_totala": 1_700_000_000_250,
        "took_bucket1.0": 1_600_000_000_000,
        "took_bucket+Inf": 1_600_000_000_000,
        "took_count": 1_600_000_000_000,
        "took_sum": 1_600_000_000_000,
    }
    for _ in range(2):
        assert told(decoder, created, TEXT) == expected
    later = TEXT.replace("1700000000.25", "1700000009").replace(
        'jobs_total{q="b"} 8', 'jobs_total{q="b"} 8\njobs_created{q="b"} 1'
    )
    assert told(decoder, created, later) == expected | {"jobs_totala": 1_700_000_009_000, "jobs_totalb": 1000}
    assert told(decoder, created, "# TYPE up gauge\nup 1\n# EOF\n") == {}


class Recording(MemoryMetricStore):
    """Keeps the last batch."""

    batch: WriteBatch

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        self.batch = batch
        return super().append(batch, durable=durable)


def timestamp(seconds: int, nanos: int = 0) -> bytes:
    return wire.put_int(1, seconds) + wire.put_int(2, nanos)


PROTO = (
    family(
        "c_total",
        0,
        label("a", "1") + wire.put_bytes(3, wire.put_double(1, 5.0) + wire.put_bytes(3, timestamp(1000, 500_000_000))),
    )
    + family("g", 1, wire.put_bytes(2, wire.put_double(1, 1.0)))
    + family(
        "s", 2, wire.put_bytes(4, wire.put_int(1, 1) + wire.put_double(2, 2.0) + wire.put_bytes(4, timestamp(2000)))
    )
    + family(
        "h", 4, wire.put_bytes(7, wire.put_int(1, 1) + wire.put_double(2, 2.0) + wire.put_bytes(15, timestamp(3000)))
    )
)


@pytest.mark.parametrize(
    ("kind", "body", "starts"),
    [
        ("openmetrics", TEXT.encode(), {0, 1_700_000_000_250, 1_600_000_000_000}),
        ("protobuf", PROTO, {0, 1_000_500, 2_000_000, 3_000_000}),
        ("text", b"a 1\n", None),
    ],
)
def test_the_writer_hands_them_on_where_they_are_wanted(kind: BodyKind, body: bytes, starts: set[int] | None) -> None:
    """Row by row with the samples; 0 for those that have none, and for the automatic series; nothing where nobody wants them."""
    for wanted in (True, False):
        store = Recording()
        writer = TargetWriter(store, MetricIngest(Registry()), TARGET, job(), start_timestamps=wanted)
        prepared = writer.prepare(body, kind=kind, time_ms=T)
        writer.commit(prepared, ScrapeReport("", 0.1, prepared.scraped, prepared.kept, prepared.added), T)
        if not wanted or starts is None:
            assert store.batch.starts is None
            continue
        assert store.batch.starts is not None
        assert len(store.batch.starts) == len(store.batch.refs)
        assert set(store.batch.starts.tolist()) == starts
        assert not np.any(store.batch.starts[-5:])
