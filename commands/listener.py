"""The address the API listens on: bound by the process that is started first, and inherited by the API processes."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

import structlog

from services.errors import ConfigurationError
from services.network import is_loopback
from services.settings import Settings

log = structlog.get_logger("jmgraph.serve")

LISTENER = "JMGRAPH_LISTENER"
"""Environment variable with the number of an inherited listening socket."""

BACKLOG = 2048
"""Connections that may wait, above all while an API process is restarted; the kernel may allow fewer."""


def listen(settings: Settings) -> socket.socket:
    """The inherited socket, else one of our own; `ConfigurationError` in one line when the address can't be bound."""
    inherited = os.environ.pop(LISTENER, "")
    if inherited:
        return socket.socket(fileno=int(inherited))
    listener = bind(settings.host, settings.port)
    _warn_when_open(settings)
    return listener


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
    """Where a browser on this machine finds the API: "http://127.0.0.1:11111"."""
    if settings.public_url:
        return settings.public_url
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = "localhost"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _warn_when_open(settings: Settings) -> None:
    if not is_loopback(settings.host) and not settings.api_keys:
        log.warning(
            "OPEN TO THE NETWORK WITHOUT A KEY: anybody who reaches this address can start and remove downloads; "
            "set JMGRAPH_API_KEYS",
            host=settings.host,
            port=settings.port,
        )
