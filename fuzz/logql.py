"""Mutated queries and templates: whatever the text, the outcome is a tree or a ParseError (a template: text or a TemplateError), and
what was parsed prints back to itself. Run: python fuzz/logql.py [seconds] [seed]; a failure prints the text and ends with status 1.
"""

import math
import random
import sys
import time
from collections.abc import Callable

from spyglass.model.errors import ParseError
from spyglass.query.logql.ast import LogExpr, NumberLiteral
from spyglass.query.logql.lower import lower
from spyglass.query.logql.parser import parse
from spyglass.query.logql.pretty import pretty
from spyglass.query.logql.printer import print_expr
from spyglass.query.logql.walk import walk
from spyglass.text.gotemplate import StringMap, TemplateError
from spyglass.text.template_functions import line_template

QUERIES = [
    '{app="web", env=~"p.*"} |= "a" or ip("10.0.0.0/8") !~ `b\\d` |> "<_> c"',
    '{app="web"} | json a="x.y[0]", b | logfmt --strict c="d" | unpack | decolorize',
    '{app="web"} | level="error" and (took > 1.5s or size <= 10KB), n != -5',
    '{app="web"} | line_format "{{.a}}" | label_format a=b, c="{{.d}}" | drop a, b="c" | keep d, e=~"f"',
    '{app="web"} | regexp "(?P<a>.)" | pattern "<b> <_>" # comment',
    'quantile_over_time(0.99, {app="web"} | json | unwrap duration(took) | __error__="" [5m] offset 1h) by (pod)',
    'sum by (a, b) (rate({app="web"}[5m])) / ignoring (x) group_left (y) topk(5, count_over_time({app="api"}[1m])) > bool 0.5',
    'label_replace(vector(1), "d", "$1", "s", "(.*)") or absent_over_time({app="x"}[1w]) and -2 ^ 3 % 4',
]
TEMPLATES = [
    "{{if .a}}x{{else if eq .b `c`}}y{{end}}{{range $i, $v := .l}}{{$i}}{{break}}{{end}}",
    '{{printf "%5.1f|%s" 1.5 .a | trunc 3 | upper}}{{define "t"}}{{.}}{{end}}{{template "t" .a}}',
    "{{- with $x := .a}}{{$x}}{{end -}} {{/* c */}} {{ (fromJson .j).k }} {{ 'c' }} {{ div 7 2 }}",
]
CHARACTERS = "{}()[]|=!~<>\"'`\\,.#$-+*/%^ \n0159aéms☕\x00"


def mutated(rnd: random.Random, corpus: list[str]) -> str:
    text = list(rnd.choice(corpus))
    for _ in range(rnd.randint(1, 5)):
        at = rnd.randint(0, len(text))
        kind = rnd.random()
        if kind < 0.35:
            del text[at : at + rnd.randint(1, 6)]
        elif kind < 0.7:
            text[at:at] = rnd.choice(CHARACTERS)
        else:
            other = rnd.choice(corpus)
            start = rnd.randint(0, len(other))
            text[at:at] = other[start : start + rnd.randint(1, 20)]
    return "".join(text)


def try_query(text: str) -> None:
    try:
        tree = parse(text)
    except ParseError:
        return
    # Infinity and NaN, which folding can give, have no spelling.
    if any(isinstance(node, NumberLiteral) and not math.isfinite(node.value) for node in walk(tree)):
        return
    printed = print_expr(tree)
    assert print_expr(parse(printed)) == printed, printed
    assert print_expr(parse(pretty(tree))) == printed, pretty(tree)
    if not isinstance(tree, LogExpr):
        lower(tree)


def try_template(text: str) -> None:
    try:
        line_template(text).execute(StringMap(a="v", j='{"k": 1}'), {"line": "l", "time_ns": 1})
    except TemplateError:
        return


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 2**32
    print(f"seed {seed}")
    rnd, end, tried = random.Random(seed), time.monotonic() + seconds, 0
    jobs: list[tuple[list[str], Callable[[str], None]]] = [(QUERIES, try_query), (TEMPLATES, try_template)]
    while time.monotonic() < end:
        corpus, attempt = jobs[tried % 2]
        text = mutated(rnd, corpus)
        tried += 1
        try:
            attempt(text)
        except Exception as err:
            print(f"{attempt.__name__}: {text!r}: {type(err).__name__}: {err}")
            return 1
    print(f"{tried} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
