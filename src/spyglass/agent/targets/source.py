"""What every source of lines does with them: stamps, the pipeline, and the chunk with the position behind it."""

from collections.abc import Mapping, Sequence

from spyglass.agent.buffer import Chunk
from spyglass.agent.entry import Entry
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.positions import Position
from spyglass.agent.targets.stamps import Stamps


def entries_of(
    labels: Mapping[str, str], texts: Sequence[str], starts: Sequence[int], first_ns: int, *, bare: bool
) -> list[Entry]:
    """Entries of a batch of lines. bare: no stage will look at them, so they may share one label dict."""
    if bare:
        shared = dict(labels)
        return [
            Entry(shared, text, first_ns + i, start) for i, (text, start) in enumerate(zip(texts, starts, strict=True))
        ]
    return [
        Entry(dict(labels), text, first_ns + i, start, dict(labels))
        for i, (text, start) in enumerate(zip(texts, starts, strict=True))
    ]


class Feeder:
    """Runs one source's lines through its pipeline and says which position is safe afterwards."""

    def __init__(self, key: str, labels: Mapping[str, str], pipeline: Pipeline, stamps: Stamps) -> None:
        self.key, self.labels, self.pipeline = key, dict(labels), pipeline
        self._stamps = stamps
        self._read_to = Position(0)

    def feed(self, texts: Sequence[str], starts: Sequence[int], read_to: Position) -> Chunk:
        """Lines that were read, in order; `read_to` is the position behind the last one."""
        self._read_to = read_to
        first_ns = self._stamps.take(len(texts))
        entries = entries_of(self.labels, texts, starts, first_ns, bare=self.pipeline.is_empty)
        return self._chunk(self.pipeline.run(entries), lines=len(texts))

    def flush(self, *, everything: bool = False) -> Chunk | None:
        """What stages have held long enough; None where there is nothing."""
        held = self.pipeline.flush(None if everything else self.pipeline.context.monotonic_ns())
        return self._chunk(held) if held else None

    def _chunk(self, entries: list[Entry], *, lines: int = 0) -> Chunk:
        return Chunk.of(self.key, entries, self._safe(), self.pipeline.context.monotonic_ns(), lines=lines)

    def _safe(self) -> Position:
        """Not behind a line that still waits in a stage."""
        held = self.pipeline.held_start()
        to = self._read_to
        if held is None or held >= to.offset:
            return to
        return Position(held, to.device, to.inode, to.head_size, to.head_crc)
