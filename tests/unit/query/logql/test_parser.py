"""LogQL's grammar in three: accepts, rejects, prints back."""

import pytest

from spyglass.model.errors import ParseError
from spyglass.model.log_stages import (
    AndPredicate,
    JsonParser,
    LabelFilter,
    LineFilter,
    LogfmtParser,
    NumberPredicate,
    OrPredicate,
    StringPredicate,
)
from spyglass.query.logql.ast import BinaryExpr, LogExpr, NumberLiteral, RangeAggregation, VectorAggregation
from spyglass.query.logql.parser import parse
from spyglass.query.logql.pretty import MAX_LINE, pretty
from spyglass.query.logql.printer import print_expr

ACCEPTED = [
    '{app="web"}',
    '{app="web", env!="dev", pod=~"w.*", x!~`y`}',
    '{app="web"} |= "a" or "b" or ip("10.0.0.0/8") != "c" |~ "d\\\\d" !~ `e` |> "<_> f" !> "g"',
    '{app="web"} | json | logfmt --strict --keep-empty | unpack | decolorize',
    '{app="web"} | json a="x.y[0]", b | logfmt c="d", e',
    '{app="web"} | regexp "(?P<a>.)" | pattern "<b> <_>"',
    '{app="web"} | level="error" or status>=500 and took<1.5s , size!=10KB',
    '{app="web"} | (a="b" or c="d") e="f"',
    '{app="web"} | addr=ip("10.0.0.1") | addr!=ip("10.0.0.0/8")',
    '{app="web"} | line_format "{{.a}}" | label_format a=b, c="{{.d}}"',
    '{app="web"} | drop a, b="c" | keep d, e=~"f"',
    '({app="web"})',
    'rate({app="web"}[5m])',
    'count_over_time({app="web"} |= "x" [1h30m] offset 5m)',
    'count_over_time({app="web"}[5m] offset -1h |= "x")',
    'count_over_time(({app="web"} |= "x")[5m])',
    'count_over_time((({app="web"}[5m])))',
    'sum_over_time({app="web"} | json | unwrap duration(took) | __error__="" [5m])',
    'quantile_over_time(0.99, {app="web"} | json | unwrap bytes(size) [5m]) by (pod)',
    'max_over_time({app="web"} | unwrap x [5m]) without (pod, env)',
    'sum by (a, b) (rate({app="web"}[5m]))',
    'sum(rate({app="web"}[5m])) without ()',
    'topk(5, sum by (a) (rate({app="web"}[5m])))',
    'sort_desc(approx_topk(3, count_over_time({app="web"}[5m])))',
    'rate({app="a"}[1m]) / on (x) group_left (y) rate({app="b"}[1m]) > bool 0.5',
    'rate({app="a"}[1m]) and ignoring (x) rate({app="b"}[1m]) unless vector(1) or vector(2)',
    'label_replace(rate({app="a"}[1m]), "d", "$1", "s", "(.*)")',
    "vector(0)",
    'variants(count_over_time({app="a"}[1m]), sum by (b) (rate({app="a"}[1m]))) of ({app="a"} | json [5m] offset 1m)',
    "1 + 2 * 3 ^ 4 % 5 - -6",
    'SUM BY (a) (Rate({app="web"}[5m]))',
    '# first\n{app="web"} # second\n|= "x" # third',
    '{app="web"} | logfmt | rate="a" | sum="b" | duration="c"',
    'rate({app="web"} | json | unwrap rate [5m])',
]


@pytest.mark.parametrize("query", ACCEPTED)
def test_accepted_queries_print_back(query: str) -> None:
    """What is printed, on one line or over many, parses to the same tree, places aside."""
    tree = parse(query)
    assert print_expr(parse(print_expr(tree))) == print_expr(tree)
    assert print_expr(parse(pretty(tree))) == print_expr(tree)


