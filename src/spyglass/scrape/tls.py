"""tls_config as Python's ssl wants it."""

import ssl
from pathlib import Path

from spyglass.config.http_client import TlsConfig

_TLS_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


def tls_context(config: TlsConfig, folder: Path) -> ssl.SSLContext | bool:
    """True: the defaults. Raises: OSError, ssl.SSLError where a file cannot be used."""
    if config == TlsConfig():
        return True
    context = ssl.create_default_context(
        cafile=str(folder / config.ca_file) if config.ca_file else None, cadata=config.ca or None
    )
    if config.cert_file:
        context.load_cert_chain(folder / config.cert_file, folder / config.key_file if config.key_file else None)
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.min_version:
        context.minimum_version = _TLS_VERSIONS[config.min_version]
    if config.max_version:
        context.maximum_version = _TLS_VERSIONS[config.max_version]
    return context
