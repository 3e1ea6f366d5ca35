"""scrape_pools, scrape_pools/config, targets/relabel_steps: jobs, and what their rules make of a target."""

from typing import Any

import orjson
import yaml
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params
from spyglass.api.prometheus.replies import success
from spyglass.model.errors import InvalidParameter, NotFound
from spyglass.model.relabel import RelabelRule, relabel_steps


async def scrape_pools(request: Request, deps: PrometheusDeps) -> Response:
    """The names of all jobs."""
    del request
    return success({"scrapePools": deps.targets.pool_names()})


async def scrape_pool_config(request: Request, deps: PrometheusDeps) -> Response:
    """One job as the main configuration file has it, secrets masked."""
    pool = await _pool(request, deps)
    for job in (yaml.safe_load(deps.config_text()) or {}).get("scrape_configs") or ():
        if job.get("job_name") == pool:
            return success({"yaml": yaml.safe_dump(job, sort_keys=False)})
    raise InvalidParameter(f'the job "{pool}" stands in a file of scrape_config_files, which is not shown here')


async def relabel_steps_of(request: Request, deps: PrometheusDeps) -> Response:
    """The labels given, after each relabelling rule of a job."""
    pool = await _pool(request, deps)
    text = (await Params.of(request)).get("labels")
    if not text:
        raise InvalidParameter("no labels parameter provided")
    rules = deps.targets.relabel_rules(pool)
    steps = relabel_steps(_labels(text), rules)
    return success(
        {
            "steps": [
                {"rule": _rule_json(rule), "output": output or {}, "keep": output is not None}
                for rule, output in zip(rules, steps, strict=True)
            ]
        }
    )


async def _pool(request: Request, deps: PrometheusDeps) -> str:
    name = (await Params.of(request)).get("scrapePool")
    if not name:
        raise InvalidParameter("no scrapePool parameter provided")
    try:
        deps.targets.relabel_rules(name)
    except NotFound as err:
        raise InvalidParameter(f"error retrieving scrape config: {err}") from None
    return name


def _labels(text: str) -> dict[str, str]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise InvalidParameter(f"error parsing labels: {err}") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidParameter("error parsing labels: an object of texts is needed")
    return found


def _rule_json(rule: RelabelRule) -> dict[str, Any]:
    """Upstream leaves out what is empty."""
    fields: dict[str, Any] = {
        "source_labels": list(rule.source_labels),
        "separator": rule.separator,
        "regex": rule.regex,
        "modulus": rule.modulus,
        "target_label": rule.target_label,
        "replacement": rule.replacement,
        "action": rule.action,
    }
    return {name: value for name, value in fields.items() if value}
