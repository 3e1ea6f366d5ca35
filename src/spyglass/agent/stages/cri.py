"""cri: `2026-03-02T10:00:00Z stdout F the line`; partial lines (flag P) wait for the full one of their stream."""

from dataclasses import dataclass

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext
from spyglass.agent.stages.timestamp import build as build_timestamp
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import CriStage, TimestampStage
from spyglass.text.regex import compile_regex

_LINE = compile_regex(r"(?s)^(\S+?) (stdout|stderr) (\S+?) (.*)$")

Key = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Partial:
    """What has come of a line."""

    entry: Entry
    start: int
    text: str


class Cri:
    """Holds the partial lines, one per stream; max_partial_lines bounds their number."""

    def __init__(self, options: CriStage, context: StageContext) -> None:
        self._options, self._context = options, context
        stamp = TimestampStage(source="timestamp", format="RFC3339Nano")
        self._timestamp = build_timestamp(StageSpec("timestamp", stamp), context)
        self._partial: dict[Key, _Partial] = {}

    def run(self, entries: list[Entry]) -> list[Entry]:
        out: list[Entry] = []
        for entry in entries:
            match = _LINE.search(entry.line)
            if match is None:
                out.append(entry)
                continue
            stamp, stream, flags, content = match.groups()
            entry.extracted.update(timestamp=stamp, time=stamp, stream=stream, flags=flags, content=content)
            entry.labels["stream"] = stream
            entry.line = content
            self._timestamp.run([entry])
            out.extend(self._partial_line(entry) if flags == "P" else [self._full_line(entry)])
        return out

    def flush(self, now_ns: int | None) -> list[Entry]:
        """Partial lines wait for their end as long as it takes; at the very end they are sent as they are."""
        return self._take_all() if now_ns is None else []

    def held_start(self) -> int | None:
        return min((partial.start for partial in self._partial.values()), default=None)

    def _partial_line(self, entry: Entry) -> list[Entry]:
        key = frozenset(entry.labels.items())
        out = self._take_all() if len(self._partial) >= self._options.max_partial_lines else []
        known = self._partial.get(key)
        if known is None:
            self._partial[key] = _Partial(entry, entry.start, self._cut(entry.line))
        else:
            known.entry, known.text = entry, self._cut(known.text + entry.line)
        return out

    def _full_line(self, entry: Entry) -> Entry:
        known = self._partial.pop(frozenset(entry.labels.items()), None)
        if known is not None:
            entry.line = self._cut(known.text + entry.line)
            entry.start = known.start
        return entry

    def _take_all(self) -> list[Entry]:
        out = []
        for partial in self._partial.values():
            partial.entry.line, partial.entry.start = partial.text, partial.start
            out.append(partial.entry)
        self._partial.clear()
        return out

    def _cut(self, text: str) -> str:
        limit = self._options.max_partial_line_size
        return text[:limit] if limit and self._options.max_partial_line_size_truncate else text


def build(spec: StageSpec, context: StageContext) -> Stage:
    return Cri(spec.options, context)
