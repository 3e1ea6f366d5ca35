"""LogQL's leaf: lines as a source of samples for a Window."""

from dataclasses import dataclass

from spyglass.model.log_stages import LogStage, Predicate
from spyglass.model.matchers import Matcher
from spyglass.query.plan.nodes import PlanNode


@dataclass(frozen=True, slots=True)
class LogSource(PlanNode):
    """The lines of a selector behind a pipeline; each is a sample: 1, its bytes, or the number in one of its labels.

    unwrap: that label, "" for none; conversion: "", "bytes", "duration" or "duration_seconds"; filters: those behind the unwrap.
    grouping None: one series per label set (without the unwrapped label); else by these labels, or all but these (without).
    needed: the extracted labels that will be looked at, None: all (see exec/logs/stage.py).
    extra_ns: what the request's times have below the millisecond.
    """

    matchers: tuple[Matcher, ...]
    stages: tuple[LogStage, ...] = ()
    unwrap: str = ""
    conversion: str = ""
    filters: tuple[Predicate, ...] = ()
    grouping: tuple[str, ...] | None = None
    without: bool = False
    needed: frozenset[str] | None = None
    extra_ns: int = 0
