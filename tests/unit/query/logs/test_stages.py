"""Each stage on single lines: what it extracts, keeps, changes, and how it fails."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from tests.unit.query.logs.logs_kit import Line, engine_over, lines_of, one, rows

from spyglass.model.labels import LabelTable
from spyglass.model.log_stages import JsonParser, LabelFilter, LineFormat, LogStage, StringPredicate
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogBatch, LogHints, LogReader, LogScan
from spyglass.query.budget import QueryBudget
from spyglass.query.exec.context import Counters
from spyglass.query.exec.logs.batches import Reading, rows_of
from spyglass.query.exec.logs.stage import Needs

JSON = '{"level":"info","n":5,"took":"1.5s","size":"2KB","app":"inner","a":{"b":"c"}}'


def labels(query: str, line: Line, stream: str = "web") -> dict[str, str]:
    found = one(query, line, stream)
    assert len(found) == 1
    return {n: v for n, v in found[0][0].items() if n != "__error_details__"}


def kept(query: str, line: Line) -> bool:
    return bool(one(query, line))


@pytest.mark.parametrize(
    ("query", "line", "expected"),
    [
        ('|= "b"', "abc", True),
        ('|= "x"', "abc", False),
        ('!= "b"', "abc", False),
        ('|~ "a.c"', "abc", True),
        ('!~ "a.c"', "abc", False),
        ('|= "x" or "b"', "abc", True),
        ('!= "x" or "b"', "abc", False),
        ('|~ "x|b"', "abc", True),
        ('|> "a<_>"', "abc", True),
        ('!> "a<_>"', "abc", False),
        ('|= ip("10.0.0.0/8")', "from 10.1.2.3", True),
        ('!= ip("10.0.0.0/8")', "from 10.1.2.3", False),
        ('|= "" ', "", True),
        ('|~ "(?i)ABC"', "abc", True),
        ('|= "a" |= "c"', "abc", True),
        ('|~ "^b"', "a\nb", False),
        ('|~ "(?m)^b"', "a\nb", True),
    ],
)
def test_line_filters(query: str, line: str, expected: bool) -> None:
    """Contains, regular expressions, patterns, addresses; chains and alternatives."""
    assert kept(query, line) is expected


@pytest.mark.parametrize(
    ("query", "line", "expected"),
    [
        (
            "| json",
            JSON,
            {"level": "info", "n": "5", "took": "1.5s", "size": "2KB", "app_extracted": "inner", "a_b": "c"},
        ),
        ("| json", '{"k":"first","k":"second"}', {"k": "first"}),
        ("| json", '{"v":""}', {"v": ""}),
        ("| json", "no json", {"__error__": "JSONParserErr"}),
        ("| json", '{"a":"1","b', {"a": "1", "__error__": "JSONParserErr"}),
        ('| json x="a.b", y="n", z="nosuch"', JSON, {"x": "c", "y": "5", "z": ""}),
        ('| json x="a"', JSON, {"x": '{"b":"c"}'}),
        ('| json app="level"', JSON, {"app_extracted": "info"}),
        ('| json x="a"', "no json", {"__error__": "JSONParserErr"}),
        ("| logfmt", 'level=info msg="a b" empty= flag app=x', {"level": "info", "msg": "a b", "app_extracted": "x"}),
        ("| logfmt --keep-empty", "empty= flag", {"empty": "", "flag": ""}),
        ("| logfmt", "a=1 a=2", {"a": "1"}),
        ("| logfmt --strict", "a=1 =x b=2", {"a": "1", "__error__": "LogfmtParserErr"}),
        ('| logfmt lvl="level", z="nosuch"', "level=warn", {"lvl": "warn", "z": ""}),
        ('| regexp "(?P<m>GET|PUT) (?P<p>\\\\S+)"', "x GET /a y", {"m": "GET", "p": "/a"}),
        ('| regexp "(?P<m>GET)"', "PUT", {}),
        ('| pattern "<ip> - <app>"', "1.2.3.4 - u", {"ip": "1.2.3.4", "app_extracted": "u"}),
        ("| logfmt | json", "a=1", {"a": "1", "__error__": "JSONParserErr"}),
        ("| json | logfmt", '{"a":"x"}', {"a": "x"}),
        (
            '| json | label_format l=level, m="{{.n}}!"',
            JSON,
            {"l": "info", "m": "5!", "n": "5", "took": "1.5s", "size": "2KB", "app_extracted": "inner", "a_b": "c"},
        ),
        ("| json | drop n, took, size, a_b, app_extracted", JSON, {"level": "info"}),
        ('| json | drop level="warn", n, took, size, a_b, app_extracted', JSON, {"level": "info"}),
        ('| json | keep level, n="6"', JSON, {"level": "info"}),
        ('| json | keep n=~"5|6"', JSON, {"n": "5"}),
        ('| label_format x="{{ div 1 0 }}"', "l", {"__error__": "TemplateFormatErr"}),
        ("| json | level > 5 | keep level", JSON, {"level": "info", "__error__": "LabelFilterErr"}),
    ],
)
def test_extraction(query: str, line: str, expected: dict[str, str]) -> None:
    """Labels that come, go, clash and fail. keep takes the stream's labels too, so `app` is left out of all of these."""
    assert labels(query, line) == expected


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ('level="info"', True),
        ('level!="info"', False),
        ('level=~"in.o"', True),
        ('level=~"in"', False),
        ('level!~"w.*"', True),
        ("n = 5", True),
        ("n == 5", True),
        ("n != 5", False),
        ("n >= 5 and n < 6", True),
        ("n > 5 or n < 6", True),
        ("took > 1s", True),
        ("took = 1500ms", True),
        ("took < 1m", True),
        ("size > 1KB", True),
        ("size <= 2000B", True),
        ('nosuch=""', True),
        ('nosuch!="x"', True),
        ("nosuch > 1", False),
        ("nosuch != 1", False),
        ('level="x" or (n=5, took>1s)', True),
    ],
)
def test_label_filters(predicate: str, expected: bool) -> None:
    """Strings anchored, numbers, durations, sizes; a missing label is "" for strings and fails comparisons."""
    assert kept(f"| json | {predicate}", JSON) is expected


