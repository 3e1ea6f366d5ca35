"""A configuration file as it may be shown: values that are secrets replaced, everything else, comments too, as it stands.

Secrets are found where YAML has them, so that any notation of a mapping is covered. Keys: those whose type is Secret upstream.
"""

from collections.abc import Iterator
from functools import lru_cache

import yaml

MASK = "<secret>"

SECRET_KEYS = frozenset(
    (
        "password", "bearer_token", "credentials", "client_secret", "client_certificate_key", "secret_key", "secret", "api_key",
        "application_credential_secret", "token", "private_key", "key", "account_key", "key_passphrase", "consumer_key",
        "application_secret", "smtp_auth_password", "smtp_auth_secret", "secret_access_key", "session_token", "connection_string",
        "service_account",
    )
)  # fmt: skip
SECRET_LISTS = frozenset(("secrets",))
"""http_headers: {X-Token: {secrets: [...]}}."""
_NULL = "tag:yaml.org,2002:null"


@lru_cache(maxsize=4)
def masked(text: str) -> str:
    """The text with each secret replaced by <secret>. Raises: yaml.YAMLError where it is none that could have been loaded.

    >>> masked("basic_auth: {username: u, password: 'p'}  # ours")
    'basic_auth: {username: u, password: <secret>}  # ours'
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    places = sorted({(node.start_mark.index, node.end_mark.index) for node in _secrets(root, False, set())})
    out, at = [], 0
    for start, end in places:
        # A block scalar's node ends behind its last line break.
        body = text[start:end]
        out += [text[at:start], MASK, body[len(body.rstrip("\n")) :]]
        at = end
    return "".join([*out, text[at:]])


def _secrets(node: yaml.Node | None, secret: bool, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """The scalars that hold secrets. secret: whether all below this node do. seen: nodes may be shared through aliases."""
    if node is None or (id(node) in seen and not secret):
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            hidden = name in SECRET_LISTS or (name in SECRET_KEYS and isinstance(value, yaml.ScalarNode))
            yield from _secrets(value, hidden, seen)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _secrets(item, secret and isinstance(item, yaml.ScalarNode), seen)
    elif isinstance(node, yaml.ScalarNode) and secret and node.tag != _NULL:
        yield node
