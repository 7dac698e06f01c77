"""`jmgraph doctor`: one line for each dependency, and what to do about those that fail; or for each of the site's
answers.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from commands.listener import responds
from commands.server_file import RunningServer, find_server
from services.catalog import HostStatus, UpstreamStatus
from services.database import open_database
from services.downloads import open_archive_store
from services.ehtag import open_tag_database
from services.errors import ConfigurationError, JmgraphError, UpstreamReason
from services.people import AccountTools
from services.redis import open_redis
from services.settings import Settings
from services.upstream import SiteFinding, Verdict, check_site, open_upstream

_ADVICE = {
    UpstreamReason.REGION_BLOCKED: "it refuses this region: set JMGRAPH_JM_PROXY, or JMGRAPH_JM_METHOD=api",
    UpstreamReason.CHALLENGED: "it asks for a browser challenge: wait, or set JMGRAPH_JM_METHOD=api or a proxy",
    UpstreamReason.RATE_LIMITED: "it asks for fewer requests: lower JMGRAPH_JM_RATE and JMGRAPH_JM_CONCURRENCY",
    UpstreamReason.TIMEOUT: "no answer in time: check the network, raise JMGRAPH_JM_TIMEOUT, or set a proxy",
    UpstreamReason.UNREACHABLE: "no connection: check the network and JMGRAPH_JM_PROXY, or drop this address",
    UpstreamReason.GARBLED: "its answers can't be read: the site may have changed; look for a newer jmgraph",
    UpstreamReason.MAINTENANCE: "it is under maintenance: wait",
    UpstreamReason.LOGIN_REQUIRED: "nobody is logged in here: it shows this to members alone",
    UpstreamReason.REFUSED: "it refuses this number",
}


_CAUSES = {
    "DNSError": ("DNS fails", "check this machine's name server, or set JMGRAPH_JM_PROXY"),
    "ProxyError": ("the proxy fails", "check the proxy: JMGRAPH_JM_PROXY, else HTTPS_PROXY"),
    "SSLError": ("TLS fails", "something between here and the site answers in its place: set JMGRAPH_JM_PROXY"),
    "CertificateVerifyError": ("its certificate is not valid", "check this machine's clock, or set JMGRAPH_JM_PROXY"),
}
"""Cause and advice where the exception says more than the reason does (`HostStatus.detail`)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The line of one dependency. `advice` is empty when it is healthy."""

    name: str
    is_ok: bool
    message: str
    advice: str = ""


async def doctor(settings: Settings) -> int:
    """Print the findings as they come; gives 1 when something needs doing."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    bad = 0
    async for finding in _findings(settings):
        mark = Text("ok  ", "green") if finding.is_ok else Text("FAIL", "red")
        advice = f" — {finding.advice}" if finding.advice else ""
        console.print(mark, f"{finding.name}: {finding.message}{advice}")
        bad += not finding.is_ok
    return 1 if bad else 0


_COLOURS = {Verdict.OK: "green", Verdict.TOLERATED: "yellow", Verdict.BROKEN: "red", Verdict.SKIPPED: "dim"}


