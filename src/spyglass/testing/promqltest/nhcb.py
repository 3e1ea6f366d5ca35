"""Classic histograms as native ones with custom buckets, as `load_with_nhcb` adds them. Source: Prometheus util/convertnhcb."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram, ResetHint
from spyglass.model.labels import METRIC_NAME, Labels, labels_of
from spyglass.testing.promqltest.targets import Sample

Series = tuple[Labels, list[Sample]]


def with_nhcb(series: Sequence[Series]) -> list[Series]:
    """The series, and a converted histogram for each set of `_bucket` (and `_count`, `_sum`) series."""
    parts: dict[Labels, dict[int, _Parts]] = {}
    for labels, samples in series:
        _collect(parts, dict(labels), samples)
    converted: list[Series] = []
    for labels, at in parts.items():
        histograms: list[Sample] = [(t, found.histogram()) for t, found in sorted(at.items()) if found.counts]
        if histograms:
            converted.append((labels, histograms))
    return [*series, *converted]


class _Parts:
    """What is known of a histogram at one time."""

    def __init__(self) -> None:
        self.counts: dict[float, float] = {}
        self.count: float | None = None
        self.sum = 0.0

    def histogram(self) -> FloatHistogram:
        bounds = sorted(self.counts)
        cumulative = [self.counts[bound] for bound in bounds]
        if not np.isposinf(bounds[-1]):
            bounds.append(np.inf)
            cumulative.append(cumulative[-1] if self.count is None else self.count)
        counts = np.diff(np.array([0.0, *cumulative]))
        keep = np.flatnonzero(counts != 0)
        return FloatHistogram(
            schema=CUSTOM_SCHEMA,
            count=cumulative[-1] if self.count is None else self.count,
            sum=self.sum,
            positive_index=keep.astype(np.int64),
            positive_counts=counts[keep],
            custom_values=tuple(bounds[:-1]),
            reset_hint=ResetHint.UNKNOWN,
        )


def _collect(parts: "dict[Labels, dict[int, _Parts]]", labels: dict[str, str], samples: Sequence[Sample]) -> None:
    name = labels.get(METRIC_NAME, "")
    suffix = next((s for s in ("_bucket", "_count", "_sum") if name.endswith(s)), "")
    if not suffix or (suffix == "_bucket") != ("le" in labels):
        return
    base = {key: value for key, value in labels.items() if key != "le"}
    base[METRIC_NAME] = name.removesuffix(suffix)
    at = parts.setdefault(labels_of(base), {})
    for time_ms, value in samples:
        if isinstance(value, FloatHistogram):
            continue
        found = at.setdefault(time_ms, _Parts())
        if suffix == "_bucket":
            found.counts[float(labels["le"])] = value
        elif suffix == "_count":
            found.count = value
        else:
            found.sum = value
