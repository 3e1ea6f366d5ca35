"""The Compose files: valid, pinned, and on the files that Spyglass itself reads."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conformance_data import ROOT

COMPOSE = ROOT / "deploy/compose"
FILES = ["docker-compose.yml", "docker-compose.upstream.yml"]


def load(name: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text())
    return data


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_valid_by_the_compose_specification(name: str) -> None:
    """Checked against the specification's own schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE / name)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("name", FILES)
def test_bound_files_exist_and_ports_are_on_loopback(name: str) -> None:
    """Every bind mount of the repository points at something; no port is open to the world."""
    for service in load(name)["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).resolve().exists(), source
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_both_stacks_run_on_the_same_configuration_files() -> None:
    """What the upstream images mount, Spyglass mounts too."""

    def sources(name: str) -> set[Path]:
        volumes = [v for s in load(name)["services"].values() for v in s.get("volumes", ())]
        return {(COMPOSE / v.split(":")[0]).resolve() for v in volumes if v.startswith("../")}

    ours = sources("docker-compose.yml")
    for path in sources("docker-compose.upstream.yml"):
        assert any(path == mine or mine in path.parents for mine in ours), path


def test_upstream_images_are_pinned_as_in_the_decision_record() -> None:
    """The versions of the record, no `latest`."""
    images = {s["image"] for s in load("docker-compose.upstream.yml")["services"].values() if "image" in s}
    assert images == {
        "prom/prometheus:v2.45.0",
        "grafana/loki:2.9.0",
        "grafana/promtail:2.9.0",
        "grafana/grafana:10.0.3",
    }
