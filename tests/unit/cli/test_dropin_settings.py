"""What flags of loki and promtail make of a configuration file."""

from pathlib import Path

import pytest

from spyglass.cli.dropin import loki, promtail
from spyglass.cli.dropin.loki_flags import LOKI, PROMTAIL
from spyglass.model.errors import ConfigError

CLIENT = "clients: [{url: http://localhost:3100/loki/api/v1/push}]\nserver: {log_level: debug}\n"


def write(folder: Path, text: str) -> str:
    path = folder / "file.yml"
    path.write_text(text)
    return f"-config.file={path}"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], None), (["-auth.enabled"], True), (["-auth.enabled=false"], False)],
)
def test_auth_enabled_wins_over_the_file(tmp_path: Path, flags: list[str], expected: bool | None) -> None:
    """Without the flag the file decides."""
    settings = loki.settings_of(LOKI.parse([write(tmp_path, "auth_enabled: true\n"), *flags]))
    assert settings.logs is not None
    assert settings.logs.auth_enabled is expected


def test_the_log_level_is_the_flags_else_the_files(tmp_path: Path) -> None:
    """Both programs; a level that is none is refused in upstream's words."""
    file = write(tmp_path, "server: {log_level: warn}\n")
    assert loki.settings_of(LOKI.parse([file])).log_level == "warn"
    assert loki.settings_of(LOKI.parse([file, "-log.level", "error"])).log_level == "error"
    with pytest.raises(ConfigError, match='unrecognized log level "loud"'):
        loki.settings_of(LOKI.parse([file, "-log.level=loud"]))
    assert promtail.settings_of(PROMTAIL.parse([write(tmp_path, CLIENT)])).log_level == "debug"


def test_targets_are_those_of_loki() -> None:
    """One process does what all of them do; a name that is none is refused in upstream's words."""
    assert loki.settings_of(LOKI.parse(["-target=read,write"])).logs is not None
    with pytest.raises(ConfigError, match="unrecognised module name: reed"):
        loki.settings_of(LOKI.parse(["-target=reed"]))


def test_a_client_of_the_command_line_may_have_a_tenant(tmp_path: Path) -> None:
    """-client.tenant-id goes with -client.url."""
    flags = [write(tmp_path, CLIENT), "-client.url=http://localhost:1/push", "-client.tenant-id=team-a"]
    parsed = PROMTAIL.parse(flags)
    assert parsed.ignored == ()
    settings = promtail.settings_of(parsed)
    assert settings.agent is not None
    assert (settings.agent.urls, settings.agent.tenant_id) == (("http://localhost:1/push",), "team-a")


def test_a_dry_run_copies_the_positions(tmp_path: Path) -> None:
    """They are read, and written elsewhere; the folder whose lock is held is not the agent's either."""
    positions = tmp_path / "positions.yaml"
    positions.write_text("positions: {}\n")
    settings = promtail.settings_of(
        PROMTAIL.parse([write(tmp_path, CLIENT), f"-positions.file={positions}", "-dry-run"])
    )
    assert settings.agent is not None
    assert settings.agent.dry_run
    assert settings.agent.positions is not None
    assert settings.agent.positions.parent not in (tmp_path, settings.data)
    assert settings.agent.positions.read_text() == "positions: {}\n"
