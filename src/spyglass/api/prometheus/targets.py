"""targets, targets/metadata, alertmanagers, rules, alerts."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params, invalid
from spyglass.api.prometheus.replies import success
from spyglass.model.errors import InvalidParameter, ParseError
from spyglass.protocols.targets import ActiveTarget
from spyglass.query.promql.parser import parse_selector

ZERO_TIME = "0001-01-01T00:00:00Z"


async def targets(request: Request, deps: PrometheusDeps) -> Response:
    """Active and dropped targets."""
    params = await Params.of(request)
    state, pool = params.get("state").lower(), params.get("scrapePool")
    show_active = state not in ("dropped",)
    show_dropped = state in ("", "any", "dropped")
    if state not in ("", "any", "active", "dropped"):
        show_active = show_dropped = False
    dropped = [
        {"discoveredLabels": dict(target.discovered), "scrapePool": target.pool}
        for target in deps.targets.dropped(pool)
    ]
    return success(
        {
            "activeTargets": [target_json(t, deps.external_url) for t in deps.targets.targets(pool)]
            if show_active
            else [],
            "droppedTargets": dropped if show_dropped else [],
            "droppedTargetCounts": deps.targets.dropped_counts() if show_dropped else None,
        }
    )


def target_json(target: ActiveTarget, external_url: str) -> dict[str, Any]:
    del external_url
    return {
        "discoveredLabels": dict(target.discovered),
        "labels": dict(target.labels),
        "scrapePool": target.pool,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.error,
        "lastScrape": rfc3339(target.last_ns),
        "lastScrapeDuration": target.seconds,
        "health": target.health,
        "scrapeInterval": target.interval,
        "scrapeTimeout": target.timeout,
    }


def rfc3339(ns: int) -> str:
    """Go's time.Time as JSON: nanoseconds without trailing zeros, UTC.

    >>> rfc3339(1_500_000_000_250_000_000)
    '2017-07-14T02:40:00.25Z'
    """
    if ns == 0:
        return ZERO_TIME
    seconds, fraction = divmod(ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:09d}".rstrip("0").rstrip(".") + "Z"


async def target_metadata(request: Request, deps: PrometheusDeps) -> Response:
    """What each matching target says of its metric families."""
    params = await Params.of(request)
    limit, metric = params.limit(), params.get("metric")
    match = params.get("match_target")
    try:
        matchers = parse_selector(match) if match else ()
    except ParseError as err:
        raise invalid("match_target", str(err)) from None
    rows: list[dict[str, Any]] = []
    for target in deps.targets.targets():
        labels = dict(target.labels)
        if not all(m.matches(labels.get(m.name, "")) for m in matchers):
            continue
        for name, entry in target.metadata.items():
            if metric in ("", name):
                row = {"target": labels, "type": entry.kind, "help": entry.help, "unit": entry.unit}
                rows.append(row if metric else {**row, "metric": name})
    return success(rows[: limit or None])


async def alertmanagers(request: Request, deps: PrometheusDeps) -> Response:
    """None: sending alerts is not part of this version."""
    del request, deps
    return success({"activeAlertmanagers": [], "droppedAlertmanagers": []})


async def rules(request: Request, deps: PrometheusDeps) -> Response:
    """No groups: rules are not evaluated by this version, and the start-up warnings say so."""
    del deps
    params = await Params.of(request)
    kind = params.get("type").lower()
    if kind not in ("", "alert", "record"):
        raise InvalidParameter(f'invalid parameter "type": not supported value "{kind}"')
    return success({"groups": []})


async def alerts(request: Request, deps: PrometheusDeps) -> Response:
    del request, deps
    return success({"alerts": []})