REJECTED = [
    ('variants(count_over_time({app="a"}[1m]))', "line 1, col 41: syntax error: unexpected $end, expecting of"),
    ('variants(1) of ({app="a"}[1m]) + 1', "line 1, col 32: syntax error: unexpected +"),
    ("", "line 1, col 1: syntax error: unexpected $end"),
    ("{", "line 1, col 2: syntax error: unexpected $end, expecting IDENTIFIER or }"),
    ('{app="a"', "line 1, col 9: syntax error: unexpected $end, expecting } or ,"),
    ('{app="a",}', "line 1, col 10: syntax error: unexpected }, expecting IDENTIFIER"),
    ("{app}", "line 1, col 5: syntax error: unexpected }, expecting = or =~ or !~ or !="),
    ("{app=5}", "line 1, col 6: syntax error: unexpected NUMBER, expecting STRING"),
    ('{app="a"} |= 5', "line 1, col 14: syntax error: unexpected NUMBER, expecting STRING or ip"),
    ('{app="a"} x', "line 1, col 11: syntax error: unexpected IDENTIFIER"),
    ('{app="a"} |', "line 1, col 12: syntax error: unexpected $end"),
    ('{app="a"}\n  | level=', "line 2, col 11: syntax error: unexpected $end"),
    ('{app="a"} | line_format', "line 1, col 24: syntax error: unexpected $end, expecting STRING"),
    ('{app="a"} | label_format x', "line 1, col 27: syntax error: unexpected $end, expecting ="),
    ('{app="a"} | drop', "line 1, col 17: syntax error: unexpected $end, expecting IDENTIFIER"),
    ('rate({app="a"})', "line 1, col 15: syntax error: unexpected )"),
    ('rate({app="a"}[5)', "line 0, col 15: missing closing ']' in duration"),
    ('rate({app="a"}[x])', 'line 0, col 15: not a valid duration string: "x"'),
    ('rate({app="a"}[5minutes])', 'line 0, col 15: unknown unit "minutes" in duration "5minutes"'),
    ('rate({app="a"}[])', "line 0, col 15: empty duration string"),
    ('min({app="a"}[5m])', "line 0, col 14: syntax error: unexpected RANGE"),
    ('sum by x (rate({app="a"}[1m]))', "line 1, col 1: syntax error: unexpected IDENTIFIER"),
    ('sum(rate({app="a"}[1m])', "line 1, col 24: syntax error: unexpected $end"),
    ('(rate({app="a"}[1m])', "line 1, col 21: syntax error: unexpected $end"),
    ('{app="a"} | unwrap x', "line 1, col 13: syntax error: unexpected unwrap"),
    ('{app="a"} | (x="y"', "line 1, col 19: syntax error: unexpected $end"),
    ('{app="a"} | x="y" and', "line 1, col 22: syntax error: unexpected $end, expecting IDENTIFIER or ("),
    ('{app="a"} | x > "y"', "line 1, col 17: syntax error: unexpected STRING"),
    ('rate({app="a"}[1m]) by', "line 1, col 23: syntax error: unexpected $end, expecting ("),
    ("sum by (a", "line 1, col 10: syntax error: unexpected $end, expecting , or )"),
    ('rate({app="a"}[1m] offset 5)', "line 1, col 27: syntax error: unexpected NUMBER, expecting DURATION"),
    ('label_replace(rate({app="a"}[5m]),"")', "line 1, col 37: syntax error: unexpected ), expecting ,"),
    ('{app="a', "line 1, col 6: literal not terminated"),
    ('{app="\\q"}', "line 1, col 6: invalid char escape"),
    ("{app='ab'}", "line 1, col 6: invalid char literal"),
]


@pytest.mark.parametrize(("query", "message"), REJECTED)
def test_no_sentences(query: str, message: str) -> None:
    """The place and upstream's words."""
    with pytest.raises(ParseError) as caught:
        parse(query)
    assert caught.value.message == f"parse error at {message}"
    assert caught.value.span is not None


