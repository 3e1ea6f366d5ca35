"""What Loki's and Promtail's command lines share: flags, help, version, a check, exit codes of Go's flag package."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spyglass import __version__
from spyglass.app.settings import Settings
from spyglass.cli.dropin.goflags import FlagError, Flags, FlagTable
from spyglass.cli.plain import note
from spyglass.cli.serving import serve
from spyglass.model.errors import ConfigError

LEVELS = ("debug", "info", "warn", "error")


@dataclass(frozen=True, slots=True)
class GoProgram:
    """version: upstream's that we are like. check_flag: only checks the file, and says `valid`. failed: before an error."""

    table: FlagTable
    usage: str
    version: str
    check_flag: str
    valid: str
    failed: str
    settings_of: Callable[[Flags], Settings]

    def run(self, arguments: Sequence[str]) -> int:
        """The exit code: 2 for a bad command line, 1 for a configuration that does not load, 0 after SIGTERM."""
        try:
            flags = self.table.parse(arguments)
        except FlagError as error:
            print(f"{error}\n{self.usage}", file=sys.stderr)
            return 2
        if flags.on("help"):
            print(self.usage)
            return 0
        if flags.on("version"):
            print(f"{self.table.program}, version {self.version} (spyglass {__version__})")
            return 0
        try:
            settings = self.settings_of(flags)
        except ConfigError as error:
            print(f"{self.failed}: {error}", file=sys.stderr)
            return 1
        if flags.on(self.check_flag):
            print(self.valid)
            return 0
        if flags.ignored:
            names = ", ".join("-" + name for name in flags.ignored)
            note(f"flags without a meaning here: {names}")
        serve(settings, quiet=True, config_exit=1)
        return 0


def log_level_of(flags: Flags, configured: str) -> str:
    """-log.level, else what the file says. Raises: ConfigError."""
    level = flags.text("log.level", configured).lower()
    if level not in LEVELS:
        raise ConfigError(f'unrecognized log level "{level}"')
    return level


def port_of(flags: Flags, default: int) -> int:
    """-server.http-listen-port. Raises: ConfigError."""
    given = flags.text("server.http-listen-port")
    if given and not given.isdigit():
        raise ConfigError(f"-server.http-listen-port: {given!r} is no port")
    return int(given) if given else default
