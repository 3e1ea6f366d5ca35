"""`spyglass check config` on our own file."""

from pathlib import Path

from typer.testing import CliRunner

from spyglass.cli.commands.check import app


def test_spyglass_yml_is_told_by_its_keys_and_its_flaws_are_warnings(tmp_path: Path) -> None:
    """It would load: exit code 0. That samples go before they are downsampled is said."""
    file = tmp_path / "spyglass.yml"
    file.write_text("metrics:\n  retention: 1d\n  downsampling:\n  - {resolution: 5m, after: 40h}\n")
    result = CliRunner().invoke(app, ["config", str(file)])
    assert result.exit_code == 0
    assert "spyglass.yml:4: metrics.downsampling[0].after: samples are kept 1d" in result.output.replace("\n", "")


def test_a_spyglass_yml_that_would_not_load_fails(tmp_path: Path) -> None:
    """Exit code 1, and where."""
    file = tmp_path / "spyglass.yml"
    file.write_text("metrics:\n  downsampling:\n  - {resolution: 3m, after: 40h}\n")
    result = CliRunner().invoke(app, ["config", str(file)])
    assert result.exit_code == 1
    assert "should be 5m or 1h" in result.output
