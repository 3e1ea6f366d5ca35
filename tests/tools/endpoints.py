"""Which endpoints an application has, and which tests ask for them: for the pages of compatibility."""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from starlette.routing import BaseRoute, Route, WebSocketRoute
from tests.conformance_data import ROOT

PREFIX = "/api/v1/"


def endpoints(routes: Iterable[BaseRoute], test_files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """("GET, POST /path", the first two tests that name the path, as Markdown). test_files: patterns below the root.

    A path below /api/v1/ may be named without that prefix, if it is more than a word.
    """
    files = [path for pattern in test_files for path in sorted(ROOT.glob(pattern))]
    strings = {path: _strings(path) for path in files}
    for path, names in _methods(routes).items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
        if re.search(r"[/_]", path.removeprefix(PREFIX)):
            pattern = pattern.replace(PREFIX, f"({PREFIX})?", 1)
        wanted = re.compile(pattern + r"(\?.*)?")
        found = [file for file in files if any(wanted.fullmatch(text) for text in strings[file])]
        yield f"{', '.join(names)} {path}", ", ".join(f"`{file.relative_to(ROOT)}`" for file in found[:2])


def rows(found: Iterable[tuple[str, str]]) -> list[str]:
    """The rows of a table: endpoint, supported, test."""
    return [f"| `{path}` | {'yes' if tests else 'yes, untested'} | {tests} |" for path, tests in found]


def _methods(routes: Iterable[BaseRoute]) -> dict[str, list[str]]:
    methods: dict[str, list[str]] = {}
    for route in routes:
        if isinstance(route, WebSocketRoute):
            methods.setdefault(route.path, []).append("websocket")
        elif isinstance(route, Route):
            methods.setdefault(route.path, []).extend(sorted((route.methods or set()) - {"HEAD"}))
    return methods


def _strings(path: Path) -> set[str]:
    """All texts of a file; the holes of f-strings are one word each."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "hole" for part in node.values)
            found.add("".join(map(str, parts)))
    return found
