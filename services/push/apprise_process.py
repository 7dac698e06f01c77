"""Sends by Apprise, in a process of its own: a request as JSON on standard input, its answer on standard output.

Apprise has some 150 services, each with its own way to connect. What all of them have in common is Python: an audit
hook sees the address of every connection at the moment when it is made, and every file that is opened. So nothing
is connected to that may not be, whatever was resolved, redirected or configured before; and no file of the host is
read. The process ends with the request, and with it all that Apprise needs in memory.

`{"action": "check", "urls": […]}` → `{"accepted": [true, …]}`
`{"action": "send", "url", "title", "body", "allows_private"}` → `{"ok", "status", "reason"}`: the status of the last
HTTP response; reason is "private", "too long", "gone" or null.
"""

from __future__ import annotations

import io
import json
import os
import resource
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import apprise
import requests.adapters
import urllib3

from services.network import is_public_address

MOST_BYTES = 256 * 1024
"""Of one HTTP response."""
MEMORY_BYTES = 1 << 30

_LOCAL = frozenset({"blink1", "dbus", "glib", "gnome", "macosx", "syslog", "windows"})
"""Modules of services that notify the machine they run on, which would be this server."""
_FOLDERS = tuple(
    os.path.realpath(folder) + os.sep
    for folder in (sys.prefix, sys.base_prefix, "/usr/share", "/etc/ssl/certs", Path(__file__).parent.parent)
)
"""Where Python, its packages, time zones and certificates are."""
_FILES = frozenset({"/etc/mime.types", os.devnull})
_ALLOWED_CALLS = frozenset({"os.listdir", "os.scandir", "os.putenv", "os.unsetenv"})
_CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


class _Guard:
    """What happened, and the hook that decides what may."""

    def __init__(self, *, allows_private: bool) -> None:
        self.allows_private = allows_private
        self.status: int | None = None
        self.reason: str | None = None

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Raise `PermissionError` for what a notification does not need."""
        if event in _CONNECTING:
            self._check_address(args[0], args[1])
        elif event == "open":
            _check_file(args[0], args[2])
        elif event.startswith(("os.", "shutil.", "subprocess.", "syslog.", "pty.")) and event not in _ALLOWED_CALLS:
            raise PermissionError(event)

    def _check_address(self, sock: socket.socket, address: Any) -> None:
        if address is None:  # of a socket that is connected
            return
        is_of_network = sock.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple)
        if is_of_network and (self.allows_private or is_public_address(str(address[0]))):
            return
        self.reason = "private"
        raise PermissionError("an address that is not one of the internet")

    def build_response(self, adapter: Any, request: Any, response: Any) -> Any:
        """As `HTTPAdapter.build_response`, with the whole body, unless that is too long."""
        self.status = response.status
        try:
            body = response.read(MOST_BYTES + 1, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise requests.ConnectionError(type(error).__name__) from None
        finally:
            response.close()
        if len(body) > MOST_BYTES:
            self.reason = "too long"
            raise requests.ConnectionError("the response is too long")
        headers = {name: value for name, value in response.headers.items() if name.lower() != "content-encoding"}
        whole = urllib3.HTTPResponse(
            io.BytesIO(body), headers, status=response.status, reason=response.reason, preload_content=False
        )
        return _build_response(adapter, request, whole)


_build_response: Any = requests.adapters.HTTPAdapter.build_response


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr
    _limit_resources()
    actions: dict[str, Callable[..., dict[str, Any]]] = {"check": _check, "send": _send}
    answer = actions[request.pop("action")](**request)
    json.dump(answer, output)
    output.flush()


def _check(urls: list[str]) -> dict[str, Any]:
    sys.addaudithook(_Guard(allows_private=False).hook)
    return {"accepted": [_service(url) is not None for url in urls]}


def _send(url: str, title: str, body: str, allows_private: bool) -> dict[str, Any]:
    guard = _Guard(allows_private=allows_private)

    def build_response(adapter: Any, request: Any, response: Any) -> Any:
        return guard.build_response(adapter, request, response)

    adapters: Any = requests.adapters
    adapters.HTTPAdapter.build_response = build_response
    sys.addaudithook(guard.hook)
    service = _service(url)
    if service is None:
        return {"ok": False, "status": None, "reason": "gone"}
    service.redirects = False  # also where the address says redirect=yes
    sender = apprise.Apprise(asset=_asset())
    sender.add(service)
    is_ok = bool(sender.notify(body, title=title))
    return {"ok": is_ok, "status": guard.status, "reason": guard.reason}


def _service(url: str) -> Any:
    """The service of an address; None for one that Apprise does not know, or that is this machine itself."""
    service = apprise.Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    module = type(service).__module__.rpartition(".")[2]
    return None if service is None or not service.enabled or module in _LOCAL else service


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="jmgraph",
        app_desc="jmgraph",
        http_redirects=False,
        allow_templates=False,
        secure_logging=True,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
    )


def _limit_resources() -> None:
    """No core dumps, which would have the address; and no more memory than a large response needs."""
    for limit, value in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def _check_file(path: Any, flags: Any) -> None:
    """Raise `PermissionError` for what is not to be read, and for all that would be written."""
    if isinstance(path, int):
        return
    is_reading = not (isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    name = os.path.realpath(os.fsdecode(path))
    if is_reading and (name.startswith(_FOLDERS) or name in _FILES):
        return
    raise PermissionError("a file of the host")


if __name__ == "__main__":
    main()
