"""limits_config of loki-config.yml, which tenants may override one by one: Loki's names and defaults.

Source of names and defaults: the Loki configuration reference.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from spyglass.config.loki_otlp import OtlpConfig
from spyglass.config.units import DurationNs, SizeBytes

_HOUR_NS = 3600 * 10**9
_DAY_NS = 24 * _HOUR_NS

QueryType = Literal["metric", "filter", "limited"]
"""A metric query; lines chosen by a filter; lines of streams, as they are."""


def _names(value: object) -> object:
    """`filter,limited`, or a list of them."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _moment(value: object) -> object:
    """RFC 3339 stays as it is; 0 is never."""
    if value in ("", 0, "0"):
        return ""
    try:
        if datetime.fromisoformat(str(value)).tzinfo is not None:
            return str(value)
    except ValueError:
        pass
    raise ValueError("should be a time such as 2026-05-01T12:00:00Z")


class StreamRetention(BaseModel):
    """One entry of retention_stream: streams that match `selector` are kept for `period`."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    selector: str
    period: DurationNs
    priority: int = 0


class BlockedQuery(BaseModel):
    """One entry of blocked_queries. pattern: the query's text, or with `regex` a pattern in it; none: every query.

    hash: the query's FNV-1 hash (32 bits), which goes before a pattern. types: which queries, with commas between; none: all.
    tags: of the request's X-Query-Tags, which are not looked at here: such an entry blocks nothing.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    pattern: str = ""
    regex: bool = False
    hash: int = 0
    types: Annotated[tuple[QueryType, ...], BeforeValidator(_names)] = ()
    tags: dict[str, str] = {}


class LimitsConfig(BaseModel):
    """Durations in nanoseconds, sizes in bytes; 0 mostly means no limit."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
    reject_old_samples: bool = True
    reject_old_samples_max_age: DurationNs = 7 * _DAY_NS
    creation_grace_period: DurationNs = 600 * 10**9
    max_line_size: SizeBytes = 256 << 10
    max_line_size_truncate: bool = False
    max_label_name_length: int = 1024
    max_label_value_length: int = 2048
    max_label_names_per_series: int = 15
    enforced_labels: tuple[str, ...] = ()
    ingestion_rate_mb: float = 4.0
    ingestion_burst_size_mb: float = 6.0
    per_stream_rate_limit: SizeBytes = 3 << 20
    per_stream_rate_limit_burst: SizeBytes = 15 << 20
    max_global_streams_per_user: int = 5000
    max_streams_per_user: int = 0
    block_ingestion_until: Annotated[str, BeforeValidator(_moment)] = ""
    block_ingestion_status_code: int = Field(default=260, ge=200, le=599)
    max_entries_limit_per_query: int = 5000
    max_query_series: int = 500
    max_query_length: DurationNs = 30 * _DAY_NS + _HOUR_NS
    max_query_lookback: DurationNs = 0
    max_query_range: DurationNs = 0
    max_query_bytes_read: SizeBytes = 0
    max_streams_matchers_per_query: int = 1000
    query_timeout: DurationNs = 60 * 10**9
    required_labels: tuple[str, ...] = ()
    minimum_labels_number: int = 0
    blocked_queries: tuple[BlockedQuery, ...] = ()
    max_concurrent_tail_requests: int = 10
    split_queries_by_interval: DurationNs = _HOUR_NS
    retention_period: DurationNs = 0
    retention_stream: tuple[StreamRetention, ...] = ()
    allow_structured_metadata: bool = True
    max_structured_metadata_size: SizeBytes = 64 << 10
    max_structured_metadata_entries_count: int = 128
    volume_enabled: bool = True
    volume_max_series: int = 1000
    discover_service_name: tuple[str, ...] | None = None
    discover_log_levels: bool | None = None
    increment_duplicate_timestamp: bool = False
    deletion_mode: str = "filter-and-delete"
    enable_multi_variant_queries: bool = False
    otlp_config: OtlpConfig = OtlpConfig()
    per_tenant_override_config: str = ""
    per_tenant_override_period: DurationNs = 10 * 10**9
