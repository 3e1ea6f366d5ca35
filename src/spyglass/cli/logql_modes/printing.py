"""Log entries on standard output: coloured, raw, or one JSON object a line."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


class Timezone(StrEnum):
    LOCAL = "Local"
    UTC = "UTC"


@dataclass(frozen=True, slots=True)
class Look:
    """How entries are shown. include: only these labels, where any are named; exclude: not these. labels_length: a fixed width.

    Labels are left out in the default form only: who reads JSON chooses for himself.
    """

    output: Output = Output.DEFAULT
    timezone: Timezone = Timezone.LOCAL
    labels: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    labels_length: int = 0

    def labels_text(self, labels: Mapping[str, str]) -> str:
        """`{a="b"}`, padded or cut to its length; "" where no label is to be shown."""
        if not self.labels:
            return ""
        shown = {n: v for n, v in labels.items() if n not in self.exclude and (not self.include or n in self.include)}
        text = series(shown).removeprefix("{}")
        return text[: self.labels_length].ljust(self.labels_length) if self.labels_length else text


def print_entries(entries: Iterable[Entry], look: Look, *, flush: bool = False) -> None:
    """In the order given."""
    for time_ns, line, labels in entries:
        if look.output is Output.RAW:
            print(line)
        elif look.output is Output.JSONL:
            print(orjson.dumps({"timestamp": time_ns, "labels": dict(labels), "line": line}).decode())
        else:
            out.print(stamp(time_ns, look.timezone), style="dim", end=" ")
            if text := look.labels_text(labels):
                out.print(text, style="cyan", end=" ", markup=False)
            out.print(line, markup=False)
    if flush:
        out.file.flush()


def stamp(time_ns: int, timezone: Timezone = Timezone.LOCAL) -> str:
    """With milliseconds.

    >>> stamp(1_700_000_000_120_000_000, Timezone.UTC)
    '2023-11-14T22:13:20.120Z'
    """
    utc = timezone is Timezone.UTC
    moment = (time.gmtime if utc else time.localtime)(time_ns // 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{time_ns // 10**6 % 1000:03d}{'Z' if utc else ''}"
