"""spyglass logql: LogQL on a running server, as logcli does it."""

import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import orjson
import typer

from spyglass.cli.client import ask
from spyglass.cli.commands.query import series, show
from spyglass.cli.console import err, fail, out, print_json, print_table
from spyglass.cli.times import parse_time

PAGE = 5000


class Output(StrEnum):
    """default: time, labels, line. raw: the line. jsonl: one object a line."""

    DEFAULT = "default"
    RAW = "raw"
    JSONL = "jsonl"


def command(
    query: str = typer.Argument("", help="A LogQL query."),
    url: str = typer.Option("http://127.0.0.1:3100", help="The server's Loki API."),
    start: str = typer.Option("now-1h", "--from", "--start", help="Start of the range."),
    end: str = typer.Option("now", "--to", "--end", help="End of the range."),
    limit: int = typer.Option(30, help="How many entries; 0: all, in pages."),
    forward: bool = typer.Option(False, "--forward", help="Oldest first."),
    instant: bool = typer.Option(False, "--instant", help="Evaluate a metric query at the end of the range only."),
    step: str = typer.Option("", help="Step of a metric query."),
    labels: bool = typer.Option(False, "--labels", help="List label names instead."),
    values: str = typer.Option("", "--values", metavar="LABEL", help="List a label's values instead."),
    streams: bool = typer.Option(False, "--series", help="List the streams that match instead."),
    output: Output = typer.Option(Output.DEFAULT, "--output", "-o", help="How to print entries."),
    json: bool = typer.Option(False, "--json", help="Print the server's answer as JSON."),
    tenant: str = typer.Option("", help="X-Scope-OrgID."),
) -> None:
    """Evaluate LogQL on a running server.

    Examples:  spyglass logql '{job="backend"} |= "ERROR"'    spyglass logql --labels
               spyglass logql --limit 0 --forward -o jsonl '{job="backend"}' > all.jsonl
               spyglass logql 'sum by (level) (rate({job="backend"}[5m]))'
    """
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    first, last = round(parse_time(start) * 1e9), round(parse_time(end) * 1e9)
    if labels or values or streams:
        _listing(url, headers, query, first, last, values=values, streams=streams, json=json)
        return
    if not query:
        fail("no query", hint="for instance: spyglass logql '{job=\"backend\"}'")
    form = {"query": query, "direction": "forward" if forward else "backward"}
    if instant:
        answer = _ask(url, "/loki/api/v1/query", headers, {**form, "time": str(last), "limit": str(limit or 100)})
        print_json(answer) if json else _print(answer["data"], output)
        return
    if step:
        form["step"] = step
    if json:
        size = str(limit or PAGE)
        print_json(
            _ask(
                url, "/loki/api/v1/query_range", headers, {**form, "start": str(first), "end": str(last), "limit": size}
            )
        )
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
    nanosecond of the border are asked for again and left out.
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
        if len(entries) < size or not fresh:
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
    if data["resultType"] != "entries":
        show(data)
        return
    for at, line, stream in data["result"]:
        if output is Output.RAW:
            print(line)
        elif output is Output.JSONL:
            print(orjson.dumps({"timestamp": at, "labels": stream, "line": line}).decode())
        else:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(at // 10**9)) + f".{at // 10**6 % 1000:03d}"
            out.print(stamp, style="dim", end=" ")
            out.print(series(stream).removeprefix("{}"), style="cyan", end=" ", markup=False)
            out.print(line, markup=False)


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
