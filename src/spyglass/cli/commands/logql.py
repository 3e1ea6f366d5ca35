"""spyglass logql: LogQL on a running server or over standard input, as logcli does it."""

from typing import Any

import typer

from spyglass.cli.commands.query import show
from spyglass.cli.console import print_json
from spyglass.cli.logql_modes import summaries
from spyglass.cli.logql_modes.connection import Connection, Tls, headers_of
from spyglass.cli.logql_modes.export import pages
from spyglass.cli.logql_modes.printing import Look, Output, Timezone, print_entries
from spyglass.cli.plain import fail
from spyglass.cli.times import parse_time

PAGE = 5000


def command(
    query: str = typer.Argument("", help="A LogQL query."),
    url: str = typer.Option(
        "http://127.0.0.1:3100", "--url", "--addr", help="The server's Loki API.", envvar="LOKI_ADDR"
    ),
    start: str = typer.Option("", "--from", "--start", help="Start of the range."),
    end: str = typer.Option("now", "--to", "--end", help="End of the range."),
    since: str = typer.Option("1h", help="Length of a range without a start."),
    limit: int = typer.Option(30, help="How many entries; 0: all, in pages."),
    batch: int = typer.Option(PAGE, min=1, help="Entries per page."),
    forward: bool = typer.Option(False, "--forward", help="Oldest first."),
    instant: bool = typer.Option(False, "--instant", help="Evaluate a metric query at the end of the range only."),
    step: str = typer.Option("", help="Step of a metric query or a volume range."),
    interval: str = typer.Option("", help="At most one entry per interval."),
    labels: bool = typer.Option(False, "--labels", help="List label names instead."),
    values: str = typer.Option("", "--values", metavar="LABEL", help="List a label's values instead."),
    streams: bool = typer.Option(False, "--series", help="List the streams that match instead."),
    analyze: bool = typer.Option(False, "--analyze-labels", help="With --series: how many values each label has."),
    stats: bool = typer.Option(False, "--stats", help="Streams, chunks, entries and bytes of a selector instead."),
    volume: bool = typer.Option(False, "--volume", help="Bytes per label set of a selector instead, largest first."),
    volume_range: bool = typer.Option(False, "--volume-range", help="The same per --step."),
    target_labels: str = typer.Option("", "--target-labels", "--targetLabels", help="Labels that volumes are of: a,b."),
    by_labels: bool = typer.Option(
        False, "--aggregate-by-labels", "--aggregateByLabels", help="Volumes per label name, not per label set."
    ),
    fields: bool = typer.Option(
        False, "--fields", "--detected-fields", help="List the fields of the newest lines instead."
    ),
    line_limit: int = typer.Option(0, "--line-limit", help="With --fields: how many lines to look at."),
    fmt: bool = typer.Option(False, "--fmt", help="Print the query, formatted, instead."),
    tail: bool = typer.Option(False, "--tail", "--follow", "-t", "-f", help="Show lines as they come, until Ctrl-C."),
    delay_for: int = typer.Option(0, "--delay-for", help="Seconds that --tail waits for late lines, at most 5."),
    stdin: bool = typer.Option(False, "--stdin", help="Read lines from standard input; no server is asked."),
    output: Output = typer.Option(Output.DEFAULT, "--output", "-o", help="How to print entries."),
    timezone: Timezone = typer.Option(Timezone.LOCAL, "--timezone", "-z", help="Of the times that are printed."),
    no_labels: bool = typer.Option(False, "--no-labels", help="Print no labels."),
    include_label: list[str] = typer.Option([], "--include-label", help="Print these labels only. May be repeated."),
    exclude_label: list[str] = typer.Option([], "--exclude-label", help="Print these labels not. May be repeated."),
    labels_length: int = typer.Option(0, "--labels-length", help="Width of the labels; 0: as wide as they are."),
    json: bool = typer.Option(False, "--json", help="Print the server's answer as JSON."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No warnings, no progress."),
    tenant: str = typer.Option("", "--tenant", "--org-id", help="X-Scope-OrgID.", envvar="LOKI_ORG_ID"),
    username: str = typer.Option("", help="Of basic authentication.", envvar="LOKI_USERNAME"),
    password: str = typer.Option("", help="Of basic authentication.", envvar="LOKI_PASSWORD"),
    bearer_token: str = typer.Option("", "--bearer-token", help="A token instead.", envvar="LOKI_BEARER_TOKEN"),
    bearer_token_file: str = typer.Option(
        "", "--bearer-token-file", help="A file with the token.", envvar="LOKI_BEARER_TOKEN_FILE"
    ),
    ca_cert: str = typer.Option("", "--ca-cert", help="Who is trusted to sign.", envvar="LOKI_CA_CERT_PATH"),
    cert: str = typer.Option("", "--cert", help="Our own certificate.", envvar="LOKI_CLIENT_CERT_PATH"),
    key: str = typer.Option("", "--key", help="Its key.", envvar="LOKI_CLIENT_KEY_PATH"),
    skip_verify: bool = typer.Option(
        False, "--tls-skip-verify", help="Trust whoever answers.", envvar="LOKI_TLS_SKIP_VERIFY"
    ),
    query_tags: str = typer.Option("", "--query-tags", help="X-Query-Tags.", envvar="LOKI_QUERY_TAGS"),
    retries: int = typer.Option(
        0, min=0, help="Ask again so often where the server cannot answer.", envvar="LOKI_CLIENT_RETRIES"
    ),
) -> None:
    """Evaluate LogQL on a running server.

    Examples:  spyglass logql '{job="backend"} |= "ERROR"'    spyglass logql --labels
               spyglass logql --limit 0 --forward -o jsonl '{job="backend"}' > all.jsonl
               spyglass logql 'sum by (level) (rate({job="backend"}[5m]))'
               spyglass logql --tail '{job="backend"} | json'
               spyglass logql --stdin '|= "ERROR" | logfmt | took > 1s' < app.log
    """
    look = Look(output, timezone, not no_labels, tuple(include_label), tuple(exclude_label), labels_length)
    if stdin:
        # The engine and numpy are wanted by this mode only; the others start in a blink.
        from spyglass.cli.logql_modes.stdin import run_stdin

        run_stdin(query, look)
        return
    headers = headers_of(
        tenant=tenant,
        username=username,
        password=password,
        token=bearer_token,
        token_file=bearer_token_file,
        tags=query_tags,
    )
    server = Connection(url, headers, Tls(ca_cert, cert, key, skip_verify).context(), retries, quiet)
    last = round(parse_time(end) * 1e9)
    first = round(parse_time(start) * 1e9) if start else last - _length_ns(since)
    window = {"start": str(first), "end": str(last), **({"query": query} if query else {})}
    if labels:
        summaries.labels(server, window, json=json)
    elif values:
        summaries.values(server, values, window, json=json)
    elif streams:
        summaries.streams(server, window, analyze=analyze, json=json)
    elif not query:
        fail("no query", hint="for instance: spyglass logql '{job=\"backend\"}'")
    elif fmt:
        print(server.get("/loki/api/v1/format_query", {"query": query})["data"])
    elif stats:
        summaries.stats(server, window, json=json)
    elif volume or volume_range:
        form = {**window, "limit": str(limit or PAGE), **_given(targetLabels=target_labels)}
        form |= {"aggregateBy": "labels"} if by_labels else {}
        if volume_range:
            summaries.volume_range(server, {**form, **_given(step=step)}, json=json)
        else:
            summaries.volume(server, form, json=json)
    elif fields:
        summaries.fields(server, {**window, **_given(line_limit=str(line_limit or ""))}, json=json)
    elif tail:
        # websockets is wanted by this mode only.
        from spyglass.cli.logql_modes.follow import follow

        follow(server, query, start_ns=first, limit=limit or PAGE, delay=delay_for, look=look)
    else:
        form = {
            "query": query,
            "direction": "forward" if forward else "backward",
            **_given(step=step, interval=interval),
        }
        if instant:
            answer = server.get("/loki/api/v1/query", {**form, "time": str(last), "limit": str(limit or 100)})
            print_json(answer) if json else _print(answer["data"], look)
        elif json:
            whole = {**form, "start": str(first), "end": str(last), "limit": str(limit or batch)}
            print_json(server.get("/loki/api/v1/query_range", whole))
        else:
            for page in pages(server, form, first, last, limit=limit, batch=batch, forward=forward):
                _print(page, look)


def _length_ns(since: str) -> int:
    return round((parse_time("now") - parse_time(f"now-{since}")) * 1e9)


def _given(**form: str) -> dict[str, str]:
    return {name: value for name, value in form.items() if value}


def _print(data: dict[str, Any], look: Look) -> None:
    if data["resultType"] == "streams":
        rows = [(int(at), line, s["stream"]) for s in data["result"] for at, line, *_ in s["values"]]
        data = {"resultType": "entries", "result": sorted(rows, key=lambda e: e[0], reverse=True)}
    if data["resultType"] == "entries":
        print_entries(data["result"], look)
    else:
        show(data)
