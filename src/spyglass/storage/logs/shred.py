"""Shredding: rows in order of arrival become parts, each of one template, in order of time.

Cost, measured on 254-byte JSON lines of ten fields: see docs/decisions/0004. Everything is done in columns; Python runs once per
template, chunk and slot.
"""

import threading
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I32, I64, U8, Mask
from spyglass.model.log_columns import offsets_of, slices
from spyglass.storage.logs.column import Column, PlainColumn, TextTable
from spyglass.storage.logs.matching import Lines, Matched, match, whole_lines
from spyglass.storage.logs.pages import narrow_codes
from spyglass.storage.logs.part import MemoryPart, StreamSet, StreamTable
from spyglass.storage.logs.rows import Rows
from spyglass.storage.logs.slot_checks import valid_rows
from spyglass.storage.logs.slots import encode_slot
from spyglass.storage.logs.template import RAW, Template, find_template

MIN_TEMPLATE_ROWS = 32
"""A template with fewer lines in a batch is not worth its columns: its lines stay raw."""
MAX_TEMPLATES = 24
_MAX_MISSES = 16
CHUNK_BYTES = 512 << 10
"""Bytes are looked through in pieces that stay in the processor's second-level cache."""


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
    lines = Lines.of(rows.blob, rows.offsets)
    left = np.argsort(rows.times, kind="stable")
    odd, escaped = _rows_with_odd_bytes(lines)
    search = _Search(lines, escaped, left[~odd[left]] if odd.any() else left, least)
    for template in memory.known():
        search.attempt(template)
    search.find_others()
    parts = []
    for cut in search.cuts:
        parts.append(_assembled(rows, cut.template, cut.rows, cut.columns, cut.sizes, seqs))
        memory.used(cut.template, len(cut.rows))
        left = _without(left, cut.rows, rows.size)
    if len(left):
        whole = whole_lines(lines, left)
        column = encode_slot(whole.slots[0], lines.buffer, quoted=False)
        parts.append(_assembled(rows, RAW, left, (column,), whole.slots[0].lengths, seqs))
    return parts


def outline(rows: Rows, seqs: I64) -> MemoryPart:
    """All rows as one part of whole lines: for questions that do not look into lines, at a fraction of the cost."""
    order = np.argsort(rows.times, kind="stable")
    lengths = rows.lengths()[order]
    table = TextTable(slices(np.frombuffer(rows.blob, np.uint8), rows.offsets[order], lengths), offsets_of(lengths))
    return _assembled(rows, RAW, order, (PlainColumn(table),), lengths, seqs)


@dataclass(frozen=True, slots=True)
class _Cut:
    """The rows of one template. sizes: bytes of their lines."""

    template: Template
    rows: I64
    columns: tuple[Column, ...]
    sizes: I64


class _Search:
    """The templates worth having in a batch: those known first, then those of the lines that are left."""

    def __init__(self, lines: Lines, escaped: Mask, left: I64, least: int) -> None:
        self._lines, self._escaped, self._left, self._least = lines, escaped, left, least
        self.cuts: list[_Cut] = []

    @property
    def _going(self) -> bool:
        return len(self._left) >= self._least and len(self.cuts) < MAX_TEMPLATES

    def attempt(self, template: Template) -> None:
        """Take out the lines that have the template, where they are enough."""
        if not self._going:
            return
        candidates = self._left
        if template.kind != "json" and self._lines.escapes:
            candidates = candidates[~self._escaped[candidates]]
        matched = match(template, self._lines, candidates)
        if matched.size < self._least:
            return
        matched, columns = _encoded(template, matched, self._lines.buffer)
        if matched.size < self._least:
            return
        sizes = sum((pieces.lengths for pieces in matched.slots), np.full(matched.size, template.const_bytes))
        self.cuts.append(_Cut(template, matched.rows, columns, sizes))
        self._left = _without(self._left, matched.rows, len(self._lines.starts))

    def find_others(self) -> None:
        misses = 0
        while self._going and misses < _MAX_MISSES:
            row = int(self._left[len(self._left) // 2])
            before = len(self._left)
            found = find_template(self._lines.text[self._lines.starts[row] : self._lines.ends[row]])
            if found is not None:
                self.attempt(found)
            if len(self._left) == before:
                misses += 1
                self._left = self._left[self._left != row]


def _encoded(template: Template, matched: Matched, buffer: U8) -> tuple[Matched, tuple[Column, ...]]:
    """The columns of the lines whose slots hold what the language allows there."""
    columns = tuple(
        encode_slot(pieces, buffer, quoted=quoted)
        for pieces, quoted in zip(matched.slots, template.quoted, strict=True)
    )
    good = np.ones(matched.size, np.bool_)
    for column, quoted in zip(columns, template.quoted, strict=True):
        valid = valid_rows(column, template.kind, quoted=quoted)
        if valid is not None:
            good &= valid
    if good.all():
        return matched, columns
    return _encoded(template, matched.take(np.flatnonzero(good), buffer), buffer)


def _without(rows: I64, gone: I64, size: int) -> I64:
    """The rows that are not gone, in order. All are below `size`."""
    if len(gone) == len(rows):
        return rows[:0]
    stays = np.ones(size, np.bool_)
    stays[gone] = False
    return rows[stays[rows]]


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


def _assembled(
    rows: Rows, template: Template, matched: I64, columns: tuple[Column, ...], line_bytes: I64, seqs: I64
) -> MemoryPart:
    used, codes = _renumbered(rows.stream[matched], len(rows.streams))
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
    used, codes = _renumbered(rows.meta[matched], len(rows.metas))
    return codes, [rows.metas[code] for code in used.tolist()]


def _renumbered(codes: I32, size: int) -> tuple[I64, I64]:
    """(the codes that occur, ascending, the codes as indices into those). All are below `size`."""
    used = np.flatnonzero(np.bincount(codes, minlength=size))
    places = np.zeros(size, np.int64)
    places[used] = np.arange(len(used))
    return used, places[codes]
