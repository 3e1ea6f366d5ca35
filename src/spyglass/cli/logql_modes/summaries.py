"""What is asked instead of entries: labels, values, streams, statistics, volumes, fields, a query's pretty form."""

from collections import Counter, defaultdict
from typing import Any

from spyglass.cli.commands.query import series, show
from spyglass.cli.console import print_json, print_table
from spyglass.cli.logql_modes.connection import Connection

Form = dict[str, str]


def labels(server: Connection, form: Form, *, json: bool) -> None:
    _names(server, "/loki/api/v1/labels", form, "label", json=json)


def values(server: Connection, name: str, form: Form, *, json: bool) -> None:
    _names(server, f"/loki/api/v1/label/{name}/values", form, name, json=json)


def _names(server: Connection, path: str, form: Form, column: str, *, json: bool) -> None:
    data = server.get(path, form)
    print_json(data) if json else print_table("", [column], [[text] for text in data.get("data") or ()])


def streams(server: Connection, form: Form, *, analyze: bool, json: bool) -> None:
    """The streams that match. analyze: how many values each of their labels has, and in how many streams it is, instead."""
    query = form.pop("query", "")
    data = server.get("/loki/api/v1/series", {**form, **({"match[]": query} if query else {})})
    if json:
        print_json(data)
    elif analyze:
        _analyze(data["data"])
    else:
        print_table("", ["stream"], [[series(stream)] for stream in data["data"]])


def _analyze(found: list[dict[str, str]]) -> None:
    uses, distinct = Counter[str](), defaultdict[str, set[str]](set)
    for stream in found:
        uses.update(stream.keys())
        for name, value in stream.items():
            distinct[name].add(value)
    rows = [[name, str(len(distinct[name])), str(uses[name])] for name in uses]
    print_table(f"{len(found)} streams", ["label", "values", "in streams"], sorted(rows, key=lambda row: -int(row[1])))


def stats(server: Connection, form: Form, *, json: bool) -> None:
    data = server.get("/loki/api/v1/index/stats", form)
    names = ["streams", "chunks", "entries", "bytes"]
    print_json(data) if json else print_table("", names, [[str(data[name]) for name in names]])


def volume(server: Connection, form: Form, *, json: bool) -> None:
    data = server.get("/loki/api/v1/index/volume", form)
    rows = [[series(one["metric"]), str(one["value"][1])] for one in data["data"]["result"]]
    print_json(data) if json else print_table("", ["labels", "bytes"], rows)


def volume_range(server: Connection, form: Form, *, json: bool) -> None:
    data = server.get("/loki/api/v1/index/volume_range", form)
    print_json(data) if json else show(data["data"])


def fields(server: Connection, form: Form, *, json: bool) -> None:
    data: dict[str, Any] = server.get("/loki/api/v1/detected_fields", form)
    rows = [
        [one["label"], one["type"], str(one["cardinality"]), ",".join(one["parsers"] or ())] for one in data["fields"]
    ]
    print_json(data) if json else print_table("", ["field", "type", "values", "parsers"], rows)
