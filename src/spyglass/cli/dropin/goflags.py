"""Command lines as Go programs read them: one dash or two, `-flag=value` or `-flag value`, booleans without a value.

`kingpin` (Prometheus) also takes `--no-flag` for booleans and wants `--` for long flags; the `flag` package (Loki, Promtail)
takes either dash and `-flag=false`. Both are accepted here for all: nothing that upstream accepts is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field


class FlagError(Exception):
    """A command line that upstream would refuse, with its text."""


@dataclass(frozen=True, slots=True)
class Flags:
    """A parsed command line. values: all occurrences of each flag, in order. ignored: flags without a meaning here."""

    values: Mapping[str, Sequence[str]]
    ignored: Sequence[str] = field(default_factory=tuple)

    def text(self, name: str, default: str = "") -> str:
        """The last value given."""
        return self.values[name][-1] if name in self.values else default

    def on(self, name: str) -> bool:
        return self.text(name, "false") == "true"

    def all(self, name: str) -> list[str]:
        return list(self.values.get(name, ()))


@dataclass(frozen=True, slots=True)
class FlagTable:
    """What a program accepts.

    used: flags with a meaning here. known: upstream's other flags, and known_prefixes: families of them
    (`-querier.`), accepted and named once. booleans: those (of either) that take no value. aliases: short names.
    """

    program: str
    used: frozenset[str]
    known: frozenset[str]
    booleans: frozenset[str]
    known_prefixes: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    unknown: str = "flag provided but not defined: -{}"

    def parse(self, arguments: Iterable[str]) -> Flags:
        """Raises FlagError for flags that upstream does not have, and for missing values."""
        values: dict[str, list[str]] = {}
        ignored: list[str] = []
        rest = list(arguments)
        while rest:
            argument = rest.pop(0)
            if not argument.startswith("-") or argument == "-":
                raise FlagError(f"unexpected {argument}")
            name, equals, value = argument.lstrip("-").partition("=")
            name = self.aliases.get(name, name)
            if name.startswith("no-") and name[3:] in self.booleans:
                name, equals, value = name[3:], "=", "false"
            if not self._is_known(name):
                raise FlagError(self.unknown.format(name))
            if not equals:
                value = self._next_value(name, rest)
            if name in self.booleans and value not in ("true", "false"):
                value = {"1": "true", "t": "true", "0": "false", "f": "false"}.get(value.lower(), value.lower())
            values.setdefault(name, []).append(value)
            if name not in self.used:
                ignored.append(name)
        return Flags(values, tuple(dict.fromkeys(ignored)))

    def _is_known(self, name: str) -> bool:
        return name in self.used or name in self.known or name.startswith(self.known_prefixes or ("\0",))

    def _next_value(self, name: str, rest: list[str]) -> str:
        if name in self.booleans:
            return "true"
        if name not in self.used and name not in self.known:
            # A family member whose kind is not known: it takes a value if one follows.
            return rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        if not rest:
            raise FlagError(f"expected argument for flag '--{name}'")
        return rest.pop(0)
