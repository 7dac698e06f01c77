"""Notifications by Apprise: each in a process of its own, which ends in bounded time."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import structlog

from services.push.records import NO_ANSWER, PRIVATE_ADDRESS, TOO_LONG, NotificationMessage, SendOutcome, SendResult

log = structlog.get_logger("jmgraph.push")

SCRIPT = Path(__file__).with_name("apprise_process.py")
TIMEOUT_S = 25.0
"""Of one process, whose start takes half a second."""
PROCESSES_AT_ONCE = 2
"""Each takes some 60 MB."""

_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class AppriseClient:
    """Sends by Apprise. `allows_private`: addresses that the internet does not route are allowed.

    Then the system's proxy is used as well; a proxy resolves names itself, so that no address could be checked.
    """

    def __init__(self, *, allows_private: bool, timeout_s: float = TIMEOUT_S) -> None:
        self._allows_private = allows_private
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(PROCESSES_AT_ONCE)

    async def check(self, urls: Sequence[str]) -> list[bool]:
        """For each address whether Apprise knows it, and can use it here."""
        if not urls:
            return []
        answer = await self._run({"action": "check", "urls": list(urls)})
        accepted = (answer or {}).get("accepted")
        return list(map(bool, accepted)) if accepted else [False] * len(urls)

    async def send(self, url: str, notification: NotificationMessage) -> SendResult:
        """Send one notification; what became of it."""
        request = {
            "action": "send",
            "url": url,
            "title": notification.heading,
            "body": notification.text,
            "allows_private": self._allows_private,
        }
        answer = await self._run(request)
        if answer is None:
            return NO_ANSWER
        if answer["ok"]:
            return SendResult.of_status(200)
        return _failure(answer["reason"], answer["status"])

    async def _run(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """The answer of a process; None without one, in time. The address is in its input alone."""
        async with self._slots:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                "-B",
                str(SCRIPT),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # Apprise may write the address there
                env=self._environment(),
                cwd="/",
            )
            try:
                async with asyncio.timeout(self._timeout_s):
                    output, _ = await process.communicate(orjson.dumps(request))
                answer: dict[str, Any] = orjson.loads(output)
                return answer
            except TimeoutError:
                return None
            except orjson.JSONDecodeError:
                log.error("Apprise has failed", exit_code=process.returncode)
                return None
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    def _environment(self) -> dict[str, str]:
        names = {*_ENVIRONMENT, *(_PROXIES if self._allows_private else ())}
        return {name: value for name, value in os.environ.items() if name.upper() in names}


def _failure(reason: str | None, status: int | None) -> SendResult:
    match reason:
        case "private":
            return PRIVATE_ADDRESS
        case "too long":
            return TOO_LONG
        case "gone":
            return SendResult(SendOutcome.REFUSED, "Apprise does not know this address any more.")
    if status is None:
        return NO_ANSWER
    result = SendResult.of_status(status)
    if result.outcome in (SendOutcome.DELIVERED, SendOutcome.GONE):
        return SendResult(SendOutcome.REFUSED, "The service does not accept it.")
    return result