SENSELESS = [
    ('{app="a"} |= "' + "x" * 131_072 + '"', "input size too long (131087 > 131072)"),
    ('variants(count_over_time({app="a"}[1m])) of ({}[1m])', "queries require at least one regexp or equality matcher"),
    ("{}", "queries require at least one regexp or equality matcher"),
    ('{app=~".*"}', "queries require at least one regexp or equality matcher"),
    ('{app!="a"}', "queries require at least one regexp or equality matcher"),
    ('{app=~"("}', "error parsing regexp: missing closing )"),
    ('{app="a"} |~ "("', "stage '|~ \"(\"' : error parsing regexp"),
    ('{app="a"} |= ip("x")', "stage '|= ip(\"x\")' : ip: invalid pattern"),
    ('{app="a"} |~ ip("1.2.3.4")', "ip: invalid operation"),
    ('{app="a"} | regexp "x"', "invalid regexp parser: at least one named capture must be supplied"),
    ('{app="a"} | pattern "x"', "invalid pattern parser: at least one capture is required"),
    ('{app="a"} | json x="a..b"', "cannot parse expression [a..b]"),
    ('{app="a"} | line_format "{{"', "invalid line template: template: line:1: unclosed action"),
    ('{app="a"} | label_format x="{{"', "invalid template for label 'x'"),
    ('{app="a"} | label_format x=y,x=z', "multiple label name 'x' not allowed in a single format operation"),
    ('{app="a"} | label_format __error__=y', "__error__ cannot be formatted"),
    ('avg_over_time({app="a"}[1m])', "invalid aggregation avg_over_time without unwrap"),
    ('count_over_time({app="a"} | unwrap x [1m])', "invalid aggregation count_over_time with unwrap"),
    ('rate({app="a"}[1m]) by (x)', "grouping not allowed for rate aggregation"),
    ('quantile_over_time({app="a"} | unwrap x [1m])', "parameter required for operation quantile_over_time"),
    ('rate(5, {app="a"}[1m])', "parameter 5 not supported for operation rate"),
    ('topk(rate({app="a"}[1m]))', "parameter required for operation topk"),
    ('topk(1.5, rate({app="a"}[1m]))', "invalid parameter topk(1.5,"),
    ('topk(0, rate({app="a"}[1m]))', "invalid parameter (must be greater than 0) topk(0"),
    ('sum(2, rate({app="a"}[1m]))', "unsupported parameter for operation sum(2,"),
    ('rate({app="a"}[1m]) or 2', "unexpected literal for right leg of logical/set binary operation (or): 2.000000"),
    ("sum(1)", "unexpected literal for sum: a number has no series"),
    ("topk(1, 1 + 1)", "unexpected literal for topk: a number has no series"),
    ('label_replace(1, "a", "b", "c", "d")', "unexpected literal for label_replace: a number has no series"),
    ('{app="a"} + 1', "unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"),
    ('label_replace(rate({app="a"}[1m]), "a", "b", "c", "(")', "invalid regex in label_replace"),
]


@pytest.mark.parametrize(("query", "message"), SENSELESS)
def test_sentences_without_sense(query: str, message: str) -> None:
    """What the grammar takes but cannot run is refused without a position, in upstream's words."""
    with pytest.raises(ParseError) as caught:
        parse(query)
    assert caught.value.message.startswith("parse error : ")
    assert message in caught.value.message


def test_deep_nesting_is_refused() -> None:
    """Before Python's stack is in danger, however the depth comes about; wide queries are fine."""
    deep = [
        "(" * 5000 + "1" + ")" * 5000,
        "+".join(["vector(1)"] * 500),
        "sum(" * 500 + "vector(1)" + ")" * 500,
        '{a="b"} | ' + "(" * 5000,
        '{a="b"} | ' + " or ".join(['c="d"'] * 500),
        "rate(" + "(" * 5000,
    ]
    for query in deep:
        with pytest.raises(ParseError, match="nested too deeply"):
            parse(query)
    parse("+".join(["vector(1)"] * 100))
    parse('{a="b"}' + ' |= "x"' * 1000)


def stages(query: str) -> tuple[object, ...]:
    tree = parse(query)
    assert isinstance(tree, LogExpr)
    return tree.stages


def test_stages_are_values() -> None:
    """What the executor and the stores get."""
    assert stages('{a="b"} |= "x" or ip("1.2.3.4") | json k="v.w" | logfmt --strict') == (
        LineFilter("|=", ("x", "1.2.3.4"), (False, True)),
        JsonParser((("k", "v.w"),)),
        LogfmtParser((), True, False),
    )


