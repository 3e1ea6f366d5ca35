"""Texts, actions and control structures as closures: (run, dot) -> None, writing to the run."""

from collections.abc import Iterator
from typing import Any

from spyglass.text.goformat import NoValue, print_value
from spyglass.text.gostring import quote
from spyglass.text.gotemplate.run import MAX_DEPTH, Expression, Node, Run
from spyglass.text.gotemplate.values import TemplateError, truth


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def text_node(text: str) -> Node:
    return lambda run, _: run.write(text)


def sequence(nodes: list[Node]) -> Node:
    if len(nodes) == 1:
        return nodes[0]

    def run_all(run: Run, dot: Any) -> None:
        for node in nodes:
            node(run, dot)

    return run_all


def print_node(value: Expression) -> Node:
    def node(run: Run, dot: Any) -> None:
        result = value(run, dot)
        run.write(result if result.__class__ is str else print_value(result))

    return node


def declare(name: str, value: Expression) -> Node:
    return lambda run, dot: run.variables.append((name, value(run, dot)))


def declared(name: str, value: Expression) -> Expression:
    def expression(run: Run, dot: Any) -> Any:
        result = value(run, dot)
        run.variables.append((name, result))
        return result

    return expression


def assign(name: str, value: Expression) -> Node:
    def node(run: Run, dot: Any) -> None:
        result = value(run, dot)
        for at in range(len(run.variables) - 1, -1, -1):
            if run.variables[at][0] == name:
                run.variables[at] = (name, result)
                return

    return node


def if_node(condition: Expression, main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        if truth(condition(run, dot)):
            main(run, dot)
        elif other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def with_node(condition: Expression, main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        value = condition(run, dot)
        if truth(value):
            main(run, value)
        elif other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def range_node(source: Expression, names: list[str], main: Node, other: Node | None) -> Node:
    def node(run: Run, dot: Any) -> None:
        mark = len(run.variables)
        empty = True
        for key, value in _items(source(run, dot)):
            empty = False
            run.step()
            if len(names) == 1:
                run.variables.append((names[0], value))
            elif names:
                run.variables.extend([(names[0], key), (names[1], value)])
            try:
                main(run, value)
            except _Break:
                break
            except _Continue:
                pass
            finally:
                del run.variables[mark:]
        if empty and other is not None:
            other(run, dot)
        del run.variables[mark:]

    return node


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if value is None or isinstance(value, NoValue):
        return iter(())
    if isinstance(value, dict):
        return iter(sorted(value.items()))
    if isinstance(value, list | tuple):
        return iter(enumerate(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return ((i, i) for i in range(value))
    raise TemplateError(f"range can't iterate over {print_value(value)}")


def call_template(name: str, argument: Expression | None, owner: str) -> Node:
    def node(run: Run, dot: Any) -> None:
        body = run.templates.get(name)
        if body is None:
            raise TemplateError(f"template: {owner}: template {quote(name)} not defined")
        if run.depth >= MAX_DEPTH:
            raise TemplateError(f"template: {owner}: exceeded maximum template depth ({MAX_DEPTH})")
        value = argument(run, dot) if argument is not None else None
        run.depth += 1
        outer, run.variables = run.variables, [("$", value)]
        body(run, value)
        run.variables = outer
        run.depth -= 1

    return node


def raise_break(run: Run, dot: Any) -> None:  # noqa: ARG001
    raise _Break


def raise_continue(run: Run, dot: Any) -> None:  # noqa: ARG001
    raise _Continue
