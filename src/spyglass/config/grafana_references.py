"""Variables and files that values of Grafana's provisioning files refer to."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

Mapper = Callable[[str], str]


def unchanged(text: str) -> str:
    return text


_REFERENCE = re.compile(r"\$__(env|file)\{([^}]*)\}|\$\{([^}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*|[0-9])")


def expand(value: str, environment: Mapping[str, str], *, map_path: Mapper = unchanged) -> tuple[str, list[str]]:
    """`$VAR`, `${VAR}`, `$__env{VAR}`, `$__file{path}` replaced, `$$` a dollar; and the names that are not set.

    Raises: OSError for a $__file that cannot be read.

    >>> expand("http://$HOST:${PORT}/$$x", {"HOST": "h", "PORT": "1"})
    ('http://h:1/$x', [])
    """
    missing: list[str] = []

    def found(match: re.Match[str]) -> str:
        function, argument, braced, bare = match.groups()
        if function == "file":
            return Path(map_path(argument.strip())).read_text(encoding="utf-8").strip()
        name = (argument if function else braced if braced is not None else bare).strip()
        if name not in environment:
            missing.append(name)
        return environment.get(name, "")

    return "$".join(_REFERENCE.sub(found, part) for part in value.split("$$")), missing
