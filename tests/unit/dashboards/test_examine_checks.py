"""Every kind of finding of an examination without data, one small dashboard each; and what is right gives none."""

import json
from typing import Any

import pytest

from spyglass.config.grafana import Datasource
from spyglass.dashboards.examine.run import OFFLINE, Surroundings, examine

Json = dict[str, Any]

PROM = {"type": "prometheus", "uid": "P"}
LOKI = {"type": "loki", "uid": "L"}
SOURCES = (
    Datasource(1, "P", "Prometheus", "prometheus", "http://x", is_default=True),
    Datasource(2, "L", "Loki", "loki", "http://y"),
)


def panel(**parts: Any) -> Json:
    return {"id": 1, "type": "timeseries", "title": "one", "datasource": PROM, **parts}


def asking(expr: str, source: Json = PROM) -> Json:
    return panel(datasource=source, targets=[{"refId": "A", "expr": expr}])


def dashboard(*panels: Any, variables: tuple[Json, ...] = (), **parts: Any) -> Json:
    return {"title": "t", "schemaVersion": 39, "panels": list(panels), "templating": {"list": list(variables)}, **parts}


def variable(name: str, query: str, **parts: Any) -> Json:
    return {"name": name, "type": "query", "query": query, "datasource": PROM, **parts}


def errors(document: object, surroundings: Surroundings = OFFLINE) -> list[str]:
    return [str(one) for one in examine(json.dumps(document), "f", surroundings).errors]


def unsupported(document: object) -> list[str]:
    return [str(one) for one in examine(json.dumps(document), "f").unsupported]


NESTED: Json = dashboard(
    panel(id=1, type="row", title="r", repeat="a", gridPos={"x": 0, "y": 0, "w": 24, "h": 1}),
    panel(id=2, repeat="a", gridPos={"x": 0, "y": 1, "w": 24, "h": 8}),
    variables=({"name": "a", "type": "custom", "query": "1,2"},),
)


def calculating(*expressions: Json) -> Json:
    source = {"type": "__expr__", "uid": "__expr__"}
    named = [{"refId": name, "datasource": source, **one} for name, one in zip("BCDE", expressions, strict=False)]
    return panel(targets=[{"refId": "A", "expr": "up"}, *named])


