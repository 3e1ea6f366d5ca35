"""Container logs through Docker's HTTP API over its unix socket (or TCP): discovery, and one follower per container.

Labels: those of Prometheus' docker_sd (`__meta_docker_container_*`, `_network_*`, `_port_*`), and for each line
`__meta_docker_container_log_stream`. Relabelling runs once to decide about a container and once per stream for its lines.
The position of a container is the time of its last line; a line carries Docker's own time, so reading it again is harmless.
Source: Docker Engine API, ContainerList and ContainerLogs; Prometheus configuration, <docker_sd_config>.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from spyglass.agent.buffer import Chunk
from spyglass.agent.entry import Entry
from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.positions import Position, Positions, cursor_key
from spyglass.agent.stages.base import StageContext
from spyglass.agent.targets.discovery import public
from spyglass.config.promtail import DockerDiscovery, ScrapeConfig, StageSpec
from spyglass.model.relabel import relabel
from spyglass.protocols.clock import Clock
from spyglass.text.golayout import parse_time

log = logging.getLogger(__name__)

LINE_BYTES = 1 << 20
"""A line without an end is cut here: Docker hands out long lines in pieces of 16 KiB."""

STREAM_LABEL = "__meta_docker_container_log_stream"

Put = Callable[[Chunk], Awaitable[None]]
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr"}
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(slots=True)
class Container:
    """A container that is followed, or why it is not."""

    identifier: str
    discovered: dict[str, str]
    labels: dict[str, str]
    dropped: str = ""
    problem: str = ""
    task: asyncio.Task[None] | None = None
    lines: int = 0


@dataclass(slots=True)
class _Line:
    """A line that is being put together: pieces of one stream until a newline."""

    stream: str
    time_ns: int = 0
    parts: list[str] = field(default_factory=list)
    size: int = 0


class DockerJob:
    """One docker_sd_configs entry of one scrape config."""

    def __init__(
        self,
        job: ScrapeConfig,
        config: DockerDiscovery,
        specs: tuple[StageSpec, ...],
        context: StageContext,
        *,
        folder: Path,
        map_path: Callable[[str], str],
        positions: Positions,
        clock: Clock,
        metrics: AgentMetrics,
    ) -> None:
        self.job, self.config, self.context = job, config, context
        self.problem = ""
        self.containers: dict[str, Container] = {}
        self._specs, self._positions, self._metrics = specs, positions, metrics
        self.clock = clock
        self._folder = folder
        self._rules = job.relabel_rules
        socket = config.host.removeprefix("unix://") if config.host.startswith("unix://") else ""
        self._socket = map_path(socket) if socket else ""
        self._base = "http://docker" if socket else config.host.replace("tcp://", "http://", 1).rstrip("/")
        self._pipelines: list[tuple[str, Pipeline, int]] = []

    async def run(self, put: Put) -> None:
        """Look for containers every refresh_interval and follow each; until cancelled."""
        try:
            async with self._session() as session:
                while True:
                    await self._refresh(session, put)
                    await self.clock.sleep(self.config.refresh_interval / 1e9)
        finally:
            tasks = [c.task for c in self.containers.values() if c.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.UnixConnector(path=self._socket) if self._socket else aiohttp.TCPConnector()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        headers = self.config.request_headers(self._folder)
        return aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers)

    # --- discovery

    async def _refresh(self, session: aiohttp.ClientSession, put: Put) -> None:
        try:
            listed = await self._list(session)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
            problem = f"cannot list the containers of {self.config.host}: {_reason(err)}"
            if problem != self.problem:
                log.warning("%s; looking again every %g s", problem, self.config.refresh_interval / 1e9)
                self._metrics.targets_failed.inc("docker")
            self.problem = problem
            return
        if self.problem:
            log.info("containers of %s can be listed again", self.config.host)
        self.problem = ""
        for gone in set(self.containers) - set(listed):
            container = self.containers.pop(gone)
            if container.task is not None:
                container.task.cancel()
        for identifier, container in listed.items():
            known = self.containers.get(identifier)
            if known is not None and known.discovered == container.discovered:
                if known.task is None or not known.task.done():
                    continue
            elif known is not None and known.task is not None:
                known.task.cancel()
            self.containers[identifier] = container
            if not container.dropped:
                follower = Follower(container, self, session, put)
                container.task = asyncio.get_running_loop().create_task(follower.run())

    async def _list(self, session: aiohttp.ClientSession) -> dict[str, Container]:
        """The containers by id, the first target of each that relabelling keeps."""

        params = {"limit": "0"}
        if self.config.filters:
            params["filters"] = json.dumps({item.name: list(item.values) for item in self.config.filters})
        networks = await self._get(session, "/networks", {})
        containers = await self._get(session, "/containers/json", params)
        by_id = {network.get("Id", ""): network for network in networks if isinstance(network, dict)}
        found: dict[str, Container] = {}
        for container in containers:
            for labels in targets_of_container(container, by_id, self.config):
                target = self._decide(str(container["Id"]), labels)
                known = found.get(target.identifier)
                if known is None or (known.dropped and not target.dropped):
                    found[target.identifier] = target
        return found

    async def _get(self, session: aiohttp.ClientSession, path: str, params: dict[str, str]) -> Any:
        timeout = aiohttp.ClientTimeout(total=30)
        async with session.get(self._base + path, params=params, timeout=timeout) as answer:
            if answer.status != 200:
                raise ValueError(f"{path} answered {answer.status}: {(await answer.text())[:200]}")
            return await answer.json(content_type=None)

    def _decide(self, identifier: str, discovered: dict[str, str]) -> Container:
        after = relabel(discovered, self._rules)
        if after is None:
            return Container(identifier, discovered, {}, dropped="dropped by relabel_configs")
        return Container(identifier, discovered, dict(public(after)))

    # --- what followers need

    def labels_of(self, container: Container, stream: str) -> dict[str, str] | None:
        """The labels of one stream's lines; None where relabelling drops them."""
        after = relabel({**container.discovered, STREAM_LABEL: stream}, self._rules)
        return None if after is None else dict(public(after))

    def pipeline(self) -> Pipeline:
        return Pipeline(self._specs, self.context)

    def position(self, identifier: str) -> int:
        known = self._positions.get(cursor_key(identifier))
        return known.offset if known else 0

    async def is_terminal(self, session: aiohttp.ClientSession, identifier: str) -> bool:
        """Containers with a terminal have one stream, without frames."""
        data = await self._get(session, f"/containers/{identifier}/json", {})
        return bool(data.get("Config", {}).get("Tty"))

    def log_request(self, session: aiohttp.ClientSession, identifier: str, since_ns: int) -> Any:
        since = f"{since_ns // 10**9}.{since_ns % 10**9:09d}" if since_ns else "0"
        params = {"follow": "1", "stdout": "1", "stderr": "1", "timestamps": "1", "since": since}
        return session.get(f"{self._base}/containers/{identifier}/logs", params=params)


