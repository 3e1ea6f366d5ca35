"""From chunks to request bodies: entries are grouped by client, tenant and stream, and encoded once."""

from collections.abc import Sequence
from dataclasses import dataclass

from spyglass.agent.buffer import Chunk
from spyglass.agent.entry import TENANT_LABEL, Entry
from spyglass.agent.positions import Parcel, Position
from spyglass.config.promtail import ClientConfig
from spyglass.formats.loki_push import encode_protobuf, render_label_string
from spyglass.model.labels import labels_of
from spyglass.model.log_entry import LogEntry

Streams = dict[str, list[LogEntry]]
"""Entries by label string."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes out together, and the positions that hold once it has arrived."""

    parcels: tuple[Parcel, ...]
    positions: dict[str, Position]


def client_name(config: ClientConfig, index: int) -> str:
    """Names a client across restarts: its own name, or its place and URL."""
    return config.name or f"{index}:{config.url}"


def build_batch(chunks: Sequence[Chunk], clients: Sequence[ClientConfig]) -> Batch:
    """Encode the chunks for every client."""
    positions = {chunk.key: chunk.position for chunk in chunks if chunk.position is not None}
    entries = [entry for chunk in chunks for entry in chunk.entries]
    parcels: list[Parcel] = []
    encoded: dict[tuple[tuple[str, str], ...], list[tuple[str, bytes, int, int]]] = {}
    for index, client in enumerate(clients if entries else ()):
        external = tuple(sorted(client.external_labels.items()))
        if external not in encoded:
            encoded[external] = _encode(entries, dict(external))
        for tenant, body, count, size in encoded[external]:
            parcels.append(Parcel(client_name(client, index), tenant or client.tenant_id, body, count, size))
    return Batch(tuple(parcels), positions)


def _encode(entries: list[Entry], external: dict[str, str]) -> list[tuple[str, bytes, int, int]]:
    """(tenant, body, entries, bytes of lines) per tenant that occurs."""
    tenants: dict[str, Streams] = {}
    names: dict[tuple[tuple[str, str], ...], str] = {}
    for entry in entries:
        key = tuple(entry.labels.items())
        name = names.get(key)
        if name is None:
            name = names[key] = _stream_name(key, external)
        streams = tenants.setdefault(entry.labels.get(TENANT_LABEL, ""), {})
        metadata = labels_of(entry.metadata) if entry.metadata else ()
        streams.setdefault(name, []).append(LogEntry(entry.time_ns, entry.line, metadata))
    return [(tenant, *_body(streams)) for tenant, streams in tenants.items()]


def _stream_name(labels: tuple[tuple[str, str], ...], external: dict[str, str]) -> str:
    """The label string; a label of the entry wins over an external one. Empty values are sent, as upstream sends them."""
    merged = {**external, **dict(labels)}
    merged.pop(TENANT_LABEL, None)
    return render_label_string(sorted(merged.items()))


def _body(streams: Streams) -> tuple[bytes, int, int]:
    count = sum(len(entries) for entries in streams.values())
    size = sum(len(entry.line) for entries in streams.values() for entry in entries)
    return encode_protobuf(list(streams.items())), count, size
