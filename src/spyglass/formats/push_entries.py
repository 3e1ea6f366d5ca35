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
_HIGH_BITS = np.uint64(0x8080808080808080)
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
    lines = [data[a:b] for a, b in zip((first + start).tolist(), (last + start).tolist(), strict=True)]
    text = b"".join(lines)
    if text.isascii():
        return LogColumns(times, offsets_of(last - first), text)
    return _replaced(times, lines)


def _replaced(times_ns: I64, lines: list[bytes]) -> LogColumns:
    """Bytes that are no UTF-8 become replacement characters, as nothing is refused for them."""
    fine = [line if line.isascii() else line.decode("utf-8", "replace").encode() for line in lines]
    lengths = np.fromiter(map(len, fine), np.int64, len(fine))
    return LogColumns(times_ns, offsets_of(lengths), b"".join(fine))


def _candidates(block: U8) -> I64:
    """Where an entry may begin: its key, one to four bytes of size, and a time field."""
    # Text holds few bytes of this value: what else an entry begins with is looked at only around them.
    marks = _places(block, _SECONDS) - 2
    marks = marks[marks >= 0]
    sizes = block[marks + 1]
    marks = marks[(block[marks] == _TIME) & (sizes >= TIME_BYTES[0]) & (sizes <= TIME_BYTES[1])]
    begins: I64 = np.full(len(marks), -1, np.int64)
    for width in range(1, MAX_SIZE_BYTES + 1):
        if (begins >= 0).all():
            break
        at = marks - width - 1
        safe = np.maximum(at, 0)
        begins = np.where((at >= 0) & (block[safe] == _ENTRY) & _has_width(block, safe + 1, width), at, begins)
    return begins[begins >= 0]


def _places(block: U8, byte: int) -> I64:
    """Where a byte stands that is rare: words without one are passed over."""
    hits = block == byte
    whole = len(block) // 8 * 8
    words = hits[:whole].view("<u8")
    rest = whole + np.flatnonzero(hits[whole:])
    found = np.flatnonzero(words != 0)
    once = words[found]
    if (np.bitwise_count(once) > 1).any():
        inside = (8 * found[:, None] + np.arange(8))[hits[:whole].reshape(-1, 8)[found]]
    else:
        inside = 8 * found + (np.bitwise_count(once - np.uint64(1)) >> 3)
    return np.concatenate([inside, rest])


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
    """The numbers there, and the places behind them. One of more than five bytes is TOO_LONG. The block has eight bytes or more."""
    # Eight bytes from each place, in one word; near the end the last eight, moved down.
    safe = np.minimum(at, len(block) - 8)
    view = np.ndarray((len(block) - 7,), dtype="<u8", buffer=block, strides=(1,))
    words = view[safe] >> ((at - safe).astype(np.uint64) << np.uint64(3))
    ends = ~words & _HIGH_BITS
    # The bits below the first byte without its highest bit, and what is in that byte.
    inside = ends ^ (ends - np.uint64(1))
    width: I64 = (np.bitwise_count(inside) >> 3).astype(np.int64)
    words &= inside & ~_HIGH_BITS
    values: I64 = (words & np.uint64(0x7F)).astype(np.int64)
    for place in range(1, min(int(width.max(initial=0)), MAX_VARINT_BYTES)):
        values |= (words >> np.uint64(8 * place) & np.uint64(0x7F)).astype(np.int64) << (7 * place)
    return np.where(width > MAX_VARINT_BYTES, TOO_LONG, values), at + np.minimum(width, MAX_VARINT_BYTES)
