"""Failures of the site, as processes tell them each other."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from services.errors import UpstreamFailure, UpstreamReason


@dataclass(frozen=True, slots=True)
class _Verdict:
    reason: UpstreamReason
    message: str
    retry_after_s: float | None


def pack_failure(error: BaseException) -> bytes:
    """The bytes that tell a failure of the site; empty for any other error, which is nobody else's."""
    if not isinstance(error, UpstreamFailure):
        return b""
    return msgspec.json.encode(_Verdict(error.reason, error.message, error.retry_after_s))


def unpack_failure(verdict: bytes) -> UpstreamFailure:
    """The failure that another process told."""
    told = msgspec.json.decode(verdict, type=_Verdict)
    return UpstreamFailure(told.reason, told.message, told.retry_after_s)
