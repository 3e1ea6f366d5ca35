"""The stages of a LogQL pipeline as plain values: what the parser makes, the executor runs, and a store may compile.

One class per stage of the language; all immutable. Strings are already unquoted. A regex or template is valid: the parser has
compiled it. Source: the LogQL documentation (stream selectors, line filters, parsers, label filters, format expressions).
"""

from dataclasses import dataclass
from typing import Literal

LineOp = Literal["|=", "!=", "|~", "!~", "|>", "!>"]
CompareOp = Literal["==", "=", "!=", ">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class LineFilter:
    """`|= "a" or "b"`: keep lines where any of `values` matches (for the negative operators: where none does).

    ip[i] True: values[i] is the argument of ip("..."): an address, a CIDR or a range a-b.
    """

    op: LineOp
    values: tuple[str, ...]
    ip: tuple[bool, ...]
    kind: Literal["line_filter"] = "line_filter"


@dataclass(frozen=True, slots=True)
class JsonParser:
    """`| json` or `| json a="x.y", b="z[0]"`. expressions: (label, path as written); empty: all fields, flattened with `_`."""

    expressions: tuple[tuple[str, str], ...] = ()
    kind: Literal["json"] = "json"


@dataclass(frozen=True, slots=True)
class LogfmtParser:
    """`| logfmt [--strict] [--keep-empty] [a="x", ...]`."""

    expressions: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    keep_empty: bool = False
    kind: Literal["logfmt"] = "logfmt"


@dataclass(frozen=True, slots=True)
class RegexpParser:
    pattern: str
    kind: Literal["regexp"] = "regexp"


@dataclass(frozen=True, slots=True)
class PatternParser:
    pattern: str
    kind: Literal["pattern"] = "pattern"


@dataclass(frozen=True, slots=True)
class UnpackParser:
    kind: Literal["unpack"] = "unpack"


@dataclass(frozen=True, slots=True)
class StringPredicate:
    """`name="v"`, `name=~"re"`: anchored as a matcher. An absent label has the value ""."""

    name: str
    op: Literal["=", "!=", "=~", "!~"]
    value: str


@dataclass(frozen=True, slots=True)
class NumberPredicate:
    """`name > 1.5`. unit: how the label's text is read: a plain number, a Go duration (value in seconds) or bytes."""

    name: str
    op: CompareOp
    value: float
    unit: Literal["number", "duration", "bytes"]


@dataclass(frozen=True, slots=True)
class IpPredicate:
    name: str
    op: Literal["=", "!="]
    pattern: str


@dataclass(frozen=True, slots=True)
class AndPredicate:
    left: "Predicate"
    right: "Predicate"


@dataclass(frozen=True, slots=True)
class OrPredicate:
    left: "Predicate"
    right: "Predicate"


Predicate = StringPredicate | NumberPredicate | IpPredicate | AndPredicate | OrPredicate


@dataclass(frozen=True, slots=True)
class LabelFilter:
    predicate: Predicate
    kind: Literal["label_filter"] = "label_filter"


@dataclass(frozen=True, slots=True)
class LineFormat:
    template: str
    kind: Literal["line_format"] = "line_format"


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """`| label_format a=b, c="{{.d}}"`: (target, source, is_template) in order."""

    formats: tuple[tuple[str, str, bool], ...]
    kind: Literal["label_format"] = "label_format"


@dataclass(frozen=True, slots=True)
class Decolorize:
    kind: Literal["decolorize"] = "decolorize"


@dataclass(frozen=True, slots=True)
class DropLabels:
    """`| drop a, b="x"`: plain names and matchers."""

    names: tuple[str, ...]
    matchers: tuple[StringPredicate, ...] = ()
    kind: Literal["drop"] = "drop"


@dataclass(frozen=True, slots=True)
class KeepLabels:
    names: tuple[str, ...]
    matchers: tuple[StringPredicate, ...] = ()
    kind: Literal["keep"] = "keep"


LogStage = (
    LineFilter
    | JsonParser
    | LogfmtParser
    | RegexpParser
    | PatternParser
    | UnpackParser
    | LabelFilter
    | LineFormat
    | LabelFormat
    | Decolorize
    | DropLabels
    | KeepLabels
)
