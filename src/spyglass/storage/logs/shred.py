"""Shredding: rows in order of arrival become parts, each of one template, in order of time.

Cost, measured on 254-byte JSON lines of ten fields: see docs/decisions/0004. Everything is done on the whole batch in numpy;
Python runs once per template and once per slot.
"""

import threading
from collections.abc import Sequence

import numpy as np
import orjson

from spyglass.model.arrays import I64, U8, U64, Mask
from spyglass.model.log_columns import offsets_of, slices
from spyglass.storage.logs.column import (
    Column,
    DictColumn,
    IntColumn,
    IsoColumn,
    PlainColumn,
    TextTable,
    parse_integers,
    parse_iso,
)
from spyglass.storage.logs.hashes import hash_matrix
from spyglass.storage.logs.pages import narrow_codes
from spyglass.storage.logs.part import MemoryPart, StreamSet, StreamTable
from spyglass.storage.logs.rows import Rows
from spyglass.storage.logs.template import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    PADDING,
    RAW,
    Anchors,
    Lines,
    Template,
    find_template,
    match,
    windows,
)

MIN_TEMPLATE_ROWS = 32
"""A template with fewer lines in a batch is not worth its columns: its lines stay raw."""
MAX_TEMPLATES = 24
_MAX_MISSES = 16
MAX_DICTIONARY_WIDTH = 256
"""Bytes: longer values are not looked at for repetition; zstd does."""


class TemplateMemory:
    """The templates that were seen lately, most useful first, so that a batch need not find them again. Thread-safe."""

    def __init__(self, limit: int = 64) -> None:
        self._lock = threading.Lock()
        self._known: dict[Template, int] = {}
        self._limit = limit

    def known(self) -> list[Template]:
        with self._lock:
            return sorted(self._known, key=lambda template: -self._known[template])

    def used(self, template: Template, rows: int) -> None:
        with self._lock:
            # Halved as time goes, so that yesterday's favourite does not stay in front for ever.
            self._known = {t: count >> 1 for t, count in self._known.items() if t != template} | {
                template: self._known.get(template, 0) // 2 + rows
            }
            if len(self._known) > self._limit:
                del self._known[min(self._known, key=lambda t: self._known[t])]


def shred(rows: Rows, seqs: I64, memory: TemplateMemory, *, least: int = MIN_TEMPLATE_ROWS) -> list[MemoryPart]:
    """All rows in parts. seqs [n]: their arrival numbers, ascending. least: a template with fewer lines is not used."""
    if rows.size == 0:
        return []
    order = np.argsort(rows.times, kind="stable")
    buffer = np.frombuffer(rows.blob + b"\0" * PADDING, np.uint8)
    lines = Lines(buffer, rows.offsets[:-1], rows.offsets[1:], escapes=b"\\" in rows.blob)
    parts = []
    left = order
    for template, matched, starts, lengths in _cut_templates(lines, rows, order, memory, least):
        made = _part(rows, buffer, template, matched, starts, lengths, seqs)
        if made is not None:
            parts.append(made)
            memory.used(template, len(matched))
            gone = np.zeros(rows.size, np.bool_)
            gone[matched] = True
            left = left[~gone[left]]
    if len(left):
        starts, lengths = rows.offsets[left][None, :], rows.lengths()[left][None, :]
        made = _part(rows, buffer, RAW, left, starts, lengths, seqs)
        assert made is not None, "the raw template takes every line"
        parts.append(made)
    return parts


def outline(rows: Rows, seqs: I64) -> MemoryPart:
    """All rows as one part of whole lines: for questions that do not look into lines, at a fraction of the cost."""
    order = np.argsort(rows.times, kind="stable")
    lengths = rows.lengths()[order]
    table = TextTable(slices(np.frombuffer(rows.blob, np.uint8), rows.offsets[order], lengths), offsets_of(lengths))
    return _assembled(rows, RAW, order, (PlainColumn(table),), lengths, seqs)


Cut = tuple[Template, I64, I64, I64]


