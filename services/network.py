"""Addresses on the network: what they are, and how they are shown."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit


def is_loopback(host: str) -> bool:
    """True for this machine: `localhost`, names below it, 127.0.0.0/8 and ::1; `host` is a name or an address."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""Addresses whose last four bytes are an IPv4 address."""


def is_public_address(address: str) -> bool:
    """True for an address that the internet routes to one machine: not for private, loopback, link-local, shared,
    reserved and multicast ones, nor for IPv6 forms of such an IPv4 address, nor for what is no address.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.teredo or parsed.is_site_local:
            return False
        embedded = parsed.ipv4_mapped or parsed.sixtofour
        if any(parsed in network for network in _NAT64):
            embedded = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public_address(str(embedded))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as the system gives them now; raises `OSError` for a name without any."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def without_credentials(url: str) -> str:
    """The address without user name and password, fit for a log."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
