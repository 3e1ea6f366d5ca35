"""What a template sees as values: truth, types, the map of strings; and the error of templates."""

from typing import Any

from spyglass.text.goformat import NoValue


class TemplateError(ValueError):
    """A template that cannot be parsed, or a run that failed; the text is shaped as Go's."""


class StringMap(dict[str, str]):
    """A map[string]string: what it does not hold is the empty string, not "no value"."""


def truth(value: Any) -> bool:
    """Whether a value counts as true: not zero, nil or empty."""
    return not isinstance(value, NoValue) and bool(value)


def type_name(value: Any) -> str:
    """Go's name for a value's type, for messages."""
    names = {str: "string", bool: "bool", int: "int", float: "float64", list: "[]interface {}", tuple: "[]interface {}"}
    if isinstance(value, StringMap):
        return "map[string]string"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return "nil" if value is None else names.get(type(value), type(value).__name__)


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "int", float: "float"}.get(type(value), "")
