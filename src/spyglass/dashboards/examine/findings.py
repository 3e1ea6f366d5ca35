"""What an examination says."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. check: the check that said it. place: where in the dashboard, "" for all of it.

    unsupported: the dashboard is right, but Spyglass leaves this out; else it is an error of the dashboard.
    """

    check: str
    place: str
    message: str
    unsupported: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True, slots=True)
class Report:
    """One file's examination. panels: all but rows; native: those of them that are drawn as what they say they are."""

    file: str
    title: str = ""
    panels: int = 0
    native: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> list[Finding]:
        return [one for one in self.findings if not one.unsupported]

    @property
    def unsupported(self) -> list[Finding]:
        return [one for one in self.findings if one.unsupported]

    def as_json(self) -> dict[str, Any]:
        """`{file, title, panels, errors, unsupported}`; the last two are texts."""
        return {
            "file": self.file,
            "title": self.title,
            "panels": self.panels,
            "errors": [str(one) for one in self.errors],
            "unsupported": [str(one) for one in self.unsupported],
        }