async def doctor_site(settings: Settings) -> int:
    """Check what the site answers; prints name, verdict and words of each finding, and gives 1 when one is broken."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    verdicts = set()

    def print_finding(finding: SiteFinding) -> None:
        verdicts.add(finding.verdict)
        advice = f" — {_ADVICE[finding.reason]}" if finding.reason else ""
        verdict = Text(f"{finding.verdict:<10}", _COLOURS[finding.verdict])
        console.print(f"{finding.name:<16}", verdict, f"{finding.words}{advice}")

    await check_site(settings, print_finding)
    return 1 if Verdict.BROKEN in verdicts else 0


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    if server := find_server(settings):
        yield await _server(server)
    yield _disk(settings)
    yield await _redis(settings)
    yield await _storage(settings)
    yield await _tags(settings)
    yield await _people(settings)
    yield _library(settings)
    async for finding in _site(settings):
        yield finding


async def _server(server: RunningServer) -> Finding:
    began = time.perf_counter()
    if not await responds(server.url):
        return Finding("server", False, f"{server.url} gives no answer", "look at its log")
    return Finding("server", True, f"{server.url}, {(time.perf_counter() - began) * 1000:.1f} ms")


def _disk(settings: Settings) -> Finding:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        free_bytes = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return Finding("disk", False, f"{error.strerror}", "set JMGRAPH_DATA_DIR to a folder that can be written")
    message = f"{free_bytes / 1e9:.1f} GB free in {settings.data_dir}"
    if free_bytes < settings.disk_floor_bytes:
        return Finding("disk", False, message, "free some, or lower JMGRAPH_DISK_FLOOR: no download starts below it")
    return Finding("disk", True, message)


def _library(settings: Settings) -> Finding:
    folder = settings.library_folder
    if folder is None:
        return Finding("library", True, "in the S3 store")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(
            "library", False, f"{error.strerror}", "set JMGRAPH_LIBRARY_DIR to a folder that can be written"
        )
    return Finding("library", True, f"{free_bytes / 1e9:.1f} GB free in {folder}")


async def _people(settings: Settings) -> Finding:
    where = "PostgreSQL" if settings.database_url.get_secret_value() else "SQLite in the data directory"
    try:
        async with open_database(settings) as database:
            began = time.perf_counter()
            await database.check()
            took_ms = (time.perf_counter() - began) * 1000
            users = await AccountTools.on(database, settings).accounts.list()
    except (JmgraphError, ConfigurationError) as error:
        return Finding("people", False, f"{where}: {error}", "check JMGRAPH_DATABASE_URL, or the data directory")
    accounts = sum(not user.is_of_site for user in users)
    state = f"closed, accounts: {accounts}" if accounts else "open: no accounts"
    return Finding("people", True, f"{where}, {state}, {took_ms:.1f} ms")


async def _redis(settings: Settings) -> Finding:
    where = "JMGRAPH_REDIS_URL" if settings.redis_url.get_secret_value() else "embedded Valkey"
    try:
        async with open_redis(settings, join=False) as client:
            latency_ms = await client.ping()
    except ConfigurationError as error:
        return Finding("redis", False, str(error), "correct that setting")
    if latency_ms is None:
        return Finding("redis", False, f"{where} gives no answer", "start it, or correct JMGRAPH_REDIS_URL")
    return Finding("redis", True, f"{where}, {latency_ms:.1f} ms")


async def _storage(settings: Settings) -> Finding:
    url = settings.storage_url.get_secret_value()
    began = time.perf_counter()
    try:
        store = open_archive_store(url, settings.storage_options, settings.data_dir / "archives")
        await store.stat("doctor")
    except (ConfigurationError, JmgraphError) as error:
        return Finding("storage", False, str(error), "check JMGRAPH_STORAGE_URL and JMGRAPH_STORAGE_OPTIONS")
    where = url.partition("://")[0] or "local folder"
    return Finding("storage", True, f"{where}, {(time.perf_counter() - began) * 1000:.1f} ms")


async def _tags(settings: Settings) -> Finding:
    try:
        async with open_tag_database(settings) as tags:
            state = tags.state
    except (ConfigurationError, JmgraphError) as error:
        return Finding("tag database", False, str(error), "set JMGRAPH_EHTAG_REPOSITORY to one that can be read")
    message = f"{state.snapshot.count} tags at {state.sha[:8]}"
    if state.last_error:
        return Finding(
            "tag database", False, f"{message}; the last fetch failed: {state.last_error}", "run jmgraph ehtag sync"
        )
    if state.is_starter:
        return Finding("tag database", True, f"starter glossary, {message}", "jmgraph ehtag sync brings the real one")
    return Finding("tag database", True, message)


async def _site(settings: Settings) -> AsyncIterator[Finding]:
    async with open_upstream(settings, None) as upstream:
        status = await upstream.probe()
    causes = Counter(_cause(host) for host in status.hosts if not host.healthy)
    for host in status.hosts:
        yield _host(host, has_advice=status.reachable or len(causes) > 1)
    yield _all_hosts(status, causes)


def _host(host: HostStatus, *, has_advice: bool) -> Finding:
    name = f"{host.role.value.lower()} {host.url}"
    if host.healthy:
        return Finding(name, True, f"{host.latency_ms:.0f} ms" if host.latency_ms is not None else "answers")
    return Finding(name, False, _cause(host), _advice(host) if has_advice else "")


def _all_hosts(status: UpstreamStatus, causes: Counter[str]) -> Finding:
    """How many hosts answer, and what is wrong with the others: "0 of 10 hosts answer: DNS fails"."""
    if not status.hosts:
        return Finding("site", False, "no host is known", "check the network, or set JMGRAPH_JM_API_URLS")
    message = f"{len(status.hosts) - causes.total()} of {len(status.hosts)} hosts answer"
    if len(causes) == 1:
        message += f": {next(iter(causes))}"
    elif causes:
        message += ": " + ", ".join(f"{cause} ({count})" for cause, count in causes.most_common())
    advice = "" if status.reachable else _advice(next(host for host in status.hosts if not host.healthy))
    return Finding("site", status.reachable, message, advice)


def _cause(host: HostStatus) -> str:
    reason = host.reason or UpstreamReason.UNREACHABLE
    return _CAUSES.get(host.detail, (reason.value.lower().replace("_", " "), ""))[0]


def _advice(host: HostStatus) -> str:
    return _CAUSES.get(host.detail, ("", _ADVICE[host.reason or UpstreamReason.UNREACHABLE]))[1]
