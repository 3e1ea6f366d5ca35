"""A line on its way through a pipeline: what stages change in place."""

from dataclasses import dataclass, field
from typing import Any

TENANT_LABEL = "__tenant_id__"
"""The label that carries an entry's tenant; never sent as a label."""


@dataclass(slots=True)
class Entry:
    """One line. labels: this entry's own dict (values may be empty: upstream sends them). extracted: what stages have found
    (text, floats, booleans, None); it starts as a copy of the labels. metadata: structured metadata.
    start: where the line begins in its source (bytes of a file, or nanoseconds of a log); a source's position
    may not move past an entry that waits in a stage.
    """

    labels: dict[str, str]
    line: str
    time_ns: int
    start: int = 0
    extracted: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
