"""spyglass query: PromQL on a running server."""

import time
from typing import Any

import typer

from spyglass.cli.client import ask
from spyglass.cli.console import err, out, print_json, print_table
from spyglass.cli.plain import fail
from spyglass.cli.times import parse_time


def command(
    expression: str = typer.Argument(..., help="A PromQL expression."),
    url: str = typer.Option("http://127.0.0.1:9090", help="The server's Prometheus API."),
    at: str = typer.Option("now", "--time", help="When to evaluate: now, now-1h, RFC 3339 or seconds."),
    start: str = typer.Option("", help="With --end and --step: a range query."),
    end: str = typer.Option("now", help="End of the range."),
    step: str = typer.Option("", help="Step of the range, such as 15s; by default a hundredth of it."),
    json: bool = typer.Option(False, "--json", help="Print the server's answer as JSON."),
    tenant: str = typer.Option("", help="X-Scope-OrgID."),
) -> None:
    """Evaluate PromQL on a running server.

    Examples:  spyglass query 'sum by (endpoint) (rate(http_requests_total[5m]))'
               spyglass query --start now-1h --step 1m up
    """
    form = {"query": expression}
    if start:
        first, last = parse_time(start), parse_time(end)
        form |= {"start": f"{first:.3f}", "end": f"{last:.3f}", "step": step or f"{max((last - first) / 100, 1):.0f}"}
    else:
        form["time"] = f"{parse_time(at):.3f}"
    path = "/api/v1/query_range" if start else "/api/v1/query"
    answer = ask(url, path, form=form, headers={"X-Scope-OrgID": tenant} if tenant else None)
    data = answer.json()
    if json:
        print_json(data)
        raise typer.Exit(0 if answer.status == 200 else 1)
    if answer.status != 200:
        fail(f"{data.get('errorType', 'error')}: {data.get('error', answer.text())}")
    for text in (*data.get("warnings", ()), *data.get("infos", ())):
        err.print(f"warning: {text}", style="yellow", markup=False)
    show(data["data"])


def show(data: dict[str, Any]) -> None:
    """A Prometheus result as a table."""
    kind, result = data["resultType"], data["result"]
    if kind in ("scalar", "string"):
        out.print(str(result[1]), markup=False)
    elif kind == "vector":
        rows = [[series(row["metric"]), str((row.get("value") or row.get("histogram"))[1])] for row in result]
        print_table("", ["series", "value"], rows)
    else:
        rows = [
            [series(row["metric"]), time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(at))), str(value)]
            for row in result
            for at, value in row.get("values") or row.get("histograms")
        ]
        print_table("", ["series", "time", "value"], rows)
    if kind not in ("scalar", "string") and not result:
        err.print("no data", style="dim")


def series(metric: dict[str, str]) -> str:
    """`name{a="b"}`."""
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(metric.items()) if name != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}" if labels else metric.get("__name__", "{}")
