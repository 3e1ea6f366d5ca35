"""RE2 in Go's flavour: linear time on hostile input, no back-references.

Go's regexp and C++ RE2 share the syntax; error texts are brought to Go's form ("error parsing regexp: ...").
"""

import re
from functools import lru_cache

import re2

_REFERENCE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})", re.ASCII)

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 64 << 20

_META = frozenset("\\.+*?()|[]{}^$")


class RegexError(ValueError):
    """The pattern is not RE2; the text is Go's."""


def compile_regex(pattern: str) -> "re2._Regexp[str]":
    """Compile an unanchored RE2 pattern. Raises RegexError with Go's text."""
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as err:
        raise RegexError(f"error parsing regexp: {_go_message(err)}") from None


def _go_message(err: Exception) -> str:
    message = err.args[0] if err.args else str(err)
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    # C++ RE2 says "missing ): (abc"; Go says "missing closing ): `(abc`".
    head, separator, tail = text.partition(": ")
    head = {"missing )": "missing closing )", "missing ]": "missing closing ]"}.get(head, head)
    return f"{head}: `{tail}`" if separator else head


class AnchoredRegex:
    """A fully anchored regex where `.` matches newlines, as label matchers want it (Prometheus 3).

    `alternatives` holds the values of a plain `a|b|c`, which callers turn into set look-ups.
    """

    __slots__ = ("_program", "alternatives", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        # Compile the pattern alone first: its errors must not mention our wrapping.
        compile_regex(pattern)
        self._program = compile_regex(f"(?s:{pattern})")
        self.alternatives = _literal_alternatives(pattern)

    def matches(self, value: str) -> bool:
        if self.alternatives is not None:
            return value in self.alternatives
        return self._program.fullmatch(value) is not None


def _literal_alternatives(pattern: str) -> tuple[str, ...] | None:
    """`a|b|` -> ("a", "b", ""); None where any part holds an operator.

    >>> _literal_alternatives("get|put")
    ('get', 'put')
    >>> _literal_alternatives("g.t|put") is None
    True
    """
    parts = pattern.split("|")
    if any(_META.intersection(part) for part in parts):
        return None
    return tuple(dict.fromkeys(parts))


@lru_cache(maxsize=4096)
def anchored_program(pattern: str) -> "re2._Regexp[str]":
    """A compiled program for `fullmatch` where `.` matches newlines; cached, since relabelling runs it per label."""
    compile_regex(pattern)
    return compile_regex(f"(?s:{pattern})")


def expand(template: str, match: "re2._Match[str]") -> str:
    """Go's Regexp.Expand: `$1`, `${name}`, `$$`. A reference takes the longest run of word characters; unknown ones are empty.

    >>> expand("${1}-$2!", anchored_program("(a)(b)").fullmatch("ab"))
    'a-b!'
    """
    if "$" not in template:
        return template
    named = match.re.groupindex

    def value(reference: "re.Match[str]") -> str:
        dollar, bare, braced = reference.groups()
        if dollar:
            return "$"
        key = bare or braced
        index = int(key) if key.isdigit() else named.get(key, -1)
        if index < 0 or index > match.re.groups:
            return ""
        return match.group(index) or ""

    return _REFERENCE.sub(value, template)


def quote_meta(text: str) -> str:
    """Go's regexp.QuoteMeta: a pattern that matches the text itself.

    >>> quote_meta("a.b")
    'a\\\\.b'
    """
    return "".join(f"\\{char}" if char in _META or char == "|" else char for char in text)
