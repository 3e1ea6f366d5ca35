"""Lines of one stream in columns: what decoders make of a push and stores keep, without an object per line.

To whoever wants objects it is a sequence of `LogEntry`, made one by one as they are asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np

from spyglass.model.arrays import I32, I64, U8
from spyglass.model.labels import Labels
from spyglass.model.log_entry import LogEntry

NO_METADATA: Sequence[Labels] = ((),)
_EARLIEST, _LATEST = -(2**63), 2**63 - 1
"""Times beyond 64 bits become these, which are as far from any time that is accepted."""
LONG_PIECE_BYTES = 24
"""Longer pieces are put together by copying each; shorter ones through an index of every byte."""


@dataclass(frozen=True, slots=True, eq=False)
class LogColumns(Sequence[LogEntry]):
    """n lines in order of arrival. Arrays are never written to once built.

    times_ns [n].  offsets [n+1] into `text`, which is UTF-8, each line by itself.  meta [n]: index into `metas`, whose first is the
    empty set, or None where no line has metadata.
    """

    times_ns: I64
    offsets: I64
    text: bytes
    meta: I32 | None = None
    metas: Sequence[Labels] = field(default=NO_METADATA)

    @staticmethod
    def of(entries: Sequence[LogEntry]) -> "LogColumns":
        """Columns of entries; of columns, themselves. Lone surrogates, which no encoding can hold, become question marks."""
        if isinstance(entries, LogColumns):
            return entries
        metas: dict[Labels, int] = {(): 0}
        codes = [metas.setdefault(entry.metadata, len(metas)) for entry in entries]
        text, lengths = encode_lines([entry.line for entry in entries])
        times = np.fromiter((min(max(entry.time_ns, _EARLIEST), _LATEST) for entry in entries), np.int64, len(entries))
        meta = np.asarray(codes, np.int32) if len(metas) > 1 else None
        return LogColumns(times, offsets_of(lengths), text, meta, tuple(metas))

    def lengths(self) -> I64:
        """[n] bytes of each line."""
        return np.diff(self.offsets)

    def line(self, row: int) -> str:
        return self.text[self.offsets[row] : self.offsets[row + 1]].decode()

    def lines(self) -> list[str]:
        """All lines decoded."""
        return cut_text(self.text, self.offsets[:-1], self.offsets[1:])

    def encoded_lines(self, rows: I64) -> list[bytes]:
        """The lines of the rows as they are in the text."""
        bounds = zip(self.offsets[rows].tolist(), self.offsets[rows + 1].tolist(), strict=True)
        return [self.text[a:b] for a, b in bounds]

    def metadata(self, row: int) -> Labels:
        return () if self.meta is None else self.metas[self.meta[row]]

    def take(self, rows: I64) -> "LogColumns":
        """The rows given, in that order. The metadata table stays as it is."""
        lengths = self.lengths()[rows]
        text = slices(np.frombuffer(self.text, np.uint8), self.offsets[rows], lengths)
        meta = None if self.meta is None else self.meta[rows]
        return LogColumns(self.times_ns[rows], offsets_of(lengths), text, meta, self.metas)

    def with_metadata(self, meta: I32, metas: Sequence[Labels]) -> "LogColumns":
        return replace(self, meta=meta, metas=metas)

    # As a sequence of entries.

    def __len__(self) -> int:
        return len(self.times_ns)

    @overload
    def __getitem__(self, at: int) -> LogEntry: ...
    @overload
    def __getitem__(self, at: slice) -> "LogColumns": ...
    def __getitem__(self, at: int | slice) -> "LogEntry | LogColumns":
        if isinstance(at, slice):
            return self.take(np.arange(len(self))[at])
        row = range(len(self))[at]
        return LogEntry(int(self.times_ns[row]), self.line(row), self.metadata(row))

    def __iter__(self) -> Iterator[LogEntry]:
        if self.meta is None:
            return map(LogEntry, self.times_ns.tolist(), self.lines())
        metas = self.metas
        return map(LogEntry, self.times_ns.tolist(), self.lines(), [metas[code] for code in self.meta.tolist()])


def cut_text(text: bytes, starts: I64, ends: I64) -> list[str]:
    """The strings text[starts[i]:ends[i]], each of which is UTF-8."""
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    if text.isascii():
        plain = text.decode("ascii")
        return [plain[a:b] for a, b in places]
    return [text[a:b].decode() for a, b in places]


def encode_lines(lines: Sequence[str]) -> tuple[bytes, I64]:
    """UTF-8 of all lines, and the length of each in bytes."""
    text = "".join(lines)
    blob = text.encode("utf-8", "replace")
    if len(blob) == len(text):
        return blob, np.fromiter(map(len, lines), np.int64, len(lines))
    return blob, np.fromiter((len(line.encode("utf-8", "replace")) for line in lines), np.int64, len(lines))


def offsets_of(lengths: I64) -> I64:
    """[n+1] starts of consecutive pieces, and the end."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def slices(buffer: U8, starts: I64, lengths: I64) -> bytes:
    """The pieces buffer[starts[i] : starts[i] + lengths[i]], one after the other."""
    if len(starts) == 0:
        return b""
    ends = np.cumsum(lengths)
    if len(starts) < 64 or ends[-1] > LONG_PIECE_BYTES * len(starts):
        view = buffer.data
        return b"".join([view[a : a + n] for a, n in zip(starts.tolist(), lengths.tolist(), strict=True)])
    index = np.arange(ends[-1], dtype=np.int64)
    index += np.repeat(starts - (ends - lengths), lengths)
    return buffer[index].tobytes()
