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


def test_downsampling_that_comes_to_nothing_is_found(tmp_path: Path) -> None:
    """Samples that are gone before they are downsampled; buckets that go before what they are made of; late samples."""
    (tmp_path / "spyglass.yml").write_text(
        "metrics:\n  retention: 2d\n  out_of_order_window: 3d\n  downsampling:\n"
        "  - {resolution: 5m, after: 40h, keep: 30d}\n  - {resolution: 1h, after: 10d, keep: 20d}\n"
    )
    found = [f for f in examine(load_installation(tmp_path)) if f.file.endswith("spyglass.yml")]
    assert [(f.line, f.key, f.severity) for f in found] == [
        (5, "metrics.downsampling[0].after", Severity.WARNING),
        (5, "metrics.downsampling[0].after", Severity.WARNING),
        (6, "metrics.downsampling[1].keep", Severity.WARNING),
    ]
    assert "samples are kept 2d, and are in buckets of 5m at the age of 2d16h at the latest" in found[0].message
    assert found[0].remedy == "set metrics.retention to 2d16h or more"
    assert "out_of_order_window" in found[1].message
    assert "buckets of 1h are kept 20d, buckets of 5m 30d" in found[2].message


def test_downsampling_that_fits_together_is_no_finding(tmp_path: Path) -> None:
    """The example of the reference."""
    text = (Path(__file__).parents[3] / "docs/reference/spyglass-yml.md").read_text()
    (tmp_path / "spyglass.yml").write_text(text.partition("```yaml\n")[2].partition("```")[0])
    installation = load_installation(tmp_path)
    assert len(installation.config.metrics.downsampling) == 2
    assert [f for f in examine(installation) if f.file.endswith("spyglass.yml")] == []
