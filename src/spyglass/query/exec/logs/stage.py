"""What a stage is to the executor, and the table of those who can make one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from spyglass.model.log_stages import LogStage
from spyglass.query.exec.logs.rows import Rows

RunStage = Callable[[Rows], Rows]
"""Runs one stage; may change the Rows in place or give others."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What of the extracted labels will be looked at.

    labels None: everything.  Else only these: parsers extract no others, and stop when they have them all; empty: parsers do
    nothing. So a metric query that groups by one label does not pay for (or fail on) the others, as in Loki.
    """

    labels: frozenset[str] | None = None

    @property
    def nothing(self) -> bool:
        return self.labels is not None and not self.labels

    @property
    def preserve_errors(self) -> bool:
        """The query itself looks at `__error__`: failing lines must not fail it."""
        return self.labels is not None and "__error__" in self.labels


EVERYTHING = Needs()

Maker = Callable[[Any, Needs], RunStage]
_makers: dict[type, Maker] = {}
M = TypeVar("M", bound=Maker)


def makes(stage_class: type) -> Callable[[M], M]:
    """Register the function that compiles stages of a class."""

    def register(maker: M) -> M:
        _makers[stage_class] = maker
        return maker

    return register


def make(stage: LogStage, needs: Needs) -> RunStage:
    return _makers[type(stage)](stage, needs)
