"""Selectors and pipeline stages."""

from typing import get_args

from spyglass.model.errors import ParseError, Span
from spyglass.model.log_stages import (
    AndPredicate,
    Decolorize,
    DropLabels,
    IpPredicate,
    JsonParser,
    KeepLabels,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineOp,
    LogfmtParser,
    LogStage,
    NumberPredicate,
    OrPredicate,
    PatternParser,
    Predicate,
    RegexpParser,
    StringPredicate,
    UnpackParser,
)
from spyglass.model.matchers import Matcher
from spyglass.query.logql.checks import check_stage
from spyglass.query.logql.cursor import Cursor, complaint
from spyglass.text.gonumbers import parse_go_float

LINE_OPS = get_args(LineOp)
MATCH_OPS = ("=", "!=", "=~", "!~")
COMPARE_OPS = ("==", "=", "!=", ">", ">=", "<", "<=")


def parse_selector(cursor: Cursor) -> tuple[Matcher, ...]:
    """`{a="b", c=~"d"}`."""
    cursor.expect("{")
    if cursor.accept("}"):
        return ()
    matchers: list[Matcher] = []
    while True:
        if cursor.kind != "IDENTIFIER":
            raise cursor.unexpected(*(("IDENTIFIER",) if matchers else ("IDENTIFIER", "}")))
        matchers.append(_matcher(cursor))
        if cursor.accept("}"):
            return tuple(matchers)
        cursor.expect(",", "}")


def _matcher(cursor: Cursor) -> Matcher:
    name = cursor.take()
    op = cursor.expect(*MATCH_OPS).kind
    value = cursor.expect("STRING")
    try:
        return Matcher.of(name.text, op, value.text)
    except ValueError as err:
        raise complaint(str(err), value.span) from None


def parse_stages(cursor: Cursor) -> tuple[LogStage, ...]:
    """Stages until something follows that is none (or is `| unwrap`)."""
    stages: list[LogStage] = []
    while True:
        start = cursor.token.span.start
        if cursor.kind in LINE_OPS:
            stage: LogStage = _line_filter(cursor)
        elif cursor.kind == "|" and cursor.peek() != "unwrap":
            cursor.take()
            stage = _stage(cursor)
        else:
            return tuple(stages)
        try:
            check_stage(stage, cursor.span_from(start))
        except ParseError as err:
            cursor.deferred.append(err)
        stages.append(stage)


def _line_filter(cursor: Cursor) -> LineFilter:
    op = cursor.take().kind
    assert op in LINE_OPS, "the caller looked"
    values, ips = [], []
    while True:
        if cursor.accept("ip"):
            cursor.expect("(")
            values.append(cursor.expect("STRING").text)
            cursor.expect(")")
            ips.append(True)
        else:
            values.append(cursor.expect("STRING", "ip").text)
            ips.append(False)
        if not cursor.accept("or"):
            return LineFilter(op, tuple(values), tuple(ips))  # type: ignore[arg-type]


def _stage(cursor: Cursor) -> LogStage:
    kind = cursor.kind
    if kind in ("IDENTIFIER", "("):
        return LabelFilter(parse_predicate(cursor))
    parse = _STAGES.get(kind)
    if parse is None:
        raise cursor.unexpected()
    cursor.take()
    return parse(cursor)


def _json(cursor: Cursor) -> LogStage:
    return JsonParser(_extractions(cursor)) if cursor.kind == "IDENTIFIER" else JsonParser()


def _logfmt(cursor: Cursor) -> LogStage:
    flags = set()
    while flag := cursor.accept("PARSER_FLAG"):
        flags.add(flag.text)
    expressions = _extractions(cursor) if cursor.kind == "IDENTIFIER" else ()
    return LogfmtParser(expressions, "--strict" in flags, "--keep-empty" in flags)


def _extractions(cursor: Cursor) -> tuple[tuple[str, str], ...]:
    """`a="x.y", b`: a bare name is its own expression."""
    found = []
    while True:
        name = cursor.expect("IDENTIFIER").text
        found.append((name, cursor.expect("STRING").text if cursor.accept("=") else name))
        if not cursor.accept(","):
            return tuple(found)


def _label_format(cursor: Cursor) -> LogStage:
    formats = []
    while True:
        target = cursor.expect("IDENTIFIER").text
        cursor.expect("=")
        source = cursor.expect("IDENTIFIER", "STRING")
        formats.append((target, source.text, source.kind == "STRING"))
        if not cursor.accept(","):
            return LabelFormat(tuple(formats))


