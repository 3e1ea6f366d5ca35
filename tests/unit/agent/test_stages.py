"""Stages: what each does to a batch of entries. Rows: stages as YAML, entries in, what comes out."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
import yaml

from spyglass.agent.entry import TENANT_LABEL, Entry
from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.stages.base import StageContext
from spyglass.config.promtail import parse_promtail
from spyglass.model.errors import ConfigError
from spyglass.model.telemetry import Registry

NOW = 1772445600 * 10**9


@dataclass
class Bench:
    """A pipeline with a clock that stands still until it is moved."""

    stages: str
    now_ns: int = NOW
    registry: Registry = field(default_factory=Registry)

    def __post_init__(self) -> None:
        text = yaml.safe_dump({"scrape_configs": [{"pipeline_stages": yaml.safe_load(self.stages)}]})
        self.specs = parse_promtail(text, file="p.yml").pipelines[0]
        self.context = StageContext(AgentMetrics(self.registry), lambda: self.now_ns, lambda: self.now_ns)
        self.pipeline = Pipeline(self.specs, self.context)

    def run(self, *lines: str, **labels: str) -> list[Entry]:
        return self.pipeline.run([entry(line, start=i, **labels) for i, line in enumerate(lines)])

    def dropped(self) -> dict[str, float]:
        return {labels[0][1]: value for _, labels, value in self.context.metrics.dropped_lines.collect().samples}

    def custom(self) -> dict[str, float]:
        found = {}
        for family in self.registry.collect():
            for suffix, labels, value in family.samples:
                if family.name.startswith("promtail_custom"):
                    found[family.name + suffix + "".join(f" {n}={v}" for n, v in labels)] = value
        return found


def entry(line: str, *, start: int = 0, **labels: str) -> Entry:
    return Entry(dict(labels), line, NOW, start, dict(labels))


def lines(entries: list[Entry]) -> list[str]:
    return [e.line for e in entries]


@pytest.mark.parametrize(
    ("stages", "line", "extracted"),
    [
        ("[json: {expressions: {a: , b: x.y, c: 'l[1]'}}]", '{"a":1.5,"x":{"y":true},"l":[1,"two"]}', {"a": 1.5, "b": True, "c": "two"}),
        ("[json: {expressions: {a: }}]", '{"a":12345678901234567890}', {"a": 12345678901234567890.0}),
        ("[json: {expressions: {a: , b: }}]", '{"a":{"z":1,"b":[]},"b":null}', {"a": '{"b":[],"z":1}', "b": None}),
        ("[json: {expressions: {a: '\"my key\"'}}]", '{"my key":"v"}', {"a": "v"}),
        ("[json: {expressions: {a: }}]", '{"a":{"x":1.0,"y":"<"}}', {"a": '{"x":1,"y":"\\u003c"}'}),
        ("[json: {expressions: {a: }}]", '{"a":"\\ud800x"}', {"a": "?x"}),
        ("[json: {expressions: {a: }}]", "[1]", {}),
        ("[json: {expressions: {a: 'abs(x)', b: }}]", '{"x":"no","b":"y"}', {"b": "y"}),
        ("[logfmt: {mapping: {m: msg, level: }}]", 'level=info msg="a \\"b\\"" x', {"level": "info", "m": 'a "b"'}),
        ("[logfmt: {mapping: {a: , b: a}}]", "a=1", {"a": "1", "b": "1"}),
        ("[regex: {expression: '(?P<a>x)?(?P<b>y)'}]", "zy", {"a": "", "b": "y"}),
        ("[regex: {expression: '(?P<a>x)'}]", "none", {}),
        ("[template: {source: a, template: '{{ .x | ToUpper }}-{{ .Entry | len }}'}]", "line", {"a": "-4"}),
        ("[template: {source: h, template: '{{ Sha2Hash \"b\" .Entry }}'}]", "a", {"h": sha256(b"ba").hexdigest()}),
        ("[{json: {expressions: {a: }}}, {template: {source: a, template: ''}}]", '{"a":"v"}', {}),
    ],
)  # fmt: skip
def test_extraction(stages: str, line: str, extracted: dict[str, Any]) -> None:
    """What a line's parsing leaves in the extracted values."""
    (out,) = Bench(stages).run(line)
    assert out.extracted == extracted


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("{{ coalesce .none .Entry }}", "a b"),
        ('{{ ternary "y" "n" (eq .Entry "a b") }}', "y"),
        ('{{ .Entry | quote }} {{ squote "x" }}', "\"a b\" 'x'"),
        ('{{ .Entry | splitList " " | join "-" }}', "a-b"),
        ('{{ nospace .Entry }}{{ cat "x" "y" }}', "abx y"),
        ('{{ abbrev 5 "abcdefgh" }}{{ untitle "Big Dog" }}', "ab...big dog"),
        ('{{ if empty .none }}{{ atoi "12" }}{{ first (list 7 8) }}{{ last (list 7 8) }}{{ end }}', "1278"),
        ('{{ sha1sum "" | trunc 8 }}', "da39a3ee"),
    ],
)
def test_template_functions(template: str, result: str) -> None:
    """What pipelines have beyond log queries."""
    (out,) = Bench(yaml.safe_dump([{"template": {"source": "r", "template": template}}])).run("a b")
    assert out.extracted["r"] == result


