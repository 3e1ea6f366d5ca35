"""The entries of one pushed stream, all at once: where the usual layout holds throughout, no entry is parsed on its own.

An entry as every client writes it is `0x12 size 0x0a n 0x08 seconds [0x10 nanos] 0x12 size line`, one right after the other. Places that
look like the start of one are found in numpy and measured; the reading is believed only if the entries found follow each other without
a gap from the first byte to the last, for then it is the only reading there is. Anything else (metadata, other field orders, an
unlucky byte in a line) is None, and the caller reads entry by entry.
"""

import numpy as np

from spyglass.model.arrays import I64, U8, Mask
from spyglass.model.log_columns import LogColumns, offsets_of

MIN_BYTES = 2048
"""Below, setting up numpy costs more than reading one by one."""
MAX_SIZE_BYTES = 4
"""Of the varint of an entry's size: up to 2**28."""
MAX_VARINT_BYTES = 5
TOO_LONG = -(2**40)
MAX_SECONDS = 9_000_000_000
TIME_BYTES = (6, 12)
"""A time has one to five bytes of seconds, and nanoseconds or none; five bytes of seconds are the years 1978 to 3058."""
_ENTRY, _TIME, _SECONDS, _NANOS, _LINE = 0x12, 0x0A, 0x08, 0x10, 0x12


def read_entries(data: bytes, start: int, end: int) -> LogColumns | None:
    """The entries in data[start:end], or None where they must be read one by one."""
    if end - start < MIN_BYTES:
        return None
    block = np.frombuffer(data, np.uint8, end - start, start)
    found = _measured(block, _candidates(block))
    if found is None:
        return None
    times, first, last = found
    pieces = [data[a:b] for a, b in zip((first + start).tolist(), (last + start).tolist(), strict=True)]
    return utf8_columns(times, pieces)


def utf8_columns(times_ns: I64, lines: list[bytes]) -> LogColumns:
    """Columns of lines as they were sent. Bytes that are no UTF-8 become replacement characters, as nothing is refused for them."""
    text = b"".join(lines)
    if not text.isascii():
        lines = [line if line.isascii() else line.decode("utf-8", "replace").encode() for line in lines]
        text = b"".join(lines)
    lengths = np.fromiter(map(len, lines), np.int64, len(lines))
    return LogColumns(times_ns, offsets_of(lengths), text)


def _candidates(block: U8) -> I64:
    """Where an entry may begin: its key, one to four bytes of size, and a time field."""
    # Text holds few bytes of this value: what else an entry begins with is looked at only around them.
    marks = np.flatnonzero(block[2:] == _SECONDS)
    sizes = block[marks + 1]
    marks = marks[(block[marks] == _TIME) & (sizes >= TIME_BYTES[0]) & (sizes <= TIME_BYTES[1])]
    begins: I64 = np.full(len(marks), -1, np.int64)
    for width in range(1, MAX_SIZE_BYTES + 1):
        at = marks - width - 1
        safe = np.maximum(at, 0)
        begins = np.where((at >= 0) & (block[safe] == _ENTRY) & _has_width(block, safe + 1, width), at, begins)
    return begins[begins >= 0]


def _has_width(block: U8, at: I64, width: int) -> Mask:
    """Whether the varint there has this many bytes."""
    fits: Mask = block[at + width - 1] < 0x80
    for place in range(width - 1):
        fits &= block[at + place] >= 0x80
    return fits


def _measured(block: U8, begins: I64) -> tuple[I64, I64, I64] | None:
    """(times in ns, first byte of each line, end of each line) where the entries follow each other from end to end."""
    if not len(begins) or begins[0] != 0:
        return None
    sizes, at = _varints(block, begins + 1)
    ends = at + sizes
    if ends[-1] != len(block) or (ends[:-1] != begins[1:]).any():
        return None
    time_ends = at + 2 + block[at + 1].astype(np.int64)
    if (time_ends >= ends).any():
        return None
    seconds, at = _varints(block, at + 3)
    nanos: I64 = np.zeros(len(begins), np.int64)
    more = np.flatnonzero(at < time_ends)
    if len(more):
        if (block[at[more]] != _NANOS).any():
            return None
        nanos[more], at[more] = _varints(block, at[more] + 1)
    if (at != time_ends).any() or (block[at] != _LINE).any() or not _are_times(seconds, nanos):
        return None
    lengths, at = _varints(block, at + 1)
    if (at + lengths != ends).any():
        return None
    return seconds * 1_000_000_000 + nanos, at, ends


def _are_times(seconds: I64, nanos: I64) -> bool:
    """Whether the nanoseconds since 1970 fit 64 bits, and no number was too long to be read."""
    return bool(((seconds >= 0) & (seconds <= MAX_SECONDS) & (nanos >= 0)).all())


def _varints(block: U8, at: I64) -> tuple[I64, I64]:
    """The numbers there, and the places behind them. One of more than five bytes is TOO_LONG."""
    values: I64 = np.zeros(len(at), np.int64)
    width: I64 = np.zeros(len(at), np.int64)
    going: Mask = np.ones(len(at), np.bool_)
    last = len(block) - 1
    for place in range(MAX_VARINT_BYTES):
        byte = block[np.minimum(at + place, last)].astype(np.int64)
        values += np.where(going, (byte & 0x7F) << (7 * place), 0)
        width += going
        going = going & (byte >= 0x80)
        if not going.any():
            break
    return np.where(going, TOO_LONG, values), at + width
