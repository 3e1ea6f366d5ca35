"""docker: Docker's JSON log files (`{"log": ..., "stream": ..., "time": ...}`), as four stages in one."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages import json, labels, output, timestamp
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import JsonStage, OutputStage, TimestampStage

_FIELDS = {"output": "log", "stream": "stream", "timestamp": "time"}


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    parts = [
        json.build(StageSpec("json", JsonStage(expressions=_FIELDS)), context),
        labels.build(StageSpec("labels", {"stream": "stream"}), context),
        timestamp.build(StageSpec("timestamp", TimestampStage(source="timestamp", format="RFC3339Nano")), context),
        output.build(StageSpec("output", OutputStage(source="output")), context),
    ]

    def run(entries: list[Entry]) -> list[Entry]:
        for part in parts:
            entries = part.run(entries)
        return entries

    return Simple(run)
