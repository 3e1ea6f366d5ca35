"""The agent's own page: `/ready`, `/metrics`, `/targets`, `/service-discovery`, `/config`, `/reload`, as Promtail has them.

`/targets` and `/service-discovery` answer HTML to a browser and JSON to who asks for it (Accept, or `?format=json`).
"""

import logging
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from spyglass.agent import status
from spyglass.agent.manager import AgentManager
from spyglass.config.secrets import masked
from spyglass.formats.exposition.encode import OPENMETRICS_TYPE, TEXT_TYPE, encode_openmetrics, encode_text
from spyglass.model.errors import ConfigError

log = logging.getLogger(__name__)

Reload = Callable[[], Awaitable[None]]


def create_agent_app(manager: AgentManager, *, reload: Reload | None = None) -> Starlette:
    """The page of one agent. reload: reads the file anew and gives it to the manager; without it `/reload` answers 403."""

    async def ready(request: Request) -> Response:  # noqa: ARG001
        if manager.is_ready:
            return PlainTextResponse("Ready\n")
        return PlainTextResponse(f"Not ready: {manager.failure or 'the agent is not running'}\n", status_code=503)

    async def metrics(request: Request) -> Response:
        families = manager.registry.collect()
        if "application/openmetrics-text" in request.headers.get("accept", ""):
            return Response(encode_openmetrics(families), headers={"content-type": OPENMETRICS_TYPE})
        return Response(encode_text(families), headers={"content-type": TEXT_TYPE})

    async def targets(request: Request) -> Response:
        return _answer(request, status.targets(manager), _targets_page)

    async def discovery(request: Request) -> Response:
        return _answer(request, status.discovered(manager), _discovery_page)

    async def config(request: Request) -> Response:  # noqa: ARG001
        return PlainTextResponse(masked(manager.config.text), media_type="text/yaml")

    async def reloading(request: Request) -> Response:  # noqa: ARG001
        if reload is None:
            return PlainTextResponse("reloading is not enabled\n", status_code=403)
        try:
            await reload()
        except ConfigError as err:
            return PlainTextResponse(f"failed to reload config: {err}\n", status_code=500)
        return PlainTextResponse("")

    async def root(request: Request) -> Response:  # noqa: ARG001
        return RedirectResponse("targets")

    return Starlette(
        routes=[
            Route("/", root),
            Route("/ready", ready),
            Route("/metrics", metrics),
            Route("/targets", targets),
            Route("/service-discovery", discovery),
            Route("/config", config),
            Route("/reload", reloading, methods=["GET", "POST"]),
        ]
    )


def _answer(request: Request, data: dict[str, Any], page: Callable[[dict[str, Any]], str]) -> Response:
    wants_html = "text/html" in request.headers.get("accept", "") and request.query_params.get("format") != "json"
    if wants_html:
        return HTMLResponse(page(data))
    return Response(orjson.dumps(data), media_type="application/json")


def _targets_page(data: dict[str, Any]) -> str:
    rows = [
        [job["job"], target["path"], _labels(target["labels"]), _progress(target), target["problem"]]
        for job in data["jobs"]
        for target in job["targets"]
    ]
    notes = [data["failure"]] if data["failure"] else []
    notes += [problem for job in data["jobs"] for problem in job["problems"]] + data["not_supported"]
    clients = [[client["url"], client["problem"] or "ok"] for client in data["clients"]]
    return _page(
        "Targets",
        _table(["Job", "Target", "Labels", "Read", "Problem"], rows)
        + _table(["Sends to", "State"], clients)
        + _list(notes),
    )


def _discovery_page(data: dict[str, Any]) -> str:
    rows = [
        [job["job"], _labels(target["discovered"]), _labels(target["labels"]), target["dropped"]]
        for job in data["jobs"]
        for target in job["targets"]
    ]
    return _page("Service discovery", _table(["Job", "Discovered", "Labels", "Dropped because"], rows))


def _progress(target: dict[str, Any]) -> str:
    return (
        f"{target['position']} lines" if target["size"] is None else f"{target['position']} of {target['size']} bytes"
    )


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()))


def _list(items: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>" if items else ""


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:1.5rem}table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border:1px solid #8884;padding:.3rem .6rem;text-align:left;vertical-align:top}nav a{margin-right:1rem}"
)


def _page(title: str, body: str) -> str:
    links = " ".join(
        f'<a href="{target}">{text}</a>'
        for target, text in (
            ("targets", "Targets"),
            ("service-discovery", "Service discovery"),
            ("config", "Configuration"),
            ("metrics", "Metrics"),
        )
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Spyglass agent</title>'
        f"<style>{_STYLE}</style></head><body><nav>{links}</nav><h1>{escape(title)}</h1>{body}</body></html>"
    )
