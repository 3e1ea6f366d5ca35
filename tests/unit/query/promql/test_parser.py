"""PromQL's parser: accepts, rejects with upstream's texts and positions, prints back."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.errors import ParseError
from spyglass.query.promql import ast
from spyglass.query.promql.parser import Features, parse, parse_selector
from spyglass.query.promql.pretty import pretty
from spyglass.query.promql.printer import render

SAME = [
    "1",
    "-0.5",
    "NaN",
    "5m",
    '"text"',
    "metric",
    'metric{a="b",c!="d",e=~"f|g",h!~"i"}',
    '{__name__=~"a.*"}',
    '{"quoted label"="x"}',
    "metric offset 5m",
    "metric offset -5m",
    "metric @ 1609746000.500",
    "metric @ start() offset 1h",
    "rate(metric[5m])",
    "rate(metric[5m] @ end())",
    "rate(metric[5m] anchored)",
    "rate(metric[step() * 2])",
    "rate(metric[max(step(), 5m)])",
    "metric offset -(1h / 2)",
    "max_over_time(rate(metric[5m])[1h:1m])",
    "max_over_time(rate(metric[5m])[1h:] offset 1d)",
    "sum by (job, instance) (metric)",
    "sum without (job) (metric)",
    'sum by ("quoted label") (metric)',
    "topk by (job) (5, metric)",
    'count_values("version", build)',
    "a + b * c ^ d",
    "a and b or c unless d",
    "a / on (x) group_left (y) b",
    "a > bool ignoring (x) b",
    "a + fill (0) b",
    "a + fill_left (1) fill_right (2) b",
    "-metric",
    "(a + b)",
    "histogram </ 5",
    "time()",
    'label_replace(up, "a", "$1", "b", "(.*)")',
]


@pytest.mark.parametrize("query", SAME)
def test_prints_back_what_it_read(query: str) -> None:
    """A canonical query is its own rendering."""
    assert render(parse(query)) == query


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("0x1F", "31"),
        ("017", "15"),
        ("1e3", "1000"),
        ("1_000", "1000"),
        ("Inf", "+Inf"),
        ("- 5", "-5"),
        ("5m", "5m"),
        ("1h30m", "1h30m"),
        ("sum(a) by (b)", "sum by (b) (a)"),
        ("sum by () (a)", "sum(a)"),
        ("SUM(A)", "sum(A)"),
        ("a[5m] offset 1w @ 5", "a[5m] @ 5.000 offset 1w"),
        ("{'a b'='c'}", '{"a b"="c"}'),
        ('{"my.metric", a="b"}', '{__name__="my.metric",a="b"}'),
        ("a{b='\\''}", 'a{b="\'"}'),
        ("a{b=`\\d`}", 'a{b="\\\\d"}'),
        ("rate(a[60])", "rate(a[1m])"),
        ("a and on() b", "a and on () b"),
        ("a # comment\n+ b", "a + b"),
        ("fill + fill", "fill + fill"),
        ("sum + offset", "sum + offset"),
    ],
)
def test_prints_the_canonical_form(query: str, canonical: str) -> None:
    """Other spellings are printed as upstream prints them."""
    assert render(parse(query)) == canonical


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "1:1: parse error: no expression found in input"),
        ("foo bar", '1:5: parse error: unexpected identifier "bar"'),
        ("sum(foo bar)", '1:9: parse error: unexpected identifier "bar" in aggregation'),
        ("sum by foo", '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'),
        ("sum by (5) (foo)", '1:9: parse error: unexpected number "5" in grouping opts, expected label'),
        ("foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'),
        ("foo{a}", '1:6: parse error: unexpected "}" in label matching, expected label matching operator'),
        ("foo{,}", '1:5: parse error: unexpected "," in label matching, expected identifier or "}"'),
        ("foo{a='b' c='d'}", '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"'),
        ("foo[5m", "1:7: parse error: unexpected end of input in duration expression"),
        ("foo{a='b'", "1:10: parse error: unexpected end of input inside braces"),
        ("(foo", "1:5: parse error: unclosed left parenthesis"),
        ("foo)", "1:5: parse error: unexpected right parenthesis ')'"),
        ("'foo", "1:1: parse error: unterminated quoted string"),
        (
            "foo offset",
            "1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
        ),
        ("foo @ bar", '1:7: parse error: unexpected identifier "bar" in @, expected timestamp'),
        ("foo(bar)", '1:1: parse error: unknown function with name "foo"'),
        ("rate(foo)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'),
        ("rate(foo[5m], 3)", '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'),
        ("round()", '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'),
        ("round(a, 1, 2)", '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'),
        ("abs(a,)", "1:6: parse error: trailing commas not allowed in function call args"),
        ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
        ("topk(a)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("topk('a', b)", "1:6: parse error: expected type scalar in aggregation parameter, got string"),
        ("sum(a[5m])", "1:5: parse error: expected type instant vector in aggregation expression, got range vector"),
        ("1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"),
        ("1 and a", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("a and on(x) group_left b", '1:1: parse error: no grouping allowed for "and" operation'),
        ("a + on(x) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
        ("a * on(x) group_left(x) b", '1:3: parse error: label "x" must not occur in ON and GROUP clause at once'),
        ("a + 'b'", "1:5: parse error: binary expression must contain only scalar and instant vector types"),
        (
            "-a[5m]",
            "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, "
            'got "range vector"',
        ),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("{a=~'.*'}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ("a{__name__='b'}", '1:1: parse error: metric name must not be set twice: "a" or "b"'),
        ("a[0]", "1:3: parse error: duration must be greater than 0"),
        ("a offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"),
        ("a @ 5 @ 6", "1:1: parse error: @ <timestamp> may not be set multiple times"),
        ("(a + b)[5m]", "1:8: parse error: ranges only allowed for vector selectors"),
        ("a offset 5m [5m]", "1:13: parse error: no offset modifiers allowed before range"),
        ("1[5m:1m]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
        (
            "sum(a) offset 5m",
            "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector "
            "or a subquery",
        ),
        ("a[5m:1m] anchored", "1:1: parse error: anchored modifier is not supported for subqueries"),
        ("a[5m] anchored smoothed", "1:1: parse error: anchored and smoothed modifiers cannot be used together"),
        ("a\n  + +\n  )", "3:4: parse error: unexpected right parenthesis ')'"),
        ("a{b=~'('}", "1:3: parse error: error parsing regexp: missing closing ): `(`"),
        ("info(a, b)", "1:9: parse error: expected label selectors only, got vector selector instead"),
        ("a ! b", "1:3: parse error: unexpected character after '!': ' '"),
        ("1d2", '1:1: parse error: bad number or duration syntax: "1d2"'),
    ],
)
def test_rejects_with_upstreams_text_and_position(query: str, message: str) -> None:
    """Line, column and words are upstream's."""
    with pytest.raises(ParseError) as caught:
        parse(query)
    assert caught.value.message == message
    assert caught.value.span is not None


