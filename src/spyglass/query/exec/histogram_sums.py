"""Sums and means of histograms with compensation, and what has to be said about them."""

from collections.abc import Iterable
from dataclasses import dataclass

from spyglass.model.histogram_arithmetic import IncompatibleSchemas, add, add_compensated
from spyglass.model.histograms import FloatHistogram, ResetHint


@dataclass(frozen=True, slots=True)
class HistogramSum:
    """histogram None: exponential and custom buckets were mixed. hint_collision, bounds_reconciled: worth a note."""

    histogram: FloatHistogram | None
    hint_collision: bool = False
    bounds_reconciled: bool = False


class _Watcher:
    """Looks at everything that goes into a sum."""

    def __init__(self) -> None:
        self.reset = self.not_reset = self.reconciled = False

    def see(self, histogram: FloatHistogram) -> None:
        self.reset |= histogram.reset_hint is ResetHint.RESET
        self.not_reset |= histogram.reset_hint is ResetHint.NOT_RESET

    def result(self, histogram: FloatHistogram | None) -> HistogramSum:
        return HistogramSum(histogram, self.reset and self.not_reset, self.reconciled)


def total(histograms: Iterable[FloatHistogram]) -> HistogramSum:
    """The sum of at least one histogram."""
    watcher = _Watcher()
    running: FloatHistogram | None = None
    lost: FloatHistogram | None = None
    try:
        for histogram in histograms:
            watcher.see(histogram)
            if running is None:
                running = histogram
                continue
            step = add_compensated(running, histogram, lost)
            watcher.reconciled |= step.bounds_reconciled
            running, lost = step.histogram, step.lost
    except IncompatibleSchemas:
        return watcher.result(None)
    assert running is not None, "a sum needs an addend"
    return watcher.result(running if lost is None else add(running, lost.with_hint(running.reset_hint)).histogram)


def mean(histograms: Iterable[FloatHistogram]) -> HistogramSum:
    """The mean of at least one histogram; by a running mean from where the sum would overflow."""
    watcher = _Watcher()
    running: FloatHistogram | None = None
    lost: FloatHistogram | None = None
    count, incremental = 0, False
    try:
        for histogram in histograms:
            watcher.see(histogram)
            count += 1
            if running is None:
                running = histogram
                continue
            if not incremental:
                step = add_compensated(running, histogram, lost)
                watcher.reconciled |= step.bounds_reconciled
                if not step.histogram.has_overflow():
                    running, lost = step.histogram, step.lost
                    continue
                incremental = True
                running = running.divided(count - 1)
                lost = None if lost is None else lost.divided(count - 1)
            share = (count - 1) / count
            lost = None if lost is None else lost.scaled(share)
            step = add_compensated(running.scaled(share), histogram.divided(count), lost)
            watcher.reconciled |= step.bounds_reconciled
            running, lost = step.histogram, step.lost
    except IncompatibleSchemas:
        return watcher.result(None)
    assert running is not None, "a mean needs a member"
    if not incremental:
        running = running.divided(count)
        lost = None if lost is None else lost.divided(count)
    return watcher.result(running if lost is None else add(running, lost.with_hint(running.reset_hint)).histogram)
