"""Grafana's settings from `GF_*` variables. Source: Grafana's documentation, "Configure Grafana"."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spyglass.model.errors import ConfigError


@dataclass(frozen=True, slots=True)
class GrafanaSettings:
    """The subset of grafana.ini that means something here, from `GF_<SECTION>_<KEY>` variables."""

    admin_user: str = "admin"
    admin_password: str = ""
    anonymous: bool = False
    anonymous_role: str = "Viewer"
    basic_auth: bool = True
    disable_login_form: bool = False
    root_url: str = ""
    serve_from_sub_path: bool = False
    allow_embedding: bool = False
    cookie_secure: bool = False
    cookie_samesite: str = "lax"
    default_theme: str = "dark"
    home_dashboard_path: str = ""
    provisioning_path: str = ""
    http_port: int = 0
    min_refresh_interval: str = "5s"
    metrics_enabled: bool = True
    ignored: tuple[str, ...] = ()

    @property
    def sub_path(self) -> str:
        """The path of root_url, without its last slash; "" unless serve_from_sub_path."""
        match = re.match(r"[a-z]+://[^/]*(/.*?)/?$", self.root_url)
        return match.group(1).rstrip("/") if match and self.serve_from_sub_path else ""


_VARIABLES: Mapping[str, str] = {
    "GF_SECURITY_ADMIN_USER": "admin_user",
    "GF_SECURITY_ADMIN_PASSWORD": "admin_password",
    "GF_AUTH_ANONYMOUS_ENABLED": "anonymous",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "anonymous_role",
    "GF_AUTH_BASIC_ENABLED": "basic_auth",
    "GF_AUTH_DISABLE_LOGIN_FORM": "disable_login_form",
    "GF_SERVER_ROOT_URL": "root_url",
    "GF_SERVER_SERVE_FROM_SUB_PATH": "serve_from_sub_path",
    "GF_SERVER_HTTP_PORT": "http_port",
    "GF_SECURITY_ALLOW_EMBEDDING": "allow_embedding",
    "GF_SECURITY_COOKIE_SECURE": "cookie_secure",
    "GF_SECURITY_COOKIE_SAMESITE": "cookie_samesite",
    "GF_USERS_DEFAULT_THEME": "default_theme",
    "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": "home_dashboard_path",
    "GF_DASHBOARDS_MIN_REFRESH_INTERVAL": "min_refresh_interval",
    "GF_PATHS_PROVISIONING": "provisioning_path",
    "GF_METRICS_ENABLED": "metrics_enabled",
}


def grafana_settings(environment: Mapping[str, str] = os.environ) -> GrafanaSettings:
    """Read the `GF_*` variables; `GF_..__FILE` names a file that holds the value. Unknown ones are listed in `ignored`.

    Raises: ConfigError naming the variable.
    """
    values: dict[str, Any] = {}
    ignored = []
    for name in sorted(name for name in environment if name.startswith("GF_")):
        variable, value = name, environment[name]
        if name.endswith("__FILE"):
            variable = name.removesuffix("__FILE")
            value = _secret_file(name, value)
        attribute = _VARIABLES.get(variable)
        if attribute is None:
            ignored.append(name)
        else:
            values[attribute] = _setting(variable, attribute, value)
    return GrafanaSettings(**values, ignored=tuple(ignored))


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ConfigError(f"{path} cannot be read: {err.strerror}", key=name) from None


def _setting(variable: str, attribute: str, value: str) -> object:
    default = GrafanaSettings.__dataclass_fields__[attribute].default
    if isinstance(default, bool):
        return _boolean(variable, value)
    if isinstance(default, int):
        if not value.isdecimal():
            raise ConfigError(f"should be a number, found {value!r}", key=variable)
        return int(value)
    if attribute == "anonymous_role" and value not in ("Viewer", "Editor", "Admin"):
        raise ConfigError(f"should be Viewer, Editor or Admin, found {value!r}", key=variable)
    return value


def _boolean(variable: str, value: str) -> bool:
    if value.lower() in ("true", "1", "t", "yes", "on"):
        return True
    if value.lower() in ("false", "0", "f", "no", "off", ""):
        return False
    raise ConfigError(f"should be true or false, found {value!r}", key=variable)