class Follower:
    """Follows one container's log until it ends; the job starts it anew while the container is there."""

    def __init__(self, container: Container, job: DockerJob, session: aiohttp.ClientSession, put: Put) -> None:
        self._container, self._job, self._session, self._put = container, job, session, put
        self._key = cursor_key(container.identifier)
        self._pipeline = job.pipeline()
        self._labels = {stream: job.labels_of(container, stream) for stream in ("stdout", "stderr")}
        self._resume_ns = self._read_to = job.position(container.identifier)
        self._open: dict[str, _Line] = {}

    async def run(self) -> None:
        try:
            terminal = await self._job.is_terminal(self._session, self._container.identifier)
            async with self._job.log_request(self._session, self._container.identifier, self._read_to) as answer:
                if answer.status != 200:
                    raise ValueError(f"its log answered {answer.status}: {(await answer.text())[:200]}")
                pieces = _plain(answer.content) if terminal else _frames(answer.content)
                await self._follow(pieces)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
            self._container.problem = _reason(err)
            log.warning("container %s: %s", self._container.identifier[:12], self._container.problem)
        await self._flush(None)

    async def _follow(self, pieces: AsyncIterator[list[tuple[str, bytes]]]) -> None:
        ticker = asyncio.get_running_loop().create_task(self._tick())
        try:
            async for batch in pieces:
                entries = [entry for stream, raw in batch if (entry := self._entry(stream, raw)) is not None]
                if entries:
                    await self._ship(self._pipeline.run(entries))
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    async def _tick(self) -> None:
        """Lines that a stage holds (multiline) leave in time even where the container is silent."""
        while True:
            await self._job.clock.sleep(1.0)
            await self._flush(self._job.context.monotonic_ns())

    async def _flush(self, now_ns: int | None) -> None:
        held = self._pipeline.flush(now_ns)
        if held:
            await self._ship(held)

    async def _ship(self, entries: list[Entry]) -> None:
        held = self._pipeline.held_start()
        unfinished = (line.time_ns - 1 for line in self._open.values())
        safe = min(self._read_to, *unfinished, self._read_to if held is None else held)
        self._container.lines += len(entries)
        context = self._job.context
        await self._put(Chunk.of(self._key, entries, Position(safe), context.monotonic_ns(), lines=len(entries)))
        if context.delay_s:
            pause_s, context.delay_s = context.delay_s, 0.0
            await self._job.clock.sleep(pause_s)

    def _entry(self, stream: str, raw: bytes) -> Entry | None:
        """A whole line, or None where the piece ends none (or was read before, or is dropped by relabelling)."""
        line = self._open.setdefault(stream, _Line(stream))
        stamp, _, text = raw.decode("utf-8", "replace").partition(" ")
        try:
            time_ns = parse_time("RFC3339Nano", stamp).unix_ns
        except ValueError:
            # A piece behind LINE_BYTES, or a daemon that adds no times.
            time_ns, text = self._job.context.now_ns(), raw.decode("utf-8", "replace")
        line.time_ns = line.time_ns or time_ns
        line.parts.append(text)
        line.size += len(text)
        if not text.endswith("\n") and line.size < LINE_BYTES:
            return None
        del self._open[stream]
        labels = self._labels[stream]
        if line.time_ns <= self._resume_ns or labels is None:
            return None
        start, self._read_to = self._read_to, max(self._read_to, time_ns)
        text = "".join(line.parts).removesuffix("\n").removesuffix("\r")
        return Entry(dict(labels), text, line.time_ns, start, dict(labels))


