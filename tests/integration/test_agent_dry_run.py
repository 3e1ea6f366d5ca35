"""Promtail's -dry-run, -stdin and -inspect as a process: entries on stdout, nothing sent, nothing remembered."""

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


def promtail(*flags: str, given: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    program = str(Path(sys.executable).with_name("spyglass"))
    return subprocess.run(
        [program, "promtail", *flags], input=given, capture_output=True, text=True, timeout=60, cwd=folder, check=True
    )


def test_standard_input_goes_through_the_first_job(tmp_path: Path) -> None:
    """Its labels and stages; the process ends with the input; empty lines are left out, a last one without an end is not."""
    stages = [
        {"multiline": {"firstline": "^{"}},
        {"regex": {"expression": '"level":"(?P<level>.*?)"'}},
        {"labels": {"level": None}},
    ]
    jobs = [
        {
            "job_name": "a",
            "pipeline_stages": stages,
            "static_configs": [{"labels": {"job": "a", "__path__": "/none"}}, {"labels": {"env": "prod"}}],
        },
        {"job_name": "b", "static_configs": [{"labels": {"job": "b", "__path__": "/none"}}]},
    ]
    config = {"clients": [{"url": "http://127.0.0.1:1/"}], "scrape_configs": jobs}
    (tmp_path / "promtail.yml").write_text(yaml.safe_dump(config))
    given = '{"level":"info"}\r\n\n{"level":"warn"}\nmore'
    done = promtail("-config.file=promtail.yml", "-stdin", "-dry-run", given=given, folder=tmp_path)
    found = [line.split("\t")[1:] or [line] for line in done.stdout.splitlines()]
    assert found == [
        ['{env="prod", job="a", level="info"}', '{"level":"info"}'],
        ['{env="prod", job="a", level="warn"}', '{"level":"warn"}'],
        ["more"],
    ]
    assert "the other 1 are left out" in done.stderr
    assert not (tmp_path / "positions.yaml").exists()


def test_standard_input_needs_no_file(tmp_path: Path) -> None:
    """`cat my.log | promtail -stdin -dry-run`: the labels are job and hostname, and those of the command line."""
    flags = ("-stdin", "-dry-run", "-client.url=http://127.0.0.1:1/", "-client.external-labels=k=v")
    done = promtail(*flags, given="one\ntwo\n", folder=tmp_path)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[2] for line in lines] == ["one", "two"]
    assert all('job="stdin"' in line[1] and "hostname=" in line[1] and 'k="v"' in line[1] for line in lines)


def test_what_stages_change_is_shown(tmp_path: Path) -> None:
    """One report per entry and stage on standard error: what is new, changed, gone, or nothing."""
    stages = [
        {"logfmt": {"mapping": {"level": None}}},
        {"labels": {"level": None}},
        {"labeldrop": ["gone"]},
        {"template": {"source": "level", "template": "{{ .Value | ToUpper }}"}},
        {"drop": {"expression": "secret"}},
    ]
    job = {"job_name": "a", "pipeline_stages": stages, "static_configs": [{"labels": {"gone": "x"}}]}
    config = {"clients": [{"url": "http://127.0.0.1:1/"}], "scrape_configs": [job]}
    (tmp_path / "promtail.yml").write_text(yaml.safe_dump(config))
    done = promtail(
        "-config.file=promtail.yml", "-stdin", "-dry-run", "-inspect", given="level=info\n", folder=tmp_path
    )
    assert done.stderr[done.stderr.index("[inspect") :].rstrip() == (
        '[inspect: logfmt stage]: \n{stages.Entry}.Extracted["level"]:\n\t+: info\n'
        '[inspect: labels stage]: \n{stages.Entry}.Entry.Labels["level"]:\n\t+: info\n'
        '[inspect: labeldrop stage]: \n{stages.Entry}.Entry.Labels["gone"]:\n\t-: x\n'
        '[inspect: template stage]: \n{stages.Entry}.Extracted["level"]:\n\t-: info\n\t+: INFO\n'
        "[inspect: drop stage]: none"
    )
    secret = promtail("-config.file=promtail.yml", "-stdin", "-dry-run", "-inspect", given="secret\n", folder=tmp_path)
    assert "[inspect: drop stage]: \ndropped or held back" in secret.stderr
    assert secret.stdout == ""
