"""What the grammar cannot say: stages that must compile, aggregations and their parameters. Upstream's texts."""

import re
from collections.abc import Iterator

from spyglass.model.errors import ParseError, Span
from spyglass.model.log_stages import (
    AndPredicate,
    IpPredicate,
    JsonParser,
    LabelFilter,
    LabelFormat,
    LineFilter,
    LineFormat,
    LogStage,
    NumberPredicate,
    OrPredicate,
    PatternParser,
    Predicate,
    RegexpParser,
    StringPredicate,
)
from spyglass.query.logql.ast import LogExpr, RangeAggregation
from spyglass.query.logql.cursor import complaint
from spyglass.query.logql.print_stages import print_stage
from spyglass.text.gotemplate import TemplateError
from spyglass.text.ip import line_matcher
from spyglass.text.jsonlines import parse_path
from spyglass.text.pattern import pattern_matcher, pattern_parser
from spyglass.text.regex import compile_regex
from spyglass.text.template_functions import line_template

NEEDS_MATCHER = (
    "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
    'For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

UNWRAPPED = frozenset(
    [
        "avg_over_time",
        "sum_over_time",
        "max_over_time",
        "min_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "rate",
        "rate_counter",
        "absent_over_time",
        "first_over_time",
        "last_over_time",
    ]
)
PLAIN = frozenset(["bytes_over_time", "bytes_rate", "count_over_time", "rate", "absent_over_time"])
GROUPED = frozenset(
    [
        "avg_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "max_over_time",
        "min_over_time",
        "first_over_time",
        "last_over_time",
    ]
)


def check_stage(stage: LogStage, span: Span) -> None:
    """Compile what is in a stage. Raises: ParseError."""
    if isinstance(stage, RegexpParser | PatternParser):
        _check_parser(stage, span)
        return
    try:
        _check_parts(stage)
    except (ValueError, TemplateError) as err:
        raise complaint(f"stage '{print_stage(stage)}' : {err}", span) from None


def _check_parser(stage: RegexpParser | PatternParser, span: Span) -> None:
    try:
        if isinstance(stage, PatternParser):
            pattern_parser(stage.pattern)
        else:
            _check_captures(stage.pattern)
    except ValueError as err:
        raise complaint(f"invalid {stage.kind} parser: {err}", span) from None


def _check_captures(pattern: str) -> None:
    names = compile_regex(pattern).groupindex
    if not names:
        raise ValueError("at least one named capture must be supplied")
    for name in names:
        if not _LABEL_NAME.fullmatch(name):
            raise ValueError(f"invalid extracted label name '{name}'")


def _check_parts(stage: LogStage) -> None:
    if isinstance(stage, LineFilter):
        _check_line_filter(stage)
    elif isinstance(stage, LabelFilter):
        for predicate in leaves(stage.predicate):
            if isinstance(predicate, IpPredicate):
                line_matcher(predicate.pattern)
    elif isinstance(stage, JsonParser):
        for _, path in stage.expressions:
            try:
                parse_path(path)
            except ValueError as err:
                raise ValueError(f"cannot parse expression [{path}]: {err}") from None
    elif isinstance(stage, LineFormat):
        _template(stage.template, "invalid line template: ")
    elif isinstance(stage, LabelFormat):
        _check_label_format(stage)


def _check_line_filter(stage: LineFilter) -> None:
    for value, is_ip in zip(stage.values, stage.ip, strict=True):
        if is_ip:
            if stage.op not in ("|=", "!="):
                raise ValueError("ip: invalid operation")
            line_matcher(value)
        elif stage.op in ("|~", "!~"):
            compile_regex(value)
        elif stage.op in ("|>", "!>"):
            pattern_matcher(value)


def _check_label_format(stage: LabelFormat) -> None:
    seen: set[str] = set()
    for target, source, is_template in stage.formats:
        if target == "__error__":
            raise ValueError(f"{target} cannot be formatted")
        if target in seen:
            raise ValueError(f"multiple label name '{target}' not allowed in a single format operation")
        seen.add(target)
        if is_template:
            _template(source, f"invalid template for label '{target}': ")


def _template(text: str, prefix: str) -> None:
    try:
        line_template(text)
    except TemplateError as err:
        raise ValueError(f"{prefix}{err}") from None


Leaf = StringPredicate | NumberPredicate | IpPredicate


def leaves(predicate: Predicate) -> Iterator[Leaf]:
    """The comparisons of a label filter, left to right."""
    if isinstance(predicate, AndPredicate | OrPredicate):
        yield from leaves(predicate.left)
        yield from leaves(predicate.right)
    else:
        yield predicate


def check_selector(log: LogExpr) -> None:
    """At least one matcher must exclude streams without its label. Raises: ParseError."""
    if not any(not matcher.matches_empty() for matcher in log.matchers if not matcher.is_negative):
        raise complaint(NEEDS_MATCHER, log.span)


def check_range_aggregation(node: RangeAggregation) -> None:
    """Raises: ParseError."""
    reason = _range_problem(node)
    if reason:
        raise complaint(reason, node.span)


def _range_problem(node: RangeAggregation) -> str:
    op = node.op
    if op == "quantile_over_time" and node.parameter is None:
        return f"parameter required for operation {op}"
    if op != "quantile_over_time" and node.parameter is not None:
        return f"parameter {node.parameter:g} not supported for operation {op}"
    if node.grouping is not None and op not in GROUPED:
        return f"grouping not allowed for {op} aggregation"
    if node.window.unwrap is not None:
        return "" if op in UNWRAPPED else f"invalid aggregation {op} with unwrap"
    return "" if op in PLAIN else f"invalid aggregation {op} without unwrap"


def vector_parameter(op: str, written: str | None, span: Span) -> int:
    """The k of an aggregation. Raises: ParseError."""
    if op in ("topk", "bottomk", "approx_topk"):
        if written is None:
            raise complaint(f"parameter required for operation {op}", span)
        if not written.isdigit():
            raise complaint(f"invalid parameter {op}({written},", span)
        if int(written) < 1:
            raise complaint(f"invalid parameter (must be greater than 0) {op}({written}", span)
        return int(written)
    if written is not None:
        raise complaint(f"unsupported parameter for operation {op}({written},", span)
    return 0


def unexpected_literal(side: str, op: str, value: float, span: Span) -> ParseError:
    return complaint(f"unexpected literal for {side} leg of logical/set binary operation ({op}): {value:f}", span)


def literal_operand(op: str, span: Span) -> ParseError:
    """Upstream only finds out when it evaluates the query, and answers 500 with the names of its own types."""
    return complaint(f"unexpected literal for {op}: a number has no series; use vector() around it", span)