WRONG: dict[str, tuple[object, str]] = {
    "formula": (
        dashboard(calculating({"type": "math", "expression": "$A +"})),
        "panel 1 'one', query B: something is missing at the end of '${A} +'",
    ),
    "expression of nothing": (
        dashboard(calculating({"type": "math", "expression": "$A + $Z"})),
        "panel 1 'one', query B: there is no query 'Z'",
    ),
    "expression of itself": (
        dashboard(
            calculating({"type": "math", "expression": "$C"}, {"type": "reduce", "expression": "B", "reducer": "max"})
        ),
        "panel 1 'one', query B: it refers to itself",
    ),
    "not an object": ([], "is JSON, but no dashboard: the outermost value should be an object"),
    "no title": ({"panels": []}, "has no title: a dashboard needs one"),
    "panels no list": ({"title": "t", "panels": {}}, "panels: should be a list"),
    "panel no object": (dashboard(7), "panels[0]: should be an object"),
    "infinite": (dashboard(a={"b": [1e999]}), "a.b[0]: is no number that JSON knows: it is infinite or NaN"),
    "grid": (
        dashboard(panel(gridPos={"x": 0, "y": 0, "w": 1e9, "h": 8})),
        "panel 1 'one': gridPos.w is 1e+09; it should be between 0 and 10000",
    ),
    "points": (
        dashboard(panel(maxDataPoints=1e12)),
        "panel 1 'one': maxDataPoints is 1e+12; more than 100000 cannot be drawn",
    ),
    "decimals": (
        dashboard(panel(fieldConfig={"defaults": {"decimals": 400}})),
        "panel 1 'one': decimals is 400; it should be between 0 and 20",
    ),
    "min and max": (
        dashboard(panel(fieldConfig={"defaults": {"min": 5, "max": 1}})),
        "panel 1 'one': min 5 is not below max 1",
    ),
    "library panel": (
        dashboard({"id": 1, "title": "l", "libraryPanel": {"uid": "u"}}),
        "panel 1 'l': is a library panel, and the file does not hold it (__elements)",
    ),
    "repeat": (dashboard(panel(repeat="no")), "panel 1 'one': repeats over $no, and there is no such variable"),
    "repeat in repeat": (
        NESTED,
        "panel 2 'one': repeats over $a, and so does its row: every value would be shown in every copy",
    ),
    "copies in a circle": (
        dashboard(panel(id=1, repeatPanelId=2), panel(id=2, repeatPanelId=1)),
        "panel 1 'one': is a copy of itself (repeatPanelId): it is left out",
    ),
    "copy of nothing": (
        dashboard(panel(repeatPanelId=5)),
        "panel 1 'one': is a copy of panel 5, which is not there (repeatPanelId): it is left out",
    ),
    "own result": (
        dashboard(panel(datasource="-- Dashboard --", targets=[{"refId": "A", "panelId": 1}])),
        "panel 1 'one': shows its own result",
    ),
    "source variable": (
        dashboard(asking("up", {"type": "prometheus", "uid": "${ds}"})),
        "panel 1 'one': its data source is ${ds}, and there is no such variable",
    ),
    "PromQL": (
        dashboard(asking("rate(up)")),
        "panel 1 'one', query A: 1:6: parse error: expected type range vector in call to function \"rate\","
        " got instant vector in 'rate(up)'",
    ),
    "query variable": (dashboard(asking('up{a="$no"}')), "panel 1 'one', query A: there is no variable $no"),
    "long query": (
        dashboard(asking("1+" * 60_000 + "1")),
        "panel 1 'one', query A: is 120001 characters long; 100000 can be asked",
    ),
    "deep query": (
        dashboard(asking("up" + " or up" * 5_000)),
        "panel 1 'one', query A: ",
    ),
    "annotation": (
        dashboard(annotations={"list": [{"name": "deploys", "datasource": PROM, "expr": "up{", "enable": True}]}),
        "annotation 'deploys', query: unexpected end of input",
    ),
    "nameless variable": (dashboard(variables=({"type": "custom", "query": "a"},)), "a variable of type 'custom'"),
    "variable's name": (
        dashboard(variables=(variable("a-b", "metrics(x)"),)),
        "variable 'a-b': the name 'a-b' should be letters, digits and underscores",
    ),
    "twice": (
        dashboard(variables=(variable("a", "metrics(x)"), variable("a", "metrics(y)"))),
        "variable 'a': is defined twice",
    ),
    "label_values": (
        dashboard(variables=(variable("a", "label_values(up{a=1}, b)"),)),
        "variable 'a': 'up{a=1}' is no series selector",
    ),
    "label_values' label": (
        dashboard(variables=(variable("a", "label_values(up, )"),)),
        "variable 'a': 'label_values(up, )' should be label_values(label) or label_values(selector, label)",
    ),
    "query_result": (
        dashboard(variables=(variable("a", "query_result(sum(up)"),)),
        "variable 'a': 1:7: parse error: unclosed left parenthesis",
    ),
    "empty variable": (dashboard(variables=(variable("a", ""),)), "variable 'a': asks nothing: its query is empty"),
    "Loki's variable": (
        dashboard(variables=(variable("a", "query_result(up)", datasource=LOKI),)),
        "variable 'a': Loki's variables are label_names() and label_values([selector,] label)",
    ),
    "variable of variable": (
        dashboard(variables=(variable("a", 'label_values(up{x="$no"}, y)'),)),
        "variable 'a': refers to $no, and there is no such variable",
    ),
    "circle": (
        dashboard(
            variables=(
                variable("a", 'label_values(up{x="$b"}, y)'),
                variable("b", 'label_values(up{x="$a"}, y)'),
            )
        ),
        "variable 'a': waits for itself: the variables that it uses use it",
    ),
    "pattern": (
        dashboard(variables=(variable("a", "metrics(x)", regex="/((/"),)),
        "variable 'a': '/((/' is no regular expression",
    ),
    "nothing to choose": (
        dashboard(variables=({"name": "a", "type": "custom", "query": ""},)),
        "variable 'a': offers no values",
    ),
    "duration": (
        dashboard(variables=({"name": "a", "type": "interval", "query": "1m,soon"},)),
        "variable 'a': 'soon' is no duration",
    ),
    "source type": (
        dashboard(variables=({"name": "a", "type": "datasource", "query": ""},)),
        "variable 'a': does not say which type of data source it chooses from",
    ),
    "transformations": (
        dashboard(panel(transformations={"id": "merge"})),
        "panel 1 'one': transformations should be a list",
    ),
    "a transformation": (
        dashboard(panel(transformations=["merge"])),
        "panel 1 'one', transformation 1: should be an object",
    ),
    "transformation without id": (
        dashboard(panel(transformations=[{"options": {}}])),
        "panel 1 'one', transformation 1: has no id",
    ),
    "transformation's options": (
        dashboard(panel(transformations=[{"id": "merge", "options": 5}])),
        "panel 1 'one', transformation 1: the options of 'merge' should be an object",
    ),
    "transformation's pattern": (
        dashboard(panel(transformations=[{"id": "renameByRegex", "options": {"regex": "(("}}])),
        "panel 1 'one', transformation 1: 'renameByRegex': '((' is no regular expression",
    ),
    "unit": (
        dashboard(panel(fieldConfig={"defaults": {"unit": "percentUnit"}})),
        "panel 1 'one': there is no unit 'percentUnit'; 'percentunit' is meant?",
    ),
    "empty unit": (
        dashboard(panel(fieldConfig={"defaults": {"unit": "suffix:"}})),
        "panel 1 'one': the unit 'suffix:' says nothing after the colon",
    ),
    "no unit": (
        dashboard(panel(fieldConfig={"defaults": {"unit": 5}})),
        "panel 1 'one': a unit should be a text, found 5",
    ),
    "javascript": (
        dashboard(panel(links=[{"title": "x", "url": " java\tScript:alert(1)"}])),
        "javascript: addresses are never followed",
    ),
    "data link": (
        dashboard(panel(fieldConfig={"defaults": {"links": [{"title": "x", "url": "data:text/html,x"}]}})),
        "data: addresses are never followed",
    ),
    "dashboard's link": (
        dashboard(links=[{"type": "link", "title": "x", "url": "vbscript:x"}]),
        "vbscript: addresses are never followed",
    ),
    "link's variable": (
        dashboard(panel(links=[{"title": "x", "url": "/d/x?var-a=${no}"}])),
        "and there is no variable $no",
    ),
    "text's link": (
        dashboard(panel(type="text", options={"content": "[a](javascript:alert(1))"})),
        "which is removed",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_what_is_wrong_is_said(case: str) -> None:
    """Each mistake is an error that names the place."""
    document, expected = WRONG[case]
    found = errors(document)
    if case == "annotation":
        assert any(one.startswith("annotation 'deploys': ") for one in found)
    else:
        assert any(expected in one for one in found), found


LEFT_OUT: dict[str, tuple[Json, str]] = {
    "panel": (dashboard(panel(type="flux")), "panel 1 'one': panels of type 'flux' are shown as a table of their data"),
    "old alert": (
        dashboard(panel(alert={"name": "x"})),
        "panel 1 'one': its alert is from before unified alerting and is not evaluated",
    ),
    "script": (
        dashboard(panel(type="text", options={"content": "<script>x</script>"})),
        "panel 1 'one': '<script' in its text is removed",
    ),
    "setting": (
        dashboard(panel(type="timeseries", fieldConfig={"defaults": {"custom": {"lineColor": "red"}}})),
        "panel 1 'one': the setting custom.lineColor is ignored",
    ),
    "source": (
        dashboard(asking("x", {"type": "mysql", "uid": "m"})),
        "panel 1 'one': data sources of type 'mysql' cannot be queried",
    ),
    "variable": (
        dashboard(variables=({"name": "g", "type": "groupby", "datasource": PROM},)),
        "variable 'g': variables of type 'groupby' are not offered",
    ),
    "order": (
        dashboard(variables=(variable("a", 'label_values(up{x="$b"}, y)'), variable("b", "metrics(x)"))),
        "variable 'a': uses $b, which stands behind it: it is asked before $b has a value",
    ),
    "format": (
        dashboard(asking('up{a=~"${a:odd}"}'), variables=({"name": "a", "type": "custom", "query": "1"},)),
        "panel 1 'one', query A: the format 'odd' of $a is not known: it is written as a glob",
    ),
    "transformation": (
        dashboard(panel(transformations=[{"id": "spatial", "options": {}}])),
        "panel 1 'one', transformation 1: 'spatial' is not applied",
    ),
    "newer": (
        dashboard(schemaVersion=99),
        "schemaVersion 99 is newer than 42, the newest that is known",
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT, ids=str)
def test_what_is_left_out_is_no_error(case: str) -> None:
    """Each is named under unsupported, and only there."""
    document, expected = LEFT_OUT[case]
    assert expected in unsupported(document)
    assert errors(document) == []


RIGHT = {
    "built-ins": "rate(up[$__rate_interval]) + $__range_s + count_over_time(up[$__range])",
    "duration": "rate(up[$step])",
    "multi": 'up{job=~"$job", host=~"${host:regex}", x="[[job:pipe]]"}',
    "replacement": 'label_replace(up, "a", "$1", "b", "(.*)")',
    "function": "$fn(up)",
    "number": "topk($n, up)",
    "legend": 'up{a="{{ $x }}"}',
}


def test_expressions_that_are_right() -> None:
    """Over queries and one another, with the dashboard's variables; `$A` is the query. SQL is named as what is not evaluated."""
    chain = calculating(
        {"type": "reduce", "expression": "A", "reducer": "mean", "settings": {"mode": "dropNN"}},
        {"type": "math", "expression": "$B > $limit && ${A} != nan()"},
        {"type": "resample", "expression": "A", "window": "$__interval", "downsampler": "mean", "upsampler": "pad"},
    )
    limit = {"name": "limit", "type": "custom", "query": "5,10", "current": {"value": "5", "text": "5"}}
    assert errors(dashboard(chain, variables=(limit,))) == []
    assert unsupported(dashboard(chain, variables=(limit,))) == []
    sql = dashboard(calculating({"type": "sql", "expression": "SELECT * FROM A"}))
    assert unsupported(sql) == ["panel 1 'one', query B: SQL expressions are not evaluated"]


@pytest.mark.parametrize("expr", RIGHT.values(), ids=RIGHT)
def test_what_is_right_has_no_finding(expr: str) -> None:
    """Variables are filled with what fits where they stand."""
    variables = (
        {"name": "step", "type": "interval", "query": "1m,5m", "auto": True},
        variable("job", "label_values(up, job)", multi=True, current={"value": ["a.b", "c"], "text": "x"}),
        variable("host", 'label_values(up{job=~"$job"}, host)'),
        {"name": "fn", "type": "custom", "query": "sum,avg"},
        {"name": "n", "type": "textbox", "query": ""},
    )
    report = examine(json.dumps(dashboard(asking(expr), variables=variables)))
    assert report.findings == ()


def test_logql_is_read_as_logql() -> None:
    """Its own syntax is right, PromQL's in a Loki panel is not."""
    assert errors(dashboard(asking('sum by (level) (rate({app="x"} |= "e" | json [$__interval]))', LOKI))) == []
    assert errors(dashboard(asking("up{", LOKI))) != []


def test_a_source_of_unknown_kind_may_speak_either_language() -> None:
    """No complaint where one of the two understands."""
    assert errors(dashboard(asking('{app="x"} |= "e"', {"uid": "somewhere"}))) == []


def test_known_sources_are_the_only_ones() -> None:
    """With sources given, another uid or type is an error; names count as uids."""
    known = Surroundings(SOURCES)
    assert errors(dashboard(asking("up"), asking("up", {"type": "prometheus", "uid": "Prometheus"})), known) == []
    (missing,) = errors(dashboard(asking("up", {"type": "prometheus", "uid": "X"})), known)
    assert missing == "panel 1 'one': there is no data source 'X' (there are: L, P)"


def test_five_thousand_panels_are_a_finding() -> None:
    """Said once, without taking long."""
    found = errors(dashboard(*(panel(id=number, targets=[{"expr": f"up_{number}"}]) for number in range(5000))))
    assert found == ["has 5000 panels; more than 1000 make a page that nobody can use"]


@pytest.mark.parametrize("text", ["", "{", "nope", '{"title": "t"', "\x00", "[" * 100_000, '{"title": 5}'])
def test_no_json_is_one_finding(text: str) -> None:
    """Of the check of the format."""
    (finding,) = examine(text).findings
    assert finding.check == "format"
