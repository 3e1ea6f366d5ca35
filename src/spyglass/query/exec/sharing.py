"""What a query asks for twice is computed once: `a / (a + b)`, a histogram's buckets above and below a threshold.

Two nodes are the same where everything but their places in the text is. A result that came with warnings or infos is not shared,
since those name places.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from spyglass.model.errors import Span
from spyglass.model.frame import Frame
from spyglass.model.times import StepGrid
from spyglass.query.plan.nodes import NOWHERE, Instant, PlanNode, Window, walk

N = TypeVar("N", bound=PlanNode)


@dataclass(frozen=True, slots=True)
class SharedResults:
    """repeated: the nodes, without places, that occur more than once.  found: their frames, by node and grid."""

    repeated: frozenset[PlanNode] = frozenset()
    found: dict[tuple[PlanNode, StepGrid], Frame] = field(default_factory=dict)


def shared_results(plan: PlanNode) -> SharedResults:
    """A place for the results of what the plan has more than once."""
    nodes = [node for node in walk(plan) if isinstance(node, Instant | Window)]
    if len(nodes) < 2:
        return SharedResults()
    counts = Counter(map(placeless, nodes))
    return SharedResults(frozenset(node for node, count in counts.items() if count > 1))


def placeless(node: N) -> N:
    """The node and everything below it without spans."""
    changes: dict[str, Any] = {}
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, Span):
            changes[item.name] = NOWHERE
        elif isinstance(value, PlanNode):
            changes[item.name] = placeless(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], PlanNode | Span):
            changes[item.name] = tuple(placeless(v) if isinstance(v, PlanNode) else NOWHERE for v in value)
    return replace(node, **changes)


def computed_once(
    node: Instant | Window,
    grid: StepGrid,
    shared: SharedResults,
    notes: Callable[[], int],
    compute: Callable[[], Frame],
) -> Frame:
    """compute()'s frame, or the one that an equal node had. notes: how many warnings and infos there are."""
    if not shared.repeated:
        return compute()
    key = (placeless(node), grid)
    if key[0] not in shared.repeated:
        return compute()
    frame = shared.found.get(key)
    if frame is None:
        before = notes()
        frame = compute()
        if notes() == before:
            shared.found[key] = frame
    return frame
