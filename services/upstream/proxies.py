"""Which proxy a request to the site takes, and addresses fit to be shown."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass


class Proxies:
    """One proxy for everything when `setting` names one; else the system's, which never applies to loopback."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._system = {} if setting else getproxies()

    def of(self, url: str) -> str:
        """Proxy for this address, credentials included; "" for none."""
        if self._setting:
            return self._setting
        if not self._system:
            return ""
        parts = urlsplit(url)
        if is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
            return ""
        return self._system.get(parts.scheme) or self._system.get("all") or ""

    def for_curl(self, url: str) -> dict[str, str]:
        """As curl_cffi takes it. An empty name keeps libcurl from reading the environment by itself."""
        return {"all": self.of(url)}


def is_loopback(host: str) -> bool:
    """True for this machine: `localhost`, names below it, 127.0.0.0/8 and ::1."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
