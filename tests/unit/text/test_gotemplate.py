"""Go templates: the language, over plain values."""

from collections.abc import Callable
from typing import Any

import pytest

from spyglass.text.gotemplate import MAX_STEPS, StringMap, TemplateError, parse_template

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "double": lambda value: value * 2,
    "join": lambda *parts: "-".join(parts),
    "boom": lambda: 1 // 0,
}

DATA: dict[str, Any] = {
    "name": "api",
    "n": 3,
    "f": 1.5,
    "yes": True,
    "none": None,
    "list": ["a", "b", "c"],
    "map": {"k": "v", "b": {"c": 1}},
    "empty": [],
}


def render(text: str, data: Any = DATA) -> str:
    return parse_template(text, FUNCTIONS, name="t").execute(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{.name}}/{{.n}}/{{.f}}/{{.yes}}", "api/3/1.5/true"),
        ("{{.map.b.c}} {{.map}} {{.list}}", "1 map[b:map[c:1] k:v] [a b c]"),
        ("{{.nosuch}} {{.map.nosuch}} {{.none}}", "<no value> <no value> <nil>"),
        ("a {{- .name -}} b", "aapib"),
        ("a{{/* a comment */}}b {{- /* trim */ -}} c", "abc"),
        ("{{if .yes}}1{{else}}2{{end}}{{if .empty}}3{{else}}4{{end}}", "14"),
        ("{{if eq .n 1}}one{{else if eq .n 3}}three{{else}}many{{end}}", "three"),
        ("{{with .map.b}}{{.c}}{{$.name}}{{end}}{{with .empty}}x{{else}}none{{end}}", "1apinone"),
        ("{{range .list}}<{{.}}>{{end}}", "<a><b><c>"),
        ("{{range $i, $v := .list}}{{$i}}={{$v}} {{end}}", "0=a 1=b 2=c "),
        ("{{range $k, $v := .map}}{{$k}} {{end}}", "b k "),
        ("{{range .empty}}x{{else}}empty{{end}}", "empty"),
        ("{{range .list}}{{if eq . `b`}}{{continue}}{{end}}{{if eq . `c`}}{{break}}{{end}}{{.}}{{end}}", "a"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{$x := 1}}{{if true}}{{$x = 2}}{{$x := 9}}{{end}}{{$x}}", "2"),
        ("{{if $v := .name}}{{$v}}{{end}}", "api"),
        ('{{define "sub"}}[{{.}}]{{end}}{{template "sub" .name}}{{template "sub" 1}}', "[api][1]"),
        ('{{block "b" .n}}<{{.}}>{{end}}', "<3>"),
        ('{{"x" | double | double}}', "xxxx"),
        ('{{join "a" (double "b") "c"}}', "a-bb-c"),
        ("{{(index .list 1)}}{{index .map `b` `c`}}{{len .list}}{{len `čaj`}}", "b134"),
        ("{{slice .list 1}} {{slice .name 0 2}} {{slice .list 1 2}}", "[b c] ap [b]"),
        ("{{and 1 0}} {{and 1 2}} {{or 0 ``}} {{or 0 `x`}} {{not 0}}", "0 2  x true"),
        (
            "{{eq 1 2 1}} {{ne `a` `b`}} {{lt 1 2}} {{le 2 2}} {{gt 1.5 2.5}} {{ge 2 3}}",
            "true true true true false false",
        ),
        ("{{print 1 2 `a` 3}}|{{println `a` 1}}", "1 2a3|a 1\n"),
        (
            "{{printf `%s %5d|%-5d|%05.1f|%q|%x|%v|%t|%%` .name 42 7 3.14159 `q` 255 .list true}}",
            'api    42|7    |003.1|"q"|ff|[a b c]|true|%',
        ),
        ("{{printf `%d` `x`}} {{printf `%s`}} {{printf `a` 1}}", "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"),
        ("{{html `<a href='x'>`}} {{js `it's`}} {{urlquery `a b&c`}}", "&lt;a href=&#39;x&#39;&gt; it\\'s a+b%26c"),
        ("{{1e6}} {{123456789.5}} {{100000.0}} {{0.00001}}", "1e+06 1.234567895e+08 100000 1e-05"),
        ("{{'a'}} {{0x10}} {{1_000}} {{1e3}} {{-5}} {{print nil}}", "97 16 1000 1000 -5 <nil>"),
    ],
)
def test_templates_render(text: str, expected: str) -> None:
    """Each construct of the language."""
    assert render(text) == expected


