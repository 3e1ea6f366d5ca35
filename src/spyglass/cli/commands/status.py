"""spyglass status: each part, its port, its health."""

from pathlib import Path
from typing import Any

import typer

from spyglass.app.running import STATE_FILE, read_state
from spyglass.cli.client import fetch
from spyglass.cli.console import out, print_json, print_table
from spyglass.cli.places import data_of
from spyglass.cli.plain import fail

READY = {"metrics": "/-/ready", "logs": "/ready", "agent": "/ready", "ui": "/api/health"}


def command(
    folder: Path = typer.Argument(Path("config"), help="The folder that it was started with."),
    data: Path | None = typer.Option(None, help="Where its data lives, if it was started with --data."),
    json: bool = typer.Option(False, "--json", help="Print as JSON."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Print nothing; the exit code says it."),
) -> None:
    """Show each part: its port and health; targets up and down; series, lines, disk, memory.

    Examples:  spyglass status    spyglass status --json | jq .parts

    Exit code 0 when all parts are healthy, 1 when one is not or none runs.
    """
    place = _place(folder, data)
    state = read_state(place)
    if state is None:
        if quiet:
            raise typer.Exit(1)
        fail(f"no Spyglass runs on {place}", hint="start it with `spyglass up`")
    report = collect(state, place)
    healthy = all(part["health"] == "ok" for part in report["parts"])
    if json:
        print_json(report)
    elif not quiet:
        _show(report)
    raise typer.Exit(0 if healthy else 1)


def _place(folder: Path, data: Path | None) -> Path:
    """Inside the container there is /data."""
    if data is None and not folder.exists() and (Path("/data") / STATE_FILE).exists():
        return Path("/data")
    return data_of(folder, data)


def collect(state: dict[str, object], place: Path) -> dict[str, Any]:
    """Ask every door. Sizes in bytes."""
    addresses = state.get("addresses")
    named: dict[str, str] = addresses if isinstance(addresses, dict) else {}
    parts = [{"part": name, "address": at, "health": _health(at, READY[name])} for name, at in named.items()]
    report: dict[str, Any] = {"pid": state.get("pid"), "data": str(place), "parts": parts}
    if "metrics" in named:
        report["targets"] = _targets(named["metrics"])
    door = named.get("metrics") or named.get("logs") or named.get("ui")
    report["numbers"] = _numbers(door) if door else {}
    report["disk_bytes"] = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    return report


def _health(address: str, path: str) -> str:
    try:
        answer = fetch(f"http://{_reachable(address)}{path}", timeout=3)
    except OSError as err:
        return f"no answer: {getattr(err, 'reason', err)}"
    return "ok" if answer.status == 200 else f"{answer.status}: {answer.text().strip()[:80]}"


def _targets(address: str) -> list[dict[str, str]]:
    try:
        data = fetch(f"http://{_reachable(address)}/api/v1/targets", timeout=3).json()["data"]
    except (OSError, ValueError, KeyError):
        return []
    return [
        {"job": t["labels"].get("job", ""), "url": t["scrapeUrl"], "health": t["health"], "error": t["lastError"]}
        for t in data["activeTargets"]
    ]


def _numbers(address: str) -> dict[str, float]:
    """Our own metrics without labels."""
    try:
        text = fetch(f"http://{_reachable(address)}/metrics", timeout=3).text()
    except OSError:
        return {}
    pairs = (
        line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#") and "{" not in line
    )
    return {name: float(value) for name, _, value in pairs}


def _reachable(address: str) -> str:
    return address.replace("0.0.0.0", "127.0.0.1")


NUMBERS = {
    "process_resident_memory_bytes": ("memory", "MB"),
    "process_cpu_seconds_total": ("CPU time", "s"),
    "spyglass_metric_series_active": ("series", ""),
    "spyglass_log_lines_received": ("log lines since the start", ""),
}


def _show(report: dict[str, Any]) -> None:
    rows = [[part["part"], f"http://{part['address']}", part["health"]] for part in report["parts"]]
    print_table("", ["part", "address", "health"], rows)
    targets = report.get("targets", [])
    if targets:
        rows = [[t["job"], t["url"], t["health"], t["error"]] for t in targets]
        print_table("", ["job", "target", "health", "error"], rows)
    for name, (title, unit) in NUMBERS.items():
        value = report["numbers"].get(name)
        if value is not None:
            shown = f"{value / 1e6:.0f} MB" if unit == "MB" else f"{value:.1f} s" if unit == "s" else f"{value:.0f}"
            out.print(f"{title}: {shown}")
    out.print(f"disk: {report['disk_bytes'] / 1e6:.1f} MB in {report['data']}", markup=False)
    out.print(f"pid: {report['pid']}")
