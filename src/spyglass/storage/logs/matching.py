"""Matching lines against a template in columns: which of them have it, and what stands in their slots.

All lines are walked along the template together: where a slot begins is known, it ends before the next anchor, and there the bytes are
compared with the constant that should follow. Lines go in chunks that stay in the processor's second-level cache, and what is read to
find a slot's end is what its column is made of, so each byte is fetched once.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from spyglass.model.arrays import I64, U8, U64, Mask
from spyglass.model.log_columns import slices
from spyglass.storage.logs.template import MAX_TEMPLATE_LINE, Template

MAX_MATRIX_WIDTH = 256
"""Bytes: longer values are not looked at for repetition; zstd does."""
PADDING = MAX_TEMPLATE_LINE + 2 * MAX_MATRIX_WIDTH
"""A line that does not fit is followed past its end, by all constants and a window at most."""
CHUNK_ROWS = 2048
_FIRST_WIDTH = 32
_BACKSLASH = 92


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines in one buffer: line i is buffer[starts[i]:ends[i]], which `text` holds too; both are padded by `PADDING` bytes.

    escapes: whether there is a backslash anywhere.
    """

    text: bytes
    buffer: U8
    starts: I64
    ends: I64
    escapes: bool

    @staticmethod
    def of(text: bytes, offsets: I64) -> "Lines":
        """Copies the text unless it is padded already."""
        missing = max(int(offsets[-1]) + PADDING - len(text), 0)
        text = text + bytes(missing) if missing else text
        buffer = np.frombuffer(text, np.uint8)
        return Lines(text, buffer, offsets[:-1], offsets[1:], escapes=b"\\" in text)


