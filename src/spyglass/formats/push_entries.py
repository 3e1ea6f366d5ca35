"""The entries of one pushed stream, all at once: where the usual layout holds throughout, no entry is parsed on its own.

An entry as every client writes it is `0x12 size 0x0a n 0x08 seconds [0x10 nanos] 0x12 size line`, one right after the other. Places that
look like the start of one are found in numpy and measured; the reading is believed only if the entries found follow each other without
a gap from the first byte to the last, for then it is the only reading there is. Anything else (metadata, other field orders, an
unlucky byte in a line) is None, and the caller reads entry by entry.

All that stands before a line fits 24 bytes, which are fetched once, as three words (byte 0 is the lowest of the first):

    byte   0..4 the entry's key and size, ending at 4   5 0x0a   6 n   7 0x08   8..12 seconds   13 0x10, nanos, 0x12, the line's size
"""

import numpy as np

from spyglass.model.arrays import I64, U8, U64, Mask
from spyglass.model.log_columns import LogColumns, offsets_of, slices

MIN_BYTES = 2048
"""Below, setting up numpy costs more than reading one by one."""
HEAD_BYTES, BEFORE = 24, 5
"""A head, and how much of it lies before the time's key."""
MAX_SIZE_BYTES = 4
"""Of the varint of an entry's or line's size: up to 2**28."""
MAX_SECONDS = 9_000_000_000
TIME_BYTES = (6, 12)
"""A time has five bytes of seconds (the years 1978 to 3058) and their key, then up to five of nanoseconds and theirs, or none."""
_ENTRY, _TIME, _SECONDS, _NANOS, _LINE = 0x12, 0x0A, 0x08, 0x10, 0x12


def read_entries(data: bytes, start: int, end: int) -> LogColumns | None:
    """The entries in data[start:end], or None where they must be read one by one."""
    if end - start < MIN_BYTES or start < BEFORE:
        # A stream's labels stand before its entries: there is always room for the first head.
        return None
    found = _measured(data, start, end)
    if found is None:
        return None
    times, first, last = found
    text = slices(np.frombuffer(data, np.uint8), first, last - first)
    if text.isascii():
        return LogColumns(times, offsets_of(last - first), text)
    return _replaced(times, [data[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)])


def _replaced(times_ns: I64, lines: list[bytes]) -> LogColumns:
    """Bytes that are no UTF-8 become replacement characters, as nothing is refused for them."""
    fine = [line if line.isascii() else line.decode("utf-8", "replace").encode() for line in lines]
    lengths = np.fromiter(map(len, fine), np.int64, len(fine))
    return LogColumns(times_ns, offsets_of(lengths), b"".join(fine))


def _measured(data: bytes, start: int, end: int) -> tuple[I64, I64, I64] | None:
    """(times in ns, first byte of each line, end of each line) where the entries follow each other from end to end."""
    # Text holds few bytes of this value: what else an entry begins with is looked at only around them.
    at = _places(np.frombuffer(data, np.uint8, end - start, start), _SECONDS) + start - 2
    heads = _heads(data, at)
    n = _byte(heads[0], 6)
    likely = (_byte(heads[0], 5) == _TIME) & (n >= TIME_BYTES[0]) & (n <= TIME_BYTES[1])
    if not likely.all():
        at, n, heads = at[likely], n[likely], np.ascontiguousarray(heads[:, likely])
    begins, sizes = _sizes(heads[0], at)
    found = begins >= 0
    if not found.all():
        at, n, begins, sizes = at[found], n[found], begins[found], sizes[found]
        heads = np.ascontiguousarray(heads[:, found])
    ends = at + sizes
    if not len(at) or begins[0] != start or ends[-1] != end or (ends[:-1] != begins[1:]).any():
        return None
    times, lengths, width = _times(heads, n), *_line_sizes(heads, n)
    first = at + n + 3 + width
    if times is None or (width > MAX_SIZE_BYTES).any() or (first + lengths != ends).any():
        return None
    return times, first, ends


