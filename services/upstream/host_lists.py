"""The addresses of the site: from the settings, else from the lists that the site publishes, refreshed by us.

A list that was read is written to disk for the next start. One that could not be read changes nothing: the list in
use stays, and is asked for again after a while.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog

from services.network import without_credentials
from services.upstream.failures import attempt_error, check_answer
from services.upstream.hosts import Clock, Hosts
from services.upstream.jmcomic_state import (
    api_list_addresses,
    built_in_api_urls,
    built_in_image_urls,
    html_list_address,
    read_api_list,
    read_html_list,
)
from services.upstream.records import HostRole
from services.upstream.transport import Proxies

log = structlog.get_logger("jmgraph.upstream")

REFRESH_EVERY_S = 6 * 3600.0
"""Between two refreshes of a published list while hosts answer."""

REFRESH_AFTER_FAILURE_S = 300.0
"""Between two refreshes while no host of the role answers, and after a refresh that failed."""

LIST_TIMEOUT_S = 10.0

FILE_NAME = "jm-hosts.json"

_HOST_NAME = re.compile(r"(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+", re.I)
_MOST_HOSTS = 20


@dataclass(frozen=True, slots=True)
class ListAddresses:
    """Where the site publishes its hosts; jmcomic's own addresses unless given."""

    api: tuple[str, ...] = api_list_addresses()
    html: tuple[str, ...] = (html_list_address(),)


class HostLists:
    """The hosts of every role. `given` are those of the settings; only roles without any are refreshed."""

    def __init__(
        self,
        given: Mapping[HostRole, Sequence[str]],
        *,
        file: Path,
        session: Any,
        proxies: Proxies,
        addresses: ListAddresses | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._file = file
        self._session = session
        self._proxies = proxies
        self._clock = clock
        self._addresses = addresses or ListAddresses()
        self._refreshed_at: dict[HostRole, float] = {}
        self._succeeded_at: dict[HostRole, float] = {}
        self._refreshing: dict[HostRole, asyncio.Task[None]] = {}
        known = _read_file(file)
        built_in = {HostRole.API: built_in_api_urls(), HostRole.IMAGE: built_in_image_urls()}
        self._of = {
            role: Hosts(role, given.get(role) or known.get(role) or built_in.get(role, ()), clock)
            for role in HostRole
        }
        self._readers: dict[HostRole, Callable[[], Awaitable[tuple[str, ...]]]] = {
            role: reader
            for role, reader in ((HostRole.API, self._read_api), (HostRole.HTML, self._read_html))
            if not given.get(role)
        }

    def of(self, role: HostRole) -> Hosts:
        """The hosts of a role as they are known; starts no refresh."""
        return self._of[role]

    def known_hosts(self, role: HostRole) -> Hosts:
        """The hosts of a role as they are known, perhaps none; starts a refresh in the background when one is due."""
        if role in self._readers and self._is_due(role):
            self._start_refresh(role)
        return self._of[role]

    async def ready(self, role: HostRole) -> Hosts:
        """As `known_hosts`, but waits for a first list where no host is known."""
        hosts = self.known_hosts(role)
        if not len(hosts) and role in self._refreshing:
            await asyncio.wait([self._refreshing[role]])
        return hosts

    async def refresh(self) -> None:
        """Read every published list now."""
        for role in self._readers:
            self._start_refresh(role)
        await self.settled()

    async def settled(self) -> None:
        """Return once no refresh is under way."""
        if self._refreshing:
            await asyncio.wait(self._refreshing.values())

    async def aclose(self) -> None:
        """Cancel refreshes that are under way."""
        refreshing = list(self._refreshing.values())
        for task in refreshing:
            task.cancel()
        await asyncio.gather(*refreshing, return_exceptions=True)

    def _is_due(self, role: HostRole) -> bool:
        now = self._clock()
        refreshed_at, succeeded_at = self._refreshed_at.get(role), self._succeeded_at.get(role)
        if refreshed_at is None:
            return True
        is_failing = succeeded_at is None or self._of[role].are_all_unhealthy
        every_s = REFRESH_AFTER_FAILURE_S if is_failing else REFRESH_EVERY_S
        return now - refreshed_at >= every_s

    def _start_refresh(self, role: HostRole) -> None:
        if role in self._refreshing:
            return
        self._refreshed_at[role] = self._clock()
        task = self._refreshing[role] = asyncio.create_task(self._refresh(role))
        task.add_done_callback(lambda _: self._refreshing.pop(role, None))

    async def _refresh(self, role: HostRole) -> None:
        urls = await self._readers[role]()
        if not urls:
            log.warning("no list of hosts could be read; the known hosts stay", role=role.value)
            return
        self._succeeded_at[role] = self._clock()
        self._of[role].replace(urls)
        await asyncio.to_thread(_write_file, self._file, role, urls)
        log.info("the list of hosts was read", role=role.value, hosts=len(urls))

    async def _read_api(self) -> tuple[str, ...]:
        def read(text: str) -> list[str]:
            return list(map(str, json.loads(read_api_list(text)).get("Server") or ()))

        return await self._first_list(self._addresses.api, read)

    async def _read_html(self) -> tuple[str, ...]:
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


def _read_file(file: Path) -> dict[HostRole, tuple[str, ...]]:
    try:
        stored = json.loads(file.read_text("utf-8"))
        lists = {role: stored.get(role.value) for role in HostRole}
    except (OSError, ValueError, AttributeError):
        return {}
    return {role: urls for role, entries in lists.items() if isinstance(entries, list) and (urls := _texts(entries))}


def _texts(entries: list[object]) -> tuple[str, ...]:
    return _base_urls([entry for entry in entries if isinstance(entry, str)])


def _write_file(file: Path, role: HostRole, urls: Sequence[str]) -> None:
    """Put one list into the file, whole or not at all. Where it can't be written the next start goes without."""
    stored = {other.value: list(known) for other, known in _read_file(file).items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as scratch:
            json.dump(stored | {role.value: list(urls)}, scratch, indent=1)
        Path(scratch.name).replace(file)
    except OSError as error:
        log.warning("the list of hosts could not be written", error=type(error).__name__)
