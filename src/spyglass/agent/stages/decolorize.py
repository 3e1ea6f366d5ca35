"""decolorize: ANSI colour and cursor sequences leave the line."""

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.config.promtail import StageSpec
from spyglass.text.regex import compile_regex

# ESC or CSI, then either a CSI sequence (parameters, one final byte) or an OSC text that a bell or ST ends.
_ANSI = compile_regex(
    "(?:\u001b\\][^\u0007\u001b]*(?:\u0007|\u001b\\\\)"
    "|(?:\u001b\\[|\u009b)[0-9;:<=>?]*[ -/]*[@-~]"
    "|\u001b[()#][A-Z0-9]"
    "|\u001b[=>A-Zc])"
)


def build(spec: StageSpec, context: StageContext) -> Stage:  # noqa: ARG001
    def change(entry: Entry) -> None:
        if "\u001b" in entry.line or "\u009b" in entry.line:
            entry.line = _ANSI.sub("", entry.line)

    return each(change)
