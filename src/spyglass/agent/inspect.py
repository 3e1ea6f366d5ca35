"""Promtail's -inspect: what each stage changed of each entry, as text.

    [inspect: json stage]:
    {stages.Entry}.Extracted["level"]:
        +: info

`+` is new, `-` and `+` together are a change, `-` alone is gone; `none` where a stage changed nothing. Source of the notation: Promtail's
documentation of troubleshooting. Stages inside of match are shown too; an entry that a stage dropped or holds is said to be so.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from spyglass.agent.entry import Entry
from spyglass.agent.printing import shown_time
from spyglass.agent.stages.base import Stage

Facts = dict[str, str]
"""What an entry holds, by the path under which a change is shown."""


class InspectedStage:
    """A stage, with a report of what it did."""

    def __init__(self, name: str, stage: Stage, out: Callable[[str], None]) -> None:
        self._name, self._stage, self._out = name, stage, out

    def run(self, entries: list[Entry]) -> list[Entry]:
        before = [(entry, facts_of(entry)) for entry in entries]
        after = self._stage.run(entries)
        left = {id(entry) for entry in after}
        for entry, facts in before:
            changes = list(differences(facts, facts_of(entry))) if id(entry) in left else ["dropped or held back"]
            self._out(f"[inspect: {self._name} stage]: {chr(10) + chr(10).join(changes) if changes else 'none'}")
        return after

    def flush(self, now_ns: int | None) -> list[Entry]:
        return self._stage.flush(now_ns)

    def held_start(self) -> int | None:
        return self._stage.held_start()


def facts_of(entry: Entry) -> Facts:
    return {
        **_under('{stages.Entry}.Extracted["%s"]', entry.extracted),
        **_under('{stages.Entry}.Entry.Labels["%s"]', entry.labels),
        **_under('{stages.Entry}.Entry.Entry.StructuredMetadata["%s"]', entry.metadata),
        "{stages.Entry}.Entry.Entry.Timestamp": shown_time(entry.time_ns),
        "{stages.Entry}.Entry.Entry.Line": entry.line,
    }


def _under(path: str, values: Mapping[str, Any]) -> Facts:
    return {path % name: str(value) for name, value in values.items()}


def differences(before: Facts, after: Facts) -> Iterator[str]:
    """A text of two or three lines per change."""
    for path in dict.fromkeys((*before, *after)):
        old, new = before.get(path), after.get(path)
        if old != new:
            lines = [f"\t{sign}: {value}" for sign, value in (("-", old), ("+", new)) if value is not None]
            yield "\n".join([f"{path}:", *lines])
