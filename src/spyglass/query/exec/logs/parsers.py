"""What all parsing stages share: naming of extracted labels, and marking of lines that cannot be parsed."""

from spyglass.query.exec.logs.rows import EXTRACTED, PRESERVE_ERROR, Fields, Rows
from spyglass.query.exec.logs.stage import Needs

JSON_ERROR = "JSONParserErr"
LOGFMT_ERROR = "LogfmtParserErr"


def free_name(name: str, base: frozenset[str], metadata: Fields | None) -> str:
    """The name that an extracted label gets: `_extracted` is added where the stream or the metadata has it already."""
    if name in base or (metadata is not None and name in metadata):
        return name + EXTRACTED
    return name


def complete(fields: Fields, needs: Needs) -> bool:
    """Everything that is needed has been extracted, so nothing behind it matters."""
    return needs.labels is not None and needs.labels <= fields.keys()


def fail(rows: Rows, place: int, error: str, details: str, needs: Needs) -> None:
    rows.fail(place, error, details)
    if needs.preserve_errors:
        rows.writable()[place][PRESERVE_ERROR] = "true"
