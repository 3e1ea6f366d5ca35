"""Operands and calls as closures: (run, dot) -> value."""

from typing import Any

from spyglass.text.goformat import NO_VALUE, NoValue
from spyglass.text.gostring import quote
from spyglass.text.gotemplate.run import Expression, Function, Run
from spyglass.text.gotemplate.values import StringMap, TemplateError, truth, type_name


def dot_itself(run: Run, dot: Any) -> Any:  # noqa: ARG001
    return dot


def constant(value: Any) -> Expression:
    return lambda run, dot: value  # noqa: ARG005


def variable(name: str) -> Expression:
    def expression(run: Run, dot: Any) -> Any:  # noqa: ARG001
        for known, value in reversed(run.variables):
            if known == name:
                return value
        raise TemplateError(f"undefined variable: {name}")

    return expression


def fields_of(value: Expression, names: list[str], owner: str) -> Expression:
    if len(names) == 1 and value is dot_itself:
        name = names[0]

        def single(run: Run, dot: Any) -> Any:  # noqa: ARG001
            return dot.get(name, "") if dot.__class__ is StringMap else field_of(dot, name, owner)

        return single

    def chain(run: Run, dot: Any) -> Any:
        result = value(run, dot)
        for name in names:
            result = field_of(result, name, owner)
        return result

    return chain


def field_of(value: Any, name: str, owner: str) -> Any:
    """`.name` of a value. Raises: TemplateError where the value can have no fields."""
    if isinstance(value, StringMap):
        return value.get(name, "")
    if isinstance(value, dict):
        return value.get(name, NO_VALUE)
    if isinstance(value, NoValue) or value is None:
        raise TemplateError(f"template: {owner}: nil data; no entry for key {quote(name)}")
    getter = getattr(type(value), "template_field", None)
    if getter is None:
        raise TemplateError(f"template: {owner}: can't evaluate field {name} in type {type_name(value)}")
    try:
        return getter(value, name)
    except ValueError as err:
        raise TemplateError(f"template: {owner}: {err}") from None


def call(name: str, function: Function, arguments: list[Expression], owner: str) -> Expression:
    if name in ("and", "or"):
        return _short_circuit(arguments, stop=name == "or", owner=owner)
    with_run = getattr(function, "contextual", False)

    def expression(run: Run, dot: Any) -> Any:
        values = [argument(run, dot) for argument in arguments]
        try:
            return function(run, *values) if with_run else function(*values)
        except TemplateError:
            raise
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as err:
            # Functions take what they are given; a value of the wrong kind shows as a TypeError or AttributeError.
            reason = _misuse(err) if isinstance(err, TypeError | AttributeError) else str(err)
            raise TemplateError(f"template: {owner}: error calling {name}: {reason}") from None

    return expression


def _misuse(err: Exception) -> str:
    return "wrong number of args" if "positional argument" in str(err) else "wrong type for value"


def _short_circuit(arguments: list[Expression], *, stop: bool, owner: str) -> Expression:
    if not arguments:
        raise TemplateError(f"template: {owner}: wrong number of args for and/or: want at least 1 got 0")

    def expression(run: Run, dot: Any) -> Any:
        value = None
        for argument in arguments:
            value = argument(run, dot)
            if truth(value) == stop:
                return value
        return value

    return expression


def no_command(owner: str) -> Expression:
    """`{{ nil }}`, which parses and cannot be evaluated."""

    def expression(run: Run, dot: Any) -> Any:  # noqa: ARG001
        raise TemplateError(f"template: {owner}: nil is not a command")

    return expression


def misplaced(value: Expression, text: str, owner: str, *, literal: bool) -> Expression:
    """Arguments given to what is no function."""
    if literal:
        raise TemplateError(f"template: {owner}: can't give argument to non-function {text}")

    def expression(run: Run, dot: Any) -> Any:
        value(run, dot)
        raise TemplateError(f"template: {owner}: {text} is not a method but has arguments")

    return expression
