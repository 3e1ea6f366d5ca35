"""spyglass logql: LogQL on a running server or over standard input, as logcli does it."""

import sys
from collections.abc import Iterator
from typing import Any

import typer

from spyglass.cli.client import ask
from spyglass.cli.commands.query import series, show
from spyglass.cli.console import err, print_json, print_table
from spyglass.cli.logql_modes.printing import Output, print_entries
from spyglass.cli.plain import fail
from spyglass.cli.times import parse_time

PAGE = 5000


def command(
    query: str = typer.Argument("", help="A LogQL query."),
    url: str = typer.Option("http://127.0.0.1:3100", help="The server's Loki API.", envvar="LOKI_ADDR"),
    start: str = typer.Option("now-1h", "--from", "--start", help="Start of the range."),
    end: str = typer.Option("now", "--to", "--end", help="End of the range."),
    limit: int = typer.Option(30, help="How many entries; 0: all, in pages."),
    forward: bool = typer.Option(False, "--forward", help="Oldest first."),
    instant: bool = typer.Option(False, "--instant", help="Evaluate a metric query at the end of the range only."),
    step: str = typer.Option("", help="Step of a metric query."),
    labels: bool = typer.Option(False, "--labels", help="List label names instead."),
    values: str = typer.Option("", "--values", metavar="LABEL", help="List a label's values instead."),
    streams: bool = typer.Option(False, "--series", help="List the streams that match instead."),
    stats: bool = typer.Option(False, "--stats", help="Streams, chunks, entries and bytes of a selector instead."),
    volume: bool = typer.Option(False, "--volume", help="Bytes per label set of a selector instead, largest first."),
    fields: bool = typer.Option(False, "--fields", help="List the fields of the newest lines instead."),
    tail: bool = typer.Option(False, "--tail", "--follow", "-f", help="Show lines as they come, until Ctrl-C."),
    delay_for: int = typer.Option(0, "--delay-for", help="Seconds that --tail waits for late lines, at most 5."),
    stdin: bool = typer.Option(False, "--stdin", help="Read lines from standard input; no server is asked."),
    output: Output = typer.Option(Output.DEFAULT, "--output", "-o", help="How to print entries."),
    json: bool = typer.Option(False, "--json", help="Print the server's answer as JSON."),
    tenant: str = typer.Option("", help="X-Scope-OrgID.", envvar="LOKI_ORG_ID"),
) -> None:
    """Evaluate LogQL on a running server.

    Examples:  spyglass logql '{job="backend"} |= "ERROR"'    spyglass logql --labels
               spyglass logql --limit 0 --forward -o jsonl '{job="backend"}' > all.jsonl
               spyglass logql 'sum by (level) (rate({job="backend"}[5m]))'
               spyglass logql --tail '{job="backend"} | json'
               spyglass logql --stdin '|= "ERROR" | logfmt | took > 1s' < app.log
    """
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    if stdin:
        # The engine and numpy are wanted by this mode only; the others start in a blink.
        from spyglass.cli.logql_modes.stdin import run_stdin

        run_stdin(query, output)
        return
    first, last = round(parse_time(start) * 1e9), round(parse_time(end) * 1e9)
    if labels or values or streams:
        _listing(url, headers, query, first, last, values=values, streams=streams, json=json)
        return
    if not query:
        fail("no query", hint="for instance: spyglass logql '{job=\"backend\"}'")
    if stats or volume or fields:
        _summary(url, headers, query, first, last, limit, stats=stats, volume=volume, json=json)
    elif tail:
        # websockets is wanted by this mode only.
        from spyglass.cli.logql_modes.follow import follow

        follow(url, query, headers, start_ns=first, limit=limit or PAGE, delay=delay_for, output=output)
    else:
        form = {"query": query, "direction": "forward" if forward else "backward", **({"step": step} if step else {})}
        _query(url, headers, form, first, last, limit, forward=forward, instant=instant, output=output, json=json)


