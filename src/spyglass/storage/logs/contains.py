"""`|= "needle"` over a part, without building its lines.

A needle stands in a constant (then it is in every line), or touches the values of slots. Where it touches one slot only, it is in
`constant before + value + constant behind`: one test per distinct value. It can touch two only if it holds all of the constant
between them: then, and only then, lines are built. Most parts are excluded before any column is read: see `SlotHint`.
"""

from functools import lru_cache
from itertools import repeat

import numpy as np

from spyglass.model.arrays import Mask
from spyglass.storage.logs.column import Column, PlainColumn, TextTable
from spyglass.storage.logs.hashes import MAX_HASH_BYTES, hash_value
from spyglass.storage.logs.part import Part, SlotHint, lines_of
from spyglass.storage.logs.template import Template

_INT_CHARS = frozenset(b"0123456789")
_ISO_CHARS = frozenset(b"0123456789-:TZ.")
HEAD_BYTES = 8
"""What of a value is compared as one integer."""
HITS_AT_ONCE = 4096
"""Hits whose values are looked up together."""
DENSE = 2
"""Values per hit below which each value is asked instead."""


def contains(part: Part, needle: bytes) -> Mask | bool:
    """[n] whether each line holds the needle; True or False where that is so for all of them."""
    template = part.template
    if any(needle in const for const in template.consts):
        return True
    if not needle:
        return True
    if template.kind != "raw" and _may_span(template, needle):
        text = needle.decode("utf-8", "replace")
        return np.fromiter((text in line for line in lines_of(part, np.arange(part.size))), np.bool_, part.size)
    found: Mask | None = None
    for slot in range(template.slot_count):
        if _excluded(part.hint(slot), template, slot, needle):
            continue
        here = _in_column(part.column(slot), template, slot, needle)
        found = here if found is None else found | here
    if found is None or not found.any():
        return False
    return True if found.all() else found


@lru_cache(maxsize=1024)
def _may_span(template: Template, needle: bytes) -> bool:
    """Whether an occurrence could touch two slots: it would hold all of an inner constant."""
    return any(const in needle for const in template.consts[1:-1])


@lru_cache(maxsize=4096)
def _inners(template: Template, slot: int, needle: bytes) -> tuple[bytes, ...]:
    """What of the needle would have to stand in the slot, for each way in which it can overlap the constants around.

    `"tenantId":"acme` has one way: `acme` in the slot behind `"tenantId":"`.
    """
    before, behind = template.consts[slot], template.consts[slot + 1]
    size = len(needle)
    heads = [k for k in range(min(size, len(before)) + 1) if before.endswith(needle[:k])]
    tails = [k for k in range(min(size, len(behind)) + 1) if behind.startswith(needle[size - k :])]
    return tuple({needle[head : size - tail] for head in heads for tail in tails if head + tail <= size})


def _excluded(hint: SlotHint, template: Template, slot: int, needle: bytes) -> bool:
    """Whether no value of the slot can be part of an occurrence, by what is known without reading."""
    inners = _inners(template, slot, needle)
    if hint.values is not None:
        if not any(inner.decode("utf-8", "replace") in hint.joined for inner in inners):
            return True
        before, behind = template.consts[slot].decode(), template.consts[slot + 1].decode()
        text = needle.decode("utf-8", "replace")
        if inners == (needle,):
            return not any(text in value for value in hint.values)
        return not any(text in f"{before}{value}{behind}" for value in hint.values)
    return not any(_possible(hint, inner) for inner in inners)


def _possible(hint: SlotHint, inner: bytes) -> bool:
    """Whether some value may hold `inner`: what lies in the slot lies there as a piece of one value."""
    if hint.kind == "int":
        return len(inner) <= len(str(hint.high)) and _INT_CHARS.issuperset(inner)
    if hint.kind == "iso":
        return len(inner) <= 24 and _ISO_CHARS.issuperset(inner)
    if len(inner) > hint.max_len or not _chars_hold(hint.chars, inner):
        return False
    if len(inner) == hint.max_len and hint.may_equal is not None and len(inner) <= MAX_HASH_BYTES:
        # As long as the longest value: it can only be a whole value.
        return hint.may_equal(hash_value(inner))
    return True


def _chars_hold(chars: bytes, needle: bytes) -> bool:
    return all(chars[byte >> 3] >> (byte & 7) & 1 for byte in needle)


def _in_column(column: Column, template: Template, slot: int, needle: bytes) -> Mask:
    inners = _inners(template, slot, needle)
    inside_only = inners == (needle,)
    if inside_only and isinstance(column, PlainColumn):
        return find_in_table(column.values, needle)
    text = needle.decode("utf-8", "replace")
    if inside_only:
        return column.where(lambda value: text in value)
    before, behind = template.consts[slot].decode(), template.consts[slot + 1].decode()
    return column.where(lambda value: text in f"{before}{value}{behind}")


def find_in_table(values: TextTable, needle: bytes) -> Mask:
    """[rows] whether the value holds the needle: one pass over the joined bytes; hits across two values do not count."""
    blob, offsets = values.blob, values.offsets
    if _all_as_long(values, len(needle)):
        return _equal(blob, needle, values.size)
    found = np.zeros(values.size, np.bool_)
    at = 0
    while hits := _hits(blob, needle, at):
        starts = np.asarray(hits, np.int64)
        rows = np.searchsorted(offsets, starts, side="right") - 1
        found[rows[starts + len(needle) <= offsets[rows + 1]]] = True
        if len(hits) < HITS_AT_ONCE:
            break
        last = int(rows[-1])
        if last - int(rows[0]) < len(hits) * DENSE:
            # A needle that is nearly everywhere: hopping from hit to hit costs more than asking each value.
            bounds = offsets[last:].tolist()
            places = map(blob.find, repeat(needle), bounds[:-1], bounds[1:])
            found[last:] = np.fromiter(places, np.int64, values.size - last) >= 0
            break
        at = hits[-1] + 1
    return found


def _hits(blob: bytes, needle: bytes, at: int) -> list[int]:
    """The next HITS_AT_ONCE places of the needle from `at` on; they may overlap."""
    hits: list[int] = []
    find = blob.find
    at = find(needle, at)
    while at >= 0 and len(hits) < HITS_AT_ONCE:
        hits.append(at)
        at = find(needle, at + 1)
    return hits


def _all_as_long(values: TextTable, width: int) -> bool:
    """Whether every value has this many bytes: ids mostly do."""
    offsets = values.offsets
    return width >= HEAD_BYTES and len(values.blob) == width * values.size and bool((np.diff(offsets) == width).all())


def _equal(blob: bytes, needle: bytes, size: int) -> Mask:
    """[size] whether value i, the needle's length each, is the needle: by its first bytes as one integer, then by all of it."""
    width = len(needle)
    heads = np.ndarray((size,), "<u8", blob, strides=(width,))
    found: Mask = heads == int.from_bytes(needle[:HEAD_BYTES], "little")
    for row in np.flatnonzero(found).tolist():
        found[row] = blob[row * width : (row + 1) * width] == needle
    return found
