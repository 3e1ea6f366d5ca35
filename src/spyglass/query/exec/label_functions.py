"""label_replace and label_join: they look at labels only, once per distinct value."""

from dataclasses import replace

import numpy as np

from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, LabelColumn, LabelTable, unify
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import argument_frame, argument_text
from spyglass.query.exec.names import merged
from spyglass.query.exec.values import Value
from spyglass.query.plan.nodes import Call
from spyglass.query.syntax.quoting import printable
from spyglass.text.regex import anchored_program, expand


def evaluate_label_replace(node: Call, ctx: EvalContext) -> Value:
    """label_replace(v, dst, replacement, src, regex). Rows whose src does not match stay as they are."""
    dst, template, src, pattern = (argument_text(argument, ctx) for argument in node.arguments[1:5])
    try:
        program = anchored_program(pattern)
    except ValueError:  # not RE2, or not UTF-8
        raise ExecutionError(
            f"invalid regular expression in label_replace(): {printable(pattern)}", span=node.span
        ) from None
    _check_name(dst, "destination", "label_replace", node)
    frame = argument_frame(node, ctx)
    empty = LabelColumn.constant("", frame.size)
    source = frame.labels.columns.get(src, empty).compact()
    matches = [program.fullmatch(value) for value in source.values]
    hit = np.array([match is not None for match in matches])[source.codes]
    texts = ["" if match is None else printable(expand(template, match)) for match in matches]
    replaced = _recoded(texts, source)
    renamed = _with_label(frame, dst, replaced, hit)
    # Loki does not mind series that become the same.
    return renamed if ctx.options.logql else merged(renamed)


def _recoded(texts: list[str], source: LabelColumn) -> LabelColumn:
    """The column whose value is texts[code] for each code of source."""
    codes_of: dict[str, int] = {"": 0}
    mapping = np.array([codes_of.setdefault(text, len(codes_of)) for text in texts], np.int32)
    return LabelColumn(mapping[source.codes], list(codes_of))


def _with_label(frame: Frame, name: str, column: LabelColumn, hit: "np.typing.NDArray[np.bool_]") -> Frame:
    old, new = unify(frame.labels.columns.get(name, LabelColumn.constant("", frame.size)), column)
    codes = np.where(hit, new.codes, old.codes).astype(np.int32)
    marks = frame.drop_names
    if marks is not None and name == METRIC_NAME:
        # A name that was just set stays.
        marks = marks & ~hit
    labels = frame.labels.replaced(name, LabelColumn(codes, new.values))
    return replace(frame, labels=labels, drop_names=marks)


def _check_name(name: str, what: str, function: str, node: Call) -> None:
    if not name or any(0xD800 <= ord(char) <= 0xDFFF for char in name):
        raise ExecutionError(f"invalid {what} label name in {function}(): {printable(name)}", span=node.span)


def evaluate_label_join(node: Call, ctx: EvalContext) -> Value:
    """label_join(v, dst, separator, src...)."""
    dst, separator, *sources = (argument_text(argument, ctx) for argument in node.arguments[1:])
    for source in sources:
        _check_name(source, "source", "label_join", node)
    _check_name(dst, "destination", "label_join", node)
    frame = argument_frame(node, ctx)
    # Distinct combinations of the source values are joined once each.
    wanted = LabelTable(frame.size, {n: c for n, c in frame.labels.columns.items() if n in sources})
    group_ids, first_rows = wanted.group_ids()
    decoded = [dict(row) for row in wanted.take(first_rows).all_labels()]
    texts = [printable(separator.join(row.get(source, "") for source in sources)) for row in decoded]
    codes_of: dict[str, int] = {"": 0}
    mapping = np.array([codes_of.setdefault(text, len(codes_of)) for text in texts], np.int32)
    column = LabelColumn(mapping[group_ids] if len(texts) else np.zeros(frame.size, np.int32), list(codes_of))
    return merged(_with_label(frame, dst, column, np.ones(frame.size, bool)))
