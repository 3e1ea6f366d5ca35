"""How a request to somebody else's server is made: the block that Prometheus and Promtail share under many keys.

`HttpClientConfig` is inherited by the blocks that hold these keys inline. Rules and defaults: Prometheus docs,
configuration.md, <http_config>. Files that hold secrets are relative to the configuration file and read at each use.
"""

from base64 import b64encode
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from spyglass.config.scalars import Bool


class Strict(BaseModel):
    """A block where an unknown key is an error.

    Default blocks are constructed, not validated (`TlsConfig.model_construct()`): pydantic builds a schema, which takes a while, for what
    a file is validated against, and not for every module that is imported.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


def _url(value: object) -> object:
    if isinstance(value, str) and value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https", "socks5") or not parts.netloc:
            raise ValueError("should be a URL such as http://host:8080")
    return value


HttpUrlText = Annotated[str, BeforeValidator(_url)]


class BasicAuth(Strict):
    username: str = ""
    username_file: str = ""
    password: SecretStr = SecretStr("")
    password_file: str = ""

    @model_validator(mode="after")
    def _one_of_each(self) -> "BasicAuth":
        if self.username and self.username_file:
            raise ValueError("at most one of basic_auth username & username_file must be configured")
        if self.password.get_secret_value() and self.password_file:
            raise ValueError("at most one of basic_auth password & password_file must be configured")
        return self


class Authorization(Strict):
    type: str = "Bearer"
    credentials: SecretStr = SecretStr("")
    credentials_file: str = ""

    @model_validator(mode="after")
    def _allowed(self) -> "Authorization":
        if self.credentials.get_secret_value() and self.credentials_file:
            raise ValueError("at most one of authorization credentials & credentials_file must be configured")
        if self.type.strip().lower() == "basic":
            raise ValueError('authorization type cannot be set to "basic", use "basic_auth" instead')
        return self


class TlsConfig(Strict):
    ca: str = ""
    cert: str = ""
    key: SecretStr = SecretStr("")
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: Bool = False
    min_version: str = ""
    max_version: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> "TlsConfig":
        for name in ("ca", "cert", "key"):
            inline = getattr(self, name)
            text = inline.get_secret_value() if isinstance(inline, SecretStr) else inline
            if text and getattr(self, f"{name}_file"):
                raise ValueError(f"at most one of {name} and {name}_file must be configured")
        if bool(self.cert or self.cert_file) != bool(self.key.get_secret_value() or self.key_file):
            raise ValueError("exactly one of cert or key is configured: a client certificate needs both")
        for name in ("min_version", "max_version"):
            version = getattr(self, name)
            if version and version not in ("TLS10", "TLS11", "TLS12", "TLS13"):
                raise ValueError(f"unknown TLS version {version!r}: TLS10, TLS11, TLS12 or TLS13")
        return self


class OAuth2(Strict):
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    client_secret_file: str = ""
    client_certificate_key: SecretStr = SecretStr("")
    client_certificate_key_file: str = ""
    client_certificate_key_id: str = ""
    grant_type: str = ""
    signature_algorithm: str = ""
    iss: str = ""
    audience: str = ""
    claims: dict[str, Any] = Field(default_factory=dict)
    scopes: tuple[str, ...] = ()
    token_url: str = ""
    endpoint_params: dict[str, str] = Field(default_factory=dict)
    tls_config: TlsConfig = TlsConfig.model_construct()
    proxy_url: HttpUrlText = ""
    no_proxy: str = ""
    proxy_from_environment: Bool = False
    proxy_connect_header: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _complete(self) -> "OAuth2":
        if not self.client_id:
            raise ValueError("oauth2 client_id must be configured")
        if not self.token_url:
            raise ValueError("oauth2 token_url must be configured")
        if self.client_secret.get_secret_value() and self.client_secret_file:
            raise ValueError("at most one of oauth2 client_secret & client_secret_file must be configured")
        return self


class HttpHeader(Strict):
    values: tuple[str, ...] = ()
    secrets: tuple[SecretStr, ...] = ()
    files: tuple[str, ...] = ()


class HttpClientConfig(Strict):
    """The keys themselves."""

    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    oauth2: OAuth2 | None = None
    bearer_token: SecretStr = SecretStr("")
    bearer_token_file: str = ""
    tls_config: TlsConfig = TlsConfig.model_construct()
    proxy_url: HttpUrlText = ""
    no_proxy: str = ""
    proxy_from_environment: Bool = False
    proxy_connect_header: dict[str, Any] = Field(default_factory=dict)
    follow_redirects: Bool = True
    enable_http2: Bool = True
    http_headers: dict[str, HttpHeader] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way_in(self) -> "HttpClientConfig":
        bearer = bool(self.bearer_token.get_secret_value()) + bool(self.bearer_token_file)
        if bearer > 1:
            raise ValueError("at most one of bearer_token & bearer_token_file must be configured")
        ways = (self.basic_auth is not None) + (self.oauth2 is not None)
        if ways + bearer > 1:
            raise ValueError("at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be configured")
        if self.authorization is not None and (ways or bearer):
            raise ValueError(
                "at most one of basic_auth, oauth2 & authorization must be configured"
                if ways
                else "authorization is not compatible with bearer_token & bearer_token_file"
            )
        if self.no_proxy and not self.proxy_url:
            raise ValueError("if no_proxy is configured, proxy_url must also be configured")
        if self.proxy_from_environment and (self.proxy_url or self.no_proxy):
            raise ValueError("if proxy_from_environment is configured, proxy_url and no_proxy must not be configured")
        return self

    def request_headers(self, folder: Path) -> dict[str, str]:
        """Authentication and the extra headers, files read now. Raises OSError where a file cannot be read.

        Tokens of oauth2 are not fetched here: they need a request of their own.
        """
        headers = {name: _header_value(header, folder) for name, header in self.http_headers.items()}
        credentials = self._credentials(folder)
        if credentials:
            headers["Authorization"] = credentials
        return headers

    def _credentials(self, folder: Path) -> str:
        if self.basic_auth is not None:
            user = self.basic_auth.username or _content(folder, self.basic_auth.username_file)
            password = self.basic_auth.password.get_secret_value() or _content(folder, self.basic_auth.password_file)
            return _basic(user, password)
        if self.authorization is not None:
            auth = self.authorization
            secret = auth.credentials.get_secret_value() or _content(folder, auth.credentials_file)
            return f"{auth.type.strip()} {secret}"
        token = self.bearer_token.get_secret_value() or _content(folder, self.bearer_token_file)
        return f"Bearer {token}" if token else ""


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _content(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8").strip() if name else ""


def _header_value(header: HttpHeader, folder: Path) -> str:
    values = [
        *header.values,
        *(s.get_secret_value() for s in header.secrets),
        *(_content(folder, f) for f in header.files),
    ]
    return ", ".join(values)
