"""Listening sockets, all bound before anything else starts: a port in use is found out at once, and said whose it is."""

import errno
import socket
from contextlib import suppress
from pathlib import Path

from spyglass.app.settings import Address
from spyglass.model.errors import SpyglassError

BACKLOG = 512


class PortInUse(SpyglassError):
    """Another process listens there. `hint` says how to change the port."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def listen(address: Address, *, part: str, setting: str) -> socket.socket:
    """A listening TCP socket. setting: what to change when the port is taken. Raises PortInUse, SpyglassError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address.host or "0.0.0.0", address.port))
        bound.listen(BACKLOG)
    except OSError as err:
        bound.close()
        if err.errno == errno.EADDRINUSE:
            owner = owner_of(address.port) or "another process"
            raise PortInUse(
                f"{part}: port {address.port} is in use by {owner}", f"stop it, or change {setting}"
            ) from None
        raise SpyglassError(f"{part}: cannot listen on {address}: {err.strerror}; change {setting}") from None
    bound.setblocking(False)
    return bound


def owner_of(port: int) -> str:
    """`python3 (pid 123)` for the process that listens on a TCP port, "" where it cannot be told (Linux only)."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    target = str(descriptor.readlink())
                    if target.startswith("socket:[") and target[8:-1] in inodes:
                        return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""


def _listening_inodes(port: int) -> set[str]:
    wanted, found = f":{port:04X}", set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                # Column 3 is the state: 0A is LISTEN; column 9 is the socket's inode.
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    found.add(fields[9])
    return found
