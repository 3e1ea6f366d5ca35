"""A pipeline: the stages of one scrape config, for one source of lines.

Every source (a file, a container) has a pipeline of its own, so that what its stages hold back belongs to that source and its
position can wait for it. What a job's sources share (rate limits, custom metrics) is in the StageContext.
"""

from collections.abc import Callable, Sequence

from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.stages.base import Chain, StageContext, build_stage
from spyglass.agent.stages.registry import BUILDERS
from spyglass.config.promtail import PromtailFile, StageSpec


class Pipeline(Chain):
    """Runs batches of entries through the stages. Raises: ConfigError where a stage cannot be built."""

    def __init__(self, specs: Sequence[StageSpec], context: StageContext) -> None:
        super().__init__([build_stage(spec, context, BUILDERS) for spec in specs])
        self.context = context

    @property
    def is_empty(self) -> bool:
        return not self.stages


def check_pipelines(file: PromtailFile, metrics: AgentMetrics, now_ns: Callable[[], int]) -> None:
    """Build every pipeline once, to see that it can be built. Raises: ConfigError with file and line."""
    for specs in file.pipelines:
        Pipeline(specs, StageContext(metrics, now_ns, now_ns))
    metrics.forget_custom()
