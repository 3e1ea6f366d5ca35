"""X-Scope-OrgID, as Loki reads it: required with auth_enabled, else the tenant is "fake"."""

import re

from starlette.requests import HTTPConnection

from spyglass.model.errors import SpyglassError

DEFAULT_TENANT = "fake"
_VALID = re.compile(r"[a-zA-Z0-9!\-_.*'()]{1,150}")


class NoTenant(SpyglassError):
    """The header is missing though auth_enabled asks for it."""


class BadTenant(SpyglassError):
    """The header's value cannot name a tenant."""


def tenant_of(request: HTTPConnection, *, auth_enabled: bool) -> str:
    """The tenant of a request. Raises NoTenant, BadTenant."""
    tenant = request.headers.get("x-scope-orgid", "")
    if not tenant:
        if auth_enabled:
            raise NoTenant("no org id")
        return DEFAULT_TENANT
    if not _VALID.fullmatch(tenant) or tenant in (".", ".."):
        raise BadTenant(f"tenant ID {tenant!r} is not valid: at most 150 letters, digits and !-_.*'()")
    return tenant
