"""The real Promtail's answers: each case is one file read by one scrape config, pushed over real HTTP."""

import gzip
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conformance_data import CONFORMANCE, needs_conformance
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until

from spyglass.agent.manager import AgentManager
from spyglass.config.promtail import parse_promtail
from spyglass.formats.exposition.encode import series_text
from spyglass.storage.clock import SystemClock

CASES_FILE = CONFORMANCE / "agent" / "cases.jsonl"
CASES = [json.loads(line) for line in CASES_FILE.read_text().splitlines()] if CASES_FILE.exists() else []


def content(case: dict[str, Any]) -> bytes:
    """The file's bytes."""
    lines = case["lines"]
    if "count" in case:
        lines = [lines[0]] * case["count"]
    if "repeat" in case:
        lines = lines * case["repeat"]
    if "long" in case:
        lines = [lines[0][0] * case["long"]]
    eol = case.get("eol", "\n")
    text = eol.join(lines) + case.get("eol_last", eol)
    data = text.encode(case.get("encode", "utf-8"))
    return gzip.compress(data) if case.get("gz") else data


def configuration(case: dict[str, Any], path: Path, folder: Path, url: str) -> str:
    labels = {"case": case["name"], **case.get("labels", {}), "__path__": str(path)}
    scrape = {
        "job_name": "case",
        "static_configs": [{"targets": ["localhost"], "labels": labels}],
        "pipeline_stages": case.get("stages", []),
        "relabel_configs": case.get("relabel", []),
        **case.get("scrape", {}),
    }
    return yaml.safe_dump(
        {
            "positions": {"filename": str(folder / "positions.yaml")},
            "clients": [{"url": url, "batchwait": "50ms"}],
            "global": {"file_watch_config": {"min_poll_frequency": "20ms", "max_poll_frequency": "20ms"}},
            "scrape_configs": [scrape],
        },
        allow_unicode=True,
    )


def shortened(line: str) -> str:
    return line if len(line) <= 1000 else f"{line[:5]}..{len(line)}"


def answer(receiver: LokiReceiver, folder: Path, started_ns: int) -> list[Any]:
    """What arrived, as cases.jsonl writes it."""
    streams = []
    for (tenant, labels), entries in receiver.streams().items():
        shown = {name: value.replace(str(folder), "$DIR") for name, value in labels}
        rows = []
        for entry in entries:
            when = "now" if started_ns <= entry.time_ns <= time.time_ns() + 10**9 else entry.time_ns
            row: list[Any] = [when, shortened(entry.line)]
            rows.append([*row, dict(entry.metadata)] if entry.metadata else row)
        streams.append([shown, tenant or None, rows])
    return sorted(streams, key=lambda stream: json.dumps(stream, sort_keys=True))


def in_order(streams: list[Any]) -> list[Any]:
    return sorted(streams, key=lambda stream: json.dumps(stream, sort_keys=True))


def custom_metrics(manager: AgentManager, prefix: str, folder: Path) -> list[Any]:
    rows = []
    for family in manager.registry.collect():
        for suffix, labels, value in family.samples:
            if family.name.startswith(prefix):
                rows.append([family.name + suffix, series_text("", labels).replace(str(folder), "$DIR"), value])
    return sorted(rows)


@needs_conformance
@pytest.mark.parametrize("given", CASES, ids=[case["case"]["name"] for case in CASES])
async def test_the_agent_sends_what_promtail_sent(given: dict[str, Any], tmp_path: Path) -> None:
    """Same streams, tenants, times, lines and metadata; custom metrics too."""
    case, want = given["case"], given["want"]
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / (case["name"] + (".log.gz" if case.get("gz") else ".log"))
    path.write_bytes(content(case))
    started_ns = time.time_ns()
    expected = sum(len(stream[2]) for stream in want.get("streams", []))
    async with LokiReceiver() as receiver:
        text = configuration(case, path, tmp_path, receiver.url)
        manager = AgentManager(parse_promtail(text, file="promtail.yml", folder=tmp_path), clock=SystemClock())
        await manager.start()
        try:
            await until(lambda: everything_read(manager, path), what=f"reading {path}")
            if expected:
                await until(lambda: sum(len(e) for e in receiver.streams().values()) >= expected, what="lines")
        finally:
            await manager.stop()
        view = case.get("view", "")
        if view.startswith("between:"):
            _, low, high = view.split(":")
            assert int(low) <= sum(len(e) for e in receiver.streams().values()) <= int(high)
        else:
            assert answer(receiver, tmp_path, started_ns) == in_order(want["streams"])
    if "metrics" in case:
        assert custom_metrics(manager, case["metrics"], tmp_path) == sorted(want["metrics"])


def everything_read(manager: AgentManager, path: Path) -> bool:
    files = [file for job in manager.jobs for file in job.files.values()]
    return bool(files) and all(file.read_to for file in files) and path.exists()
