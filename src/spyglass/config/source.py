"""YAML files with line numbers, validated against pydantic models.

Every dialect file (prometheus.py, loki.py, ...) reads through here, so that every mistake is reported in one form:
`file:line: key: what is wrong`. Scalars follow YAML 1.1 as Go's yaml does, but dates stay text and `1:30` is no number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from spyglass.model.errors import ConfigError

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """SafeLoader without timestamps and sexagesimal numbers: both are text in every file that we read."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if tag not in ("tag:yaml.org,2002:timestamp",)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first, _resolvers in list(_Loader.yaml_implicit_resolvers.items()):
    _Loader.yaml_implicit_resolvers[_first] = [
        (tag, re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$"))
        if tag == "tag:yaml.org,2002:int"
        else (
            tag,
            re.compile(
                r"[-+]?(?:\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d+(?=[eE]))(?:[eE][-+]?\d+)?$|[-+]?\.(?:inf|Inf|INF)$|\.(?:nan|NaN|NAN)$"
            ),
        )
        if tag == "tag:yaml.org,2002:float"
        else (tag, regex)
        for tag, regex in _resolvers
    ]


class QuotedText(str):
    """A scalar that stood in quotes: text, and no number or boolean, whatever it looks like."""

    __slots__ = ()


class _TextLoader(yaml.SafeLoader):
    """Every scalar stays the text that the file has (`1.10`, `yes`, `007`); only null and merge keys mean something."""

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text = str(self.construct_scalar(node))
        return QuotedText(text) if node.style in ("'", '"') else text


_TextLoader.add_constructor("tag:yaml.org,2002:str", _TextLoader.construct_text)
_TextLoader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    if (kept := [r for r in resolvers if r[0] in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")])
}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed YAML file. data: plain Python. lines: 1-based line of each key path (of the key where there is one)."""

    file: str
    data: Any
    lines: Mapping[KeyPath, int] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int:
        """The line of the path, or of the nearest parent that is in the file; 0 for an empty file."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0

    def error(self, path: KeyPath, message: str) -> ConfigError:
        return ConfigError(message, file=self.file, line=self.line(path), key=dotted(path))

    def without_nulls(self) -> "Document":
        """The same without keys that have no value: they keep their defaults, as in Go. Items of lists stay."""
        return Document(self.file, _without_nulls(self.data), self.lines)

    def validate(self, model: type[Model]) -> Model:
        """The data as `model`. Raises ConfigError for the first problem, in file order."""
        problems = self.problems(model)
        if problems:
            raise problems[0]
        return model.model_validate({} if self.data is None else self.data)

    def problems(self, model: type[BaseModel]) -> list[ConfigError]:
        """Everything that keeps the data from being a `model`, in file order."""
        try:
            model.model_validate({} if self.data is None else self.data)
        except ValidationError as err:
            found = [self._problem(dict(e)) for e in err.errors(include_url=False)]
            return sorted(found, key=lambda problem: problem.line)
        return []

    def _problem(self, error: dict[str, Any]) -> ConfigError:
        path = self._path_in_file(error["loc"])
        if error["type"] == "extra_forbidden":
            return ConfigError(
                f"field {path[-1]} is not known here", file=self.file, line=self.line(path), key=dotted(path)
            )
        message = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "missing":
            message = "is required"
        shown = error.get("input")
        if (
            error["type"] != "missing"
            and isinstance(shown, str | int | float | bool)
            and not message.endswith(repr(shown))
        ):
            message = f"{message[0].lower()}{message[1:]}, found {shown!r}"
        return ConfigError(message, file=self.file, line=self.line(path), key=dotted(path))

    def _path_in_file(self, loc: tuple[Any, ...]) -> KeyPath:
        """pydantic puts the names of union members and the like into a location: keep what is in the file."""
        path: KeyPath = ()
        for part in loc:
            if (*path, part) in self.lines:
                path = (*path, part)
        last = loc[-1] if loc else None
        if isinstance(last, str) and (not path or path[-1] != last) and not last.startswith(("function-", "tagged-")):
            path = (*path, last)
        return path


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(v) for key, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def dotted(path: KeyPath) -> str:
    """`("a", 0, "b")` -> `a[0].b`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path, *, scalars_as_text: bool = False) -> Document:
    """Read and parse one file. Raises ConfigError (missing, unreadable, not UTF-8, not YAML).

    scalars_as_text: numbers and booleans stay text, for files whose keys say what a scalar is (a label value `1.10`).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError("no such file", file=str(path)) from None
    except UnicodeDecodeError as err:
        raise ConfigError(f"is not UTF-8 (byte {err.start})", file=str(path)) from None
    except OSError as err:
        raise ConfigError(str(err.strerror or err), file=str(path)) from None
    return parse_yaml(text, file=str(path), scalars_as_text=scalars_as_text)


def parse_yaml(text: str, *, file: str, scalars_as_text: bool = False) -> Document:
    """Parse YAML text. `file` is only the name that errors carry. scalars_as_text: as for read_yaml."""
    loader = _TextLoader(text) if scalars_as_text else _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(file, None, {})
        lines: dict[KeyPath, int] = {}
        _collect_lines(node, (), lines, file)
        return Document(file, loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        line = mark.line + 1 if mark else 0
        raise ConfigError(f"is not valid YAML: {err.problem or err.context}", file=file, line=line) from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as err:
        raise ConfigError(f"is not valid YAML: {err}", file=file) from None
    finally:
        loader.dispose()


def _collect_lines(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], file: str) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen and name != "<<":
                raise ConfigError(
                    "is given twice in the same block",
                    file=file,
                    line=key.start_mark.line + 1,
                    key=dotted((*path, name)),
                )
            seen.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            _collect_lines(value, (*path, name), lines, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*path, index), lines, file)
