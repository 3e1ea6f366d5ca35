"""tenant: whose line it is, from a fixed value, an extracted value or a label."""

from spyglass.agent.entry import TENANT_LABEL, Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import TenantStage


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    options: TenantStage = spec.options

    def change(entry: Entry) -> None:
        if options.value:
            entry.labels[TENANT_LABEL] = options.value
            return
        found = entry.labels.get(options.label) if options.label else text_of(entry.extracted.get(options.source))
        if found:
            entry.labels[TENANT_LABEL] = found

    return each(change)
