"""LogQL cases with answers of the real Loki: reading them, and answers in their form. See README.md beside the data."""

import hashlib
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spyglass.model.labels import Labels, labels_of
from spyglass.protocols.log_store import LogEntry
from spyglass.protocols.queries import MetricResult, StreamsResult

NS = 10**9
T0_S = 1_790_000_400 - 1_790_000_400 % 3600
"""A full hour. The cases name times relative to it."""

FOLDER = (
    Path(os.environ.get("SPYGLASS_CONFORMANCE", str(Path(__file__).parents[3] / "shared" / "conformance"))) / "logql"
)


@dataclass(frozen=True, slots=True)
class Case:
    number: int
    group: str
    kind: str
    query: str
    options: dict[str, str]
    want: dict[str, Any] = field(hash=False)

    @property
    def name(self) -> str:
        return f"{self.number:03d}-{self.group}"

    def seconds(self, option: str, default: float) -> int:
        """An option as nanoseconds since 1970."""
        return T0_S * NS + round(float(self.options.get(option, default)) * NS)


def read_cases() -> list[Case]:
    path = FOLDER / "cases.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    return [
        Case(i, row["class"], row["kind"], row["query"], row.get("options", {}), row["want"])
        for i, row in enumerate(rows)
    ]


def read_streams() -> list[tuple[Labels, list[LogEntry]]]:
    """One push after the other."""
    pushes = []
    for line in (FOLDER / "streams.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        entries = [
            LogEntry(T0_S * NS + entry[0], entry[1], labels_of(entry[2]) if len(entry) > 2 else ())
            for entry in row["entries"]
        ]
        pushes.append((labels_of(row["labels"]), entries))
    return pushes


# --- our answers in the form of `want` ------------------------------------------------------------------------------------


def shown(result: StreamsResult | MetricResult, *, categorize: bool) -> list[Any]:
    if isinstance(result, StreamsResult):
        return _categorized(result) if categorize else _streams(result)
    return _metric(result)


def _streams(result: StreamsResult) -> list[Any]:
    return [
        [_masked(dict(labels)), [[entry.time_ns - T0_S * NS, _line(entry.line)] for entry in entries]]
        for labels, entries in result.streams
    ]


def _categorized(result: StreamsResult) -> list[Any]:
    found = []
    for stream in result.categorized():
        rows = []
        for entry, parsed in stream.rows:
            extra = {}
            if parsed:
                extra["parsed"] = _masked(dict(parsed))
            if entry.metadata:
                extra["structuredMetadata"] = dict(entry.metadata)
            rows.append([entry.time_ns - T0_S * NS, _line(entry.line), extra])
        found.append([dict(stream.labels), rows])
    return found


def _masked(labels: dict[str, str]) -> dict[str, str]:
    return {name: "*" if name == "__error_details__" else value for name, value in labels.items()}


def _line(line: str) -> str:
    if len(line) <= 2000:
        return line
    return f"sha:{hashlib.sha256(line.encode()).hexdigest()[:16]}:{len(line)}"


def _metric(result: MetricResult) -> list[Any]:
    frame = result.frame
    assert frame is not None
    times = [ms / 1000 - T0_S for ms in frame.grid.times().tolist()]
    labels = frame.labels.all_labels()
    if result.kind == "scalar":
        return [[{}, ["now", float(frame.values[0, 0])]]]
    found = []
    for row in range(frame.size):
        points = [[t, float(v)] for t, v, p in zip(times, frame.values[row], frame.present[row], strict=True) if p]
        found.append([dict(labels[row]), points[0] if result.kind == "vector" else points])
    return found


# --- comparison -----------------------------------------------------------------------------------------------------------


def differences(result: StreamsResult | MetricResult, case: Case) -> str:
    """ "" where the answer is the wanted one, else both."""
    kind = "streams" if isinstance(result, StreamsResult) else result.kind
    if kind != case.want.get("type"):
        return f"want {case.want.get('type') or case.want}, got {kind}"
    got = shown(result, categorize=case.options.get("flags") == "categorize")
    want = case.want["result"]
    if not case.want.get("ordered"):
        got, want = sorted(got, key=_key), sorted(want, key=_key)
    if [_key(row) for row in got] != [_key(row) for row in want]:
        return f"label sets:\n want {[row[0] for row in want]}\n got  {[row[0] for row in got]}"
    for theirs, ours in zip(want, got, strict=True):
        if not _same(theirs[1], ours[1]):
            return f"{theirs[0]}:\n want {theirs[1]}\n got  {ours[1]}"
    return ""


def _key(row: list[Any]) -> str:
    return json.dumps(row[0], sort_keys=True)


def _same(want: Any, got: Any) -> bool:
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(map(_same, want, got))
    if isinstance(got, float):
        wanted = float(want)
        if math.isnan(wanted) or math.isnan(got):
            return math.isnan(wanted) and math.isnan(got)
        return math.isclose(wanted, got, rel_tol=1e-9, abs_tol=1e-12)
    return bool(want == got)
