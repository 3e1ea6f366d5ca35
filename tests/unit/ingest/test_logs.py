"""The limits on what is taken, on a virtual clock."""

from collections.abc import Sequence

import pytest

from spyglass.config.loki_limits import LimitsConfig
from spyglass.ingest.levels import detect_level
from spyglass.ingest.log_checks import LogLimits
from spyglass.ingest.logs import LogIngest, NoStreams
from spyglass.ingest.stream_rates import StreamRateLimited
from spyglass.ingest.token_bucket import TokenBucket
from spyglass.model.errors import RateLimited, RejectedSamples
from spyglass.model.labels import Labels
from spyglass.model.log_entry import LogEntry
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.testing.clock import VirtualClock

SECOND = 10**9
NOW = 1_700_000_000 * SECOND
JOB: Labels = (("job", "a"),)


class World:
    """An ingest over stores in memory."""

    def __init__(self, limits: LimitsConfig | None = None, *, generation: int = 2) -> None:
        self.clock = VirtualClock(start_ms=NOW // 1_000_000)
        self.stores = MemoryLogStores()
        self.ingest = LogIngest(self.stores, LogLimits.of(limits or LimitsConfig(), generation=generation), self.clock)

    def push(self, *entries: LogEntry, labels: Labels = JOB, tenant: str = "fake") -> int:
        return self.ingest.push(tenant, [(labels, entries)])

    def stored(self, tenant: str = "fake") -> Sequence[tuple[Labels, LogEntry]]:
        rows = self.stores.store(tenant)._select((), 0, 2**63 - 1)
        return [(labels, entry) for _, labels, entry in rows]


def test_a_token_bucket_fills_up_to_its_burst() -> None:
    """10 a second, at most 20 saved."""
    bucket = TokenBucket(10, 20, 0)
    assert bucket.take(20, 0)
    assert not bucket.take(1, 0)
    assert bucket.take(5, SECOND // 2)
    assert not bucket.take(21, 100 * SECOND)
    assert bucket.take(20, 100 * SECOND)


def test_the_rate_is_per_tenant_and_counts_what_was_refused() -> None:
    """One tenant's flood does not slow another; a refused push stores nothing and takes no tokens."""
    world = World(LimitsConfig(ingestion_rate_mb=1, ingestion_burst_size_mb=1))
    big = LogEntry(NOW, "x" * (200 << 10))
    for n in range(5):
        world.push(LogEntry(NOW + n, big.line))
    with pytest.raises(RateLimited):
        world.push(LogEntry(NOW + 5, big.line))
    assert world.push(big, tenant="other") == 1
    assert world.ingest.counts().discarded == {("fake", "rate_limited"): 1}
    world.clock.advance(0.2)
    assert world.push(LogEntry(NOW + 5, big.line)) == 1
    assert len(world.stored()) == 6


def test_a_stream_has_a_rate_of_its_own() -> None:
    """Its lines are refused with 429 in upstream's words, those of other streams of the push and of other tenants are stored."""
    config = LimitsConfig.model_validate({"per_stream_rate_limit": "1KB", "per_stream_rate_limit_burst": "2KB"})
    world, other = World(config), (("job", "b"),)
    assert world.push(LogEntry(NOW, "x" * 1500)) == 1
    again = [LogEntry(NOW + 1, "y" * 1000), LogEntry(NOW + 120_000_000, "z" * 24)]
    with pytest.raises(StreamRateLimited) as caught:
        world.ingest.push("fake", [(JOB, again), (other, [LogEntry(NOW, "fine")])])
    reason = (
        "Per stream rate limit exceeded (limit: 1KB/sec) while attempting to ingest for stream '{job=\"a\"}' totaling %s, consider "
        "splitting a stream via additional labels or contact your Loki administrator to see if the limit can be increased"
    )
    assert str(caught.value) == (
        f"entry with timestamp 2023-11-14 22:13:20.000000001 +0000 UTC ignored, reason: '{reason % '1000B'}',\n"
        f"entry with timestamp 2023-11-14 22:13:20.12 +0000 UTC ignored, reason: '{reason % '24B'}',\n"
        "user 'fake', total ignored: 2 out of 2 for stream: {job=\"a\"}"
    )
    assert [(labels, entry.line[0]) for labels, entry in world.stored()] == [(JOB, "x"), (other, "f")]
    assert world.ingest.counts().discarded == {("fake", "per_stream_rate_limit"): 2}
    assert (world.ingest.counts().lines, world.ingest.counts().bytes) == ({"fake": 2}, {"fake": 1504})
    assert world.push(*again, tenant="other") == 2
    world.clock.advance(1)
    assert world.push(*again) == 2


def test_the_window_of_time_moves_with_the_clock() -> None:
    """reject_old_samples_max_age back, creation_grace_period ahead, both ends included."""
    world = World(LimitsConfig.model_validate({"reject_old_samples_max_age": "1h", "creation_grace_period": "10m"}))
    assert world.push(LogEntry(NOW - 3600 * SECOND, "edge"), LogEntry(NOW + 600 * SECOND, "edge")) == 2
    with pytest.raises(RejectedSamples, match="timestamp too old") as caught:
        world.push(LogEntry(NOW - 3600 * SECOND - 1, "old"), LogEntry(NOW, "now"))
    assert (caught.value.accepted, caught.value.rejected) == (1, 1)
    with pytest.raises(RejectedSamples, match="timestamp too new"):
        world.push(LogEntry(NOW + 600 * SECOND + 1, "new"))
    world.clock.advance(1)
    assert world.push(LogEntry(NOW + 601 * SECOND, "new")) == 1
    assert world.ingest.counts().discarded == {
        ("fake", "greater_than_max_sample_age"): 1,
        ("fake", "too_far_in_future"): 1,
    }


def test_old_lines_are_taken_where_that_is_switched_off() -> None:
    """reject_old_samples: false."""
    world = World(LimitsConfig(reject_old_samples=False))
    assert world.push(LogEntry(1, "1970")) == 1


def test_equal_problems_are_counted_not_repeated() -> None:
    """The answer stays short however many lines are refused."""
    world = World()
    with pytest.raises(RejectedSamples) as caught:
        world.push(*[LogEntry(NOW + 7200 * SECOND, str(n)) for n in range(1000)])
    assert str(caught.value).startswith("1000 errors like: entry for stream")
    with pytest.raises(RejectedSamples) as caught:
        world.push(*[LogEntry(NOW + (7200 + n) * SECOND, str(n)) for n in range(1000)])
    assert str(caught.value).endswith("; and 990 more")


def test_service_name_and_level_are_added_by_generation_3_only() -> None:
    """Loki 2 had neither; Loki 3 finds the name among the usual labels, or says unknown_service."""
    old, new = World(), World(generation=3)
    old.push(LogEntry(NOW, "ERROR x"))
    assert old.stored() == [(JOB, LogEntry(NOW, "ERROR x"))]
    new.push(LogEntry(NOW, "ERROR x"))
    new.push(LogEntry(NOW, "x"), labels=(("host", "h"),))
    assert new.stored() == [
        ((("job", "a"), ("service_name", "a")), LogEntry(NOW, "ERROR x", (("detected_level", "error"),))),
        ((("host", "h"), ("service_name", "unknown_service")), LogEntry(NOW, "x", (("detected_level", "unknown"),))),
    ]


def test_times_are_moved_apart_where_asked() -> None:
    """increment_duplicate_timestamp: other lines at one time go on a nanosecond each; equal ones stay."""
    world = World(LimitsConfig(increment_duplicate_timestamp=True))
    world.push(LogEntry(NOW, "a"), LogEntry(NOW, "b"), LogEntry(NOW, "c"), LogEntry(NOW + SECOND, "d"))
    assert [entry.time_ns - NOW for _, entry in world.stored()] == [0, 1, 2, SECOND]


def test_streams_that_no_store_holds_any_longer_make_room() -> None:
    """The limit is on streams that exist."""
    world = World(LimitsConfig(max_global_streams_per_user=1))
    world.push(LogEntry(NOW, "x"))
    with pytest.raises(RejectedSamples, match="Maximum active stream limit exceeded"):
        world.push(LogEntry(NOW, "x"), labels=(("job", "b"),))
    world.stores.store().delete((), (), start_ns=0, end_ns=2**62)
    assert world.push(LogEntry(NOW, "x"), labels=(("job", "b"),)) == 1


def test_a_push_of_nothing_is_named() -> None:
    """No streams: an error of its own; streams without entries: nothing to do."""
    world = World()
    with pytest.raises(NoStreams):
        world.ingest.push("fake", [])
    assert world.push() == 0


@pytest.mark.parametrize(
    ("labels", "metadata", "line", "level"),
    [
        ((("level", "warn"),), (), "ERROR", "warn"),
        ((("level", "warn"),), (("severity", "error"),), "", "error"),
        ((), (("severity_number", "9"), ("severity_text", "ERROR")), "", "info"),
        ((), (("severity_number", "99"),), "error", "unknown"),
        ((), (), '{"level":"DEBUG","msg":"error"}', "debug"),
        ((), (), "level=trace msg=error", "trace"),
        ((), (), "2024-01-01 CRITICAL: down", "critical"),
        ((), (), "ValueError: no", "error"),
        ((), (), "all is well", "unknown"),
        ((), (), "the terrorist", "unknown"),
    ],
)
def test_levels(labels: Labels, metadata: Labels, line: str, level: str) -> None:
    """OpenTelemetry's number first, then metadata, labels, a field of the line, a word in it."""
    assert detect_level(labels, metadata, line) == level
