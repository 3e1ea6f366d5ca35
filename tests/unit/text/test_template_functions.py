"""Loki's template functions."""

import pytest

from spyglass.text.gotemplate import StringMap, TemplateError
from spyglass.text.template_functions import LINE_FUNCTIONS, line_template

EXTRA = {"line": "at zero", "time_ns": 1_790_000_461_000_000_001}
LABELS = StringMap(msg="Dup Keys", url="a%20b+c", js='{"a":[1,2.5,"x"]}', size="1.5KB", took="1m30s")


def render(text: str) -> str:
    return line_template(text).execute(LABELS, EXTRA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ __line__ }}", "at zero"),
        ("{{ __timestamp__ | date `2006-01-02T15:04:05.000000000Z07:00` }}", "2026-09-21T14:21:01.000000001Z"),
        (
            "{{ __timestamp__ | unixEpoch }} {{ __timestamp__ | unixEpochMillis }} {{ __timestamp__ | unixEpochNanos }}",
            "1790000461 1790000461000 1790000461000000001",
        ),
        (
            "{{ .msg | lower }} {{ .msg | upper }} {{ ToLower .msg }} {{ title `ab cd` }}",
            "dup keys DUP KEYS dup keys Ab Cd",
        ),
        ("{{ .msg | replace `Dup` `One` }} {{ Replace .msg `p` `q` 1 }}", "One Keys Duq Keys"),
        (
            "{{ trunc 3 .msg }} {{ trunc -4 .msg }} {{ substr 1 3 .msg }} {{ substr -1 2 .msg }} {{ substr 4 -1 .msg }}",
            "Dup Keys up Du Keys",
        ),
        (
            "[{{ trim `  x ` }}][{{ trimAll `-` `-a-` }}][{{ trimPrefix `a` `ab` }}][{{ trimSuffix `b` `ab` }}][{{ TrimLeft `xxa` `x` }}]",
            "[x][a][b][a][a]",
        ),
        ("{{ contains `up` .msg }} {{ hasPrefix `Dup` .msg }} {{ hasSuffix `x` .msg }}", "true true false"),
        ("{{ indent 2 `a\nb` }}|{{ nindent 1 `c` }}|{{ repeat 3 `ab` }}", "  a\n  b|\n c|ababab"),
        (
            "[{{ alignLeft 5 `abc` }}][{{ alignRight 5 `abc` }}][{{ alignLeft 2 `abc` }}][{{ alignRight 2 `abc` }}]",
            "[abc  ][  abc][ab][bc]",
        ),
        (
            "{{ regexReplaceAll `(\\w)(\\w+)` .msg `${2}$1` }} {{ regexReplaceAllLiteral `p` .msg `$1` }} {{ count `[a-z]` .msg }}",
            "upD eysK Du$1 Keys 5",
        ),
        (
            "{{ add 1 `2` 3 }} {{ sub 5 2 }} {{ mul 2 3 4 }} {{ div 7 2 }} {{ div -7 2 }} {{ mod -7 3 }}",
            "6 3 24 3 -3 -1",
        ),
        ("{{ addf 0.1 0.2 }} {{ subf 3 0.5 }} {{ mulf 1.5 2 }} {{ divf 7 2 }}", "0.3 2.5 3 3.5"),
        ("{{ max 1 3 2 }} {{ min 3 1 }} {{ maxf 1 2.5 }} {{ minf 1 2.5 }}", "3 1 2.5 1"),
        ("{{ ceil 1.2 }} {{ floor 1.8 }} {{ round 1.256 2 }} {{ int `42` }} {{ float64 `1.5` }}", "2 1 1.26 42 1.5"),
        ("{{ b64enc `a` }} {{ b64dec `YQ==` }} {{ urlencode `a b` }} {{ urldecode .url }}", "YQ== a a+b a b c"),
        ("{{ range (fromJson .js).a }}{{ . }};{{ end }}", "1;2.5;x;"),
        ("{{ default `d` .nosuch }} {{ default `d` .msg }}", "d Dup Keys"),
        ("{{ bytes .size }} {{ duration .took }} {{ duration_seconds .took }}", "1500 90 90"),
        (
            "{{ toDate `2006-01-02` `2026-01-05` | date `Mon` }} "
            "{{ toDateInZone `2006-01-02 15` `Europe/Prague` `2026-07-01 12` | unixEpoch }}",
            "Mon 1782900000",
        ),
        ("{{ unixToTime `1790000461` | date `15:04` }} {{ unixToTime `1790000461000` | date `05` }}", "14:21 01"),
        ("{{ title `it's a foo-bar` }}", "It'S A Foo-Bar"),
        (
            "{{ b64dec `!` }}; {{ b64dec `YQ=` }}",
            "illegal base64 data at input byte 0; illegal base64 data at input byte 3",
        ),
        ("{{ lower `ÀÉ` }} {{ upper `straße` }}", "àé STRAßE"),
        ("{{ __timestamp__ }} {{ (__timestamp__).Unix }}", "2026-09-21 14:21:01.000000001 +0000 UTC 1790000461"),
    ],
)
def test_functions(text: str, expected: str) -> None:
    """Each function as the LogQL documentation has it."""
    assert render(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{{ div 1 0 }}",
        "{{ mod 1 0 }}",
        "{{ regexReplaceAll `(` .msg `` }}",
        "{{ unixToTime `0` }}",
        "{{ urldecode `%zz` }}",
        "{{ bytes `x` }}",
        "{{ duration `x` }}",
        "{{ repeat 99999999 `ab` }}",
        "{{ lower 1 }}",
        "{{ trunc `a` `b` }}",
        "{{ divf 1 0 }}",
        "{{ unixEpoch `x` }}",
        "{{ nil }}",
        "{{ call .msg }}",
    ],
)
def test_functions_that_cannot_answer_fail_the_run(text: str) -> None:
    """The line then carries TemplateFormatErr."""
    with pytest.raises(TemplateError):
        render(text)


def test_functions_of_the_wrong_arity_fail_the_run() -> None:
    """No function raises anything but TemplateError, whatever it is given."""
    for name in LINE_FUNCTIONS:
        for arguments in ("", "1", "`a`", "1 2 3 4 5 6", "`a` `b`", ".nosuch nil"):
            try:
                render("{{ " + f"{name} {arguments}" + " }}")
            except TemplateError:
                continue
