"""A LogQL selector with its pipeline, as a test of entries: what `match` stages pick by.

Imported when a configuration has a match stage: the query engine's log stages come with it, and a small agent does
without them.
"""

from dataclasses import replace

import numpy as np

from spyglass.agent.entry import Entry
from spyglass.model.errors import ParseError
from spyglass.model.labels import LabelTable, labels_of
from spyglass.query.exec.logs.pipeline import compile_pipeline, reordered
from spyglass.query.exec.logs.rows import Rows, StreamSet
from spyglass.query.logql.ast import LogExpr
from spyglass.query.logql.parser import parse_log


class Selector:
    """A LogQL selector as a test of many entries at once. Raises ParseError where it is none."""

    def __init__(self, text: str) -> None:
        self._log: LogExpr = _parse(text)
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


_ANY = '{__agent_any__=~".+", '


def _parse(text: str) -> LogExpr:
    """Queries must name a stream; a match stage need not: `{app!="x"}` and `{stream=""}` are fine there."""
    try:
        return parse_log(text)
    except ParseError as err:
        if "empty-compatible" not in err.message:
            raise
        named = parse_log(text.replace("{", _ANY, 1))
        return replace(named, matchers=named.matchers[1:])


def _rows(entries: list[Entry]) -> Rows:
    table = LabelTable.from_labels([labels_of(entry.labels) for entry in entries])
    streams = StreamSet()
    return Rows(streams, streams.number(table), np.arange(len(entries)), [entry.line for entry in entries])
