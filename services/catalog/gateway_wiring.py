"""Opens the gateway with everything below it, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.catalog.calls import Calls, TryWatcher
from services.catalog.curl_session import new_session
from services.catalog.gateway import Gateway
from services.catalog.host_lists import FILE_NAME, HostLists, ListAddresses
from services.catalog.images import ImageCdn
from services.catalog.jm_api import JmApi
from services.catalog.jm_html import JmHtml
from services.catalog.limiter import Limiter
from services.catalog.method import MethodChoice
from services.catalog.proxies import Proxies
from services.catalog.records import HostRole
from services.redis import RedisLink
from services.settings import Settings

_CLIENTS_TO_SPARE = 4
"""Connections beyond the limiter's, for lists of hosts."""


@asynccontextmanager
async def open_gateway(
    settings: Settings,
    redis: RedisLink | None,
    *,
    on_try: TryWatcher | None = None,
    list_addresses: ListAddresses | None = None,
) -> AsyncIterator[Gateway]:
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
    gateway = Gateway(
        lists=lists,
        calls=Calls(limiter, timeout_s=timeout_s, tries=settings.jm_retries, on_try=on_try),
        method=MethodChoice(settings.jm_method),
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
