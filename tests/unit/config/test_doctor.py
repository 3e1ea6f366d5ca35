"""The doctor names the decision record's own flaws, with file and line."""

from pathlib import Path

from tests.conformance_data import ROOT

from spyglass.config.doctor.examine import examine
from spyglass.config.doctor.finding import Severity
from spyglass.config.spyglass import load_installation


def test_the_decision_records_flaws_are_found() -> None:
    """The retention that is none, removed keys, the upper-case filter, the overruled folder: each at its line."""
    findings = examine(load_installation(ROOT / "config"))
    places = {(Path(f.file).name, f.key.rpartition(".")[2]): f for f in findings}
    retention = places["loki-config.yml", "reject_old_samples_max_age"]
    lines = (ROOT / "config/loki/loki-config.yml").read_text().splitlines()
    assert "reject_old_samples_max_age" in lines[retention.line - 1]
    assert "no retention" in retention.message
    assert ("loki-config.yml", "shared_store") in places
    assert ("dashboards.yml", "folder") in places
    assert any("upper case" in f.message for f in findings)
    assert not any(f.severity is Severity.ERROR for f in findings)


def test_a_file_that_does_not_load_is_a_finding_and_the_others_are_examined(tmp_path: Path) -> None:
    """One broken file does not silence the rest; admin/admin in a Compose file is named."""
    (tmp_path / "prometheus.yml").write_text("scrape_configs:\n- job_nam: x\n")
    (tmp_path / "docker-compose.yml").write_text(
        "services:\n  grafana:\n    environment:\n      - GF_SECURITY_ADMIN_PASSWORD=admin\n"
    )
    findings = examine(load_installation(tmp_path))
    assert [f.severity for f in findings if f.file.endswith("prometheus.yml")] == [Severity.ERROR]
    admin = next(f for f in findings if f.key == "GF_SECURITY_ADMIN_PASSWORD")
    assert (admin.line, admin.severity) == (4, Severity.WARNING)