def _cut_templates(lines: Lines, rows: Rows, order: I64, memory: TemplateMemory, least: int) -> list[Cut]:
    """(template, its rows in order of time, slot starts, slot lengths) for every template worth having."""
    odd, escaped = _rows_with_odd_bytes(lines)
    cuts: list[Cut] = []
    anchors: dict[bytes, Anchors] = {}

    def attempt(template: Template, left: I64) -> I64:
        if template.anchor not in anchors:
            anchors[template.anchor] = Anchors.find(lines, template.anchor)
        places = anchors[template.anchor]
        candidates = left[places.counts()[left] == template.anchor_count]
        if template.kind != "json" and lines.escapes:
            candidates = candidates[~escaped[candidates]]
        if len(candidates) < least:
            return left
        matched, starts, lengths = match(template, lines, places, candidates)
        good = _valid_slots(template, lines.buffer, starts, lengths, escapes=lines.escapes)
        if not good.all():
            matched, starts, lengths = matched[good], starts[:, good], lengths[:, good]
        if len(matched) < least:
            return left
        cuts.append((template, matched, starts, lengths))
        gone = np.zeros(rows.size, np.bool_)
        gone[matched] = True
        return left[~gone[left]]

    left = order[~odd[order]]
    for template in memory.known():
        if len(left) >= least and len(cuts) < MAX_TEMPLATES:
            left = attempt(template, left)
    misses = 0
    while len(left) >= least and len(cuts) < MAX_TEMPLATES and misses < _MAX_MISSES:
        row = int(left[len(left) // 2])
        found = find_template(lines.buffer[lines.starts[row] : lines.ends[row]].tobytes())
        before = len(left)
        if found is not None:
            left = attempt(found, left)
        if len(left) == before:
            misses += 1
            left = left[left != row]
    return cuts


def _rows_with_odd_bytes(lines: Lines) -> tuple[Mask, Mask]:
    """[n] the line holds a control character or two backslashes in a row; [n] it holds a backslash."""
    odd, escaped = np.zeros(len(lines.starts), np.bool_), np.zeros(len(lines.starts), np.bool_)
    body = lines.buffer[: int(lines.ends[-1])]
    for at in range(0, len(body), CHUNK_BYTES):
        piece = body[at : at + CHUNK_BYTES]
        if piece.min() < 32:
            odd[_lines_at(lines, at + np.flatnonzero(piece < 32))] = True
        if lines.escapes and len(slashes := at + np.flatnonzero(piece == 92)):
            escaped[_lines_at(lines, slashes)] = True
            odd[_lines_at(lines, slashes[lines.buffer[slashes + 1] == 92])] = True
    return odd, escaped


def _lines_at(lines: Lines, places: I64) -> I64:
    return np.searchsorted(lines.ends, places, side="right")


def _valid_slots(template: Template, buffer: U8, starts: I64, lengths: I64, *, escapes: bool) -> Mask:
    """[r]: what stands in the slots is what the language allows there, so that a parser would cut the line as we did."""
    good = np.ones(starts.shape[1], np.bool_)
    for index, quoted in enumerate(template.quoted):
        if quoted and template.kind == "json":
            if escapes:
                good &= _valid_escapes(buffer, starts[index], lengths[index])
            continue
        good &= _valid_slot(template, buffer, starts[index], lengths[index], quoted)
    return good


def _valid_escapes(buffer: U8, starts: I64, lengths: I64) -> Mask:
    """[r]: the string's escapes, if it has any, are JSON's."""
    good = np.ones(len(starts), np.bool_)
    blob = slices(buffer, starts, lengths)
    if b"\\" not in blob:
        return good
    offsets = offsets_of(lengths)
    rows = np.unique(np.searchsorted(offsets, np.flatnonzero(np.frombuffer(blob, np.uint8) == 92), side="right") - 1)
    for row in rows.tolist():
        try:
            orjson.loads(b'"' + blob[offsets[row] : offsets[row + 1]] + b'"')
        except orjson.JSONDecodeError:
            good[row] = False
    return good


def _valid_slot(template: Template, buffer: U8, starts: I64, lengths: I64, quoted: bool) -> Mask:
    width = int(lengths.max(initial=0))
    if width == 0:
        return np.full(len(starts), template.kind == "logfmt")
    if width <= 18 and template.kind == "json" and _all_integers(buffer, starts, lengths):
        return np.ones(len(starts), np.bool_)
    blob = slices(buffer, starts, lengths)
    ends = np.cumsum(lengths).tolist()
    texts = [blob[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
    verdicts: dict[bytes, bool] = {}
    test = _json_bare_ok if template.kind == "json" else _logfmt_quoted_ok if quoted else _logfmt_bare_ok
    for text in set(texts):
        verdicts[text] = test(text)
    return np.fromiter((verdicts[text] for text in texts), np.bool_, len(texts))


def _all_integers(buffer: U8, starts: I64, lengths: I64) -> bool:
    for at in range(0, len(starts), CHUNK_ROWS):
        piece = slice(at, at + CHUNK_ROWS)
        if parse_integers(gather(buffer, starts[piece], lengths[piece]), lengths[piece]) is None:
            return False
    return True


def _json_bare_ok(text: bytes) -> bool:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return not isinstance(value, dict | str) and text[:1] not in b" \t" and text[-1:] not in b" \t"


def _logfmt_bare_ok(text: bytes) -> bool:
    return not any(byte <= 32 or byte in b'"=' for byte in text)


def _logfmt_quoted_ok(text: bytes) -> bool:
    return b'"' not in text


def gather(buffer: U8, starts: I64, lengths: I64) -> U8:
    """[r, w]: the pieces side by side, zero padded; w is a multiple of 8."""
    width = padded_width(lengths)
    matrix = windows(buffer, starts, width)
    shortest, longest = int(lengths.min(initial=0)), int(lengths.max(initial=0))
    if longest < width:
        matrix[:, longest:] = 0
    if shortest < longest:
        # A product of the varying columns: an assignment through a mask takes five times as long.
        inside = np.arange(shortest, longest) < lengths[:, None]
        matrix[:, shortest:longest] *= inside
    return matrix


def padded_width(lengths: I64) -> int:
    return max(8, -(-int(lengths.max(initial=0)) // 8) * 8)


def gather_all(buffer: U8, starts: I64, lengths: I64) -> list[U8 | None]:
    """Per slot the matrix of its pieces, None where they are too long for one. starts, lengths [m, r].

    Lines are walked in chunks that stay in the processor's cache, all slots of a chunk together.
    """
    slots, rows = starts.shape
    widths = [padded_width(lengths[slot]) for slot in range(slots)]
    matrices = [np.empty((rows, width), np.uint8) if width <= MAX_DICTIONARY_WIDTH else None for width in widths]
    for at in range(0, rows, CHUNK_ROWS):
        piece = slice(at, min(at + CHUNK_ROWS, rows))
        for slot, matrix in enumerate(matrices):
            if matrix is not None:
                found = gather(buffer, starts[slot, piece], lengths[slot, piece])
                matrix[piece, : found.shape[1]] = found
                matrix[piece, found.shape[1] :] = 0
    return matrices


def encode_slot(buffer: U8, matrix: U8 | None, starts: I64, lengths: I64, quoted: bool) -> Column:
    """The column that suits the pieces best; it gives back their exact text."""
    if matrix is None:
        return PlainColumn(TextTable(slices(buffer, starts, lengths), offsets_of(lengths)))
    if not quoted and (integers := parse_integers(matrix, lengths)) is not None:
        return IntColumn(integers)
    if quoted and (times := parse_iso(matrix, lengths)) is not None:
        return IsoColumn(times)
    column = _dictionary(matrix, lengths)
    if column is not None:
        return column
    longest = int(lengths.max())
    flat = (
        matrix[:, :longest] if int(lengths.min()) == longest else matrix[np.arange(matrix.shape[1]) < lengths[:, None]]
    )
    return PlainColumn(TextTable(flat.tobytes(), offsets_of(lengths)))


def _dictionary(matrix: U8, lengths: I64) -> DictColumn | None:
    """None where most values are distinct, or (once in a universe) two values share a hash."""
    n = len(lengths)
    hashes = hash_matrix(matrix)
    if n > 4096 and _distinct(np.sort(hashes[:: n // 2048])) > 1980:
        return None
    first, inverse = representatives(hashes)
    if len(first) > max(n // 2, 16):
        return None
    # Raw lines may end in NULs, which padding would hide: lengths are part of a value.
    if not (lengths[first][inverse] == lengths).all() or not (matrix[first][inverse] == matrix).all():
        return None
    sizes = lengths[first]
    distinct = matrix[first]
    blob = distinct[np.arange(distinct.shape[1]) < sizes[:, None]].tobytes()
    return DictColumn(narrow_codes(inverse, len(first)), TextTable(blob, offsets_of(sizes)))


def _distinct(ordered: U64) -> int:
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def representatives(hashes: U64) -> tuple[I64, I64]:
    """(a row of each distinct hash, for each row the number of its hash). As np.unique, whose stable sort takes four times as long."""
    order = np.argsort(hashes)
    ordered = hashes[order]
    starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    inverse = np.empty(len(hashes), np.int64)
    inverse[order] = np.cumsum(starts) - 1
    return order[starts], inverse


def _part(
    rows: Rows, buffer: U8, template: Template, matched: I64, starts: I64, lengths: I64, seqs: I64
) -> MemoryPart | None:
    quoted: Sequence[bool] = template.quoted
    matrices = gather_all(buffer, starts, lengths)
    columns = [encode_slot(buffer, matrices[i], starts[i], lengths[i], quoted[i]) for i in range(template.slot_count)]
    return _assembled(rows, template, matched, tuple(columns), lengths.sum(axis=0) + template.const_bytes, seqs)


def _assembled(
    rows: Rows, template: Template, matched: I64, columns: tuple[Column, ...], line_bytes: I64, seqs: I64
) -> MemoryPart:
    used, codes = np.unique(rows.stream[matched], return_inverse=True)
    labels = [rows.streams[code] for code in used.tolist()]
    counts = np.bincount(codes, minlength=len(used))
    sizes = np.bincount(codes, weights=line_bytes, minlength=len(used)).astype(np.int64)
    meta, metas = _metadata(rows, matched)
    return MemoryPart(
        template=template,
        streams=StreamSet(StreamTable(tuple(labels)), counts, sizes),
        times=rows.times[matched],
        codes=narrow_codes(codes, len(used)),
        seqs=seqs[matched],
        columns=columns,
        meta=meta,
        metas=metas,
    )


def _metadata(rows: Rows, matched: I64) -> tuple[I64 | None, list[tuple[tuple[str, str], ...]]]:
    if rows.meta is None or not rows.meta[matched].any():
        return None, [()]
    used, codes = np.unique(rows.meta[matched], return_inverse=True)
    return codes.astype(np.int64), [rows.metas[code] for code in used.tolist()]
