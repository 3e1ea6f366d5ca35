"""One target: what discovery found, relabelled, with its URL, interval and timeout.

Special labels: __address__, __scheme__, __metrics_path__, __param_<name>, __scrape_interval__, __scrape_timeout__; labels
that begin with __meta_ are gone after relabelling, all others that begin with __ are kept from the stored series.
Source: Prometheus scrape/target.go, PopulateLabels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from spyglass.config.prometheus import ScrapeConfig
from spyglass.model.labels import Labels, labels_of
from spyglass.model.relabel import RelabelRule, relabel
from spyglass.protocols.targets import DroppedTarget
from spyglass.text.durations import format_prometheus_duration, parse_prometheus_duration


@dataclass(frozen=True, slots=True)
class Target:
    """labels: what its series carry.  discovered: before relabelling, for the targets page.  address: of the connection."""

    labels: Labels
    discovered: Labels
    url: str
    address: str
    interval_ms: int
    timeout_ms: int
    interval: str
    timeout: str

    @property
    def key(self) -> tuple[Labels, str]:
        """Two targets with the same key are one."""
        return (self.labels, self.url)


def discovered_labels(found: Mapping[str, str], job: ScrapeConfig) -> dict[str, str]:
    """What discovery found with the job's defaults below it."""
    labels = {name: value for name, value in found.items() if value}
    defaults = {
        "job": job.job_name,
        "__scrape_interval__": format_prometheus_duration(job.scrape_interval),
        "__scrape_timeout__": format_prometheus_duration(job.scrape_timeout),
        "__metrics_path__": job.metrics_path,
        "__scheme__": job.scheme,
        **{f"__param_{name}": values[0] for name, values in job.params.items() if values},
    }
    return {**{name: value for name, value in defaults.items() if value}, **labels}


def build_target(found: Mapping[str, str], job: ScrapeConfig, rules: tuple[RelabelRule, ...]) -> Target | DroppedTarget:
    """The target that discovered labels make. Raises: ValueError for one that cannot be scraped."""
    before = discovered_labels(found, job)
    labels = relabel(before, rules)
    if labels is None:
        return DroppedTarget(labels_of(before), job.job_name)
    address = labels.get("__address__", "")
    if not address:
        raise ValueError("no address")
    if "/" in address:
        raise ValueError(f'"{address}" is not a valid hostname')
    interval, timeout = labels.get("__scrape_interval__", ""), labels.get("__scrape_timeout__", "")
    interval_ms, timeout_ms = _timing(interval, timeout)
    public = {name: value for name, value in labels.items() if not name.startswith("__")}
    public.setdefault("instance", address)
    return Target(
        labels=labels_of(public),
        discovered=labels_of(before),
        url=_url(labels, address, job),
        address=address,
        interval_ms=interval_ms,
        timeout_ms=timeout_ms,
        interval=interval,
        timeout=timeout,
    )


def _timing(interval: str, timeout: str) -> tuple[int, int]:
    found = []
    for name, text in (("interval", interval), ("timeout", timeout)):
        try:
            ms = parse_prometheus_duration(text)
        except ValueError as err:
            raise ValueError(f"error parsing scrape {name}: {err}") from None
        if ms == 0:
            raise ValueError(f"scrape {name} cannot be 0")
        found.append(ms)
    if found[1] > found[0]:
        raise ValueError(f'scrape timeout cannot be greater than scrape interval ("{timeout}" > "{interval}")')
    return found[0], found[1]


def _url(labels: Mapping[str, str], address: str, job: ScrapeConfig) -> str:
    params = {name: list(values) for name, values in job.params.items()}
    for label, value in labels.items():
        if label.startswith("__param_"):
            name = label.removeprefix("__param_")
            params[name] = [value, *params.get(name, [])[1:]]
    path = labels.get("__metrics_path__", "")
    path = path if path.startswith("/") or not path else "/" + path
    # A query that stands in the path (as people write it) stays a query, as upstream's URL printing escapes it.
    query = urlencode(sorted(params.items()), doseq=True)
    return f"{labels.get('__scheme__', 'http')}://{address}{quote(path, safe='/:@!$&()*+,;=~')}{'?' + query if query else ''}"
