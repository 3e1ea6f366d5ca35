"""X-Scope-OrgID, as Loki reads it: with `auth_enabled: true` it must be there, with `auth_enabled: false` it is not looked at and the
tenant is "fake". Without a configuration file both are welcome: who sends the header is apart from the others, who does not is "fake".

Where `querier.multi_tenant_queries_enabled` is set, reads may name several tenants, joined by `|`. Texts and limits of bad names:
the tenant IDs of Loki's documentation.
"""

import re
from enum import Enum

from starlette.requests import HTTPConnection

from spyglass.model.errors import SpyglassError

DEFAULT_TENANT = "fake"
_UNSUPPORTED = re.compile(r"[^a-zA-Z0-9!\-_.*'()]")
MAX_LENGTH = 150
SEPARATOR = "|"


class Tenancy(Enum):
    """What the header means. REQUIRED, IGNORED: Loki's auth_enabled true and false. OPTIONAL: our own, where no Loki file says either."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    IGNORED = "ignored"


class NoTenant(SpyglassError):
    """The header is missing though auth_enabled asks for it."""


class BadTenant(SpyglassError):
    """The header's value cannot name a tenant."""


def tenants_of(request: HTTPConnection, tenancy: Tenancy, *, several: bool) -> str:
    """The tenants of a reading request, sorted and joined by `|`; several False: one. Raises NoTenant, BadTenant."""
    header = request.headers.get("x-scope-orgid", "")
    if not several or SEPARATOR not in header or tenancy is Tenancy.IGNORED:
        return tenant_of(request, tenancy)
    return SEPARATOR.join(sorted({_checked(name) for name in header.split(SEPARATOR)}))


def tenant_of(request: HTTPConnection, tenancy: Tenancy) -> str:
    """The one tenant of a request. Raises NoTenant, BadTenant."""
    tenant = "" if tenancy is Tenancy.IGNORED else request.headers.get("x-scope-orgid", "")
    if not tenant:
        if tenancy is Tenancy.REQUIRED:
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