NOWHERE: I64 = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The text of one slot in r lines.

    lengths [r].  matrix [r, w]: the pieces side by side, zero padded, w a multiple of 8; None where one is longer than MAX_MATRIX_WIDTH.
    starts [r]: where they are in the buffer; NOWHERE where there is a matrix and nobody needs them.
    """

    starts: I64
    lengths: I64
    matrix: U8 | None

    def text(self, buffer: U8) -> bytes:
        """All pieces, one after the other."""
        if self.matrix is None:
            return slices(buffer, self.starts, self.lengths)
        longest = int(self.lengths.max(initial=0))
        if longest == int(self.lengths.min(initial=longest)):
            return self.matrix[:, :longest].tobytes()
        return self.matrix[np.arange(self.matrix.shape[1]) < self.lengths[:, None]].tobytes()

    def take(self, chosen: I64, buffer: U8) -> "Pieces":
        lengths = self.lengths[chosen]
        if self.matrix is not None:
            return Pieces(self.starts[chosen] if len(self.starts) else NOWHERE, lengths, self.matrix[chosen])
        starts = self.starts[chosen]
        # Without the long ones there may be a matrix.
        return Pieces(starts, lengths, pieces_at(buffer, starts, lengths).matrix)


@dataclass(frozen=True, slots=True)
class Matched:
    """rows [r] that have the template, in the order in which they were given; the pieces of each slot."""

    rows: I64
    slots: tuple[Pieces, ...]

    @property
    def size(self) -> int:
        return len(self.rows)

    def take(self, chosen: I64, buffer: U8) -> "Matched":
        return Matched(self.rows[chosen], tuple(pieces.take(chosen, buffer) for pieces in self.slots))


def match(template: Template, lines: Lines, rows: I64) -> Matched:
    """Which of `rows` have the template, and their slots. Lines with two backslashes in a row must not be among them."""
    rows = rows[_has_const(lines.buffer, lines.starts[rows], template.consts[0])]
    walk = _Walk(template, lines)
    found = [walk.chunk(rows[at : at + CHUNK_ROWS]) for at in range(0, max(len(rows), 1), CHUNK_ROWS)]
    matched = np.concatenate([chunk.rows for chunk in found])
    slots = [list(chunk.slots) for chunk in found]
    del found
    # Slot by slot, so that not all of them are in memory twice.
    joined = [_joined([chunk.pop() for chunk in slots]) for _ in range(template.slot_count)]
    return Matched(matched, tuple(reversed(joined)))


def whole_lines(lines: Lines, rows: I64) -> Matched:
    """The lines as the one slot of the template of those that have none."""
    starts = lines.starts[rows]
    return Matched(rows, (pieces_at(lines.buffer, starts, lines.ends[rows] - starts),))


def pieces_at(buffer: U8, starts: I64, lengths: I64) -> Pieces:
    """Pieces whose places are known."""
    if int(lengths.max(initial=0)) > MAX_MATRIX_WIDTH:
        return Pieces(starts, lengths, None)
    chunks = []
    for at in range(0, max(len(starts), 1), CHUNK_ROWS):
        first, size = starts[at : at + CHUNK_ROWS], lengths[at : at + CHUNK_ROWS]
        chunks.append(Pieces(first, size, _cut_off(windows(buffer, first, padded_width(size)), size)))
    return _joined(chunks)


class _Walk:
    """One template along the lines. widths: how many bytes of each slot are fetched, from what the chunk before had."""

    def __init__(self, template: Template, lines: Lines) -> None:
        self.template, self.lines = template, lines
        self.anchor = template.anchor[0]
        self.widths = [_FIRST_WIDTH] * template.slot_count

    def chunk(self, rows: I64) -> Matched:
        """Of the rows, which begin with the first constant, those that have the whole template."""
        lines, consts = self.lines, self.template.consts
        at, ends = lines.starts[rows] + len(consts[0]), lines.ends[rows]
        fits: Mask = np.ones(len(rows), np.bool_)
        slots: list[Pieces] = []
        for slot, const in enumerate(consts[1:]):
            is_last = slot == self.template.slot_count - 1
            pieces, good = self._last(const, at, ends, fits) if is_last else self._inner(slot, const, at, ends, fits)
            fits &= good
            slots.append(pieces)
            at = at + pieces.lengths + len(const)
            if slot == 0 and not fits.all():
                # Lines of another template mostly differ here already.
                some = np.flatnonzero(fits)
                rows, at, ends, fits = rows[some], at[some], ends[some], fits[some]
                slots = [pieces.take(some, lines.buffer)]
        matched = Matched(rows, tuple(slots))
        return matched if fits.all() else matched.take(np.flatnonzero(fits), lines.buffer)

    def _inner(self, slot: int, const: bytes, at: I64, ends: I64, fits: Mask) -> tuple[Pieces, Mask]:
        """A slot that ends before the next anchor. Lines that do not fit any longer are carried along."""
        lead = const.index(self.template.anchor)
        while True:
            width = self.widths[slot]
            window = windows(self.lines.buffer, at, width)
            hits = self._anchors(window)
            lengths = np.maximum(hits.argmax(axis=1) - lead, 0)
            good = _has_const(self.lines.buffer, at + lengths, const)
            bad = np.flatnonzero(fits & ~good)
            # Those whose anchor is not in the window, although their line goes on behind it.
            short = bad[~hits[bad].any(axis=1) & (at[bad] + width < ends[bad])] if len(bad) else bad
            if not len(short) or width >= MAX_MATRIX_WIDTH:
                break
            self.widths[slot] = min(2 * width, MAX_MATRIX_WIDTH)
        if len(short):
            self._look_far(short, lead, at, ends, lengths)
            good[short] = _has_const(self.lines.buffer, at[short] + lengths[short], const)
        good &= fits
        lengths *= good
        longest = int(lengths.max(initial=0))
        self.widths[slot] = min(_padded(longest + lead + 1), MAX_MATRIX_WIDTH)
        matrix = None if longest > MAX_MATRIX_WIDTH else _cut_off(window[:, : max(_padded(longest), 8)], lengths)
        return Pieces(at, lengths, matrix), good

    def _look_far(self, rows: I64, lead: int, at: I64, ends: I64, lengths: I64) -> None:
        """Slots longer than any window, one by one."""
        text, anchor = self.lines.text, self.template.anchor
        for row, start, end in zip(rows.tolist(), at[rows].tolist(), ends[rows].tolist(), strict=True):
            place = text.find(anchor, start, end)
            while place > start and text[place - 1] == _BACKSLASH:
                place = text.find(anchor, place + 1, end)
            lengths[row] = max(place - start - lead, 0)

    def _last(self, const: bytes, at: I64, ends: I64, fits: Mask) -> tuple[Pieces, Mask]:
        """The slot that ends where the last constant must begin; it holds no anchor."""
        lengths = ends - len(const) - at
        good = fits & (lengths >= 0)
        lengths *= good
        good &= _has_const(self.lines.buffer, at + lengths, const)
        if int(lengths.max(initial=0)) > MAX_MATRIX_WIDTH:
            for row in np.flatnonzero(good).tolist():
                window = self.lines.buffer[at[row] : at[row] + lengths[row]]
                good[row] = not self._anchors(window[None, :]).any()
            return Pieces(at, lengths, None), good
        matrix = _cut_off(windows(self.lines.buffer, at, padded_width(lengths)), lengths)
        hits = self._anchors(matrix)
        if hits.any():
            good &= ~hits.any(axis=1)
        return Pieces(at, lengths, matrix), good

    def _anchors(self, window: U8) -> Mask:
        """[r, w] where an anchor stands. Before the window stands a constant, which never ends in a backslash."""
        hits: Mask = window == self.anchor
        if self.lines.escapes:
            hits[:, 1:] &= window[:, :-1] != _BACKSLASH
        return hits


def windows(buffer: U8, starts: I64, width: int) -> U8:
    """[r, width]: the bytes from each start on. A copy. Starts lie at most len(buffer) - width into the buffer."""
    view = np.ndarray((len(buffer) - width + 1,), dtype=f"V{width}", buffer=buffer, strides=(1,))
    return view[starts].view(np.uint8).reshape(len(starts), width)


def padded_width(lengths: I64) -> int:
    return max(8, _padded(int(lengths.max(initial=0))))


def _padded(size: int) -> int:
    return -(-size // 8) * 8


def _has_const(buffer: U8, starts: I64, const: bytes) -> Mask:
    """[r] whether the constant stands at each start; compared in words."""
    if not const:
        return np.ones(len(starts), np.bool_)
    wanted, last_mask = _words_of(const)
    words = windows(buffer, starts, 8 * len(wanted)).view(np.uint64)
    fits: Mask = (words[:, -1] & last_mask) == wanted[-1]
    for index in range(len(wanted) - 1):
        fits &= words[:, index] == wanted[index]
    return fits


@lru_cache(maxsize=1024)
def _words_of(const: bytes) -> tuple[U64, np.uint64]:
    """The constant in words, zero padded, and which bits of the last one count."""
    rest = len(const) % 8 or 8
    mask = np.frombuffer((b"\xff" * rest).ljust(8, b"\0"), np.uint64)[0]
    return np.frombuffer(const.ljust(_padded(len(const)), b"\0"), np.uint64), mask


def _cut_off(window: U8, lengths: I64) -> U8:
    """[r, w] with zeros behind each length; w is a multiple of 8."""
    width = window.shape[1]
    words = np.ascontiguousarray(window).view(np.uint64)
    words &= _masks(width)[np.minimum(lengths, width)].view(np.uint64).reshape(words.shape)
    return words.view(np.uint8)


@lru_cache(maxsize=MAX_MATRIX_WIDTH // 8)
def _masks(width: int) -> U8:
    """[width + 1] rows of that many bytes of ones and then zeros, each a single item."""
    rows = np.tril(np.full((width + 1, width), 255, np.uint8), -1)
    return rows.view(f"V{width}").reshape(width + 1)


def _joined(chunks: list[Pieces]) -> Pieces:
    """The pieces of all chunks, in a matrix as wide as the longest needs."""
    lengths = np.concatenate([chunk.lengths for chunk in chunks])
    if any(chunk.matrix is None for chunk in chunks):
        return Pieces(np.concatenate([chunk.starts for chunk in chunks]), lengths, None)
    width = padded_width(lengths)
    matrix = np.empty((len(lengths), width), np.uint8)
    at = 0
    for chunk in chunks:
        assert chunk.matrix is not None
        part = chunk.matrix[:, :width]
        matrix[at : at + len(part), : part.shape[1]] = part
        matrix[at : at + len(part), part.shape[1] :] = 0
        at += len(part)
    return Pieces(NOWHERE, lengths, matrix)