def test_values_become_labels_as_text() -> None:
    """Numbers without exponent, booleans as words; null and what is missing give no label."""
    text = '{"n":1e21,"i":3,"b":false,"z":null,"e":""}'
    (out,) = Bench(
        "[{json: {expressions: {n: , i: , b: , z: , e: }}}, {labels: {n: , i: , b: , z: , e: , other: i}}]"
    ).run(text)
    assert out.labels == {"n": "1000000000000000000000", "i": "3", "b": "false", "e": "", "other": "3"}


def test_malformed_json_may_be_dropped() -> None:
    """With drop_malformed; else the line passes."""
    assert lines(Bench("[json: {expressions: {a: }}]").run("no", "{}")) == ["no", "{}"]
    assert lines(Bench("[json: {expressions: {a: }, drop_malformed: true}]").run("no", "{}")) == ["{}"]


def test_label_stages() -> None:
    """static_labels adds, labeldrop takes away, labelallow keeps only."""
    (out,) = Bench("[{static_labels: {s: '1', none: }}, {labeldrop: [a]}]").run("x", a="1", b="2")
    assert out.labels == {"b": "2", "s": "1"}
    (out,) = Bench("[labelallow: [a]]").run("x", a="1", b="2")
    assert out.labels == {"a": "1"}


@pytest.mark.parametrize(
    ("options", "tenant"), [("value: fixed", "fixed"), ("label: a", "1"), ("source: a", "1"), ("source: none", None)]
)
def test_tenant(options: str, tenant: str | None) -> None:
    """From a value, a label or an extracted value; nothing where there is none."""
    (out,) = Bench(f"[tenant: {{{options}}}]").run("x", a="1")
    assert out.labels.get(TENANT_LABEL) == tenant


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("expression: 'b.*'", ["a", "ccc"]),
        ("longer_than: 2b", ["a", "bb"]),
        ("longer_than: 2b, expression: 'b'", ["a", "bb", "ccc"]),
        ("older_than: 1h", ["a", "bb", "ccc"]),
        ("source: v", []),
        ("source: nothing", ["a", "bb", "ccc"]),
        ("source: v, value: one", []),
        ("source: v, value: on", ["a", "bb", "ccc"]),
        ("source: [v, w], expression: '^one;two$'", []),
        ("source: [v, w], separator: '#', expression: '^one#two$'", []),
    ],
)
def test_drop(options: str, kept: list[str]) -> None:
    """All conditions together; the reason is counted."""
    bench = Bench(f"[drop: {{{options}, drop_counter_reason: why}}]")
    assert lines(bench.run("a", "bb", "ccc", v="one", w="two")) == kept
    assert bench.dropped() == ({"why": 3.0 - len(kept)} if len(kept) < 3 else {})


def test_old_lines_are_dropped() -> None:
    """By their time, as a timestamp stage has set it."""
    stages = "[{regex: {expression: '(?P<t>.*)'}}, {timestamp: {source: t, format: Unix}}, {drop: {older_than: 1h}}]"
    assert lines(Bench(stages).run("1772441999", "1772442001")) == ["1772442001"]


