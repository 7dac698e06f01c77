"""The address the API listens on: bound by the process that is started first, and inherited by the API processes."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
from urllib.parse import urlsplit

from services.errors import ConfigurationError
from services.network import is_loopback
from services.settings import Settings

LISTENER = "JMGRAPH_LISTENER"
"""Environment variable with the number of an inherited listening socket."""

SHARED = "JMGRAPH_LISTENER_SHARED"
"""Environment variable that is set where several API processes inherit the same socket."""

BACKLOG = 2048
"""Connections that may wait, above all while an API process is restarted; the kernel may allow fewer."""

_ELSEWHERE = "192.0.2.1"
"""An address for documentation (RFC 5737): on no local network, so that the default route leads to it."""


def listen(settings: Settings) -> socket.socket:
    """The inherited socket, else one of our own; `ConfigurationError` in one line when the address can't be bound."""
    inherited = os.environ.pop(LISTENER, "")
    if inherited:
        return socket.socket(fileno=int(inherited))
    return bind(settings.host, settings.port)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises `ConfigurationError` in one line when the address can't be bound."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):
        raise ConfigurationError(f"JMGRAPH_HOST={host!r}: an address or name of this machine") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_reason(host, port, error)) from None
    return listener


def _reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"JMGRAPH_PORT={port}: something else listens there; a free port, 0 for any"
    if error.errno == errno.EACCES:
        return f"JMGRAPH_PORT={port}: this user may not listen there; a port from 1024 up"
    return f"JMGRAPH_HOST={host!r}: an address of this machine"


def base_url(settings: Settings, listener: socket.socket) -> str:
    """Where a browser finds the API: the public URL where one is set, else `local_url`."""
    return settings.public_url or local_url(listener)


def local_url(listener: socket.socket) -> str:
    """Where programs on this machine find the API: "http://127.0.0.1:11111"."""
    host, port = listener.getsockname()[:2]
    return _url("localhost" if ipaddress.ip_address(host).is_unspecified else host, port)


def network_url(listener: socket.socket) -> str | None:
    """Where others on the local network find the API; None where it listens on one address, or has no network."""
    host, port = listener.getsockname()[:2]
    if not ipaddress.ip_address(host).is_unspecified:
        return None
    address = _network_address()
    return address and _url(address, port)


def _network_address() -> str | None:
    """This machine's IPv4 address on the way to other networks; a UDP socket finds it without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
        except OSError:  # no network
            return None
        address = str(probe.getsockname()[0])
    return None if is_loopback(address) else address


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def responds(url: str) -> bool:
    """True once the API at this address responds; the request waits in the socket's queue while the API starts."""
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        line = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in line
