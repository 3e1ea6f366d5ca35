"""PromQL's tokens: kinds, keyword tables, and how upstream names a token in an error.

Source of the kinds and of the descriptions: Prometheus promql/parser/lex.go.
"""

from dataclasses import dataclass

from spyglass.model.errors import Span
from spyglass.query.syntax.quoting import quote

OPERATOR_WORDS = {"and", "or", "unless", "atan2"}
AGGREGATORS = {
    "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk",
    "count_values", "quantile", "limitk", "limit_ratio",
}  # fmt: skip
PARAMETERISED = {"topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"}
EXPERIMENTAL_AGGREGATORS = {"limitk", "limit_ratio"}
KEYWORDS = {
    "offset", "smoothed", "anchored", "by", "without", "on", "ignoring", "group_left", "group_right",
    "fill", "fill_left", "fill_right", "bool",
}  # fmt: skip
PREPROCESSORS = {"start", "end", "step", "range"}
COMPARISONS = {"==", "!=", "<=", "<", ">=", ">"}
SET_OPERATORS = {"and", "or", "unless"}
TRIM_OPERATORS = {"</", ">/"}


@dataclass(frozen=True, slots=True)
class Token:
    """kind: "identifier", "metric identifier", "string", "number", "duration", "aggregator", "keyword", "preprocessor",
    "op" (operators, words included), "punctuation", "end of input" or "error" (text: the message).

    value: the word in lower case for words of the language, else the text.
    """

    kind: str
    text: str
    start: int
    value: str = ""

    @property
    def span(self) -> Span:
        return Span(self.start, self.start + len(self.text))

    def is_(self, *values: str) -> bool:
        """Whether this is one of these words, operators or signs (never an identifier or a literal)."""
        return self.value in values and self.kind in _FIXED

    def description(self) -> str:
        """How upstream calls the token in `unexpected ...`."""
        if self.kind == "end of input":
            return "end of input"
        if self.kind in ("identifier", "metric identifier"):
            return f"{self.kind} {quote(self.text)}"
        if self.kind == "keyword":
            return f"<{self.text}>"
        if self.kind == "op":
            return f"<op:{self.text}>"
        if self.kind == "aggregator":
            return f"<aggr:{self.text}>"
        shown = quote(self.text) if len(self.text) <= 10 else f"{quote(self.text[:10])}..."
        return shown if self.kind in ("punctuation", "preprocessor") else f"{self.kind} {shown}"


_FIXED = {"aggregator", "keyword", "preprocessor", "op", "punctuation"}
WORDS = {"identifier", "metric identifier", "aggregator", "keyword", "preprocessor"}
