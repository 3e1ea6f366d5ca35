"""Printing without tables: what a server says while it starts, which is done before rich would be imported."""

import os
import sys
from typing import NoReturn, TextIO

DIM, BOLD, RED, YELLOW = "2", "1", "1;31", "33"
"""Styles: parameters of the terminal's SGR sequence (ECMA-48)."""


def styled(text: str, style: str, stream: TextIO) -> str:
    """The text in a style where the stream is a terminal that has colours."""
    coloured = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{style}m{text}\x1b[0m" if coloured else text


def note(text: str, style: str = DIM) -> None:
    """A line on stderr."""
    print(styled(text, style, sys.stderr), file=sys.stderr)


def fail(message: str, *, hint: str = "", code: int = 1) -> NoReturn:
    """Print an error, and what to do next, and exit."""
    print(styled("error:", RED, sys.stderr), message, file=sys.stderr)
    if hint:
        note(f"  {hint}")
    sys.exit(code)
