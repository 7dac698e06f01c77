"""What every resolver gets: the services, who asks, and under which address this server is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from resolvers.loaders import Loaders
from services.container import Services


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the transport tells."""

    origin: str | None = None
    own_origins: tuple[str, ...] = ()
    api_key: str | None = None
    token: str | None = None


@dataclass(slots=True)
class Context:
    """One per request, one per socket. `base_url` ends without a slash: "https://comics.example/jm"."""

    services: Services
    base_url: str
    caller: Caller
    connection_params: Mapping[str, Any] | None = None
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.services)

    def url(self, *parts: object) -> str:
        """Absolute address on this server of a path given by its unquoted segments."""
        return "/".join([self.base_url, *(quote(str(part), safe="") for part in parts)])

    def check_change(self) -> None:
        """Return when the caller may change state; raises `Forbidden` or `Unauthenticated`."""
        self.services.access.check_change(
            origin=self.caller.origin,
            own_origins=self.caller.own_origins,
            api_key=self.caller.api_key or self._parameter("apiKey"),
        )

    @property
    def token(self) -> str | None:
        """The GitHub token that edits of the tag database need."""
        return self.caller.token or self._parameter("token")

    def _parameter(self, name: str) -> str | None:
        value = (self.connection_params or {}).get(name)
        return value if isinstance(value, str) else None