@pytest.mark.parametrize(
    ("selector", "picked"),
    [
        ('{a="1"}', ["x", "boom", '{"l":"e"}']),
        ('{a="2"}', []),
        ('{a=~"1|2"} |= "oo"', ["boom"]),
        ('{a="1"} != "oo"', ["x", '{"l":"e"}']),
        ('{a="1"} |~ "^b.*m$"', ["boom"]),
        ('{a="1"} | json | l="e"', ['{"l":"e"}']),
        ('{a!="2"}', ["x", "boom", '{"l":"e"}']),
        ('{none=""}', ["x", "boom", '{"l":"e"}']),
    ],
)
def test_match(selector: str, picked: list[str]) -> None:
    """Labels and pipeline decide who goes through the inner stages, or is dropped; order is kept."""
    quoted = selector.replace("'", "''")
    every = ["x", "boom", '{"l":"e"}']
    out = Bench(f"[match: {{selector: '{quoted}', stages: [{{static_labels: {{hit: y}}}}]}}]").run(*every, a="1")
    assert lines(out) == every
    assert [e.line for e in out if e.labels.get("hit")] == picked
    bench = Bench(f"[match: {{selector: '{quoted}', action: drop}}]")
    assert lines(bench.run(*every, a="1")) == [line for line in every if line not in picked]
    assert bench.dropped() == ({"match_stage": float(len(picked))} if picked else {})


def test_multiline() -> None:
    """Blocks by first line; lines before the first pass; max_lines cuts; time lets go; the position waits."""
    bench = Bench("[multiline: {firstline: '^E', max_lines: 3, max_wait_time: 2s}]")
    assert lines(bench.run("early", "E1", "a", "E2", "b", "c", "d")) == ["early", "E1\na", "E2\nb\nc"]
    assert bench.pipeline.held_start() == 6
    assert bench.pipeline.flush(bench.now_ns) == []
    bench.now_ns += 2 * 10**9
    assert lines(bench.pipeline.flush(bench.now_ns)) == ["d"]
    assert bench.pipeline.held_start() is None


def test_multiline_keeps_streams_apart() -> None:
    """Lines of different labels do not mix."""
    bench = Bench("[{regex: {expression: '^(?P<s>.)'}}, {labels: {s: }}, {multiline: {firstline: 'E'}}]")
    bench.run("aE1", "bE1", "a2", "b2")
    assert sorted(lines(bench.pipeline.flush(None))) == ["aE1\na2", "bE1\nb2"]


def test_held_lines_go_through_the_stages_behind() -> None:
    """What multiline lets go is parsed by what follows it."""
    bench = Bench("[{multiline: {firstline: '^E'}}, {static_labels: {x: y}}]")
    bench.run("E1")
    assert [e.labels for e in bench.pipeline.flush(None)] == [{"x": "y"}]


def test_cri() -> None:
    """Partial lines wait; too many streams of partial lines are let go; other lines pass."""
    bench = Bench("[cri: {max_partial_lines: 1}]")
    assert lines(bench.run("2026-03-02T10:00:00Z stdout P one ", "other")) == ["other"]
    assert bench.pipeline.held_start() == 0
    assert lines(bench.run("2026-03-02T10:00:00Z stderr P two ")) == ["one "]
    (out,) = bench.run("2026-03-02T10:00:07.5Z stderr F end")
    assert (out.line, out.time_ns, out.labels) == ("two end", NOW + 7_500_000_000, {"stream": "stderr"})


def test_limit() -> None:
    """A bucket that refills; with drop lines go, without it the reader is asked to wait."""
    bench = Bench("[limit: {rate: 10, burst: 2, drop: true}]")
    assert lines(bench.run("1", "2", "3")) == ["1", "2"]
    bench.now_ns += 10**8
    assert lines(bench.run("4", "5")) == ["4"]
    assert bench.dropped() == {"ratelimited": 2.0}
    slow = Bench("[limit: {rate: 10, burst: 2}]")
    assert lines(slow.run("1", "2", "3", "4")) == ["1", "2", "3", "4"]
    assert slow.context.delay_s == pytest.approx(0.2)


def test_limits_are_the_jobs() -> None:
    """All files of a job share one bucket."""
    bench = Bench("[limit: {rate: 10, burst: 2, drop: true}]")
    other = Pipeline(bench.specs, bench.context)
    assert lines(bench.run("1")) == ["1"]
    assert lines(other.run([entry("2"), entry("3")])) == ["2"]


