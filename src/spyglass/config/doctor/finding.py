"""One thing that the doctor found."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Severity(Enum):
    """error: will not load. warning: does not do what it seems to, or is dangerous. note: worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """Where, what, and what to do. line 1-based, 0: the whole file."""

    severity: Severity
    file: str
    line: int
    key: str
    message: str
    remedy: str = ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


def warning(file: Path | str, line: int, key: str, message: str, remedy: str = "") -> Finding:
    return Finding(Severity.WARNING, str(file), line, key, message, remedy)


def note(file: Path | str, line: int, key: str, message: str, remedy: str = "") -> Finding:
    return Finding(Severity.NOTE, str(file), line, key, message, remedy)
