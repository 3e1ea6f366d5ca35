"""Promtail's -dry-run as a process: entries on stdout, nothing sent, nothing remembered."""

import subprocess
import sys
from pathlib import Path

import yaml


def test_entries_are_printed_and_nothing_moves(tmp_path: Path) -> None:
    """Time, labels and line with tabs between, after the stages; the server need not be there."""
    (tmp_path / "a.log").write_text("level=info one\nlevel=warn two\n")
    positions = tmp_path / "positions.yaml"
    stages = [{"logfmt": {"mapping": {"level": None}}}, {"labels": {"level": None}}]
    config = {
        "server": {"disable": True},
        "clients": [{"url": "http://127.0.0.1:1/loki/api/v1/push"}],
        "positions": {"filename": str(positions)},
        "scrape_configs": [
            {
                "job_name": "a",
                "pipeline_stages": stages,
                "static_configs": [
                    {"targets": ["localhost"], "labels": {"job": "a", "__path__": str(tmp_path / "*.log")}}
                ],
            }
        ],
    }
    (tmp_path / "promtail.yml").write_text(yaml.safe_dump(config))
    program = str(Path(sys.executable).with_name("spyglass"))
    command = [program, "promtail", f"-config.file={tmp_path / 'promtail.yml'}", "-dry-run", "-server.disable"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        # Entries of one batch are grouped by stream.
        found = sorted(line.rstrip("\n").split("\t")[1:] for line in (agent.stdout.readline(), agent.stdout.readline()))
        agent.terminate()
        assert agent.wait(20) == 0
    name = tmp_path / "a.log"
    assert found == [
        [f'{{filename="{name}", job="a", level="info"}}', "level=info one"],
        [f'{{filename="{name}", job="a", level="warn"}}', "level=warn two"],
    ]
    assert not positions.exists()
