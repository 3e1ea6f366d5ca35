"""blocked_queries: queries that an operator does not want to be asked. Source: Loki's documentation of blocking queries."""

from collections.abc import Sequence

from spyglass.config.loki_limits import BlockedQuery, QueryType
from spyglass.model.errors import InvalidParameter
from spyglass.model.log_stages import LabelFilter, LineFilter
from spyglass.query.logql.ast import Expr, LogExpr
from spyglass.text.regex import RegexError, compile_regex

_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193


class QueryBlocked(InvalidParameter):
    """An operator blocked the query (400)."""


def check_blocked(blocks: Sequence[BlockedQuery], query: str, expr: Expr) -> None:
    """The first entry that matches the text decides, by its types. Raises: QueryBlocked."""
    for block in blocks:
        if _matches(block, query):
            if not block.types or type_of(expr) in block.types:
                raise QueryBlocked("query blocked by policy")
            return


def _matches(block: BlockedQuery, query: str) -> bool:
    if block.tags:
        return False
    if block.hash:
        return block.hash == hash_of(query)
    if not block.pattern or block.pattern.strip() == query.strip():
        return True
    if not block.regex:
        return False
    try:
        return compile_regex(block.pattern).search(query) is not None
    except RegexError:
        return False


def type_of(expr: Expr) -> QueryType:
    """A metric query; lines chosen by a filter; lines of streams as they are."""
    if not isinstance(expr, LogExpr):
        return "metric"
    return "filter" if any(isinstance(stage, LineFilter | LabelFilter) for stage in expr.stages) else "limited"


def hash_of(query: str) -> int:
    """FNV-1, 32 bits, as Loki's own log names queries by.

    >>> hash_of('{stream="stdout",pod="loki-canary-9w49x"}')
    2943214005
    """
    value = _FNV_OFFSET
    for byte in query.encode("utf-8", "surrogatepass"):
        value = value * _FNV_PRIME % (1 << 32) ^ byte
    return value
