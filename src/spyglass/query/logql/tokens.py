"""LogQL's words. A token has a kind (a word of the grammar, or IDENTIFIER, STRING, NUMBER, ...), a value and a place."""

from dataclasses import dataclass

from spyglass.model.errors import Span


@dataclass(frozen=True, slots=True)
class Token:
    """kind: as error messages spell it (`|=`, `by`, `IDENTIFIER`, `$end`).  text: as written; of a STRING the unquoted text.

    value: of DURATION and RANGE nanoseconds, of BYTES bytes.  line, column: what upstream reports; its scanner forgets the line
    where it had to look ahead (two-character operators, durations, ranges), and says 0.
    """

    kind: str
    text: str
    span: Span
    line: int
    column: int
    value: int = 0


END = "$end"
STRAY = "stray"
"""A character that no sentence holds; upstream's messages call it an IDENTIFIER."""

WORDS = frozenset(
    [
        "by",
        "without",
        "bool",
        "offset",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "or",
        "and",
        "unless",
        "json",
        "regexp",
        "logfmt",
        "unpack",
        "pattern",
        "label_format",
        "line_format",
        "decolorize",
        "drop",
        "keep",
        "unwrap",
        "variants",
        "of",
    ]
)
"""Reserved everywhere (any case): none of them can be a label's name in a query."""

RANGE_FUNCTIONS = frozenset(
    [
        "rate",
        "rate_counter",
        "count_over_time",
        "bytes_rate",
        "bytes_over_time",
        "avg_over_time",
        "sum_over_time",
        "min_over_time",
        "max_over_time",
        "stdvar_over_time",
        "stddev_over_time",
        "quantile_over_time",
        "first_over_time",
        "last_over_time",
        "absent_over_time",
    ]
)

VECTOR_FUNCTIONS = frozenset(
    ["sum", "avg", "max", "min", "count", "stddev", "stdvar", "bottomk", "topk", "approx_topk", "sort", "sort_desc"]
)

CONVERSIONS = {"bytes": "BYTES_CONV", "duration": "DURATION_CONV", "duration_seconds": "DURATION_SECONDS_CONV"}

CALLS = RANGE_FUNCTIONS | VECTOR_FUNCTIONS | {"vector", "label_replace", "ip"} | set(CONVERSIONS)
"""Functions only where a `(` (or `by (`) follows; else identifiers."""

OPERATORS_2 = ("|=", "|~", "|>", "!=", "!~", "!>", "=~", "==", ">=", "<=")
OPERATORS_1 = "{}=|()[],.+-*/%^<>"

# The order of the grammar's token declarations: messages list what they expect in this order.
_ORDER = [
    "BYTES",
    "IDENTIFIER",
    "STRING",
    "NUMBER",
    "PARSER_FLAG",
    "DURATION",
    "RANGE",
    "=",
    "=~",
    "!~",
    "!>",
    "{",
    "}",
    "[",
    "]",
    ",",
    ".",
    "|~",
    "|=",
    "|>",
    "(",
    ")",
    "by",
    "without",
    "bool",
    "json",
    "regexp",
    "logfmt",
    "|",
    "line_format",
    "label_format",
    "unwrap",
    "BYTES_CONV",
    "DURATION_CONV",
    "DURATION_SECONDS_CONV",
    "label_replace",
    "unpack",
    "offset",
    "pattern",
    "ip",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "decolorize",
    "drop",
    "keep",
    "or",
    "and",
    "unless",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
]
RANK = {kind: rank for rank, kind in enumerate(_ORDER)}
