"""Sends one notification to one address, of either kind; and how addresses are read and shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.errors import InvalidInput
from services.push.apprise_client import AppriseClient
from services.push.records import NotificationMessage, SendResult
from services.push.webhooks import WebhookClient, is_webhook, parse_webhook

MASK = "****"
LONGEST_URL = 2000

_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,12}", re.ASCII)
_WEB = ("http", "https")


class NotificationSender:
    """Sends to webhooks and by Apprise."""

    def __init__(
        self, webhooks: WebhookClient, apprise: AppriseClient, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._webhooks = webhooks
        self._apprise = apprise
        self._clock = clock

    async def check(self, urls: Sequence[str]) -> None:
        """Return for addresses that can be used; raises `InvalidInput` ("urls"), which names them by their place."""
        for_apprise: list[int] = []
        for place, url in enumerate(urls, 1):
            if is_webhook(url):
                _check_webhook(url, place)
            else:
                for_apprise.append(place)
        accepted = await self._apprise.check([urls[place - 1] for place in for_apprise])
        for place, is_accepted in zip(for_apprise, accepted, strict=True):
            if not is_accepted:
                raise InvalidInput(
                    "urls",
                    f"Address {place} is neither one that Apprise knows, nor a webhook with its secret, "
                    "https://…#whsec_….",
                )

    async def send(self, url: str, notification: NotificationMessage) -> SendResult:
        """Send a notification to an address; what became of it."""
        if is_webhook(url):
            return await self._webhooks.send(
                parse_webhook(url), notification, datetime.fromtimestamp(self._clock(), UTC)
            )
        return await self._apprise.send(url, notification)


def _check_webhook(url: str, place: int) -> None:
    try:
        parse_webhook(url)
    except InvalidInput as error:
        raise InvalidInput("urls", f"Address {place}: {error.message}") from None


def masked(url: str) -> str:
    """The address as it may be shown: its scheme, its host where that is surely one, and nothing else.

    "ntfys://ntfy.example.org/****", "tgram://****", "https://hooks.example.org/****".
    """
    try:
        parts = urlsplit(parse_webhook(url).url if is_webhook(url) else url)
        host = parts.hostname or ""
    except (ValueError, InvalidInput):
        return MASK
    if not re.fullmatch(r"[a-z0-9+.-]{1,30}", parts.scheme):
        return MASK
    has_host = _is_address(host) or _DOMAIN.fullmatch(parts.netloc.rpartition("@")[2].partition(":")[0]) is not None
    is_whole = parts.scheme not in _WEB and not parts.path.strip("/") and "@" not in parts.netloc
    if not has_host or is_whole:
        return f"{parts.scheme}://{MASK}"
    return f"{parts.scheme}://{host}/{MASK}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True
