"""Range aggregations from columns: counts and bytes per step, without handing out a line."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import BucketAnswer, BucketSpec
from spyglass.storage.logs.part import Part


def buckets(
    parts: Sequence[Part], matchers: Sequence[Matcher], stages: Sequence[LogStage], spec: BucketSpec, budget: Budget
) -> BucketAnswer | None:
    """Counts of the matching streams' lines; None for what the columns do not hold."""
    if stages or spec.operation != "count":
        return None
    steps: I64 = np.arange(spec.start_ns, spec.end_ns + 1, spec.step_ns) if spec.step_ns else np.array([spec.start_ns])
    groups: dict[Labels, F64] = {}
    for part in parts:
        budget.check()
        _add_part(groups, part, matchers, spec, steps)
    labels = list(groups)
    values = np.stack([groups[key] for key in labels]) if labels else np.zeros((0, len(steps)))
    present = values > 0
    kept = np.flatnonzero(present.any(axis=1))
    table = LabelTable.from_labels([labels[i] for i in kept.tolist()])
    return BucketAnswer(table, np.where(present, values, np.nan)[kept])


def _add_part(groups: dict[Labels, F64], part: Part, matchers: Sequence[Matcher], spec: BucketSpec, steps: I64) -> None:
    streams = part.streams()
    passes = streams.matching(matchers)
    times, codes = part.times(), part.codes()
    for code in np.flatnonzero(passes).tolist():
        mine = times if len(streams.labels) == 1 else times[codes == code]
        after = np.searchsorted(mine, steps, side="right")
        before = np.searchsorted(mine, steps - spec.range_ns, side="right")
        key = streams.labels[code]
        if spec.by is not None:
            key = tuple(pair for pair in key if pair[0] in spec.by)
        counts = (after - before).astype(np.float64)
        found = groups.get(key)
        groups[key] = counts if found is None else found + counts
