"""A compiled template and its runs, under limits (depth, steps, output), so that none can hang a query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spyglass.text.gotemplate.values import TemplateError

MAX_DEPTH = 100
"""Nesting of `template` calls."""

MAX_OUTPUT = 16 << 20
"""Characters of output."""

MAX_STEPS = 1_000_000
"""Iterations of all loops of one run together."""


@dataclass(slots=True)
class Run:
    """One execution. extra: what contextual functions look at (`__line__`)."""

    templates: "Mapping[str, Node]"
    root: Any
    extra: Mapping[str, Any]
    out: list[str] = field(default_factory=list)
    variables: list[tuple[str, Any]] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    written: int = 0

    def write(self, text: str) -> None:
        self.written += len(text)
        if self.written > MAX_OUTPUT:
            raise TemplateError("the output is too long")
        self.out.append(text)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TemplateError("too many iterations")


Node = Callable[[Run, Any], None]

Expression = Callable[[Run, Any], Any]

Function = Callable[..., Any]


def contextual(function: Function) -> Function:
    """Mark a function that wants the Run as its first argument."""
    function.contextual = True  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template. fields: the names that occur as `.name`, for callers that fetch only those."""

    name: str
    source: str
    templates: Mapping[str, Node]
    fields: frozenset[str]

    def execute(self, data: Any, extra: Mapping[str, Any] | None = None) -> str:
        """The text. Raises: TemplateError."""
        run = Run(self.templates, data, extra or {})
        run.variables.append(("$", data))
        try:
            self.templates[self.name](run, data)
        except RecursionError:
            raise TemplateError(f"template: {self.name}: exceeded maximum template depth") from None
        return "".join(run.out)
