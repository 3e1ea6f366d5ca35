"""features: what this server can do, by category, under upstream's names. A client asks for this instead of guessing by version."""

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.replies import success
from spyglass.query.promql.functions import FUNCTIONS
from spyglass.query.promql.tokens import AGGREGATORS, COMPARISONS, EXPERIMENTAL_AGGREGATORS, SET_OPERATORS

Switches = dict[str, bool]


async def features(request: Request, deps: PrometheusDeps) -> Response:
    """Upstream's categories; false is what upstream has and this server, or its configuration, has not."""
    del request
    return success(
        {
            "api": _api(deps),
            "otlp_receiver": {"delta_conversion": False, "native_delta_ingestion": False},
            "prometheus": {"agent_mode": False, "auto_reload_config": False, "server_mode": True},
            "promql": _promql(deps),
            "promql_functions": _functions(deps),
            "promql_operators": _operators(deps),
            "scrape": {"extra_scrape_metrics": False, "type_and_unit_labels": False},
            "service_discovery_providers": {"file": True, "static": True},
            "tsdb": {"exemplar_storage": True, "isolation": True, "native_histograms": True},
        }
    )


def _api(deps: PrometheusDeps) -> Switches:
    return {
        "admin": deps.admin_enabled,
        "exclude_alerts": False,
        "label_values_match": True,
        "lifecycle": deps.lifecycle_enabled,
        "otlp_write_receiver": False,
        "query_stats": True,
        "query_warnings": True,
        "remote_write_receiver": deps.remote_write_enabled,
        "time_range_labels": True,
        "time_range_series": True,
    }


def _promql(deps: PrometheusDeps) -> Switches:
    always = (
        "at_modifier", "bool", "by", "duration_expr", "group_left", "group_right", "ignoring", "negative_offset",
        "offset", "on", "per_query_lookback_delta", "subqueries", "without",
    )  # fmt: skip
    extended = deps.language.extended_range_selectors
    return {
        **dict.fromkeys(always, True),
        "anchored": extended,
        "smoothed": extended,
        "fill": deps.language.binop_fill_modifiers,
    }


def _functions(deps: PrometheusDeps) -> Switches:
    experimental = deps.language.experimental_functions
    return {name: experimental or not function.experimental for name, function in sorted(FUNCTIONS.items())}


def _operators(deps: PrometheusDeps) -> Switches:
    plain = {*COMPARISONS, *SET_OPERATORS, "+", "-", "*", "/", "%", "^", "@", "=~", "!~", "atan2", "</", ">/"}
    experimental = deps.language.experimental_functions
    aggregations = {name: experimental or name not in EXPERIMENTAL_AGGREGATORS for name in AGGREGATORS}
    return dict(sorted({**dict.fromkeys(plain, True), **aggregations}.items()))
