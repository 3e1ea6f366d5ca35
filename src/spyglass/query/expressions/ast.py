"""Nodes of a math expression."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Num:
    value: float


@dataclass(frozen=True, slots=True)
class Ref:
    """The results of another query."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


Node = Num | Ref | Call | Unary | Binary


def refs_of(node: Node) -> tuple[str, ...]:
    """The queries it refers to, each once, in order."""
    found: dict[str, None] = {}
    waiting: list[Node] = [node]
    while waiting:
        one = waiting.pop()
        match one:
            case Ref(name):
                found[name] = None
            case Call(_, arguments):
                waiting.extend(reversed(arguments))
            case Unary(_, operand):
                waiting.append(operand)
            case Binary(_, left, right):
                waiting += [right, left]
            case Num():
                pass
    return tuple(found)
