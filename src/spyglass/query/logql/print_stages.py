"""Stages back to text, as upstream spells them."""

from spyglass.model.log_stages import (
    AndPredicate,
    DropLabels,
    IpPredicate,
    JsonParser,
    KeepLabels,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    LogfmtParser,
    LogStage,
    NumberPredicate,
    OrPredicate,
    PatternParser,
    Predicate,
    RegexpParser,
    StringPredicate,
)
from spyglass.text.bytesize import format_bytes
from spyglass.text.durations import format_go_duration
from spyglass.text.gofloat import format_float
from spyglass.text.gostring import quote


def print_stage(stage: LogStage) -> str:
    """One stage with its leading `|` or operator."""
    if isinstance(stage, LineFilter):
        return _line_filter(stage)
    if isinstance(stage, LabelFilter):
        return f"| {print_predicate(stage.predicate)}"
    return f"| {_body(stage)}"


def _line_filter(stage: LineFilter) -> str:
    values = (
        f"ip({quote(value)})" if is_ip else quote(value) for value, is_ip in zip(stage.values, stage.ip, strict=True)
    )
    if stage.op in ("!=", "!~", "!>"):
        return " ".join(f"{stage.op} {value}" for value in values)
    return f"{stage.op} {' or '.join(values)}"


def _body(stage: LogStage) -> str:
    if isinstance(stage, JsonParser):
        return "json" + _extractions(stage.expressions)
    if isinstance(stage, LogfmtParser):
        flags = (" --strict" if stage.strict else "") + (" --keep-empty" if stage.keep_empty else "")
        return f"logfmt{flags}{_extractions(stage.expressions)}"
    if isinstance(stage, RegexpParser | PatternParser):
        return f"{stage.kind} {quote(stage.pattern)}"
    if isinstance(stage, LineFormat):
        return f"line_format {quote(stage.template)}"
    if isinstance(stage, LabelFormat):
        return "label_format " + ",".join(
            f"{target}={quote(source) if is_template else source}" for target, source, is_template in stage.formats
        )
    if isinstance(stage, DropLabels | KeepLabels):
        return f"{stage.kind} " + ",".join([*stage.names, *map(print_predicate, stage.matchers)])
    return stage.kind


def _extractions(expressions: tuple[tuple[str, str], ...]) -> str:
    return " " + ",".join(f"{name}={quote(path)}" for name, path in expressions) if expressions else ""


def print_predicate(predicate: Predicate) -> str:
    """A label filter without its `|`; nested ones in parentheses."""
    if isinstance(predicate, AndPredicate):
        return f"( {print_predicate(predicate.left)} , {print_predicate(predicate.right)} )"
    if isinstance(predicate, OrPredicate):
        return f"( {print_predicate(predicate.left)} or {print_predicate(predicate.right)} )"
    if isinstance(predicate, StringPredicate):
        return f"{predicate.name}{predicate.op}{quote(predicate.value)}"
    if isinstance(predicate, IpPredicate):
        return f"{predicate.name}{predicate.op}ip({quote(predicate.pattern)})"
    op = "==" if predicate.op == "=" else predicate.op
    return f"{predicate.name}{op}{_amount(predicate)}"


def _amount(predicate: NumberPredicate) -> str:
    if predicate.unit == "duration":
        return format_go_duration(round(predicate.value * 1e9))
    if predicate.unit == "bytes":
        return format_bytes(int(predicate.value))
    return format_float(predicate.value)
