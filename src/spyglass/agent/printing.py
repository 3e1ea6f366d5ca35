"""Promtail's -dry-run: what would be sent is printed, a line an entry: time, labels, line, with tabs between."""

from collections.abc import Callable
from datetime import UTC, datetime

import aiohttp

from spyglass.agent.client import PushClient
from spyglass.agent.positions import Parcel
from spyglass.formats.loki_push import decode_protobuf, render_label_string

Print = Callable[[str], None]


def printing_client(out: Print) -> type[PushClient]:
    """A client that delivers everything to `out`, which gets one text per entry."""

    class PrintingClient(PushClient):
        """Never fails."""

        async def push(
            self,
            session: aiohttp.ClientSession,  # noqa: ARG002
            parcel: Parcel,
            *,
            may_give_up: Callable[[], bool] = lambda: False,  # noqa: ARG002
        ) -> bool:
            for labels, entries in decode_protobuf(parcel.body):
                shown = render_label_string(labels)
                for entry in entries:
                    out(f"{shown_time(entry.time_ns)}\t{shown}\t{entry.line}")
            return True

    return PrintingClient


def shown_time(time_ns: int) -> str:
    """As upstream prints it, in UTC.

    >>> shown_time(1_700_000_000_120_000_000)
    '2023-11-14T22:13:20.12+0000'
    """
    seconds, fraction = divmod(time_ns, 10**9)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{fraction:09d}".rstrip("0") if fraction else "") + "+0000"
