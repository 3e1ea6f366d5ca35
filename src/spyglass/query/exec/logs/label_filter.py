"""`| level="error" and took > 1s`: keep lines by their labels.

A line that lacks the label fails a comparison; one whose text cannot be read as a number stays, marked LabelFilterErr (unless it
carries an error already, which says more).
"""

import operator
from collections.abc import Callable

from spyglass.model.log_stages import (
    AndPredicate,
    IpPredicate,
    LabelFilter,
    NumberPredicate,
    OrPredicate,
    Predicate,
    StringPredicate,
)
from spyglass.model.matchers import Matcher
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float
from spyglass.text.ip import line_matcher

Test = Callable[[Rows], list[bool]]

LABEL_FILTER_ERROR = "LabelFilterErr"

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq, "==": operator.eq, "!=": operator.ne, ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip


@makes(LabelFilter)
def label_filter(stage: LabelFilter, needs: Needs) -> RunStage:  # noqa: ARG001
    test = compile_predicate(stage.predicate)

    def run(rows: Rows) -> Rows:
        return rows.where(test(rows))

    return run


def compile_predicate(predicate: Predicate) -> Test:
    """A function from rows to the mask of those that pass."""
    if isinstance(predicate, AndPredicate):
        return _and(compile_predicate(predicate.left), compile_predicate(predicate.right))
    if isinstance(predicate, OrPredicate):
        return _or(compile_predicate(predicate.left), compile_predicate(predicate.right))
    if isinstance(predicate, StringPredicate):
        return _string(predicate)
    if isinstance(predicate, IpPredicate):
        return _ip(predicate)
    return _number(predicate)


def _and(left: Test, right: Test) -> Test:
    """The right side only sees what passed the left one (and so marks no errors on others)."""

    def test(rows: Rows) -> list[bool]:
        mask = left(rows)
        return _filled(rows, mask, right, wanted=True)

    return test


def _or(left: Test, right: Test) -> Test:
    def test(rows: Rows) -> list[bool]:
        mask = left(rows)
        return _filled(rows, mask, right, wanted=False)

    return test


def _filled(rows: Rows, mask: list[bool], test: Test, *, wanted: bool) -> list[bool]:
    """mask with the answers of `test` where it is `wanted`."""
    places = [i for i, passed in enumerate(mask) if passed == wanted]
    if not places:
        return mask
    rows.writable()  # so that marks made on the part are seen in the whole
    part = rows.take(places)
    for place, passed in zip(places, test(part), strict=True):
        mask[place] = passed
    rows.failed = rows.failed or part.failed
    return mask


def _string(predicate: StringPredicate) -> Test:
    name, value = predicate.name, predicate.value
    if predicate.op == "=" and value:
        return lambda rows: [found == value for found in rows.column(name)]
    if predicate.op == "!=" and value:
        return lambda rows: [found != value for found in rows.column(name)]
    matches = Matcher.of(name, predicate.op, value).matches

    def test(rows: Rows) -> list[bool]:
        texts = rows.texts(name)
        known = {text: matches(text) for text in set(texts)}
        return [known[text] for text in texts]

    return test


def _read_duration(text: str) -> float:
    return parse_go_duration(text) / 1e9


_READERS: dict[str, Callable[[str], float]] = {
    "number": parse_go_float,
    "duration": _read_duration,
    "bytes": lambda text: float(parse_bytes(text)),
}


def _number(predicate: NumberPredicate) -> Test:
    compare, limit, read = _COMPARE[predicate.op], predicate.value, _READERS[predicate.unit]

    def judge(text: str | None) -> bool | str:
        if text is None:
            return False
        try:
            return compare(read(text), limit)
        except ValueError as err:
            return str(err)

    def test(rows: Rows) -> list[bool]:
        column = rows.column(predicate.name)
        known = {text: judge(text) for text in set(column)}
        answers = [known[text] for text in column]
        if not any(isinstance(answer, str) for answer in known.values()):
            return [answer is True for answer in answers]
        broken = rows.failures()
        for place, answer in enumerate(answers):
            if isinstance(answer, str) and not broken[place]:
                rows.fail(place, LABEL_FILTER_ERROR, answer)
        return [answer is not False for answer in answers]

    return test


def _ip(predicate: IpPredicate) -> Test:
    holds, wanted = line_matcher(predicate.pattern), predicate.op == "="

    def test(rows: Rows) -> list[bool]:
        column = rows.column(predicate.name)
        known = {text: text is not None and holds(text) == wanted for text in set(column)}
        return [known[text] for text in column]

    return test
