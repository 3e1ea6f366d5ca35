"""One log line, as doors hand it to stores."""

from dataclasses import dataclass

from spyglass.model.labels import Labels


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line. metadata: structured metadata, canonical labels."""

    time_ns: int
    line: str
    metadata: Labels = ()