def _query(
    url: str,
    headers: dict[str, str],
    form: dict[str, str],
    first: int,
    last: int,
    limit: int,
    *,
    forward: bool,
    instant: bool,
    output: Output,
    json: bool,
) -> None:
    if instant:
        answer = _ask(url, "/loki/api/v1/query", headers, {**form, "time": str(last), "limit": str(limit or 100)})
        print_json(answer) if json else _print(answer["data"], output)
        return
    if json:
        window = {"start": str(first), "end": str(last), "limit": str(limit or PAGE)}
        print_json(_ask(url, "/loki/api/v1/query_range", headers, {**form, **window}))
        return
    for page in _pages(url, headers, form, first, last, limit, forward):
        _print(page, output)


def _ask(url: str, path: str, headers: dict[str, str], form: dict[str, str]) -> dict[str, Any]:
    answer = ask(url, path, query=form, headers=headers)
    if answer.status != 200:
        fail(answer.text().strip())
    data: dict[str, Any] = answer.json()
    for text in data.get("warnings", ()):
        err.print(f"warning: {text}", style="yellow", markup=False)
    return data


def _pages(
    url: str, headers: dict[str, str], form: dict[str, str], first: int, last: int, limit: int, forward: bool
) -> Iterator[dict[str, Any]]:
    """Pages of at most PAGE entries until `limit` (0: all). A page starts where the last one ended; entries at the very
    nanosecond of the border are asked for again and left out. Ends the command where a page is full of those.
    """
    left, seen, total = limit or sys.maxsize, set[tuple[str, str, str]](), 0
    while left > 0 and first < last:
        size = min(left + len(seen), PAGE)
        window = {"start": str(first), "end": str(last), "limit": str(size)}
        data = _ask(url, "/loki/api/v1/query_range", headers, {**form, **window})["data"]
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
                f"more than {PAGE} entries have the time {entries[0][0]}: the rest cannot be paged through",
                hint="narrow the query, for instance with a line filter, and export it in parts",
            )
        if len(entries) < size:
            return
        border = max(e[0] for e in entries) if forward else min(e[0] for e in entries)
        seen = {(str(e[0]), e[1], str(sorted(e[2].items()))) for e in entries if e[0] == border}
        first, last = (border, last) if forward else (first, border + 1)
        if err.is_terminal and limit == 0:
            err.print(f"{total} entries", style="dim", end="\r")


def _print(data: dict[str, Any], output: Output) -> None:
    if data["resultType"] == "streams":
        rows = [(int(at), line, s["stream"]) for s in data["result"] for at, line, *_ in s["values"]]
        data = {"resultType": "entries", "result": sorted(rows, key=lambda e: e[0], reverse=True)}
    if data["resultType"] == "entries":
        print_entries(data["result"], output)
    else:
        show(data)


def _summary(
    url: str,
    headers: dict[str, str],
    query: str,
    first: int,
    last: int,
    limit: int,
    *,
    stats: bool,
    volume: bool,
    json: bool,
) -> None:
    window = {"query": query, "start": str(first), "end": str(last)}
    if stats:
        data = _ask(url, "/loki/api/v1/index/stats", headers, window)
        names = ("streams", "chunks", "entries", "bytes")
        columns, rows = list(names), [[str(data[name]) for name in names]]
    elif volume:
        data = _ask(url, "/loki/api/v1/index/volume", headers, {**window, "limit": str(limit or PAGE)})
        columns = ["labels", "bytes"]
        rows = [[series(one["metric"]), str(one["value"][1])] for one in data["data"]["result"]]
    else:
        data = _ask(url, "/loki/api/v1/detected_fields", headers, window)
        columns = ["field", "type", "values", "parsers"]
        rows = [
            [one["label"], one["type"], str(one["cardinality"]), ",".join(one["parsers"] or ())]
            for one in data["fields"]
        ]
    print_json(data) if json else print_table("", columns, rows)


def _listing(
    url: str, headers: dict[str, str], query: str, first: int, last: int, *, values: str, streams: bool, json: bool
) -> None:
    window = {"start": str(first), "end": str(last)}
    if streams:
        data = _ask(url, "/loki/api/v1/series", headers, {**window, **({"match[]": query} if query else {})})
        shown = [series(stream) for stream in data["data"]]
    else:
        path = f"/loki/api/v1/label/{values}/values" if values else "/loki/api/v1/labels"
        data = _ask(url, path, headers, {**window, **({"query": query} if query else {})})
        shown = list(data.get("data") or ())
    if json:
        print_json(data)
    else:
        print_table("", ["stream" if streams else values or "label"], [[text] for text in shown])
