"""sampling: a share of the lines, chosen at random."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Simple, Stage, StageContext
from spyglass.config.promtail import StageSpec


def build(spec: StageSpec, context: StageContext) -> Stage:
    rate: float = spec.options.rate

    def run(entries: list[Entry]) -> list[Entry]:
        kept = [entry for entry in entries if context.dice.random() < rate]
        if len(kept) < len(entries):
            context.metrics.dropped_lines.inc("sampling_stage", by=len(entries) - len(kept))
        return kept

    return Simple(run)
