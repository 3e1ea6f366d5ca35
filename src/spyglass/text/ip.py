"""Addresses in lines: `ip("192.168.0.0/16")` matches a text that holds an address in the set.

A set is one address, a CIDR prefix, or a range `a-b`. Source: the LogQL documentation, "Matching IP addresses".
"""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# What may be an address: it starts like one and reaches as far as its characters do.
_CANDIDATE = re.compile(r"\d{1,3}\.[0-9.]*|(?:::[0-9a-fA-F]|[0-9a-fA-F]{1,4}:)[0-9a-fA-F:.]*", re.ASCII)


def address_set(pattern: str) -> Callable[[Address], bool]:
    """A test for one address.

    Raises: ValueError with upstream's text.
    """
    try:
        if "-" in pattern:
            return _range(pattern)
        if "/" in pattern:
            network = ipaddress.ip_network(pattern, strict=False)
            return lambda address: address in network
        wanted = ipaddress.ip_address(pattern)
    except ValueError:
        raise ValueError(f'ip: invalid pattern: "{pattern}"') from None
    return lambda address: address == wanted


def _range(pattern: str) -> Callable[[Address], bool]:
    first_text, _, last_text = pattern.partition("-")
    first, last = ipaddress.ip_address(first_text), ipaddress.ip_address(last_text)
    if first.version != last.version or int(first) > int(last):
        raise ValueError(pattern)
    version, low, high = first.version, int(first), int(last)
    return lambda address: address.version == version and low <= int(address) <= high


@lru_cache(maxsize=1024)
def line_matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text holds an address of the set. Raises ValueError."""
    matches = address_set(pattern)

    def holds(text: str) -> bool:
        return any(map(matches, addresses_in(text)))

    return holds


def addresses_in(text: str) -> list[Address]:
    """The addresses that occur in a text."""
    return [address for part in _CANDIDATE.findall(text) if (address := _parsed(part)) is not None]


@lru_cache(maxsize=65536)
def _parsed(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
