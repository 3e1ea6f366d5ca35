"""Test scripts as data: `load`, `clear` and `eval` commands with what is expected of them.

The language is described in upstream's promql/promqltest/README.md. A block ends at an empty line or a comment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from spyglass.model.labels import Labels
from spyglass.query.syntax.quoting import unquote
from spyglass.testing.promqltest.series import Point, parse_series, parse_starts
from spyglass.text.durations import parse_prometheus_duration

_LOAD = re.compile(r"load(_with_nhcb)?\s+(\S+)$")
_INSTANT = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$")
_RANGE = re.compile(r"eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$")
_EXPECT = re.compile(r"expect\s+(fail|warn|info|no_warn|no_info|ordered)(?:\s+(msg|regex):\s*(.*))?$")
_EXPECT_RANGE = re.compile(r"expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$")
_NUMBER = re.compile(r"[-+]?(?:[0-9.][0-9._eE+-]*|[iI]nf|[nN]a[nN])$")


@dataclass(frozen=True, slots=True)
class Note:
    """An expected error, warning or info. message "": any."""

    message: str = ""
    is_regex: bool = False

    def matches(self, text: str) -> bool:
        if not self.message:
            return True
        return re.search(self.message, text) is not None if self.is_regex else self.message == text


@dataclass(frozen=True, slots=True)
class Load:
    """Series to add, their points step_ms apart from time 0. with_nhcb: classic histograms as native ones besides.

    starts: start timestamps of series, place by place, in ms from the samples' times.
    """

    line: int
    step_ms: int
    series: tuple[tuple[Labels, tuple[Point, ...]], ...]
    with_nhcb: bool = False
    starts: tuple[tuple[Labels, tuple[int | None, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Clear:
    line: int


@dataclass(slots=True)
class Eval:
    """A query and what is expected. start_ms == end_ms and step_ms 0: an instant.

    series: expected label sets and points, in order; scalar: an expected bare number; text: an expected string.
    no_warn, no_info: none may be there. warns, infos: each has to match one, and (where there are any) cover all.
    raw_start_ms...: the times of an expected range vector.
    """

    line: int
    query: str
    start_ms: int
    end_ms: int
    step_ms: int
    fail: Note | None = None
    warns: list[Note] = field(default_factory=list)
    infos: list[Note] = field(default_factory=list)
    no_warn: bool = False
    no_info: bool = False
    ordered: bool = False
    series: list[tuple[Labels, tuple[Point, ...]]] = field(default_factory=list)
    scalar: float | None = None
    text: str | None = None
    raw_start_ms: int = 0
    raw_step_ms: int = 0

    @property
    def is_instant(self) -> bool:
        return self.step_ms == 0


Command = Load | Clear | Eval


def parse_script(text: str) -> list[Command]:
    """The commands of a script. Raises: ValueError naming the line."""
    lines = [line.strip() for line in text.splitlines()]
    lines = ["" if line.startswith("#") else line for line in lines]
    out: list[Command] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line:
            continue
        start = at
        while at < len(lines) and lines[at]:
            at += 1
        try:
            if line == "clear":
                # `clear` has no body: what follows directly is a command of its own.
                out.append(Clear(start))
                at = start
            else:
                out.append(_command(line, lines[start:at], start))
        except Exception as err:
            raise ValueError(f"line {start}: {line}: {err}") from err
    return out


def _command(line: str, body: list[str], number: int) -> Command:
    if match := _LOAD.match(line):
        found = [(line, parse_starts(line)) for line in body]
        starts = tuple((labels, tuple(items)) for labels, items in (one for _, one in found if one is not None))
        series = tuple(
            (labels, tuple(points)) for labels, points in (parse_series(t) for t, one in found if one is None)
        )
        return Load(number, parse_time(match.group(2)), series, bool(match.group(1)), starts)
    if match := _INSTANT.match(line):
        kind, time, query = match.groups()
        time_ms = parse_time(time)
        return _expectations(Eval(number, query, time_ms, time_ms, 0), kind, body)
    if match := _RANGE.match(line):
        kind, start, end, step, query = match.groups()
        command = Eval(number, query, parse_time(start), parse_time(end), parse_time(step))
        return _expectations(command, kind, body)
    raise ValueError("not a command")


def parse_time(text: str) -> int:
    """Milliseconds of a duration, which may be negative, or of bare seconds."""
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    if re.fullmatch(r"[0-9.]+", body):
        return sign * round(float(body) * 1000)
    return sign * parse_prometheus_duration(body)


def _expectations(command: Eval, kind: str | None, body: list[str]) -> Eval:
    """The deprecated `eval_fail` and its relatives say the same as `expect` lines."""
    if kind == "fail":
        command.fail = Note()
    elif kind == "warn":
        command.warns.append(Note())
    elif kind == "info":
        command.infos.append(Note())
    elif kind == "ordered":
        command.ordered = True
    for line in body:
        _expectation(command, line)
    return command


def _expectation(command: Eval, line: str) -> None:
    if line.startswith("expected_fail_message"):
        command.fail = Note(line.removeprefix("expected_fail_message").strip())
    elif line.startswith("expected_fail_regexp"):
        command.fail = Note(line.removeprefix("expected_fail_regexp").strip(), True)
    elif line.startswith("expect string"):
        command.text = unquote(line.removeprefix("expect string").strip())
    elif match := _EXPECT_RANGE.match(line):
        start, _, step = match.groups()
        command.raw_start_ms, command.raw_step_ms = parse_time(start), parse_time(step)
    elif match := _EXPECT.match(line):
        _note(command, *match.groups())
    elif _NUMBER.match(line):
        command.scalar = float(line)
    else:
        labels, points = parse_series(line)
        command.series.append((labels, tuple(points)))


def _note(command: Eval, what: str, how: str | None, text: str | None) -> None:
    note = Note((text or "").strip(), how == "regex")
    if what == "fail":
        command.fail = note
    elif what == "warn":
        command.warns.append(note)
    elif what == "info":
        command.infos.append(note)
    elif what == "no_warn":
        command.no_warn = True
    elif what == "no_info":
        command.no_info = True
    else:
        command.ordered = True


def evals(commands: list[Command]) -> Iterator[Eval]:
    """The eval commands of a script."""
    return (command for command in commands if isinstance(command, Eval))
