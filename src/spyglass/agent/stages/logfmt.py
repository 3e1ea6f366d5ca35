"""logfmt: values of `key=value` pairs become extracted values."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import LogfmtStage
from spyglass.text.logfmt import parse_logfmt


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    options: LogfmtStage = spec.options
    source = options.source
    wanted: dict[str, list[str]] = {}
    for name, key in options.mapping.items():
        wanted.setdefault(key, []).append(name)

    def change(entry: Entry) -> None:
        text = entry.line if source is None else text_of(entry.extracted.get(source))
        if text is None:
            return
        pairs, _ = parse_logfmt(text, strict=True)
        for key, value in pairs:
            for name in wanted.get(key, ()):
                entry.extracted[name] = value

    return each(change)