def test_columns_count_bytes() -> None:
    """As upstream's do: a two-byte letter moves the column by two."""
    with pytest.raises(ParseError, match=r"^1:10: parse error: unexpected identifier"):
        parse('{a="ü"} y')


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("mad_over_time(a[5m])", '1:1: parse error: function "mad_over_time" is not enabled'),
        (
            "limitk(1, a)",
            "1:1: parse error: limitk() is experimental and must be enabled with "
            "--enable-feature=promql-experimental-functions",
        ),
        ("rate(a[5m] smoothed)", "1:6: parse error: smoothed modifier is experimental and not enabled"),
        ("a + fill(0) b", "1:5: parse error: binop fill modifiers are experimental and not enabled"),
    ],
)
def test_experimental_parts_can_be_off(query: str, message: str) -> None:
    """Each behind upstream's own switch."""
    with pytest.raises(ParseError) as caught:
        parse(query, Features(False, False, False))
    assert caught.value.message == message


def test_precedence() -> None:
    """or < and < comparison < sum < product < power; a sign binds like a product; power is right-associative."""
    tree = parse("a or b and c == d + e * -f ^ g ^ h")
    assert isinstance(tree, ast.BinaryExpr)
    assert tree.op == "or"
    assert render(parse("-a ^ b")) == "-a ^ b"
    power = parse("-a ^ b")
    assert isinstance(power, ast.UnaryExpr)
    right = parse("a ^ b ^ c")
    assert isinstance(right, ast.BinaryExpr)
    assert isinstance(right.rhs, ast.BinaryExpr)


def test_spans_cover_the_text() -> None:
    """Every node knows where it stands."""
    text = "sum by (a) (rate(x[5m] offset 1m)) / 2"
    tree = parse(text)
    assert isinstance(tree, ast.BinaryExpr)
    aggregate = tree.lhs
    assert isinstance(aggregate, ast.AggregateExpr)
    assert text[aggregate.span.start : aggregate.span.end] == "sum by (a) (rate(x[5m] offset 1m))"
    call = aggregate.expr
    assert isinstance(call, ast.Call)
    assert text[call.args[0].span.start : call.args[0].span.end] == "x[5m] offset 1m"


def test_selector_alone() -> None:
    """What match[] parameters hold."""
    assert [str(m) for m in parse_selector('up{job=~"a|b"}')] == ['job=~"a|b"', '__name__="up"']
    with pytest.raises(ParseError):
        parse_selector("up + up")


def test_pretty_splits_long_lines_only() -> None:
    """What fits into a hundred characters stays in a line."""
    short = "sum by (job) (rate(http_requests_total[5m]))"
    assert pretty(parse(short)) == short
    long = f"{short} / on (job) group_left () {short.replace('http_requests_total', 'http_request_duration_seconds_count')}"
    assert pretty(parse(long)) == (
        "  sum by (job) (rate(http_requests_total[5m]))\n"
        "/ on (job) group_left ()\n"
        "  sum by (job) (rate(http_request_duration_seconds_count[5m]))"
    )


def test_deep_nesting_is_refused() -> None:
    """Instead of Python's stack running over."""
    with pytest.raises(ParseError, match="nested"):
        parse("(" * 10_000 + "1" + ")" * 10_000)


PIECES = [
    *"()[]{},:=!~+-*/%^@\"'` \n",
    "sum",
    "by",
    "on",
    "rate",
    "up",
    "5m",
    "1e",
    "0x",
    "offset",
    "bool",
    "=~",
    "and",
    "#x\n",
    "é",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@settings(max_examples=1500)
def test_any_text_is_a_query_or_a_parse_error(text: str) -> None:
    """Nothing else comes out, and what was read is read again the same."""
    outcome = _parsed(text)
    if isinstance(outcome, str):
        assert re.match(r"\d+:\d+: parse error: ", outcome)
    else:
        assert render(parse(render(outcome))) == render(outcome)


def _parsed(text: str) -> ast.Expr | str:
    """The tree, or the error's text."""
    try:
        return parse(text)
    except ParseError as err:
        return err.message


def test_a_chain_beyond_all_measure_is_a_parse_error() -> None:
    """Not a crash of the interpreter's stack."""
    with pytest.raises(ParseError, match="too deeply"):
        parse("up" + " or up" * 20_000)
