"""X-Scope-OrgID, as Loki reads it: required with auth_enabled, else the tenant is "fake".

Where `querier.multi_tenant_queries_enabled` is set, reads may name several tenants, joined by `|`. Texts and limits of bad names:
the tenant IDs of Loki's documentation.
"""

import re

from starlette.requests import HTTPConnection

from spyglass.model.errors import SpyglassError

DEFAULT_TENANT = "fake"
_UNSUPPORTED = re.compile(r"[^a-zA-Z0-9!\-_.*'()]")
MAX_LENGTH = 150
SEPARATOR = "|"


class NoTenant(SpyglassError):
    """The header is missing though auth_enabled asks for it."""


class BadTenant(SpyglassError):
    """The header's value cannot name a tenant."""


def tenants_of(request: HTTPConnection, *, auth_enabled: bool, several: bool) -> str:
    """The tenants of a reading request, sorted and joined by `|`; several False: one. Raises NoTenant, BadTenant."""
    header = request.headers.get("x-scope-orgid", "")
    if not several or SEPARATOR not in header:
        return tenant_of(request, auth_enabled=auth_enabled)
    return SEPARATOR.join(sorted({_checked(name) for name in header.split(SEPARATOR)}))


def tenant_of(request: HTTPConnection, *, auth_enabled: bool) -> str:
    """The one tenant of a request. Raises NoTenant, BadTenant."""
    tenant = request.headers.get("x-scope-orgid", "")
    if not tenant:
        if auth_enabled:
            raise NoTenant("no org id")
        return DEFAULT_TENANT
    return _checked(tenant)


def _checked(tenant: str) -> str:
    """Raises BadTenant."""
    wrong = _UNSUPPORTED.search(tenant)
    if wrong:
        raise BadTenant(f"tenant ID '{tenant}' contains unsupported character '{wrong[0]}'")
    if len(tenant) > MAX_LENGTH:
        raise BadTenant(f"tenant ID is too long: max {MAX_LENGTH} characters")
    if tenant in (".", ".."):
        raise BadTenant("tenant ID is '.' or '..'")
    if not tenant:
        raise BadTenant("no org id")
    return tenant