def test_a_string_map_has_empty_strings_for_what_it_lacks() -> None:
    """As a map[string]string under missingkey=zero."""
    assert render("[{{.nosuch}}]{{if .nosuch}}x{{end}}", StringMap(a="1")) == "[]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{nosuch 1}}", 'template: t:1: function "nosuch" not defined'),
        ("a\n{{.x", "template: t:2: unclosed action"),
        ("{{if .x}}", "template: t:1: unexpected EOF"),
        ("{{end}}", "template: t:1: unexpected {{end}}"),
        ("{{if}}x{{end}}", "template: t:1: missing value for if"),
        ("{{}}", "template: t:1: missing value for command"),
        ("{{$x}}", 'template: t:1: undefined variable "\\$x"'),
        ("{{break}}", "outside {{range}}"),
        ("{{(1}}", "template: t:1: unclosed left paren"),
        ('{{"open}}', "template: t:1: unterminated quoted string"),
        ("{{.x @ 1}}", 'unexpected "@" in operand'),
        ("{{1 2}}", "can't give argument to non-function 1"),
    ],
)
def test_bad_templates_are_refused(text: str, message: str) -> None:
    """With the line and what is wrong, as Go says it."""
    with pytest.raises(TemplateError, match=message.replace("{{", r"\{\{").replace("}}", r"\}\}")):
        parse_template(text, FUNCTIONS, name="t")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{.name.x}}", "can't evaluate field x in type string"),
        ("{{.none.x}}", "nil data; no entry for key"),
        ("{{eq 1 `a`}}", "error calling eq: incompatible types for comparison"),
        ("{{index .list 9}}", "error calling index: index out of range: 9"),
        ("{{boom}}", "error calling boom"),
        ("{{join 1}}", "error calling join"),
        ("{{double}}", "error calling double: wrong number of args"),
        ('{{template "nosuch"}}', 'template "nosuch" not defined'),
        ('{{define "r"}}{{template "r"}}{{end}}{{template "r"}}', "exceeded maximum template depth"),
        ("{{range .f}}{{end}}", "range can't iterate over 1.5"),
        (f"{{{{range {MAX_STEPS + 1}}}}}{{{{end}}}}", "too many iterations"),
    ],
)
def test_failing_runs_say_why(text: str, message: str) -> None:
    """Errors of a run are TemplateErrors too; nothing runs without end."""
    with pytest.raises(TemplateError, match=message):
        render(text)


def test_no_python_attribute_is_reachable() -> None:
    """Objects that do not offer fields have none."""
    for text in ("{{.name.__class__}}", "{{.list.append}}", "{{.map.__init__}}"):
        try:
            assert render(text) == "<no value>"
        except TemplateError as err:
            assert "can't evaluate field" in str(err)  # noqa: PT017


class Alert:
    """An object that offers fields."""

    def template_field(self, name: str) -> object:
        if name not in ("Labels", "Value"):
            raise ValueError(f"can't evaluate field {name} in type Alert")
        return {"instance": "a:1"} if name == "Labels" else 0.98765


def test_objects_offer_their_fields() -> None:
    """As alert templates use them: a prefix that names variables, pipelines over values."""
    text = '{{$labels := .Labels}}{{$value := .Value}}{{ $labels.instance }} is at {{ $value | printf "%.2f" }}'
    assert render(text, Alert()) == "a:1 is at 0.99"
    with pytest.raises(TemplateError, match="can't evaluate field Nosuch"):
        render("{{.Nosuch}}", Alert())


def test_deeply_nested_templates_are_refused() -> None:
    """No stack overflow, at parsing or at running."""
    for text in ("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}", "{{if .yes}}" * 3000):
        with pytest.raises(TemplateError):
            render(text)


def test_fields_tell_what_a_template_looks_at() -> None:
    """For callers that fetch only those."""
    assert parse_template("{{.a}}{{if .b}}{{printf `%s` .c.d}}{{end}}", {}).fields == {"a", "b", "c", "d"}