def test_label_filters_bind_as_upstream_has_it() -> None:
    """and before or; a comma's right side reaches to the end."""
    a, b, c = (StringPredicate(name, "=", "1") for name in "abc")
    assert stages('{x="y"} | a="1" or b="1" and c="1"') == (LabelFilter(OrPredicate(a, AndPredicate(b, c))),)
    assert stages('{x="y"} | a="1" and b="1" or c="1"') == (LabelFilter(OrPredicate(AndPredicate(a, b), c)),)
    assert stages('{x="y"} | a="1", b="1" or c="1"') == (LabelFilter(AndPredicate(a, OrPredicate(b, c))),)
    assert stages('{x="y"} | (a="1" or b="1") c="1"') == (LabelFilter(AndPredicate(OrPredicate(a, b), c)),)


def test_units_of_label_filters() -> None:
    """Numbers, durations in seconds, sizes in bytes; days and weeks too."""
    assert stages('{x="y"} | a > -1.5 | b <= 250ms | c == 1.5KiB | d < 1d') == (
        LabelFilter(NumberPredicate("a", ">", -1.5, "number")),
        LabelFilter(NumberPredicate("b", "<=", 0.25, "duration")),
        LabelFilter(NumberPredicate("c", "==", 1536.0, "bytes")),
        LabelFilter(NumberPredicate("d", "<", 86400.0, "duration")),
    )


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("2 ^ 3 ^ 2", 512.0),
        ("(2 ^ 3) ^ 2", 64.0),
        ("10 - 3 - 2", 5.0),
        ("-2 + 1", -1.0),
        ("1 > 2", 0.0),
        ("7 % 4", 3.0),
        ("2 * 3 + 4", 10.0),
    ],
)
def test_numbers_are_folded(query: str, value: float) -> None:
    """Power binds to the right, all else to the left."""
    tree = parse(query)
    assert isinstance(tree, NumberLiteral)
    assert tree.value == value


def test_windows_in_all_their_spellings() -> None:
    """The range before or behind the pipeline, in parentheses or not."""
    texts = [
        'count_over_time({a="b"} |= "x" [5m])',
        'count_over_time({a="b"}[5m] |= "x")',
        'count_over_time(({a="b"} |= "x")[5m])',
        'count_over_time(({a="b"} |= "x" [5m]))',
    ]
    trees = [parse(text) for text in texts]
    assert all(isinstance(tree, RangeAggregation) for tree in trees)
    assert len({print_expr(tree) for tree in trees}) == 1


def test_precedence_of_operators() -> None:
    """or < and < comparisons < + < *."""
    tree = parse("vector(1) or vector(2) and vector(3) > vector(4) + vector(5) * vector(6)")
    ops = []
    while isinstance(tree, BinaryExpr):
        ops.append(tree.op)
        tree = tree.right
    assert ops == ["or", "and", ">", "+", "*"]


def test_grouping_before_or_behind() -> None:
    """The same tree either way."""
    before, behind = parse('sum by (x) (rate({a="b"}[1m]))'), parse('sum(rate({a="b"}[1m])) by (x)')
    assert isinstance(before, VectorAggregation)
    assert isinstance(behind, VectorAggregation)
    assert before.grouping == behind.grouping


def test_long_queries_are_broken_into_lines() -> None:
    """format_query: one stage or operand a line where one line is too long."""
    query = (
        'sum by (status, method) (rate({app="web", env="production", cluster="one"} '
        '|= "GET" != "health" | json | status >= 500 | took > 1s [5m]))'
    )
    text = pretty(parse(query))
    assert text.splitlines() == [
        "sum by (status, method) (",
        "  rate(",
        '    {app="web", env="production", cluster="one"}',
        '      |= "GET"',
        '      != "health"',
        "      | json",
        "      | status>=500",
        "      | took>1s [5m]",
        "  )",
        ")",
    ]
    assert all(len(line) <= MAX_LINE for line in text.splitlines())
