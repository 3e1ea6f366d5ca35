"""A pipeline: stages in their order, line filters moved ahead of stages that do not change lines."""

from collections.abc import Callable, Sequence

from spyglass.model.log_stages import (
    DropLabels,
    JsonParser,
    KeepLabels,
    LabelFormat,
    LineFilter,
    LogfmtParser,
    LogStage,
    PatternParser,
    RegexpParser,
)
from spyglass.query.exec.logs import (
    decolorize,
    drop_keep,
    json_stage,
    label_filter,
    label_format,
    line_filter,
    line_format,
    logfmt_stage,
    pattern_stage,
    regexp_stage,
    unpack_stage,
)
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, make

STAGES = (
    decolorize,
    drop_keep,
    json_stage,
    label_filter,
    label_format,
    line_filter,
    line_format,
    logfmt_stage,
    pattern_stage,
    regexp_stage,
    unpack_stage,
)
"""The modules whose import registers the stages."""

LINE_KEEPERS = (JsonParser, LogfmtParser, RegexpParser, PatternParser, DropLabels, KeepLabels, LabelFormat)
"""Stages that neither look at the outcome of, nor change what is seen by, a line filter behind them."""

Pipeline = Callable[[Rows], Rows]


def reordered(stages: Sequence[LogStage]) -> tuple[LogStage, ...]:
    """The same pipeline with line filters as early as they may run, so that parsers see fewer lines."""
    result: list[LogStage] = []
    for stage in stages:
        at = len(result)
        if isinstance(stage, LineFilter):
            while at and isinstance(result[at - 1], LINE_KEEPERS):
                at -= 1
        result.insert(at, stage)
    return tuple(result)


def compile_pipeline(stages: Sequence[LogStage], needs: Needs | None = None) -> Pipeline:
    """One function for all stages; it stops early when no line is left."""
    runs: list[RunStage] = [make(stage, needs or Needs()) for stage in stages]

    def run(rows: Rows) -> Rows:
        for stage in runs:
            if not rows.size:
                break
            rows = stage(rows)
        return rows

    return run
