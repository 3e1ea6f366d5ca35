"""Which results of two sides belong together: by their labels.

Without labels a result belongs to every one of the other side. Else the labels have to be equal, or those of one side have to
hold all of the other's; the pair keeps the larger set. One result on each side belong together in any case.
Source: the behaviour of Grafana's expressions.
"""

from collections.abc import Iterator, Sequence

from spyglass.model.errors import BudgetExceeded
from spyglass.model.labels import Labels
from spyglass.query.expressions.values import Value

MAX_PAIRS = 4_000_000
"""Pairs compared where label sets differ; more would hold a thread for seconds."""


def unions(left: Sequence[Value], right: Sequence[Value]) -> Iterator[tuple[Value, Value, Labels]]:
    """Pairs with the labels of their result. Raises: BudgetExceeded."""
    if len(left) == 1 and len(right) == 1:
        yield left[0], right[0], _together(left[0].labels, right[0].labels) or left[0].labels or right[0].labels
        return
    equal = _same_names(left, right)
    if equal:
        partners: dict[Labels, list[Value]] = {}
        for value in right:
            partners.setdefault(value.labels, []).append(value)
        for value in left:
            yield from ((value, other, value.labels) for other in partners.get(value.labels, ()))
        return
    if len(left) * len(right) > MAX_PAIRS:
        raise BudgetExceeded(f"{len(left)} and {len(right)} results with different labels are too many to compare")
    for value in left:
        for other in right:
            labels = _together(value.labels, other.labels)
            if labels is not None:
                yield value, other, labels


def _same_names(left: Sequence[Value], right: Sequence[Value]) -> bool:
    """All have the same label names, at least one: then only equal sets belong together."""
    names = {tuple(name for name, _ in value.labels) for side in (left, right) for value in side}
    return len(names) == 1 and names != {()}


def _together(left: Labels, right: Labels) -> Labels | None:
    if not left or not right:
        return left or right
    if set(left) >= set(right):
        return left
    return right if set(right) > set(left) else None
