"""match: lines that a LogQL selector picks go through stages of their own, or are dropped; the others pass unchanged."""

from itertools import groupby
from typing import Protocol

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Builder, Chain, Simple, Stage, StageContext, build_stage
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import MatchStage


class Picker(Protocol):
    """Which entries are meant."""

    def picks(self, entries: list[Entry]) -> list[bool]: ...


class Matching:
    """A match stage with stages of its own; order is kept."""

    def __init__(self, selector: Picker, inner: Chain) -> None:
        self._selector, self._inner = selector, inner
        self.flush, self.held_start = inner.flush, inner.held_start

    def run(self, entries: list[Entry]) -> list[Entry]:
        picked = self._selector.picks(entries)
        if all(picked):
            return self._inner.run(entries)
        out: list[Entry] = []
        for is_picked, group in groupby(zip(picked, entries, strict=True), key=lambda pair: pair[0]):
            some = [entry for _, entry in group]
            out.extend(self._inner.run(some) if is_picked else some)
        return out


def build(spec: StageSpec, context: StageContext, *, builders: dict[str, Builder]) -> Stage:
    # Here, not above: see selector.py.
    from spyglass.agent.selector import Selector  # noqa: PLC0415

    options: MatchStage = spec.options
    selector = Selector(options.selector)
    if options.action == "keep":
        return Matching(selector, Chain([build_stage(inner, context, builders) for inner in spec.inner]))

    def drop(entries: list[Entry]) -> list[Entry]:
        picked = selector.picks(entries)
        kept = [entry for entry, is_picked in zip(entries, picked, strict=True) if not is_picked]
        if len(kept) < len(entries):
            context.metrics.dropped_lines.inc(options.drop_counter_reason, by=len(entries) - len(kept))
        return kept

    return Simple(drop)
