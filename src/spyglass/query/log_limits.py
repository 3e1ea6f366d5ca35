"""What a LogQL query may ask for: Loki's names, texts and defaults. Checks of a query against them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from spyglass.config.loki_limits import BlockedQuery, LimitsConfig
from spyglass.model.errors import BudgetExceeded, InvalidParameter
from spyglass.query.logql.ast import Expr, LogExpr, MetricExpr
from spyglass.query.logql.walk import windows_of
from spyglass.text.bytesize import format_ibytes
from spyglass.text.durations import format_go_duration, format_prometheus_duration

HOUR_NS = 3600 * 10**9
NS_PER_MS = 10**6


@dataclass(frozen=True, slots=True)
class LogQueryLimits:
    """Names and defaults of limits_config; 0 is no limit. Durations in nanoseconds."""

    max_entries_limit_per_query: int = 5000
    max_query_series: int = 500
    max_query_length: int = 721 * HOUR_NS
    max_query_lookback: int = 0
    max_query_range: int = 0
    max_query_bytes_read: int = 0
    max_streams_matchers_per_query: int = 1000
    enable_multi_variant_queries: bool = False
    required_labels: tuple[str, ...] = ()
    minimum_labels_number: int = 0
    blocked_queries: tuple[BlockedQuery, ...] = ()

    @staticmethod
    def of(config: LimitsConfig) -> "LogQueryLimits":
        return LogQueryLimits(*(getattr(config, field.name) for field in fields(LogQueryLimits)))

    @staticmethod
    def tightest(several: "Sequence[LogQueryLimits]") -> "LogQueryLimits":
        """What holds for a query over several tenants: the least of each limit, all requirements."""
        if len(several) == 1:
            return several[0]
        return LogQueryLimits(
            **{
                name: min((value for one in several if (value := getattr(one, name)) > 0), default=0) for name in _LEAST
            },
            enable_multi_variant_queries=all(one.enable_multi_variant_queries for one in several),
            required_labels=tuple(dict.fromkeys(name for one in several for name in one.required_labels)),
            minimum_labels_number=max(one.minimum_labels_number for one in several),
            blocked_queries=tuple(block for one in several for block in one.blocked_queries),
        )


_LEAST = (
    "max_entries_limit_per_query",
    "max_query_series",
    "max_query_length",
    "max_query_lookback",
    "max_query_range",
    "max_query_bytes_read",
    "max_streams_matchers_per_query",
)


def bounded(limits: LogQueryLimits, start_ns: int, end_ns: int, now_ns: int) -> int:
    """The start that may be asked for. Raises: InvalidParameter."""
    if limits.max_query_lookback:
        start_ns = max(start_ns, now_ns - limits.max_query_lookback)
    if limits.max_query_length and end_ns - start_ns > limits.max_query_length:
        length, allowed = format_go_duration(end_ns - start_ns), format_go_duration(limits.max_query_length)
        raise InvalidParameter(f"the query time range exceeds the limit (query length: {length}, limit: {allowed})")
    return start_ns


def selectors_of(expr: Expr) -> list[LogExpr]:
    """The log queries in a query."""
    return [expr] if isinstance(expr, LogExpr) else [window.log for window in windows_of(expr)]


def check_selectors(limits: LogQueryLimits, expr: Expr) -> None:
    """Each must name the labels that an operator requires, and not have too many matchers. Raises: InvalidParameter."""
    for log in selectors_of(expr):
        count, most = len(log.matchers), limits.max_streams_matchers_per_query
        if most and count > most:
            raise InvalidParameter(
                f"max streams matchers per query exceeded, matchers-count > limit ({count} > {most})", span=log.span
            )
        if limits.required_labels or limits.minimum_labels_number:
            _check_required(limits, log)


def _check_required(limits: LogQueryLimits, log: LogExpr) -> None:
    present = [matcher.name for matcher in log.matchers]
    shown = ", ".join(present)
    missing = ", ".join(name for name in limits.required_labels if name not in present)
    if missing:
        raise InvalidParameter(
            f"stream selector is missing required matchers [{missing}], labels present in the query were [{shown}]",
            span=log.span,
        )
    if len(present) < limits.minimum_labels_number:
        raise InvalidParameter(
            f"stream selector has less label matchers than required: (present: [{shown}], number_present: {len(present)}, "
            f"required_number_label_matchers: {limits.minimum_labels_number})",
            span=log.span,
        )


def check_entries(limits: LogQueryLimits, limit: int) -> int:
    """The limit, where it is allowed. Raises: InvalidParameter."""
    allowed = limits.max_entries_limit_per_query
    if allowed and limit > allowed:
        raise InvalidParameter(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {allowed})"
        )
    return limit


def check_windows(limits: LogQueryLimits, expr: MetricExpr) -> None:
    """Raises: InvalidParameter where a window is longer than max_query_range."""
    allowed = limits.max_query_range
    for window in windows_of(expr) if allowed else ():
        if window.range_ns > allowed:
            asked = format_prometheus_duration(window.range_ns // NS_PER_MS)
            raise InvalidParameter(
                f"[interval] value exceeds limit: [{asked}] > [{format_prometheus_duration(allowed // NS_PER_MS)}]",
                span=window.log.span,
            )


def check_series(limits: LogQueryLimits, series: int) -> None:
    """Raises: BudgetExceeded."""
    allowed = limits.max_query_series
    if allowed and series > allowed:
        raise BudgetExceeded(
            f"maximum number of series ({allowed}) reached for a single query; consider reducing query cardinality by "
            "adding more specific stream selectors, reducing the time range, or aggregating results with functions "
            "like sum(), count() or topk()"
        )


def check_bytes(limits: LogQueryLimits, size_bytes: int) -> None:
    """Raises: InvalidParameter where a query would read more than max_query_bytes_read."""
    allowed = limits.max_query_bytes_read
    if allowed and size_bytes > allowed:
        raise InvalidParameter(
            f"the query would read too many bytes (query: {format_ibytes(size_bytes)}, limit: "
            f"{format_ibytes(allowed)}); consider adding more specific stream selectors or reduce the time range of the query"
        )
