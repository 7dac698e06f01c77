"""Opens the gateway with everything below it, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.redis import RedisClient
from services.settings import Settings
from services.upstream.api import JmApi
from services.upstream.client import UpstreamClient
from services.upstream.curl_session import new_session
from services.upstream.host_lists import FILE_NAME, HostLists, ListAddresses
from services.upstream.html import JmHtml
from services.upstream.http import TryWatcher, UpstreamHttp
from services.upstream.images import ImageCdn
from services.upstream.limiter import Limiter
from services.upstream.proxies import Proxies
from services.upstream.records import HostRole
from services.upstream.source_selector import SourceSelector

_CLIENTS_TO_SPARE = 4
"""Connections beyond the limiter's, for lists of hosts."""


@asynccontextmanager
async def open_upstream(
    settings: Settings,
    redis: RedisClient | None,
    *,
    on_try: TryWatcher | None = None,
    list_addresses: ListAddresses | None = None,
) -> AsyncIterator[UpstreamClient]:
    """The gateway of this process; nothing is asked before the first call.

    With `redis` the limits hold over all processes, without it for this one. `on_try` is told of every try at a host:
    role, host, reason (None: it answered), seconds.
    """
    proxies = Proxies(settings.jm_proxy.get_secret_value())
    timeout_s, concurrency = settings.jm_timeout_s, settings.jm_concurrency
    session = new_session(timeout_s=timeout_s, max_clients=concurrency + _CLIENTS_TO_SPARE)
    html = JmHtml(proxies, timeout_s, concurrency)
    limiter = Limiter(concurrency, settings.jm_rate_per_s, redis)
    lists = HostLists(
        {
            HostRole.API: settings.jm_api_urls,
            HostRole.HTML: settings.jm_html_urls,
            HostRole.IMAGE: settings.jm_image_urls,
        },
        file=settings.data_dir / FILE_NAME,
        session=session,
        proxies=proxies,
        addresses=list_addresses,
    )
    gateway = UpstreamClient(
        lists=lists,
        calls=UpstreamHttp(limiter, timeout_s=timeout_s, tries=settings.jm_retries, on_try=on_try),
        method=SourceSelector(settings.jm_method),
        api=JmApi(session, proxies, timeout_s),
        html=html,
        cdn=ImageCdn(session, proxies),
    )
    try:
        yield gateway
    finally:
        await gateway.aclose()
        await lists.aclose()
        await limiter.aclose()
        html.close()
        await session.close()
