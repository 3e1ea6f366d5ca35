"""LogQL over standard input, without a server: `kubectl logs x | spyglass logql --stdin '|= "ERROR" | json'`.

Log queries run in batches as lines come, so that endless input works; metric queries read all of it first and are evaluated once.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from spyglass.cli.commands.query import series
from spyglass.cli.logql_modes.printing import Look, print_entries
from spyglass.cli.plain import fail
from spyglass.model.errors import QueryError
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_entry import LogEntry
from spyglass.model.matchers import MatchOp
from spyglass.protocols.queries import MetricResult
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_tail import TailFilter
from spyglass.query.logql.ast import LogExpr
from spyglass.query.logql.parser import parse
from spyglass.query.logql.walk import windows_of
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.text.gofloat import format_float

BATCH = 1000
SOURCE = ("source", "stdin")


def run_stdin(query: str, look: Look, source: BinaryIO | None = None) -> None:
    """Print the answer. Ends the command where the query is at fault."""
    lines = source if source is not None else sys.stdin.buffer
    text = query if "{" in query.partition('"')[0].partition("`")[0] else f'{{{SOURCE[0]}="{SOURCE[1]}"}} {query}'
    try:
        expression = parse(text)
        selectors = [expression.matchers] if isinstance(expression, LogExpr) else []
        if not isinstance(expression, LogExpr):
            selectors = [window.log.matchers for window in windows_of(expression)]
        labels = labels_of({SOURCE, *((m.name, m.value) for one in selectors for m in one if m.op is MatchOp.EQUAL)})
        values = dict(labels)
        if not all(m.matches(values.get(m.name, "")) for one in selectors for m in one):
            fail("the selector does not match standard input", hint=f"its labels are {series(values)}")
        if isinstance(expression, LogExpr):
            _filter(TailFilter(text), labels, lines, look)
        else:
            _evaluate(text, labels, lines)
    except QueryError as err:
        fail(str(err), hint=err.hint)


def _filter(keep: TailFilter, labels: Labels, lines: BinaryIO, look: Look) -> None:
    for entries in _batches(lines):
        passed = keep.apply([(labels, entries)])
        rows = [(entry.time_ns, entry.line, dict(final)) for final, found in passed for entry in found]
        print_entries(sorted(rows, key=lambda row: row[0]), look, flush=True)


def _evaluate(query: str, labels: Labels, lines: BinaryIO) -> None:
    stores, last = MemoryLogStores(), time.time_ns()
    for entries in _batches(lines):
        stores.store().append([(labels, entries)])
        last = entries[-1].time_ns
    found = LogEngine(stores).instant(
        query, time_ns=last, limit=1, direction="backward", tenant="fake", budget=QueryBudget()
    )
    assert isinstance(found, MetricResult), "a metric query has a metric result"
    assert found.frame is not None, "LogQL has no strings"
    for row, of_row in enumerate(found.frame.labels.all_labels()):
        if found.frame.present[row, 0]:
            print(f"{series(dict(of_row))}\t{format_float(float(found.frame.values[row, 0]))}")


def _batches(lines: BinaryIO) -> Iterator[Sequence[LogEntry]]:
    """Lines get the time they were read at, each a nanosecond later than the one before."""
    last = 0
    while chunk := list(islice(lines, BATCH)) if not _interactive(lines) else list(islice(lines, 1)):
        now = max(time.time_ns(), last + 1)
        texts = (line.rstrip(b"\r\n").decode("utf-8", "replace") for line in chunk)
        entries = [LogEntry(now + n, text) for n, text in enumerate(texts)]
        last = entries[-1].time_ns
        yield entries


def _interactive(lines: BinaryIO) -> bool:
    return lines.isatty()
