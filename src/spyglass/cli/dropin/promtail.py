"""spyglass promtail: the agent on promtail's own flags, exit codes and signals.

Exit codes as upstream: 0 after SIGTERM, 1 for a configuration that does not load or a failed start, 2 for a bad command line.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from spyglass import __version__
from spyglass.app.settings import Address, AgentSettings, Settings
from spyglass.cli.commands.up import serve
from spyglass.cli.console import err
from spyglass.cli.dropin.goflags import FlagError, Flags
from spyglass.cli.dropin.loki_flags import PROMTAIL
from spyglass.config.promtail import load_promtail
from spyglass.model.errors import ConfigError

USAGE = """Usage of promtail (spyglass):
  -config.file file        Configuration file.
  -config.expand-env       Expand ${VAR} and ${VAR:-default} in the file.
  -server.http-listen-port port
  -server.http-listen-address address
  -server.disable          No HTTP page.
  -client.url url          Also push there.
  -client.external-labels a=b,c=d
  -positions.file file
  -check-syntax            Check the configuration and exit.
All other flags of promtail are accepted and named once."""


def run(arguments: Sequence[str]) -> int:
    """Entry point. Returns the exit code."""
    try:
        flags = PROMTAIL.parse(arguments)
    except FlagError as error:
        print(f"{error}\n{USAGE}", file=sys.stderr)
        return 2
    if flags.on("help"):
        print(USAGE)
        return 0
    if flags.on("version"):
        print(f"promtail, version 3.5.0 (spyglass {__version__})")
        return 0
    try:
        settings = settings_of(flags)
    except ConfigError as error:
        print(f"Unable to parse config: {error}", file=sys.stderr)
        return 1
    if flags.on("check-syntax"):
        print("Valid config file! No syntax issues found")
        return 0
    if flags.ignored:
        err.print(
            f"flags without a meaning here: {', '.join('-' + name for name in flags.ignored)}",
            style="dim",
            markup=False,
        )
    serve(settings, quiet=True, config_exit=1)
    return 0


def settings_of(flags: Flags) -> Settings:
    """Raises: ConfigError."""
    name = flags.text("config.file")
    if not name:
        raise ConfigError("no -config.file was given")
    path, expand = Path(name).absolute(), flags.on("config.expand-env")
    config = load_promtail(path, expand_env=expand).config
    given = flags.text("server.http-listen-port")
    if given and not given.isdigit():
        raise ConfigError(f"-server.http-listen-port: {given!r} is no port")
    host = flags.text("server.http-listen-address", config.server.http_listen_address) or "0.0.0.0"
    address = (
        None if flags.on("server.disable") else Address(host, int(given) if given else config.server.http_listen_port)
    )
    positions = Path(flags.text("positions.file") or config.positions.filename).absolute()
    agent = AgentSettings(
        address,
        path,
        expand_env=expand,
        positions=positions,
        urls=tuple(flags.all("client.url")),
        external_labels=_labels(flags.text("client.external-labels")),
    )
    # The lock is beside the positions: two agents must not share them.
    return Settings(data=positions.parent / f".{positions.name}.spyglass", agent=agent)


def _labels(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name.strip(): value.strip() for name, _, value in pairs}
