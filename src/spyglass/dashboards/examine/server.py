"""Data of running servers: Prometheus' and Loki's HTTP APIs, whoever serves them. Each question is asked once."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from spyglass.dashboards.examine.evidence import NoEvidence
from spyglass.model.errors import ExecutionError

TIMEOUT_SECONDS = 30.0

Pairs = Sequence[tuple[str, str]]


class _Api:
    """GET and POST with answers kept."""

    def __init__(self, url: str, tenant: str) -> None:
        parts = urllib.parse.urlsplit(url.rstrip("/"))
        self._url = urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        self._headers = {"X-Scope-OrgID": tenant} if tenant else {}
        if parts.username is not None:
            pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if parts.scheme not in ("http", "https"):
            raise NoEvidence(f"{url!r} is no address of a server: it should start with http:// or https://")
        self._answers: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[int, Any]] = {}

    def ask(self, path: str, pairs: Pairs, *, post: bool = False) -> tuple[int, Any]:
        """Status and JSON ({} where it is none). Raises: NoEvidence."""
        key = (path, tuple(pairs))
        if key not in self._answers:
            self._answers[key] = self._fetch(path, urllib.parse.urlencode(pairs), post)
        return self._answers[key]

    def _fetch(self, path: str, encoded: str, post: bool) -> tuple[int, Any]:
        url = self._url + path + ("?" + encoded if encoded and not post else "")
        request = urllib.request.Request(url, data=encoded.encode() if post else None, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
                return reply.status, _json(reply.read())
        except urllib.error.HTTPError as reply:
            with reply:
                body = reply.read()
            if reply.code in (401, 403, 404, 502, 503):
                raise NoEvidence(f"{self._url}{path} answers {reply.code} {reply.reason}") from None
            return reply.code, _json(body) or {"error": body.decode("utf-8", "replace").strip()}
        except OSError as err:
            raise NoEvidence(f"nothing answers at {self._url}: {getattr(err, 'reason', err)}") from None

    def texts(self, path: str, pairs: Pairs = ()) -> list[str]:
        """A list of names or values; none where the question is refused."""
        status, answer = self.ask(path, pairs)
        found = answer.get("data") if status == 200 and isinstance(answer, dict) else None
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}


def _error(status: int, answer: Any) -> str:
    if status == 200:
        return ""
    found = answer.get("error") or answer.get("message") if isinstance(answer, dict) else ""
    return str(found or f"the server answers {status}")


class PrometheusServer:
    """MetricEvidence over Prometheus' API. Names are of the last `hours`."""

    def __init__(self, url: str, *, tenant: str = "", hours: float = 24.0) -> None:
        self._api = _Api(url, tenant)
        now = time.time()
        self._range = [("start", f"{now - hours * 3600:.0f}"), ("end", f"{now:.0f}")]
        self._now = f"{now:.3f}"

    def names(self) -> frozenset[str]:
        return frozenset(self._api.texts("/api/v1/label/__name__/values", self._range))

    def labels(self, metric: str = "") -> frozenset[str]:
        match = [("match[]", f"{{__name__={json.dumps(metric, ensure_ascii=False)}}}")] if metric else []
        return frozenset(self._api.texts("/api/v1/labels", [*match, *self._range]))

    def values(self, label: str, selector: str = "") -> list[str]:
        match = [("match[]", selector)] if selector else []
        return self._api.texts(f"/api/v1/label/{urllib.parse.quote(label, safe='')}/values", [*match, *self._range])

    def results(self, query: str) -> list[str]:
        status, answer = self._api.ask("/api/v1/query", [("query", query), ("time", self._now)], post=True)
        if status != 200:
            raise ExecutionError(_error(status, answer))
        data = answer.get("data", {})
        if data.get("resultType") != "vector":
            return []
        return [_result(row) for row in data.get("result", []) if "value" in row]

    def error_of(self, query: str) -> str:
        return _error(*self._api.ask("/api/v1/query", [("query", query), ("time", self._now)], post=True))


def _result(row: Any) -> str:
    """As Grafana shows a series to a variable's regex: `name{a="b"} value milliseconds`."""
    metric = dict(row["metric"])
    name = metric.pop("__name__", "")
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(metric.items()))
    at, value = row["value"]
    return f"{name}{{{labels}}} {value} {round(float(at) * 1000)}"


class LokiServer:
    """LogEvidence over Loki's API. Names are of the last `hours`."""

    def __init__(self, url: str, *, tenant: str = "", hours: float = 24.0) -> None:
        self._api = _Api(url, tenant)
        now_ns = time.time_ns()
        self._range = [("start", str(now_ns - int(hours * 3_600_000_000_000))), ("end", str(now_ns))]

    def labels(self) -> frozenset[str]:
        return frozenset(self._api.texts("/loki/api/v1/labels", self._range))

    def values(self, label: str, selector: str = "") -> list[str]:
        match = [("query", selector)] if selector else []
        return self._api.texts(
            f"/loki/api/v1/label/{urllib.parse.quote(label, safe='')}/values", [*match, *self._range]
        )

    def error_of(self, query: str) -> str:
        pairs = [("query", query), ("limit", "1"), ("step", "3600"), *self._range]
        return _error(*self._api.ask("/loki/api/v1/query_range", pairs))