def test_pack() -> None:
    """Labels move into the line, in order, escaped as Go escapes; the time is that of packing."""
    (out,) = Bench("[pack: {labels: [b, a, none]}]").run('<"x">', a="1", b="2", c="3")
    assert out.line == '{"a":"1","b":"2","_entry":"\\u003c\\"x\\"\\u003e"}'
    assert out.labels == {"c": "3"}


def test_replace() -> None:
    """Every group of every match; what has no group match stays."""
    stages = r"[replace: {expression: '(\d+)-(\d+)', replace: '[{{ .Value }}]'}]"
    assert lines(Bench(stages).run("1-2 and 34-5", "none")) == ["[1]-[2] and [34]-[5]", "none"]
    assert lines(Bench("[replace: {expression: 'password=(.*)', replace: ''}]").run("password=x")) == ["password="]


@pytest.mark.parametrize("text", ["\x1b[31mred\x1b[0m", "\x1b]0;title\x07red", "\x1b[1;32;40mred\x1b[K"])
def test_decolorize(text: str) -> None:
    """Colours, titles and cursor moves."""
    assert lines(Bench("[decolorize: {}]").run(text)) == ["red"]


def test_timestamps() -> None:
    """Fallback formats, locations, years that are not written, and what a failure means."""
    parse = "{regex: {expression: '^(?P<t>.*)$'}}"
    (out,) = Bench(f"[{parse}, {{timestamp: {{source: t, format: RFC3339, fallback_formats: [UnixMs]}}}}]").run(
        "1772445600500"
    )
    assert out.time_ns == NOW + 500_000_000
    rome = f"[{parse}, {{timestamp: {{source: t, format: '2006-01-02 15:04:05', location: Europe/Rome}}}}]"
    assert Bench(rome).run("2026-03-02 11:00:00")[0].time_ns == NOW
    stamp = f"[{parse}, {{timestamp: {{source: t, format: 'Jan _2 15:04:05'}}}}]"
    assert Bench(stamp).run("Mar  2 10:00:00")[0].time_ns == NOW
    assert Bench(stamp, now_ns=1767225700 * 10**9).run("Dec 31 23:59:59")[0].time_ns == 1767225599 * 10**9
    skip = f"[{parse}, {{timestamp: {{source: t, format: RFC3339, action_on_failure: skip}}}}]"
    assert [e.time_ns for e in Bench(skip).run("2026-03-02T10:00:09Z", "bad")] == [NOW + 9 * 10**9, NOW]


def test_custom_metrics() -> None:
    """Gauges and histograms; a series that was idle goes."""
    bench = Bench(
        """
- logfmt: {mapping: {n: }}
- metrics:
    g_dec: {type: Gauge, source: n, config: {action: dec}}
    g_sub: {type: Gauge, source: n, max_idle_duration: 1m, config: {action: sub}}
    h: {type: Histogram, source: n, config: {buckets: [1, 10]}}
"""
    )
    bench.run("n=5", "n=50", "n=no", job="x")
    assert bench.custom() == {
        "promtail_custom_g_dec job=x": -3.0,
        "promtail_custom_g_sub job=x": -55.0,
        "promtail_custom_h_bucket job=x le=1": 0.0,
        "promtail_custom_h_bucket job=x le=10": 1.0,
        "promtail_custom_h_bucket job=x le=+Inf": 2.0,
        "promtail_custom_h_sum job=x": 55.0,
        "promtail_custom_h_count job=x": 2.0,
    }
    bench.now_ns += 61 * 10**9
    assert "promtail_custom_g_sub job=x" not in bench.custom()


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("[template: {source: a, template: '{{ nope .x }}'}]", 'function "nope" not defined'),
        ("[match: {selector: '{a=', action: drop}]", "match: parse error|match: .*syntax"),
        ("[json: {expressions: {a: 'x..y'}}]", "json: "),
        ("[timestamp: {source: t, format: RFC3339, location: Mars/Base}]", "Mars/Base"),
    ],
)
def test_a_stage_that_cannot_be_built(stages: str, message: str) -> None:
    """Is an error with the place in the file."""
    with pytest.raises(ConfigError, match=message) as caught:
        Bench(stages)
    assert str(caught.value).startswith("p.yml:")
