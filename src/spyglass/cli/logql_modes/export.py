"""A range of entries in pages: as many as are asked for, or all there are."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from spyglass.cli.console import err
from spyglass.cli.logql_modes.connection import Connection
from spyglass.cli.plain import fail


def pages(
    server: Connection, form: Mapping[str, str], first: int, last: int, *, limit: int, batch: int, forward: bool
) -> Iterator[dict[str, Any]]:
    """Pages of at most `batch` entries until `limit` (0: all); one page with a metric query's answer.

    A page starts where the last one ended; entries at the very nanosecond of the border are asked for again and left out. Ends the
    command where a page is full of those.
    """
    left, seen, total = limit or sys.maxsize, set[tuple[str, str, str]](), 0
    while left > 0 and first < last:
        size = min(left + len(seen), batch)
        window = {"start": str(first), "end": str(last), "limit": str(size)}
        data = server.get("/loki/api/v1/query_range", {**form, **window})["data"]
        if data["resultType"] != "streams":
            yield data
            return
        entries = [(int(at), line, stream["stream"]) for stream in data["result"] for at, line, *_ in stream["values"]]
        fresh = [e for e in entries if (str(e[0]), e[1], str(sorted(e[2].items()))) not in seen]
        if fresh:
            total += len(fresh)
            left -= len(fresh)
            yield {"resultType": "entries", "result": sorted(fresh, key=lambda e: e[0], reverse=not forward)}
        if not fresh and len(entries) >= size:
            fail(
                f"more than {size} entries have the time {entries[0][0]}: the rest cannot be paged through",
                hint="ask for more at once with --batch, or narrow the query, for instance with a line filter",
            )
        if len(entries) < size:
            return
        border = max(e[0] for e in entries) if forward else min(e[0] for e in entries)
        seen = {(str(e[0]), e[1], str(sorted(e[2].items()))) for e in entries if e[0] == border}
        first, last = (border, last) if forward else (first, border + 1)
        if err.is_terminal and limit == 0 and not server.quiet:
            err.print(f"{total} entries", style="dim", end="\r")