def _reason(err: Exception) -> str:
    """aiohttp wraps what the system said in a sentence about addresses and TLS."""
    if isinstance(err, aiohttp.ClientConnectorError):
        return err.os_error.strerror or str(err.os_error)
    return str(err) or type(err).__name__


async def _frames(content: aiohttp.StreamReader) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Batches of (stream, piece). A frame is `stream 0 0 0 size(4, big endian)` and that many bytes."""
    data = b""
    async for received in content.iter_any():
        data += received
        batch, at = [], 0
        while at + 8 <= len(data):
            end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
            if end > len(data):
                break
            batch.append((_STREAMS.get(data[at], "stdout"), data[at + 8 : end]))
            at = end
        data = data[at:]
        if batch:
            yield batch


async def _plain(content: aiohttp.StreamReader) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Batches of lines of a terminal."""
    data = b""
    async for received in content.iter_any():
        data += received
        *lines, data = data.split(b"\n")
        if lines:
            yield [("stdout", line + b"\n") for line in lines]


def targets_of_container(
    container: Mapping[str, Any], networks: Mapping[str, Mapping[str, Any]], config: DockerDiscovery
) -> list[dict[str, str]]:
    """Discovery labels of one container: a target per network and exposed TCP port, one per network without any.

    With match_first_network only the first network (by name) counts.
    """
    common = {
        "__meta_docker_container_id": str(container.get("Id", "")),
        "__meta_docker_container_name": str((container.get("Names") or [""])[0]),
        "__meta_docker_container_network_mode": str((container.get("HostConfig") or {}).get("NetworkMode", "")),
        "__meta_docker_container_image": str(container.get("Image", "")),
    }
    for name, value in (container.get("Labels") or {}).items():
        common[f"__meta_docker_container_label_{_NOT_LABEL.sub('_', name)}"] = str(value)
    attached = sorted(((container.get("NetworkSettings") or {}).get("Networks") or {}).items())
    if config.match_first_network:
        attached = attached[:1]
    found = [labels for name, network in attached for labels in _on_network(container, name, network, networks, config)]
    return [{**common, **labels} for labels in found or [{"__address__": config.host_networking_host}]]


def _on_network(
    container: Mapping[str, Any],
    name: str,
    network: Mapping[str, Any],
    networks: Mapping[str, Mapping[str, Any]],
    config: DockerDiscovery,
) -> list[dict[str, str]]:
    details = networks.get(str(network.get("NetworkID", "")), {})
    labels = {
        "__meta_docker_network_id": str(network.get("NetworkID", "")),
        "__meta_docker_network_name": str(details.get("Name", name)),
        "__meta_docker_network_scope": str(details.get("Scope", "")),
        "__meta_docker_network_internal": str(bool(details.get("Internal", False))).lower(),
        "__meta_docker_network_ingress": str(bool(details.get("Ingress", False))).lower(),
        "__meta_docker_network_ip": str(network.get("IPAddress", "")),
    }
    for key, value in (details.get("Labels") or {}).items():
        labels[f"__meta_docker_network_label_{_NOT_LABEL.sub('_', key)}"] = str(value)
    address = labels["__meta_docker_network_ip"]
    ports = [port for port in container.get("Ports") or () if port.get("Type") == "tcp"]
    if not ports:
        host = config.host_networking_host if labels["__meta_docker_network_name"] == "host" else address
        return [{**labels, "__address__": f"{host}:{config.port}" if address else host}]
    return [{**labels, **_of_port(port), "__address__": f"{address}:{port['PrivatePort']}"} for port in ports]


def _of_port(port: Mapping[str, Any]) -> dict[str, str]:
    labels = {"__meta_docker_port_private": str(port["PrivatePort"])}
    if port.get("PublicPort"):
        labels["__meta_docker_port_public"] = str(port["PublicPort"])
        labels["__meta_docker_port_public_ip"] = str(port.get("IP", ""))
    return labels
