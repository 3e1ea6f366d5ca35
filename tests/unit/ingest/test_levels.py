"""The level that every line gets, in columns: what one line at a time would get."""

import random

import numpy as np

from spyglass.ingest.levels import detect_level, with_levels
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_columns import LogColumns
from spyglass.model.log_entry import LogEntry

STREAMS: list[Labels] = [(("job", "a"),), (("job", "a"), ("level", "WARN")), (("severity", "nonsense"),)]
METADATA: list[Labels] = [
    (),
    (("trace_id", "x"),),
    (("level", "debug"),),
    (("severity_number", "17"),),
    (("detected_level", "mine"), ("trace_id", "y")),
]
LINES = [
    '{"level":"info"}',
    "lvl=error x",
    "plain",
    "a panic",
    "",
    "NullPointerException at",
    '{"level":"odd"} warning',
]


def one_by_one(labels: Labels, entry: LogEntry) -> LogEntry:
    """The plain twin."""
    if any(name == "detected_level" for name, _ in entry.metadata):
        return entry
    level = detect_level(labels, entry.metadata, entry.line)
    return LogEntry(entry.time_ns, entry.line, labels_of((*entry.metadata, ("detected_level", level))))


def test_columns_get_the_levels_of_their_lines() -> None:
    """Whatever says it: the stream, the metadata, the line, or the sender; and whichever of them come together."""
    rng = random.Random(7)
    for labels in STREAMS:
        entries = [LogEntry(n, rng.choice(LINES), rng.choice(METADATA)) for n in range(200)]
        wanted = [one_by_one(labels, entry) for entry in entries]
        assert list(with_levels(labels, LogColumns.of(entries))) == wanted


def test_a_stream_with_a_level_needs_no_look_at_its_lines() -> None:
    """One set of metadata for all of them."""
    found = with_levels((("level", "error"),), LogColumns.of([LogEntry(n, "info") for n in range(3)]))
    assert found.meta is not None
    assert found.metas == ((), (("detected_level", "error"),))
    assert found.meta.tolist() == np.ones(3).tolist()
