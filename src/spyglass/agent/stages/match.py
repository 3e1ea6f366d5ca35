"""match: lines that a LogQL selector picks go through stages of their own, or are dropped; the others pass unchanged."""

from itertools import groupby

import numpy as np

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Builder, Chain, Simple, Stage, StageContext
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import MatchStage
from spyglass.model.labels import LabelTable, labels_of
from spyglass.query.exec.logs.pipeline import compile_pipeline, reordered
from spyglass.query.exec.logs.rows import Rows, StreamSet
from spyglass.query.logql.ast import LogExpr
from spyglass.query.logql.parser import parse_log


class Selector:
    """A LogQL selector as a test of many entries at once. Raises ParseError where it is none."""

    def __init__(self, text: str) -> None:
        self._log: LogExpr = parse_log(text)
        self._pipeline = compile_pipeline(reordered(self._log.stages)) if self._log.stages else None

    def picks(self, entries: list[Entry]) -> list[bool]:
        """For each entry, whether its labels match and its line passes the pipeline."""
        matchers = self._log.matchers
        found = [all(m.matches(entry.labels.get(m.name, "")) for m in matchers) for entry in entries]
        if self._pipeline is None or not any(found):
            return found
        places = [place for place, picked in enumerate(found) if picked]
        passed = self._pipeline(_rows([entries[place] for place in places]))
        # The times are places: they say which lines are left.
        kept = {places[index] for index in passed.times.tolist()}
        return [place in kept for place in range(len(entries))]


def _rows(entries: list[Entry]) -> Rows:
    table = LabelTable.from_labels([labels_of(entry.labels) for entry in entries])
    streams = StreamSet()
    return Rows(streams, streams.number(table), np.arange(len(entries)), [entry.line for entry in entries])


class Matching:
    """A match stage with stages of its own; order is kept."""

    def __init__(self, selector: Selector, inner: Chain) -> None:
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
    options: MatchStage = spec.options
    selector = Selector(options.selector)
    if options.action == "keep":
        return Matching(selector, Chain([builders[inner.name](inner, context) for inner in spec.inner]))

    def drop(entries: list[Entry]) -> list[Entry]:
        picked = selector.picks(entries)
        kept = [entry for entry, is_picked in zip(entries, picked, strict=True) if not is_picked]
        if len(kept) < len(entries):
            context.metrics.dropped_lines.inc(options.drop_counter_reason, by=len(entries) - len(kept))
        return kept

    return Simple(drop)
