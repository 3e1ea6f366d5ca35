"""What filters say about the lines of a part: dropped, kept, or for the caller to decide.

A verdict is exact or it is ASK: a line is DROPped only if the executor would drop it, and KEPT only if the executor would keep it without
marking an error. Judging happens once per distinct value of a column.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spyglass.model.log_stages import (
    AndPredicate,
    IpPredicate,
    NumberPredicate,
    OrPredicate,
    Predicate,
    StringPredicate,
)
from spyglass.model.matchers import Matcher
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, ranked
from spyglass.storage.logs.contains import contains
from spyglass.storage.logs.fields import Parser, Source, Value, slot_value, source_of, value_in
from spyglass.storage.logs.hashes import MAX_HASH_BYTES, hash_value
from spyglass.storage.logs.part import Part, SlotHint
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float

DROP, KEEP, ASK = 0, 1, 2
_BACKSLASH = 92

Verdicts = npt.NDArray[np.int8]
Judge = Callable[[str | None], int]
"""The verdict on a label's text; None: the line lacks the label."""

_READERS: dict[str, Callable[[str], float]] = {
    "number": parse_go_float,
    "duration": lambda text: parse_go_duration(text) / 1e9,
    "bytes": lambda text: float(parse_bytes(text)),
}
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
_NUMPY: dict[str, Callable[..., npt.NDArray[np.bool_]]] = {
    "=": np.equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


def judge_predicate(part: Part, predicate: Predicate, parser: Parser | None) -> Verdicts | int:
    """[n] for a label filter behind `parser` (None: no parser has run), or the one verdict on all lines."""
    if isinstance(predicate, AndPredicate):
        left = judge_predicate(part, predicate.left, parser)
        if isinstance(left, int) and left == DROP:
            return DROP
        return both(left, judge_predicate(part, predicate.right, parser))
    if isinstance(predicate, OrPredicate):
        left = judge_predicate(part, predicate.left, parser)
        right = judge_predicate(part, predicate.right, parser)
        if isinstance(left, int):
            return right if left == DROP else left
        return np.where(left == DROP, right, left).astype(np.int8)
    if isinstance(predicate, IpPredicate):
        return ASK
    source = source_of(part, predicate.name, parser)
    if source.unsettled:
        return _unsettled(part, predicate, parser)
    return _settled(part, predicate, source, parser)


def both(left: Verdicts | int, right: Verdicts | int) -> Verdicts | int:
    """What two filters after each other say. What the first left open stays open: only strings could still drop it."""
    if isinstance(left, int):
        return right if left == KEEP else left
    return np.where(left == KEEP, right, left).astype(np.int8)


def least(left: Verdicts | int, right: Verdicts | int) -> Verdicts | int:
    """As both, where the second drops failed lines like any other."""
    if isinstance(left, int) and isinstance(right, int):
        return DROP if DROP in (left, right) else max(left, right)
    dropped = np.equal(left, DROP) | np.equal(right, DROP)
    return np.where(dropped, DROP, np.maximum(left, right)).astype(np.int8)


def constant(part: Part, verdict: int) -> Verdicts:
    return np.full(part.size, verdict, np.int8)


def judge_of(predicate: StringPredicate | NumberPredicate) -> Judge:
    if isinstance(predicate, StringPredicate):
        return _string_judge(predicate)
    return _number_judge(predicate)


def _string_judge(predicate: StringPredicate) -> Judge:
    matches = Matcher.of(predicate.name, predicate.op, predicate.value).matches
    return lambda text: KEEP if matches(text or "") else DROP


def _number_judge(predicate: NumberPredicate) -> Judge:
    compare, limit, read = _COMPARE[predicate.op], predicate.value, _READERS[predicate.unit]

    def judge(text: str | None) -> int:
        if text is None:
            return DROP
        try:
            return KEEP if compare(read(text), limit) else DROP
        except ValueError:
            # The executor keeps such a line and marks it.
            return ASK

    return judge


def _settled(
    part: Part, predicate: StringPredicate | NumberPredicate, source: Source, parser: Parser | None
) -> Verdicts | int:
    judge = judge_of(predicate)
    if source.slot is not None and parser is not None:
        value = slot_value(part.template, source.slot, parser)
        hint = part.hint(source.slot)
        known = _by_hint(hint, predicate, judge, value)
        if known is not None and known != ASK:
            return known
    verdicts = _by_stream(part, predicate.name, judge)
    if source.in_metadata:
        verdicts = _by_metadata(part, predicate.name, judge, verdicts)
    if source.slot is not None and parser is not None:
        verdicts = _by_slot(part.column(source.slot), predicate, judge, value, verdicts)
    return verdicts


def _by_hint(hint: SlotHint, predicate: StringPredicate | NumberPredicate, judge: Judge, value: Value) -> int | None:
    """The one verdict on all lines, where the slot's hint is enough to know it."""
    if hint.values is not None:
        texts = [value(text) for text in hint.values]
        verdicts = {judge(text) for text in texts if text is not None}
        return verdicts.pop() if len(verdicts) == 1 and None not in texts else None
    if hint.kind == "int" and isinstance(predicate, NumberPredicate) and predicate.unit == "number":
        return _by_range(float(hint.low), float(hint.high), predicate)
    if (
        isinstance(predicate, StringPredicate)
        and predicate.op == "="
        and predicate.value
        and hint.may_equal is not None
    ):
        wanted = predicate.value.encode("utf-8", "replace")
        if hint.chars[_BACKSLASH >> 3] >> (_BACKSLASH & 7) & 1:
            # Values with escapes are spelled otherwise than what they are equal to.
            return None
        # A value that cleaning empties cannot be equal to a value that is not empty, so looking for the text itself is exact;
        # but a line without the label falls back to its stream's, so only a column that always has one may answer.
        if value("null") is not None and value("") is not None and len(wanted) <= MAX_HASH_BYTES:
            return None if hint.may_equal(hash_value(wanted)) else DROP
    return None


def _by_range(low: float, high: float, predicate: NumberPredicate) -> int | None:
    """All values lie between low and high: where both give the same answer to an inequality, so do all."""
    compare, limit = _COMPARE[predicate.op], predicate.value
    if predicate.op in ("=", "==", "!="):
        if low <= limit <= high or np.isnan(limit):
            return None
        return DROP if predicate.op != "!=" else KEEP
    ends = {compare(low, limit), compare(high, limit)}
    return (KEEP if ends.pop() else DROP) if len(ends) == 1 else None


def _by_stream(part: Part, name: str, judge: Judge) -> Verdicts:
    labels = part.streams().labels
    of_stream = np.fromiter((judge(value_in(stream, name)) for stream in labels), np.int8, len(labels))
    return constant(part, int(of_stream[0])) if (of_stream == of_stream[0]).all() else of_stream[part.codes()]


def _by_metadata(part: Part, name: str, judge: Judge, verdicts: Verdicts) -> Verdicts:
    found = part.metadata()
    assert found is not None, "the source said so"
    codes, metas = found
    values = [value_in(labels, name) for labels in metas]
    has = np.fromiter((value is not None for value in values), np.bool_, len(values))
    of_meta = np.fromiter((judge(value) if value is not None else 0 for value in values), np.int8, len(values))
    return np.where(has[codes], of_meta[codes], verdicts)


def _by_slot(
    column: Column, predicate: StringPredicate | NumberPredicate, judge: Judge, value: Value, otherwise: Verdicts
) -> Verdicts:
    if isinstance(column, IntColumn):
        if isinstance(predicate, NumberPredicate) and predicate.unit == "number":
            return _NUMPY[predicate.op](column.values.astype(np.float64), predicate.value).astype(np.int8)
        distinct, inverse = ranked(column.values)
        texts = list(map(str, distinct.tolist()))
    elif isinstance(column, DictColumn):
        texts, inverse = column.values.texts, column.codes
    else:
        texts, inverse = column.strings(np.arange(column.size)), np.arange(column.size)
    values = [value(text) for text in texts]
    has = np.fromiter((text is not None for text in values), np.bool_, len(values))
    verdicts = np.fromiter((judge(text) if text is not None else 0 for text in values), np.int8, len(values))
    return verdicts[inverse] if has.all() else np.where(has[inverse], verdicts[inverse], otherwise)


def _unsettled(part: Part, predicate: StringPredicate | NumberPredicate, parser: Parser | None) -> Verdicts | int:
    """Each line would have to be parsed. `name="value"` needs the value's text in the line, unless it is spelled with escapes."""
    if not isinstance(predicate, StringPredicate) or predicate.op != "=" or not predicate.value or parser is None:
        return ASK
    streams = part.streams().labels
    if part.metadata() is not None or any(value_in(labels, predicate.name) is not None for labels in streams):
        return ASK
    holds = contains(part, predicate.value.encode("utf-8", "replace"))
    escaped = contains(part, b"\\")
    if isinstance(holds, bool) and isinstance(escaped, bool):
        return ASK if holds or escaped else DROP
    return np.where(np.logical_or(holds, escaped), ASK, DROP).astype(np.int8)
