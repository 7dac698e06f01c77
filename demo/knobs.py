"""Knobs: faults and delays that are set while the demo site runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from random import Random
from threading import Lock
from typing import Any

from demo.records import EmptyShape, Fault, FaultKind

ROLES = ("api", "html", "image")


@dataclass(frozen=True, slots=True)
class Setting:
    """The knobs of one target. The default is a healthy, fast host.

    `failure` is a FaultKind ("region", "challenge", "rate_limit", "server_error", ...); it applies to every request,
    or a share of them (`rate`, 0 to 1), or only the next `fail_next`. `status`, `retry_after_s` and `shape`
    replace what the kind of failure sends. `stall_after_bytes` sends that much of a body and then nothing more;
    `bytes_per_s` limits the speed. `dead` cuts every connection at once. `img_hosts` replaces the `img_host` of the
    app's settings: one address, or a list of them. `method` limits all of these to requests of this method ("POST").
    """

    latency_s: float = 0.0
    failure: FaultKind | None = None
    rate: float = 1.0
    fail_next: int | None = None
    status: int | None = None
    retry_after_s: int | None = None
    shape: EmptyShape = EmptyShape.TEXT
    stall_after_bytes: int | None = None
    bytes_per_s: int | None = None
    dead: bool = False
    img_hosts: str | Sequence[str] | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the knobs do to one request."""

    latency_s: float
    fault: Fault | None
    stall_after_bytes: int | None
    bytes_per_s: int | None
    dead: bool
    img_hosts: str | Sequence[str] | None


_DEFAULT = Setting()
_NAMES = frozenset(knob.name for knob in fields(Setting))


class Knobs:
    """All knobs of a demo site. Thread-safe.

    A target is "*", a role ("api", "html", "image") or a host ("api-1", "image-2"); `path` limits it to requests
    whose path contains that text. Where several apply, a host wins over its role, and a path over none.
    """

    def __init__(self) -> None:
        self._settings: dict[tuple[str, str], Setting] = {}
        self._chance = Random(0)
        self._resets = 0
        self._lock = Lock()

    def set(self, target: str, *, path: str = "", **knobs: Any) -> None:
        """Set the named knobs of a target; its others stay as they are. Raises ValueError for an unknown knob."""
        unknown = knobs.keys() - _NAMES
        if unknown:
            raise ValueError(f"unknown knobs {sorted(unknown)}; there are {sorted(_NAMES)}")
        if knobs.get("failure") is not None:
            knobs["failure"] = FaultKind(knobs["failure"])
        if "shape" in knobs:
            knobs["shape"] = EmptyShape(knobs["shape"])
        with self._lock:
            self._settings[target, path] = replace(self._settings.get((target, path), _DEFAULT), **knobs)

    def reset(self) -> None:
        """Set every knob back to its default."""
        with self._lock:
            self._settings.clear()
            self._chance = Random(0)
            self._resets += 1

    @property
    def resets(self) -> int:
        """How often `reset` was called; scripted comics then count their requests from zero again."""
        return self._resets

    def as_json(self) -> list[dict[str, Any]]:
        """The knobs that are set, as the admin route shows them."""
        with self._lock:
            return [
                {"target": target, "path": path, **asdict(setting)}
                for (target, path), setting in self._settings.items()
            ]

    def is_dead(self, host: str, role: str) -> bool:
        """True when the host cuts connections before it reads anything."""
        with self._lock:
            return any(self._settings.get((target, ""), _DEFAULT).dead for target in ("*", role, host))

    def behaviour(self, host: str, role: str, path: str, method: str = "GET") -> Behaviour:
        """What happens to a request; each call uses up one of `fail_next`."""
        with self._lock:
            applying = [
                (key, setting)
                for key, setting in self._settings.items()
                if key[0] in ("*", role, host) and key[1] in path and setting.method in ("", method)
            ]
            applying.sort(key=lambda item: (bool(item[0][1]), item[0][0] == host, item[0][0] == role))
            return self._merged(applying)

    def _merged(self, applying: list[tuple[tuple[str, str], Setting]]) -> Behaviour:
        latency_s, stall, bytes_per_s, dead = 0.0, None, None, False
        fault: Fault | None = None
        img_hosts: str | Sequence[str] | None = None
        for key, setting in applying:
            latency_s = setting.latency_s or latency_s
            stall = setting.stall_after_bytes if setting.stall_after_bytes is not None else stall
            bytes_per_s = setting.bytes_per_s or bytes_per_s
            dead = dead or setting.dead
            fault = self._fault(key, setting) or fault
            img_hosts = setting.img_hosts if setting.img_hosts is not None else img_hosts
        return Behaviour(latency_s, fault, stall, bytes_per_s, dead, img_hosts)

    def _fault(self, key: tuple[str, str], setting: Setting) -> Fault | None:
        if setting.failure is None or self._chance.random() >= setting.rate:
            return None
        if setting.fail_next is not None:
            if setting.fail_next <= 0:
                return None
            self._settings[key] = replace(setting, fail_next=setting.fail_next - 1)
        return Fault(setting.failure, setting.status, setting.retry_after_s, setting.shape)
