"""What every resolver gets: the services, who asks, and under which address this server is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from resolvers.loaders import Loaders
from services.access import Caller
from services.container import Services


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

    def require_write_access(self) -> None:
        """Return when the caller may change state; raises `Forbidden` or `Unauthenticated`."""
        api_key = self.caller.api_key or self._parameter("apiKey")
        self.services.access.require_write_access(replace(self.caller, api_key=api_key))

    @property
    def token(self) -> str | None:
        """The GitHub token that edits of the tag database need."""
        return self.caller.token or self._parameter("token")

    def _parameter(self, name: str) -> str | None:
        value = (self.connection_params or {}).get(name)
        return value if isinstance(value, str) else None
