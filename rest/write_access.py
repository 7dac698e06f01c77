"""Asks, for REST calls that change state, whether their caller may."""

from __future__ import annotations

from starlette.requests import Request

from resolvers.callers import caller_from_headers
from rest.addresses import base_url_of
from services.container import Services


def check_change(request: Request) -> None:
    """Return for who may change state; raises `Forbidden` or `Unauthenticated`."""
    services: Services = request.app.state.services
    base_url = base_url_of(request, services.settings.public_url)
    caller = caller_from_headers(
        request.headers, base_url, scheme=request.scope["scheme"], needs_key=services.access.needs_key
    )
    services.access.check_change(origin=caller.origin, own_origins=caller.own_origins, api_key=caller.api_key)