def test_values_that_are_no_numbers_stay_in_error() -> None:
    """And can be filtered out by the error."""
    assert labels("| logfmt | a > 1", "a=bad") == {"a": "bad", "__error__": "LabelFilterErr"}
    assert one('| logfmt | a > 1 | __error__=""', "a=bad") == []


@pytest.mark.parametrize(
    ("query", "line", "expected"),
    [
        ('| line_format "fixed"', "x", "fixed"),
        ('| logfmt | line_format "{{.a}}-{{.nosuch}}-{{__line__}}"', "a=1", "1--a=1"),
        ('| line_format "{{.app}}"', "x", "web"),
        ('| line_format "{{ div 1 0 }}"', "kept", "kept"),
        ("| decolorize", "\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[0m \x1b]0;title\x07end", "red green end"),
        ("| unpack", '{"pod":"p","_entry":"the line"}', "the line"),
        ('| line_format "a b" |= "a b"', "x", "a b"),
    ],
)
def test_lines_change(query: str, line: str, expected: str) -> None:
    """line_format, decolorize and unpack give other lines; a failing template leaves the line."""
    assert [row[1] for row in one(query, line)] == [expected]


def test_unpack_takes_strings_only_and_only_where_something_was_packed() -> None:
    """Numbers, objects and lines without _entry are left."""
    assert labels("| unpack", '{"pod":"p","n":5,"o":{},"app":"x","_entry":"l"}') == {"pod": "p", "app_extracted": "x"}
    assert labels("| unpack", '{"pod":"p"}') == {}
    assert labels("| unpack", "plain") == {"__error__": "JSONParserErr"}


def test_renaming_a_stream_label_moves_it() -> None:
    """The stream's own label is gone afterwards."""
    engine = engine_over({"web,env=prod": ["x", "y"]})
    assert rows(engine, '{app="web"} | label_format e=env') == [({"e": "prod"}, "x"), ({"e": "prod"}, "y")]


def test_structured_metadata_stands_between_stream_and_extracted_labels() -> None:
    """Clashes with the stream, and of extracted labels with metadata, get _extracted."""
    line = ("user=u2 trace=t2", {"trace": "t1", "env": "meta"})
    assert labels("| logfmt", line, "web,env=prod") == {
        "env": "prod",
        "env_extracted": "meta",
        "trace": "t1",
        "trace_extracted": "t2",
        "user": "u2",
    }
    assert kept('| trace="t1"', line)
    assert not kept('| trace="t2"', line)


def test_categories_tell_where_labels_come_from() -> None:
    """For answers that keep stream labels, metadata and extracted labels apart."""
    engine = engine_over({"web,env=prod": [("a=1", {"trace": "t"}), ("a=2", {})]})
    result = lines_of(engine, '{app="web"} | logfmt')
    [stream] = result.categorized()
    assert stream.labels == (("app", "web"), ("env", "prod"))
    assert [(entry.metadata, parsed) for entry, parsed in stream.rows] == [
        ((("trace", "t"),), (("a", "1"),)),
        ((), (("a", "2"),)),
    ]


def test_line_filters_run_ahead_of_parsers_but_not_of_line_changes() -> None:
    """Reordering does not change what is kept."""
    engine = engine_over({"web": ['{"a":"x"}', '{"a":"y"}', "z"]})
    assert [line for _, line in rows(engine, '{app="web"} | json | line_format "{{.a}}!" |= "y!"')] == ["y!"]
    assert [line for _, line in rows(engine, '{app="web"} | json |= "x"')] == ['{"a":"x"}']


class FieldsReader:
    """A store that has run `| json` itself and hands out the labels as columns."""

    def __init__(self) -> None:
        self.hints: LogHints | None = None

    def scan(
        self,
        matchers: Sequence[Matcher],  # noqa: ARG002
        stages: Sequence[LogStage],
        *,
        start_ns: int,  # noqa: ARG002
        end_ns: int,  # noqa: ARG002
        direction: Direction,  # noqa: ARG002
        hints: LogHints,
        budget: Budget,  # noqa: ARG002
    ) -> LogScan:
        self.hints = hints
        batch = LogBatch(
            LabelTable.from_labels([(("app", "web"),)]),
            np.zeros(3, np.int32),
            np.arange(3, dtype=np.int64),
            ["", "", ""],
            fields={"level": ["info", "error", None], "n": ["1", "2", "3"]},
        )
        return LogScan(1 if isinstance(stages[0], JsonParser) else 0, iter([batch]))


def test_a_store_may_run_the_first_stages_itself() -> None:
    """What it extracted is used as if the stage had run here; it is told which labels matter."""
    reader = FieldsReader()
    stages = (JsonParser(), LabelFilter(StringPredicate("level", "!=", "")), LineFormat("{{.level}}{{.n}}"))
    reading = Reading((), stages, 0, 10, needs=Needs(frozenset({"level", "n"})))
    found = [
        line for part in rows_of(cast(LogReader, reader), reading, QueryBudget(), Counters()) for line in part.lines
    ]
    assert found == ["info1", "error2"]
    assert reader.hints is not None
    assert reader.hints.fields_needed == frozenset({"level", "n"})
    assert reader.hints.lines_needed
