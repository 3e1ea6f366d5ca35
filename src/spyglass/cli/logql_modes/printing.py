"""Log entries on standard output: coloured, raw, or one JSON object a line."""

import time
from collections.abc import Iterable, Mapping
from enum import StrEnum

import orjson

from spyglass.cli.commands.query import series
from spyglass.cli.console import out

Entry = tuple[int, str, Mapping[str, str]]
"""(time in ns, line, labels)"""


class Output(StrEnum):
    """default: time, labels, line. raw: the line. jsonl: one object a line."""

    DEFAULT = "default"
    RAW = "raw"
    JSONL = "jsonl"


def print_entries(entries: Iterable[Entry], output: Output, *, flush: bool = False) -> None:
    """In the order given."""
    for time_ns, line, labels in entries:
        if output is Output.RAW:
            print(line)
        elif output is Output.JSONL:
            print(orjson.dumps({"timestamp": time_ns, "labels": dict(labels), "line": line}).decode())
        else:
            out.print(stamp(time_ns), style="dim", end=" ")
            out.print(series(dict(labels)).removeprefix("{}"), style="cyan", end=" ", markup=False)
            out.print(line, markup=False)
    if flush:
        out.file.flush()


def stamp(time_ns: int) -> str:
    """Local time with milliseconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time_ns // 10**9)) + f".{time_ns // 10**6 % 1000:03d}"
