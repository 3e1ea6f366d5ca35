"""Variables in queries: which names a text refers to, and the text with plausible values in their place.

References are `$name`, `${name}`, `${name:format}`, `${name.path}`, `[[name]]`, `[[name:format]]`. Built-in names have the values that a
dashboard of one hour and a thousand pixels would give them. Source: Grafana's documentation, "Variable syntax".
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

REFERENCE = re.compile(
    r"\$([A-Za-z_]\w*)|\[\[([A-Za-z_]\w*)(?::(\w+))?\]\]|\$\{([A-Za-z_]\w*)(?:\.([^:^}]+))?(?::([^}]+))?\}"
)
# No braces inside: looking for an end that is not there would take the square of the text's length.
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")

BUILTINS: Mapping[str, str] = {
    "__interval": "15s",
    "__interval_ms": "15000",
    "__rate_interval": "1m",
    "__rate_interval_ms": "60000",
    "__auto": "15s",
    "__range": "3600s",
    "__range_s": "3600",
    "__range_ms": "3600000",
    "__from": "1700000000000",
    "__to": "1700003600000",
    "__dashboard": "dashboard",
    "__org": "1",
    "__user": "1",
    "timezone": "utc",
    "interval": "15s",
}
"""ui/src/core/variables.ts, builtinScope."""

LINK_NAMES = frozenset(
    {"__value", "__field", "__series", "__data", "__all_variables", "__url_time_range", "__url", "__timezone"}
)
"""Names that only links know."""

Value = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name stands for. None: whatever fits where it stands. verbatim: written as it is, in no format."""

    value: Value | None
    verbatim: bool = False


Scope = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Reference:
    name: str
    format: str
    path: str


def references(text: str) -> Iterator[Reference]:
    """Each reference, in order. What stands in a template's braces (`{{ $x }}`) is the template's own."""
    for match in REFERENCE.finditer(_TEMPLATE.sub("", text)):
        yield _reference(match)


def _reference(match: re.Match[str]) -> Reference:
    name = match[1] or match[2] or match[4]
    return Reference(name, match[3] or match[6] or "", match[5] or "")


def fill(text: str, scope: Scope, *, guess: str = "x", trust: bool = True) -> str:
    """The query with every known reference filled in, as Grafana writes it into PromQL and LogQL.

    guess: for names of which nothing is known, where they stand neither in a text nor in a duration.
    trust: use the values that the dashboard was saved with; else those are guessed too.
    """
    if "$" not in text and "[[" not in text:
        return text
    stands_in = _contexts(text)

    def one(match: re.Match[str]) -> str:
        if stands_in[match.start()] == "template":
            return match[0]
        reference = _reference(match)
        entry = scope.get(reference.name)
        if entry is None:
            if reference.name in BUILTINS:
                return BUILTINS[reference.name]
            return {"text": match[0], "duration": "5m"}.get(stands_in[match.start()], guess)
        if entry.verbatim:
            return str(entry.value)
        if entry.value is None or not trust:
            return {"text": "x", "duration": "5m"}.get(stands_in[match.start()], guess)
        return written(entry.value, reference)

    return REFERENCE.sub(one, text)


def _contexts(text: str) -> list[str]:
    """What each character stands in: "template", "text", "duration" (square brackets), or "" for elsewhere."""
    found: list[str] = []
    mark, brackets, escaped = "", 0, False
    for char in text:
        found.append("text" if mark else "duration" if brackets > 0 else "")
        if mark:
            closes = char == mark and not escaped
            escaped = char == "\\" and not escaped and mark != "`"
            mark = "" if closes else mark
        elif char in "\"'`":
            mark = char
        elif char in "[]":
            brackets += 1 if char == "[" else -1
    for match in _TEMPLATE.finditer(text):
        found[match.start() : match.end()] = ["template"] * (match.end() - match.start())
    return found


def written(value: Value, reference: Reference) -> str:
    """A value in a reference's format; without one as Grafana writes values into PromQL and LogQL."""
    values = (value,) if isinstance(value, str) else value
    kind = reference.format.partition(":")[0]
    if kind:
        return _FORMATS.get(kind, _glob)(values, reference)
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace('"', '\\"')
    escaped = [_ESCAPED.sub(r"\\\\\g<0>", one.replace("\\", "\\\\\\\\")) for one in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


_ESCAPED = re.compile(r"[$^*{}\[\]'+?.()|]")
_REGEX_META = re.compile(r"[\\^$.*+?()\[\]{}|/-]")


def _regex(values: Sequence[str], _: Reference) -> str:
    escaped = [_REGEX_META.sub(r"\\\g<0>", one) for one in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _glob(values: Sequence[str], _: Reference) -> str:
    return values[0] if len(values) == 1 else "{" + ",".join(values) + "}"


def _csv(values: Sequence[str], _: Reference) -> str:
    return ",".join(values)


_FORMATS: Mapping[str, Callable[[Sequence[str], Reference], str]] = {
    "csv": _csv,
    "raw": _csv,
    "glob": _glob,
    "regex": _regex,
    "pipe": lambda values, _: "|".join(values),
    "text": lambda values, _: " + ".join(values),
    "json": lambda values, _: json.dumps(values[0] if len(values) == 1 else list(values)),
    "distributed": lambda values, ref: ",".join(f"{ref.name}={v}" if i else v for i, v in enumerate(values)),
    "singlequote": lambda values, _: ",".join("'" + v.replace("'", "\\'") + "'" for v in values),
    "doublequote": lambda values, _: ",".join('"' + v.replace('"', '\\"') + '"' for v in values),
    "sqlstring": lambda values, _: ",".join("'" + v.replace("'", "''") + "'" for v in values),
    "percentencode": lambda values, ref: quote(_glob(values, ref), safe=""),
    "uriencode": lambda values, _: quote(",".join(values), safe=";,/?:@&=+$-_.!~*'()#"),
    "queryparam": lambda values, ref: "&".join(f"var-{ref.name}={quote(v, safe='')}" for v in values),
    "date": lambda values, _: values[0],
    "join": lambda values, ref: (ref.format.partition(":")[2] or ",").join(values),
}
