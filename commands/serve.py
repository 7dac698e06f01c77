"""`jmgraph serve`: the API, in one process or several."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys

import structlog
import uvicorn
from uvicorn.supervisors import Multiprocess

from services.errors import ConfigurationError
from services.settings import Settings

log = structlog.get_logger("jmgraph.serve")

GRACE_S = 10
"""How long running requests may take once the server is asked to stop; streams are told to end at once."""


def serve(settings: Settings, workers: int = 1) -> None:
    """Serve until a signal; raises `ConfigurationError` when the address can't be had."""
    with bind(settings.host, settings.port) as listener:
        _warn_when_open(settings)
        config = uvicorn.Config(
            "app:create_app",
            factory=True,
            workers=workers,
            fd=None,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            timeout_graceful_shutdown=GRACE_S,
        )
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
            return
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            sys.exit(1)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises `ConfigurationError` in one line when the address can't be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError):
        raise ConfigurationError(f"JMGRAPH_HOST={host!r}: an address or name of this machine") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigurationError(_why(host, port, error)) from None
    os.set_inheritable(listener.fileno(), True)
    return listener


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"JMGRAPH_PORT={port}: something else listens there; a free port, 0 for any"
    if error.errno == errno.EACCES:
        return f"JMGRAPH_PORT={port}: this user may not listen there; a port from 1024 up"
    return f"JMGRAPH_HOST={host!r}: an address of this machine"


def is_wide(host: str) -> bool:
    """True when others than this machine can reach the address."""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _warn_when_open(settings: Settings) -> None:
    if is_wide(settings.host) and not settings.api_keys:
        log.warning(
            "OPEN TO THE NETWORK WITHOUT A KEY: anybody who reaches this address can start and remove downloads; "
            "set JMGRAPH_API_KEYS",
            host=settings.host,
            port=settings.port,
        )
