"""The lists of hosts that the site publishes: read from its addresses, and kept on disk for the next start."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from services.network import without_credentials
from services.upstream.failures import attempt_error, check_answer
from services.upstream.jmcomic_state import api_list_addresses, html_list_address, read_api_list, read_html_list
from services.upstream.records import HostRole
from services.upstream.transport import Proxies

log = structlog.get_logger("jmgraph.upstream")

LIST_TIMEOUT_S = 10.0

FILE_NAME = "jm-hosts.json"

_HOST_NAME = re.compile(r"(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.I)
_MOST_HOSTS = 20


@dataclass(frozen=True, slots=True)
class ListAddresses:
    """Where the site publishes its hosts; jmcomic's own addresses unless given."""

    api: tuple[str, ...] = api_list_addresses()
    html: tuple[str, ...] = (html_list_address(),)


class ListReader:
    """Reads a published list: the base URLs in it, of the first address that gives any; empty when none does."""

    def __init__(self, session: Any, proxies: Proxies, addresses: ListAddresses) -> None:
        self._session = session
        self._proxies = proxies
        self._addresses = addresses

    async def read_api(self) -> tuple[str, ...]:
        """Hosts of the mobile API."""

        def read(text: str) -> list[str]:
            return list(map(str, json.loads(read_api_list(text)).get("Server") or ()))

        return await self._first_list(self._addresses.api, read)

    async def read_html(self) -> tuple[str, ...]:
        """Hosts of the website."""
        return await self._first_list(self._addresses.html, read_html_list)

    async def _first_list(self, addresses: Sequence[str], read: Callable[[str], list[str]]) -> tuple[str, ...]:
        for address in addresses:
            try:
                answer = await self._session.get(
                    address, timeout=LIST_TIMEOUT_S, proxies=self._proxies.for_curl(address)
                )
                check_answer(answer)
                if urls := _base_urls(read(answer.text)):
                    return urls
            except Exception as error:
                failed = attempt_error(error)
                if failed is None:
                    raise
                log.debug(
                    "a list of hosts could not be read",
                    address=without_credentials(address),
                    reason=failed.reason.value,
                )
        return ()


def image_base_urls(published: object) -> tuple[str, ...]:
    """Base URLs in what the app's settings call `img_host`: an address or host name, or several of them.

    "https://cdn.example", "cdn.example/media/" and {"0": "//cdn.example"} are all "https://cdn.example". What is no
    http(s) address of a host name is left out.
    """
    entries = published.values() if isinstance(published, Mapping) else published
    entries = entries if isinstance(entries, Iterable) and not isinstance(entries, str) else [entries]
    urls = (_base_url_of_address(entry.strip()) for entry in entries if isinstance(entry, str))
    return tuple(dict.fromkeys(url for url in urls if url))[:_MOST_HOSTS]


def read_stored_lists(file: Path) -> dict[HostRole, tuple[str, ...]]:
    """The lists in the file; what is missing or unreadable is left out."""
    try:
        stored = json.loads(file.read_text("utf-8"))
        lists = {role: stored.get(role.value) for role in HostRole}
    except (OSError, ValueError, AttributeError):
        return {}
    return {role: urls for role, entries in lists.items() if isinstance(entries, list) and (urls := _texts(entries))}


def store_list(file: Path, role: HostRole, urls: Sequence[str]) -> None:
    """Put one list into the file, whole or not at all. Where it can't be written the next start goes without."""
    stored = {other.value: list(known) for other, known in read_stored_lists(file).items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as scratch:
            json.dump(stored | {role.value: list(urls)}, scratch, indent=1)
        Path(scratch.name).replace(file)
    except OSError as error:
        log.warning("the list of hosts could not be written", error=type(error).__name__)


def _texts(entries: list[object]) -> tuple[str, ...]:
    return _base_urls([entry for entry in entries if isinstance(entry, str)])


def _base_urls(entries: Sequence[str]) -> tuple[str, ...]:
    """Base addresses in the list; download links and what is not a host are left out."""
    return tuple(dict.fromkeys(url for entry in entries if (url := _base_url(entry.strip()))))[:_MOST_HOSTS]


def _base_url(entry: str) -> str | None:
    if _HOST_NAME.fullmatch(entry):
        return f"https://{entry.lower()}"
    try:
        parts = urlsplit(entry)
        is_base = parts.scheme in ("http", "https") and parts.hostname and not parts.path.strip("/")
    except ValueError:
        return None
    return f"{parts.scheme}://{parts.netloc}" if is_base else None


def _base_url_of_address(address: str) -> str | None:
    """The base URL of an address with or without scheme, credentials and path; None for what is no address."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address.removeprefix('//')}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not _HOST_NAME.fullmatch(parts.hostname or ""):
        return None
    return f"{parts.scheme}://{parts.hostname}{port}"
