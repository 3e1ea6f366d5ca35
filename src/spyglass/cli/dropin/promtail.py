"""spyglass promtail: the agent on promtail's own flags, exit codes and signals.

Exit codes as upstream: 0 after SIGTERM, 1 for a configuration that does not load or a failed start, 2 for a bad command line.
"""

import atexit
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from spyglass.app.settings import Address, AgentSettings, Settings
from spyglass.cli.dropin.goflags import Flags
from spyglass.cli.dropin.goprogram import GoProgram, log_level_of, port_of
from spyglass.cli.dropin.loki_flags import PROMTAIL
from spyglass.model.errors import ConfigError

USAGE = """Usage of promtail (spyglass):
  -config.file file        Configuration file.
  -config.expand-env       Expand ${VAR} and ${VAR:-default} in the file.
  -server.http-listen-port port
  -server.http-listen-address address
  -server.disable          No HTTP page.
  -client.url url          Also push there.
  -client.tenant-id id     The tenant of what goes to -client.url.
  -client.external-labels a=b,c=d
  -positions.file file
  -dry-run                 Print what would be sent; positions stay as they are.
  -stdin                   Read standard input instead, through the first scrape config; end with it. Needs no file.
  -inspect                 Print what each stage changes, on standard error.
  -log.level level         debug, info, warn or error.
  -check-syntax            Check the configuration and exit.
All other flags of promtail are accepted and named once."""


def settings_of(flags: Flags) -> Settings:
    """Raises: ConfigError."""
    from spyglass.config.promtail import PromtailConfig, load_promtail

    name, stdin = flags.text("config.file"), flags.on("stdin")
    if not name and not stdin:
        raise ConfigError("no -config.file was given")
    path, expand = Path(name).absolute() if name else None, flags.on("config.expand-env")
    config = load_promtail(path, expand_env=expand).config if path else PromtailConfig()
    host = flags.text("server.http-listen-address", config.server.http_listen_address) or "0.0.0.0"
    # As upstream: who reads standard input serves nothing.
    address = (
        None if flags.on("server.disable") or stdin else Address(host, port_of(flags, config.server.http_listen_port))
    )
    positions = Path(flags.text("positions.file") or config.positions.filename).absolute()
    if flags.on("dry-run") or stdin:
        # Standard input has no position; another agent may own those of files.
        positions = _copied(positions)
    agent = AgentSettings(
        address,
        path,
        expand_env=expand,
        positions=positions,
        urls=tuple(flags.all("client.url")),
        tenant_id=flags.text("client.tenant-id"),
        dry_run=flags.on("dry-run"),
        inspect=flags.on("inspect"),
        stdin=stdin,
        external_labels=_labels(flags.text("client.external-labels")),
    )
    # The lock is beside the positions: two agents must not share them.
    level = log_level_of(flags, config.server.log_level)
    return Settings(data=positions.parent / f".{positions.name}.spyglass", agent=agent, log_level=level)


def _copied(positions: Path) -> Path:
    """The positions in a folder of their own, gone when the process ends: a rehearsal reads them and moves none."""
    folder = Path(tempfile.mkdtemp(prefix="promtail-dry-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with suppress(OSError):
        shutil.copy(positions, folder)
    return folder / positions.name


def _labels(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name.strip(): value.strip() for name, _, value in pairs}


run = GoProgram(
    table=PROMTAIL,
    usage=USAGE,
    version="3.5.0",
    check_flag="check-syntax",
    valid="Valid config file! No syntax issues found",
    failed="Unable to parse config",
    settings_of=settings_of,
).run
