"""Which decoder reads a remote write body."""

from collections.abc import Callable

from spyglass.formats.remote_write.columns import KnownKeys, WriteColumns
from spyglass.formats.remote_write.v1 import decode_v1
from spyglass.formats.remote_write.v2 import decode_v2

DECODERS: dict[str, Callable[[bytes, KnownKeys], WriteColumns]] = {
    "prometheus.WriteRequest": decode_v1,
    "io.prometheus.write.v2.Request": decode_v2,
}
"""By the `proto` parameter of the content type."""