def _heads(data: bytes, at: I64) -> U64:
    """[3, r] the heads around the places of the time's key, in words."""
    places, last = at - BEFORE, len(data) - HEAD_BYTES
    view = np.ndarray((last + 1,), dtype=f"V{HEAD_BYTES}", buffer=data, strides=(1,))
    words = view[np.minimum(places, last)].view("<u8").reshape(-1, 3)
    for row in np.flatnonzero(places > last).tolist():
        # Short lines at the end of the body.
        words[row] = np.frombuffer(data[places[row] :].ljust(HEAD_BYTES, b"\0"), "<u8")
    return np.ascontiguousarray(words.T)


def _byte(words: U64, place: int) -> I64:
    return (words >> np.uint64(8 * place) & np.uint64(0xFF)).view(np.int64)


def _sizes(words: U64, at: I64) -> tuple[I64, I64]:
    """(where each entry begins, -1 where none does; its size), from the bytes before the time's key."""
    begins, sizes = np.full(len(words), -1, np.int64), np.zeros(len(words), np.int64)
    for width in (2, 1, 3, 4):
        # The key, and which bytes of the size have a successor.
        head = words >> np.uint64(8 * (4 - width))
        fits = head & _SIZE_BITS[width] == _SIZE_IS[width]
        if fits.all():
            return at - (width + 1), _groups(head >> np.uint64(8), width)
        if fits.any():
            begins[fits] = at[fits] - (width + 1)
            sizes[fits] = _groups(head[fits] >> np.uint64(8), width)
    return begins, sizes


def _groups(words: U64, count: int) -> I64:
    """The number whose groups of seven bits are in the lowest bytes."""
    values = words & np.uint64(0x7F)
    for place in range(1, count):
        values |= words >> np.uint64(place) & np.uint64(0x7F << 7 * place)
    return values.view(np.int64)


def _times(heads: U64, n: I64) -> I64 | None:
    """Nanoseconds since 1970, or None where a time is something else or does not fit 64 bits."""
    if (heads[1] & _HIGH[5] != _MORE[5]).any():
        return None
    seconds = _groups(heads[1], 5)
    if (seconds > MAX_SECONDS).any():
        return None
    width = np.maximum(n - TIME_BYTES[0] - 1, 0)
    has_nanos = width > 0
    if (n == TIME_BYTES[0] + 1).any() or (has_nanos & (_byte(heads[1], 5) != _NANOS)).any():
        return None
    nanos = (heads[1] >> np.uint64(48) | heads[2] << np.uint64(16)) & _BYTES[width]
    if (nanos & _HIGH[width] != _MORE[width]).any():
        return None
    return seconds * 1_000_000_000 + _groups(nanos, 5)


def _line_sizes(heads: U64, n: I64) -> tuple[I64, I64]:
    """(bytes of each line, bytes of that number); more than MAX_SIZE_BYTES of the latter where there is no line."""
    # The line's key is at byte 13 to 19 of the head.
    near = heads[1] >> np.uint64(40) | heads[2] << np.uint64(24)
    place = (n - TIME_BYTES[0]).astype(np.uint64) << np.uint64(3)
    words = np.where(n <= 9, near >> place, heads[2] >> (place - np.uint64(24)))
    is_line = words & np.uint64(0xFF) == np.uint64(_LINE)
    words >>= np.uint64(8)
    ends = ~words & _HIGH[MAX_SIZE_BYTES]
    inside = ends ^ (ends - np.uint64(1))
    width = (np.bitwise_count(inside) >> 3).astype(np.int64)
    return _groups(words & inside, MAX_SIZE_BYTES), np.where(is_line, width, MAX_SIZE_BYTES + 1)


def _places(block: U8, byte: int) -> I64:
    """Where a byte stands that is rare: words without one are passed over."""
    hits: Mask = block == byte
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


def _per_width(values: list[int]) -> U64:
    return np.asarray(values, np.uint64)


_BYTES = _per_width([(1 << 8 * width) - 1 for width in range(6)])
"""By the width of a varint: all its bits; the highest bit of each byte; those of them that are set."""
_HIGH = _per_width([0x8080808080 & (1 << 8 * width) - 1 for width in range(6)])
_MORE = _per_width([0, *(0x8080808080 & (1 << 8 * width) - 1 for width in range(5))])
_SIZE_BITS = _HIGH << np.uint64(8) | np.uint64(0xFF)
_SIZE_IS = _MORE << np.uint64(8) | np.uint64(_ENTRY)
