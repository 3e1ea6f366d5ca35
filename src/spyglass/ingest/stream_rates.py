"""per_stream_rate_limit: the bytes a second that one stream may send, with a burst.

A push with more than that for a stream loses all of that stream's lines, as with upstream's shard_streams (its default); other streams
are stored. Source of the texts: Loki's documentation of request validation and rate limit errors.
"""

import threading
from collections import OrderedDict
from datetime import UTC, datetime

from spyglass.config.loki_limits import LimitsConfig
from spyglass.ingest.log_checks import show
from spyglass.ingest.token_bucket import TokenBucket
from spyglass.model.errors import RateLimited
from spyglass.model.labels import Labels
from spyglass.model.log_columns import LogColumns
from spyglass.text.bytesize import format_binary_bytes

MAX_BUCKETS = 20_000
"""Streams remembered; the one that sent nothing for longest is forgotten first, and starts with a full burst."""
MAX_NAMED_ENTRIES = 10
"""Upstream's max_returned_stream_errors."""

Checked = tuple[Labels, LogColumns]


class StreamRateLimited(RateLimited):
    """A stream sent too much; the other streams of the push were stored."""


class StreamRates:
    """Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, Labels], TokenBucket] = OrderedDict()

    def admit(
        self, tenant: str, streams: list[Checked], now_ns: int, config: LimitsConfig
    ) -> tuple[list[Checked], list[Checked]]:
        """(those within their rate, those above it). now_ns: monotonic. config: the tenant's, now."""
        rate, burst = config.per_stream_rate_limit, config.per_stream_rate_limit_burst
        if rate <= 0:
            return streams, []
        with self._lock:
            buckets = [self._bucket((tenant, labels), rate, burst, now_ns) for labels, _ in streams]
            passes = [
                bucket.take(int(entries.offsets[-1]), now_ns)
                for bucket, (_, entries) in zip(buckets, streams, strict=True)
            ]
        if all(passes):
            return streams, []
        return (
            [stream for stream, passed in zip(streams, passes, strict=True) if passed],
            [stream for stream, passed in zip(streams, passes, strict=True) if not passed],
        )

    def _bucket(self, key: tuple[str, Labels], rate: float, burst: float, now_ns: int) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(rate, burst, now_ns)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        else:
            bucket.limit(rate, burst)
            self._buckets.move_to_end(key)
        return bucket


def refusal(tenant: str, stream: Checked, limit: int) -> StreamRateLimited:
    """Names the first entries of the stream that was refused. limit: bytes a second."""
    labels, entries = stream
    shown, rate, sizes = show(labels), format_binary_bytes(limit), entries.lengths().tolist()
    named = [
        f"entry with timestamp {_go_time(time_ns)} ignored, reason: 'Per stream rate limit exceeded (limit: {rate}/sec) while "
        f"attempting to ingest for stream '{shown}' totaling {format_binary_bytes(size)}, consider splitting a stream via "
        "additional labels or contact your Loki administrator to see if the limit can be increased',\n"
        for time_ns, size in zip(entries.times_ns[:MAX_NAMED_ENTRIES].tolist(), sizes, strict=False)
    ]
    total = f"user '{tenant}', total ignored: {len(entries)} out of {len(entries)} for stream: {shown}"
    return StreamRateLimited("".join(named) + total)


def _go_time(time_ns: int) -> str:
    """As Go prints a time.

    >>> _go_time(1_700_000_000_120_000_000)
    '2023-11-14 22:13:20.12 +0000 UTC'
    """
    seconds, fraction = divmod(time_ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return text + (f".{fraction:09d}".rstrip("0") if fraction else "") + " +0000 UTC"
