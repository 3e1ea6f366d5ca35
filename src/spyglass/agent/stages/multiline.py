"""multiline: lines up to the next one that matches `firstline` become one entry, per stream.

An entry has the time, labels and extracted values of its first line. Lines before the first match pass unchanged. A block that
reached max_lines, or to which nothing was added for max_wait_time, leaves; lines that follow it start a new block.
"""

from dataclasses import dataclass, field

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import MultilineStage
from spyglass.text.regex import compile_regex

Key = frozenset[tuple[str, str]]


@dataclass(slots=True)
class _Block:
    """One stream's open block. first: the entry whose time and labels count, also for what follows a flush."""

    first: Entry
    start: int
    lines: list[str] = field(default_factory=list)
    touched_ns: int = 0

    def take(self) -> Entry:
        """The block as an entry; the block is empty afterwards."""
        first = self.first
        entry = Entry(
            dict(first.labels),
            "\n".join(self.lines),
            first.time_ns,
            self.start,
            dict(first.extracted),
            dict(first.metadata),
        )
        self.lines = []
        return entry


class Multiline:
    """Holds the open blocks."""

    def __init__(self, options: MultilineStage, context: StageContext) -> None:
        self._program = compile_regex(options.firstline)
        self._options, self._context = options, context
        self._blocks: dict[Key, _Block] = {}

    def run(self, entries: list[Entry]) -> list[Entry]:
        out: list[Entry] = []
        now_ns = self._context.monotonic_ns()
        for entry in entries:
            key = frozenset(entry.labels.items())
            block = self._blocks.get(key)
            if self._program.search(entry.line) is not None:
                if block is not None and block.lines:
                    out.append(block.take())
                block = self._blocks[key] = _Block(entry, entry.start)
            elif block is None:
                out.append(entry)
                continue
            elif not block.lines:
                block.start = entry.start
            block.lines.append(entry.line)
            block.touched_ns = now_ns
            if len(block.lines) >= self._options.max_lines:
                out.append(block.take())
        return out

    def flush(self, now_ns: int | None) -> list[Entry]:
        limit_ns = self._options.max_wait_time
        due = [b for b in self._blocks.values() if b.lines and (now_ns is None or now_ns - b.touched_ns >= limit_ns)]
        return [block.take() for block in due]

    def held_start(self) -> int | None:
        return min((block.start for block in self._blocks.values() if block.lines), default=None)


def build(spec: StageSpec, context: StageContext) -> Stage:
    return Multiline(spec.options, context)
