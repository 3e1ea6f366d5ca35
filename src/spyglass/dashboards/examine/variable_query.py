"""What a query variable asks: `label_values(selector, label)`, `label_names()`, `metrics(regex)`, `query_result(expr)`, a selector.

Source: Grafana's documentation, "Prometheus template variables" and "Loki template variables".
"""

import re
from dataclasses import dataclass
from typing import Literal

from spyglass.dashboards.examine.patterns import problem_of
from spyglass.model.errors import ParseError
from spyglass.query.logql import parser as logql
from spyglass.query.promql import parser as promql

Kind = Literal["label_values", "label_names", "metrics", "query_result", "series"]

_CALL = re.compile(r"(label_values|label_names|metrics|query_result)\((.*)\)\s*", re.DOTALL)
_LABEL = re.compile(r"(?:(.*),)?\s*([A-Za-z_][\w.:-]*)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class VariableQuery:
    """argument: the selector, the expression or the pattern; "" where there is none."""

    kind: Kind
    argument: str = ""
    label: str = ""


def parse_variable_query(text: str) -> VariableQuery:
    """A variable's query with its own variables filled in. Raises: ValueError saying what is wrong."""
    written = text.strip()
    call = _CALL.fullmatch(written)
    if call is None:
        return VariableQuery("series", written)
    kind, inner = call[1], call[2].strip()
    if kind == "label_values":
        match = _LABEL.fullmatch(inner)
        if match is None:
            raise ValueError(f"{written!r} should be label_values(label) or label_values(selector, label)")
        return VariableQuery("label_values", (match[1] or "").strip(), match[2])
    if kind == "label_names":
        return VariableQuery("label_names", inner)
    return VariableQuery("metrics", inner) if kind == "metrics" else VariableQuery("query_result", inner)


def check_variable_query(query: VariableQuery, language: str) -> None:
    """Raises: ValueError, ParseError for a selector, an expression or a pattern that is none."""
    argument = query.argument
    if query.kind == "metrics":
        problem = problem_of(argument)
        if problem:
            raise ValueError(problem)
    elif language == "logql":
        if query.kind not in ("label_values", "label_names"):
            raise ValueError("Loki's variables are label_names() and label_values([selector,] label)")
        if argument:
            logql.parse_log(argument)
    elif query.kind == "query_result":
        promql.parse(argument)
    elif argument:
        _check_selector(argument)


def _check_selector(text: str) -> None:
    try:
        promql.parse_selector(text)
    except ParseError as err:
        raise ValueError(f"{text!r} is no series selector: {err.message}") from None
