"""The series selectors inside a query."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from spyglass.model.matchers import Matcher
from spyglass.query.promql import ast
from spyglass.query.promql.parser import parse


def selectors_of(query: str) -> list[tuple[Matcher, ...]]:
    """The matchers of every selector. Raises: ParseError."""
    return [selector.matchers for selector in _walk(parse(query))]


def _walk(node: object) -> Iterator[ast.VectorSelector]:
    if isinstance(node, ast.VectorSelector):
        yield node
    elif isinstance(node, tuple):
        for child in node:
            yield from _walk(child)
    elif is_dataclass(node):
        for field in fields(node):
            yield from _walk(getattr(node, field.name))
