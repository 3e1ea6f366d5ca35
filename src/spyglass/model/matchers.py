"""Label matchers, shared by PromQL, LogQL, the series APIs and the stores."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from spyglass.text.regex import AnchoredRegex


class MatchOp(Enum):
    """How a matcher compares; the value is its spelling in a query."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label matcher. A label that is absent has the value "". Regexes are RE2 and fully anchored.

    Build regex matchers with `Matcher.of`, which compiles (and so validates) the expression.
    """

    name: str
    op: MatchOp
    value: str

    @staticmethod
    def of(name: str, op: str, value: str) -> "Matcher":
        """Raises: ValueError with RE2's message if the regex is bad."""
        matcher = Matcher(name, MatchOp(op), value)
        if matcher.is_regex:
            _compiled(value)
        return matcher

    @property
    def is_regex(self) -> bool:
        return self.op in (MatchOp.REGEX, MatchOp.NOT_REGEX)

    @property
    def is_negative(self) -> bool:
        return self.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX)

    def matches(self, value: str) -> bool:
        """Whether one label value passes. Stores call this once per distinct value."""
        if self.is_regex:
            return _compiled(self.value).matches(value) != self.is_negative
        return (value == self.value) != self.is_negative

    def matches_empty(self) -> bool:
        """Whether a series without the label passes."""
        return self.matches("")

    def literal_alternatives(self) -> tuple[str, ...] | None:
        """The finite set of values that the positive form can match (`a|b|c`), or None where it is not finite."""
        if not self.is_regex:
            return (self.value,)
        return _compiled(self.value).alternatives

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.name}{self.op.value}"{escaped}"'


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> AnchoredRegex:
    return AnchoredRegex(pattern)
