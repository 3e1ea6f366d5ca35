"""Which lines of a part pass a pipeline, decided without the executor: for deletes, where there is nobody to ask.

Columns decide what they can; what they leave open is decided line by line, with the same text kit that the executor uses.
"""

from collections.abc import Callable, Sequence

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.errors import InvalidParameter
from spyglass.model.log_stages import LabelFilter, LineFilter, LogStage
from spyglass.storage.logs.line_fields import ERROR, judge_line, line_fields
from spyglass.storage.logs.part import Part, lines_of, metadata_of
from spyglass.storage.logs.pipeline import CompiledPipeline, compile_stages, literals
from spyglass.storage.logs.verdicts import ASK, DROP, KEEP
from spyglass.text.ip import line_matcher
from spyglass.text.pattern import pattern_matcher
from spyglass.text.regex import compile_regex

Test = Callable[[str], bool]


def compile_exact(stages: Sequence[LogStage]) -> CompiledPipeline:
    """Raises: InvalidParameter where the pipeline does more than filter lines and labels."""
    pipeline = compile_stages(stages)
    if not pipeline.complete:
        raise InvalidParameter("lines to delete are chosen by line filters, json, logfmt and label filters only")
    return pipeline


def passing(part: Part, pipeline: CompiledPipeline, rows: I64) -> I64:
    """Of the rows, those that pass. A line that fails in a parser or a comparison does not."""
    if not pipeline.steps:
        return rows
    verdicts = pipeline.judge(part)
    answers = np.full(len(rows), verdicts, np.int8) if isinstance(verdicts, int) else verdicts[rows]
    keep: Mask = answers == KEEP
    doubtful = np.flatnonzero(answers == ASK)
    if len(doubtful):
        keep[doubtful] = _by_line(part, pipeline, rows[doubtful])
    assert not (keep & (answers == DROP)).any(), "what is dropped stays dropped"
    return rows[keep]


def _by_line(part: Part, pipeline: CompiledPipeline, rows: I64) -> list[bool]:
    streams = part.streams().labels
    metadata = metadata_of(part, rows) or [()] * len(rows)
    tests = {step.stage: line_test(step.stage) for step in pipeline.steps if isinstance(step.stage, LineFilter)}
    facts = zip(lines_of(part, rows), part.codes()[rows].tolist(), metadata, strict=True)
    answers = []
    for line, code, of_line in facts:
        fields = line_fields(line, streams[code], of_line, pipeline.parser)
        answers.append(
            fields is not None
            and ERROR not in fields
            and all(
                tests[step.stage](line)
                if isinstance(step.stage, LineFilter)
                else isinstance(step.stage, LabelFilter) and judge_line(step.stage.predicate, fields) == KEEP
                for step in pipeline.steps
            )
        )
    return answers


def line_test(stage: LineFilter) -> Test:
    """The filter on one line."""
    negative = stage.op.startswith("!")
    texts = literals(stage)
    if texts is not None:
        return lambda line: any(text in line for text in texts) != negative
    tests = [_one_test(stage.op, value, is_ip) for value, is_ip in zip(stage.values, stage.ip, strict=True)]
    return lambda line: any(test(line) for test in tests) != negative


def _one_test(op: str, value: str, is_ip: bool) -> Test:
    if is_ip:
        return line_matcher(value)
    if op in ("|=", "!="):
        return lambda line: value in line
    if op in ("|~", "!~"):
        search = compile_regex(value).search
        return lambda line: search(line) is not None
    return pattern_matcher(value)
