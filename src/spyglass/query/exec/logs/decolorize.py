"""`| decolorize`: strip ANSI colour and cursor sequences."""

from spyglass.model.log_stages import Decolorize
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.regex import compile_regex

# ESC or CSI, then either a CSI sequence (parameters, one final byte) or an OSC text that a bell or ST ends.
_ANSI = compile_regex(
    "(?:\u001b\\][^\u0007\u001b]*(?:\u0007|\u001b\\\\)"
    "|(?:\u001b\\[|\u009b)[0-9;:<=>?]*[ -/]*[@-~]"
    "|\u001b[()#][A-Z0-9]"
    "|\u001b[=>A-Zc])"
)


@makes(Decolorize)
def decolorize(stage: Decolorize, needs: Needs) -> RunStage:  # noqa: ARG001
    def run(rows: Rows) -> Rows:
        rows.lines = [_ANSI.sub("", line) if "\u001b" in line or "\u009b" in line else line for line in rows.lines]
        return rows

    return run
