"""Writes the section "Loki API and LogQL" of docs/compatibility.md: `python -m tests.compatibility_loki`.

Endpoints come from the routes, constructs from the list below (each is evaluated: what fails is no), tests from what tests ask for.
"""

from collections.abc import Iterator, Mapping

from tests.conformance_data import ROOT
from tests.loki_kit import NOW, loki
from tests.tools.endpoints import endpoints, rows

from spyglass.model.errors import QueryError
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.query.logql.tokens import RANGE_FUNCTIONS, VECTOR_FUNCTIONS
from spyglass.storage.memory_logs import MemoryLogStores

PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- begin loki -->", "<!-- end loki -->"
TITLE = "## Loki API and LogQL"
TEST_FILES = (
    "tests/unit/api/loki/*.py",
    "tests/integration/test_loki_*.py",
    "tests/integration/test_stack.py",
    "tests/conformance/test_logql_http.py",
)
RECORDED = "tests/conformance/test_logql.py"

MISSING: Mapping[str, str] = {
    "POST, DELETE /loki/api/v1/rules/{namespace}": "rules on logs do not exist yet",
    "GET /ring, /distributor/ring, /compactor/ring, /memberlist": "there is no ring in one process",
    "GET, POST /ingester/prepare_shutdown, /ingester/shutdown": "stop the process: nothing is lost",
    "GET /ui": "Spyglass has its own",
}

UNWRAPPED = frozenset(
    f"{name}_over_time" for name in ("sum", "avg", "min", "max", "stddev", "stdvar", "quantile", "first", "last")
) | {"rate_counter"}

STREAM = '{app="x"}'
DIFFERENCES = (
    "A log selector as an instant query is answered with the newest lines of the hour and a warning, as by Loki 2; Loki 3 refuses it.",
    "Patterns are mined when asked for, from at most 10,000 lines spread over the range: counts are of the lines read.",
    "`per_stream_rate_limit` refuses all of a stream's lines in a push that has too many bytes of it, whatever `shard_streams` says.",
    "`/api/prom/push` and `/loki/api/v1/push` take both JSON forms; Loki takes one each.",
    "A push without Content-Type is read as protobuf.",
    "An aggregation of a number (`sum(1)`) is refused by the parser (400); Loki fails while it evaluates it (500).",
    "Entries of `blocked_queries` with `tags` block nothing; `distributor.otlp_config` is not read, `limits_config.otlp_config` is.",
    "A file of tenants' limits with a key that no Loki has loads, and the key is named; Loki refuses the file.",
)

PIPELINES: Mapping[str, tuple[str, str]] = {
    "selector `=` `!=` `=~` `!~`": ('{a="b", c!="d", e=~"f.+", g!~"h"}', "selectors"),
    "line filters `|=` `!=` `|~` `!~`, chains of `or`": (
        STREAM + ' |= "a" or "b" != "c" |~ "d" !~ "e"',
        "line_filters",
    ),
    "pattern filters `|>` `!>`": (STREAM + ' |> "a <_>" !> "<_> b"', "pattern_filters"),
    "`ip()` in line and label filters": (STREAM + ' |= ip("10.0.0.0/8") | logfmt | a = ip("::1")', "ip_filters"),
    "`json`, also with expressions": (STREAM + ' | json | json a="b.c[0]"', "json"),
    "`logfmt`, `--strict`, `--keep-empty`, expressions": (
        STREAM + ' | logfmt --strict --keep-empty | logfmt a="b"',
        "logfmt",
    ),
    "`regexp`": (STREAM + ' | regexp "(?P<a>b)"', "regexp_pattern_unpack"),
    "`pattern`": (STREAM + ' | pattern "<a> <_>"', "regexp_pattern_unpack"),
    "`unpack`": (STREAM + " | unpack", "regexp_pattern_unpack"),
    "label filters: text, number, duration, bytes; `and` `or` `,` `( )`": (
        STREAM + ' | logfmt | a="b" and (c > 1 or d <= 2s), e != 3KB',
        "label_filters",
    ),
    "`line_format` with the template language": (STREAM + ' | line_format "{{.a | upper}}"', "line_format"),
    "`label_format`": (STREAM + ' | label_format a=b, c="{{.d}}"', "label_format"),
    "`decolorize`, `drop`, `keep`": (STREAM + ' | decolorize | drop a, b="c" | keep d', "decolorize_drop_keep"),
    "`__error__`, `__error_details__`": (STREAM + ' | json | __error__="" | __error_details__=""', "json"),
    "structured metadata in filters and groups": (
        f'sum by (trace_id) (count_over_time({STREAM} | trace_id!="" [5m]))',
        "structured_metadata",
    ),
    "`unwrap` with `bytes()`, `duration()`, `duration_seconds()`": (
        f"sum_over_time({STREAM} | unwrap bytes(a) [5m]) + sum_over_time({STREAM} | unwrap duration(a) [5m])"
        f" + sum_over_time({STREAM} | unwrap duration_seconds(a) [5m])",
        "unwrap",
    ),
    "`offset`": (f"rate({STREAM}[5m] offset 1h)", "range_aggregations"),
    "arithmetic, comparison, `bool`": (f"1 + 2 * rate({STREAM}[5m]) > bool 3", "binary_operations"),
    "`and` `or` `unless`, `on` `ignoring` `group_left` `group_right`": (
        f"rate({STREAM}[5m]) / on (a) group_left (b) sum by (a) (rate({STREAM}[5m])) or rate({STREAM}[1m])",
        "binary_operations",
    ),
    "`label_replace`, `vector`": (
        f'label_replace(rate({STREAM}[5m]), "a", "$1", "b", "(.*)") or vector(1)',
        "functions",
    ),
    "comments": (STREAM + " # said", "functions"),
    "`variants(...) of (...)`, behind `enable_multi_variant_queries`": (
        f"variants(count_over_time({STREAM}[1m])) of ({STREAM}[1m])",
        "tests/unit/query/logs/test_log_engine.py",
    ),
}


