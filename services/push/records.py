"""Records of notifications. Frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

TEST = "TEST"
"""Type of the notification that tests an address."""


class NotificationEvent(StrEnum):
    """What a person can be notified of."""

    DOWNLOAD_READY = "DOWNLOAD_READY"
    DOWNLOAD_FAILED = "DOWNLOAD_FAILED"
    NEW_CHAPTERS = "NEW_CHAPTERS"
    SITE_LOGIN_EXPIRED = "SITE_LOGIN_EXPIRED"


_TITLES = {
    NotificationEvent.DOWNLOAD_READY: "下载完成 · Download ready",
    NotificationEvent.DOWNLOAD_FAILED: "下载失败 · Download failed",
    NotificationEvent.NEW_CHAPTERS: "有新章节 · New chapters",
    NotificationEvent.SITE_LOGIN_EXPIRED: "站点登录已过期 · Login at the site has expired",
    TEST: "测试 · Test",
}
_TEXTS = {
    NotificationEvent.SITE_LOGIN_EXPIRED: "请重新登录。 Log in again.",
    TEST: "通知可以送达。 Notifications arrive.",
}


@dataclass(frozen=True, slots=True)
class NotificationMessage:
    """One notification to one address. `id` stays the same when it is sent again.

    `data` has `albumId`, for downloads `downloadId`, `chapterIds` and `isComplete` or `code`, for new chapters
    `chapterIds`; and `title` where this host allows titles.
    """

    id: str
    type: str
    created_at: datetime
    data: Mapping[str, Any]

    @property
    def heading(self) -> str:
        """What happened, in Chinese and English."""
        return _TITLES[self.type]

    @property
    def text(self) -> str:
        """To what it happened: "JM350234", "山行 (JM350234)", "JM350234 · 2"."""
        if self.type in _TEXTS:
            return _TEXTS[self.type]
        number = f"JM{self.data['albumId']}"
        album = f"{self.data['title']} ({number})" if "title" in self.data else number
        count = len(self.data.get("chapterIds", ()))
        parts = [album, *([str(count)] if count else []), *([self.data["code"]] if "code" in self.data else [])]
        return " · ".join(parts)


class SendOutcome(StrEnum):
    """What became of sending a notification."""

    DELIVERED = "DELIVERED"
    UNANSWERED = "UNANSWERED"
    """No answer, or one that asks to try again."""
    REFUSED = "REFUSED"
    """Trying again would be in vain."""
    GONE = "GONE"
    """The address wants no more notifications."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of sending a notification, and the same as a sentence without anything of the address."""

    outcome: SendOutcome
    message: str

    @classmethod
    def of_status(cls, status: int) -> SendResult:
        """The result by the status of an HTTP response."""
        if 200 <= status < 300:
            return cls(SendOutcome.DELIVERED, "Delivered.")
        if 300 <= status < 400:
            return cls(SendOutcome.REFUSED, f"The server answers with a redirect ({status}), which is not followed.")
        if status == 410:
            return cls(SendOutcome.GONE, "The server wants no more notifications (410).")
        is_temporary = status == 429 or status >= 500
        outcome = SendOutcome.UNANSWERED if is_temporary else SendOutcome.REFUSED
        return cls(outcome, f"The server answers {status}.")


NO_ANSWER = SendResult(SendOutcome.UNANSWERED, "There is no answer.")
PRIVATE_ADDRESS = SendResult(
    SendOutcome.REFUSED, "Its address is a private one, which this server does not notify (JMGRAPH_NOTIFY_PRIVATE)."
)
TOO_LONG = SendResult(SendOutcome.REFUSED, "The answer is too long.")


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Where a person is notified, masked, and of what."""

    urls: tuple[str, ...]
    events: tuple[NotificationEvent, ...]


@dataclass(frozen=True, slots=True)
class NotificationTest:
    """Whether a test arrived at an address, which is masked; `message` says what became of it."""

    url: str
    is_ok: bool
    message: str
