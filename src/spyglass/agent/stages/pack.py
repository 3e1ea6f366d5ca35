"""pack: labels and extracted values move into the line: `{"name": "value", "_entry": "the line"}`."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import quoted_json, text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import PackStage


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: PackStage = spec.options

    def change(entry: Entry) -> None:
        found = {name: text_of(entry.extracted[name]) for name in options.labels if name in entry.extracted}
        packed = {name: value for name, value in sorted(found.items()) if value is not None}
        pairs = [
            f"{quoted_json(name)}:{quoted_json(value)}" for name, value in [*packed.items(), ("_entry", entry.line)]
        ]
        entry.line = "{" + ",".join(pairs) + "}"
        for name in packed:
            entry.labels.pop(name, None)
        if options.ingest_timestamp:
            entry.time_ns = context.now_ns()

    return each(change)