def section() -> str:
    """What belongs between the markers."""
    lines = ["### Loki's HTTP API", "", "| endpoint | supported | test |", "|---|---|---|"]
    with loki() as kit:
        lines += rows(endpoints(kit.client.routes, TEST_FILES))
    lines += [f"| `{path}` | no: {why} | |" for path, why in MISSING.items()]
    lines += ["", "### LogQL", "", "| construct | supported | test |", "|---|---|---|"]
    lines += [f"| {name} | {answer} | {test} |" for name, answer, test in _constructs()]
    note = f"Recorded cases: answers of the real Loki, by group, compared by `{RECORDED}` and through HTTP."
    differences = [f"- {text}" for text in DIFFERENCES]
    return "\n".join([*lines, "", note, "", "Known differences:", "", *differences])


def page(text: str) -> str:
    """The page with the section renewed; added at the end where there is none."""
    block = f"{BEGIN}\n{section()}\n{END}"
    if BEGIN in text:
        before, _, rest = text.partition(BEGIN)
        return before + block + rest.partition(END)[2]
    return (text.rstrip() or "# Compatibility") + f"\n\n{TITLE}\n\n{block}\n"


def _constructs() -> Iterator[tuple[str, str, str]]:
    for name, (query, group) in PIPELINES.items():
        yield name.replace("|", "\\|"), _supported(query), _recorded(group)
    for name in sorted(RANGE_FUNCTIONS):
        unwrap = " | unwrap a" if name in UNWRAPPED else ""
        parameter = "0.5, " if name == "quantile_over_time" else ""
        group = "unwrap" if unwrap else "range_aggregations"
        yield f"`{name}`", _supported(f"{name}({parameter}{STREAM}{unwrap} [5m])"), _recorded(group)
    for name in sorted(VECTOR_FUNCTIONS):
        parameter = "3, " if "topk" in name or "bottomk" in name else ""
        yield f"`{name}`", _supported(f"{name}({parameter}rate({STREAM}[5m]))"), _recorded("vector_aggregations")


def _recorded(group: str) -> str:
    return f"`{group}`" if group.startswith("tests/") else f"recorded cases: {group}" if group else ""


def _supported(query: str) -> str:
    try:
        LogEngine(MemoryLogStores(), LogQueryLimits(enable_multi_variant_queries=True)).range(
            query,
            start_ns=NOW - 10**9,
            end_ns=NOW,
            step_ns=10**9,
            limit=1,
            direction="backward",
            tenant="fake",
            budget=QueryBudget(),
        )
    except QueryError:
        return "no"
    return "yes"


def main() -> None:
    PAGE.write_text(page(PAGE.read_text() if PAGE.exists() else ""))


if __name__ == "__main__":
    main()
