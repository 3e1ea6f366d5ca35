"""A query's stages, as far as a part's columns can answer them.

`exact` leading line filters are decided wholly by the columns: a scan reports them as done. What follows is used to leave out lines that
are sure to be dropped; the caller runs those stages again on the few that remain, so being unsure costs time and never an answer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import Mask
from spyglass.model.log_stages import (
    AndPredicate,
    JsonParser,
    LabelFilter,
    LineFilter,
    LogfmtParser,
    LogStage,
    OrPredicate,
    Predicate,
    StringPredicate,
)
from spyglass.storage.logs.contains import contains
from spyglass.storage.logs.fields import Parser
from spyglass.storage.logs.part import Part
from spyglass.storage.logs.verdicts import ASK, DROP, KEEP, Verdicts, both, judge_predicate, least
from spyglass.text.line_regex import required_literals

_LITERAL = re.compile(r"[\w \-:/,;=\"'<>@#%&!~`]+")
"""Text without a character that means something in a regex."""
MIN_LITERAL = 3
"""Shorter ones are in most lines: looking for them excludes too little."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stage that columns can judge; `parser` is what had run before it."""

    stage: LineFilter | LabelFilter
    parser: Parser | None = None


@dataclass(frozen=True, slots=True)
class CompiledPipeline:
    """steps: what can be judged, in order. exact: how many stages at the front are decided wholly. complete: no stage is left out."""

    steps: tuple[Step, ...]
    exact: int
    complete: bool
    parser: Parser | None = None

    def judge(self, part: Part) -> Verdicts | int:
        """[n], or the one verdict on all lines."""
        verdicts: Verdicts | int = KEEP
        may_fail = False
        for step in self.steps:
            found = _judge(part, step)
            if isinstance(verdicts, int) and verdicts == KEEP:
                verdicts = found
            elif may_fail and _spares_failed(step):
                verdicts = both(verdicts, found)
            else:
                verdicts = least(verdicts, found)
            may_fail |= isinstance(step.stage, LabelFilter)
            if isinstance(verdicts, int) and verdicts == DROP:
                return DROP
        return verdicts


def compile_stages(stages: Sequence[LogStage]) -> CompiledPipeline:
    steps: list[Step] = []
    parser: Parser | None = None
    exact, leading = 0, True
    for stage in stages:
        if isinstance(stage, LineFilter):
            leading = leading and literals(stage) is not None
            exact += leading
            steps.append(Step(stage, parser))
        elif isinstance(stage, LabelFilter):
            leading = False
            steps.append(Step(stage, parser))
        elif parser is None and _plain_parser(stage):
            leading = False
            parser = stage  # type: ignore[assignment]
        else:
            return CompiledPipeline(tuple(steps), exact, False, parser)
    return CompiledPipeline(tuple(steps), exact, True, parser)


def _plain_parser(stage: LogStage) -> bool:
    if isinstance(stage, JsonParser):
        return not stage.expressions
    return isinstance(stage, LogfmtParser) and not stage.expressions and not stage.strict


def literals(stage: LineFilter) -> tuple[str, ...] | None:
    """The texts of which a line must hold one for the filter to match, where that is all there is to it."""
    if any(stage.ip) or stage.op in ("|>", "!>"):
        return None
    if stage.op in ("|=", "!="):
        return stage.values
    parts = [part for value in stage.values for part in value.split("|")]
    return tuple(parts) if all(_LITERAL.fullmatch(part) for part in parts) else None


def _judge(part: Part, step: Step) -> Verdicts | int:
    if isinstance(step.stage, LabelFilter):
        return judge_predicate(part, step.stage.predicate, step.parser)
    texts = literals(step.stage)
    if texts is None:
        return _judge_regex(part, step.stage)
    negative = step.stage.op.startswith("!")
    mask: Mask | bool = False
    for text in texts:
        found = contains(part, text.encode("utf-8", "replace"))
        mask = found if mask is False else mask if found is False else mask | found
        if mask is True:
            break
    if isinstance(mask, bool):
        return KEEP if mask != negative else DROP
    verdicts: Verdicts = (mask != negative).astype(np.int8)
    return verdicts


def _judge_regex(part: Part, stage: LineFilter) -> Verdicts | int:
    """A line without the texts that every match holds is dropped; the others are for the regex."""
    if stage.op != "|~" or any(stage.ip):
        return ASK
    possible: Mask | bool = False
    for pattern in stage.values:
        here: Mask | bool = True
        for text in required_literals(pattern):
            if len(text) >= MIN_LITERAL:
                found = contains(part, text.encode("utf-8", "replace"))
                here = found if here is True else here if found is True else here & found
            if here is False:
                break
        possible = here if possible is False else possible if here is False else possible | here
        if possible is True:
            return ASK
    if isinstance(possible, bool):
        return DROP
    verdicts: Verdicts = np.where(possible, ASK, DROP).astype(np.int8)
    return verdicts


def _spares_failed(step: Step) -> bool:
    """Whether a line that carries an error passes: number comparisons let it, line filters and strings judge it like any other."""
    return isinstance(step.stage, LabelFilter) and not _only_strings(step.stage.predicate)


def _only_strings(predicate: Predicate) -> bool:
    if isinstance(predicate, AndPredicate | OrPredicate):
        return _only_strings(predicate.left) and _only_strings(predicate.right)
    return isinstance(predicate, StringPredicate)
