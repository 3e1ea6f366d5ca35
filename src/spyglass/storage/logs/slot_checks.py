"""Whether what stands in the slots is what the language allows there, so that a parser would cut the line as we did."""

from collections.abc import Callable

import numpy as np
import orjson

from spyglass.model.arrays import Mask
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, IsoColumn, TextTable
from spyglass.storage.logs.template import TemplateKind

Test = Callable[[bytes], bool]


def valid_rows(column: Column, kind: TemplateKind, *, quoted: bool) -> Mask | None:
    """[r], or None where every row is. Each value of a dictionary is looked at once."""
    if isinstance(column, IntColumn | IsoColumn):
        return None
    table = column.values
    suspects, test = _suspects(table, kind, quoted=quoted)
    if not len(suspects):
        return None
    bounds = zip(table.offsets[suspects].tolist(), table.offsets[suspects + 1].tolist(), strict=True)
    verdicts = np.ones(table.size, np.bool_)
    verdicts[suspects] = [test(table.blob[a:b]) for a, b in bounds]
    if verdicts.all():
        return None
    return verdicts[column.codes] if isinstance(column, DictColumn) else verdicts


def _suspects(
    table: TextTable, kind: TemplateKind, *, quoted: bool
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Test]:
    """The values to look at, and how."""
    if kind == "json" and not quoted:
        return np.arange(table.size), _json_bare_ok
    odd, test = (b"\\", _json_escapes_ok) if kind == "json" else (b'"', _never) if quoted else (_NOT_BARE, _never)
    if len(table.blob.translate(None, odd)) == len(table.blob):
        return np.zeros(0, np.int64), test
    places = np.flatnonzero(np.isin(np.frombuffer(table.blob, np.uint8), np.frombuffer(odd, np.uint8)))
    return np.unique(np.searchsorted(table.offsets, places, side="right") - 1), test


_NOT_BARE = bytes(range(33)) + b'"='


def _never(_: bytes) -> bool:
    return False


def _json_escapes_ok(text: bytes) -> bool:
    try:
        orjson.loads(b'"' + text + b'"')
    except orjson.JSONDecodeError:
        return False
    return True


def _json_bare_ok(text: bytes) -> bool:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return not isinstance(value, dict | str) and text[:1] not in b" \t" and text[-1:] not in b" \t"