def _named(cursor: Cursor) -> tuple[tuple[str, ...], tuple[StringPredicate, ...]]:
    """`a, b="x"` of drop and keep."""
    names: list[str] = []
    matchers: list[StringPredicate] = []
    while True:
        if cursor.kind == "IDENTIFIER" and cursor.peek() in MATCH_OPS:
            matcher = _matcher(cursor)
            matchers.append(StringPredicate(matcher.name, matcher.op.value, matcher.value))
        else:
            names.append(cursor.expect("IDENTIFIER").text)
        if not cursor.accept(","):
            return tuple(names), tuple(matchers)


def _drop(cursor: Cursor) -> LogStage:
    return DropLabels(*_named(cursor))


def _keep(cursor: Cursor) -> LogStage:
    return KeepLabels(*_named(cursor))


_STAGES = {
    "json": _json,
    "logfmt": _logfmt,
    "unpack": lambda cursor: UnpackParser(),  # noqa: ARG005
    "decolorize": lambda cursor: Decolorize(),  # noqa: ARG005
    "regexp": lambda cursor: RegexpParser(cursor.expect("STRING").text),
    "pattern": lambda cursor: PatternParser(cursor.expect("STRING").text),
    "line_format": lambda cursor: LineFormat(cursor.expect("STRING").text),
    "label_format": _label_format,
    "drop": _drop,
    "keep": _keep,
}


def parse_predicate(cursor: Cursor, *, inside_and: bool = False, inside_or: bool = False) -> Predicate:
    """`a="x" and b > 5 or c`: `and` binds tighter than `or`.

    A comma or nothing at all also means and; as upstream's grammar resolves its conflicts, the right side of such an and
    reaches as far as it can: `a, b or c` is `a and (b or c)`.
    """
    left = _primary(cursor)
    while True:
        kind = cursor.kind
        if kind == "or" and not inside_or and not inside_and:
            cursor.take()
            left = OrPredicate(left, parse_predicate(cursor, inside_or=True))
        elif kind == "and" and not inside_and:
            cursor.take()
            left = AndPredicate(left, parse_predicate(cursor, inside_and=True))
        elif kind == ",":
            cursor.take()
            left = AndPredicate(left, parse_predicate(cursor))
        elif kind in ("IDENTIFIER", "("):
            left = AndPredicate(left, parse_predicate(cursor))
        else:
            return left


def _primary(cursor: Cursor) -> Predicate:
    if cursor.accept("("):
        inner = parse_predicate(cursor)
        cursor.expect_among_many(")")
        return inner
    name = cursor.expect("IDENTIFIER", "(").text
    if cursor.kind not in (*COMPARE_OPS, "=~", "!~"):
        raise cursor.unexpected()
    op = cursor.take().kind
    value = cursor.token
    if op in ("=~", "!~"):
        cursor.expect("STRING")
        return _string(name, op, value.text, value.span)
    if value.kind == "STRING" and op in ("=", "!="):
        cursor.take()
        return _string(name, op, value.text, value.span)
    if value.kind == "ip" and op in ("=", "!="):
        return _ip(cursor, name, op)
    if value.kind == "DURATION":
        cursor.take()
        return NumberPredicate(name, op, value.value / 1e9, "duration")  # type: ignore[arg-type]
    if value.kind == "BYTES":
        cursor.take()
        return NumberPredicate(name, op, float(value.value), "bytes")  # type: ignore[arg-type]
    return NumberPredicate(name, op, parse_number(cursor), "number")  # type: ignore[arg-type]


def _string(name: str, op: str, value: str, span: Span) -> StringPredicate:
    try:
        Matcher.of(name, op, value)
    except ValueError as err:
        raise complaint(str(err), span) from None
    return StringPredicate(name, op, value)  # type: ignore[arg-type]


def _ip(cursor: Cursor, name: str, op: str) -> IpPredicate:
    cursor.take()
    cursor.expect("(")
    pattern = cursor.expect("STRING").text
    cursor.expect(")")
    return IpPredicate(name, op, pattern)  # type: ignore[arg-type]


def parse_number(cursor: Cursor) -> float:
    """`5`, `+5`, `-5`."""
    sign = cursor.accept("+", "-")
    if cursor.kind != "NUMBER":
        raise cursor.unexpected(*(("NUMBER",) if sign else ()))
    value = number_value(cursor.take().text)
    return -value if sign is not None and sign.kind == "-" else value


def number_value(text: str) -> float:
    try:
        return parse_go_float(text.replace("_", ""))
    except ValueError:
        try:
            return float(int(text, 0))
        except ValueError:
            raise complaint(f'strconv.ParseFloat: parsing "{text}": invalid syntax') from None
