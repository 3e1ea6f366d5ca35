"""limits_config.max_line_size: longer lines are dropped, or cut where max_line_size_truncate says so.

Not a stage of configuration files: the manager puts it behind every pipeline when the limit is set.
"""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.config.promtail import LimitsConfig, StageSpec

NAME = "(max_line_size)"


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: LimitsConfig = spec.options
    limit, cut = options.max_line_size, options.max_line_size_truncate

    def run(entries: list[Entry]) -> list[Entry]:
        kept = []
        for entry in entries:
            # Characters first: encoding every line to count its bytes would cost more than the limit saves.
            if len(entry.line) * 4 > limit and len(data := entry.line.encode()) > limit:
                if not cut:
                    context.metrics.dropped_lines.inc("line_too_long")
                    continue
                entry.line = data[:limit].decode("utf-8", "ignore")
            kept.append(entry)
        return kept

    return Simple(run)
