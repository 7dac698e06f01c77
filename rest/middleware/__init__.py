"""The ASGI middlewares of the server."""

from rest.middleware.clients import AuthenticationMiddleware, ClientLimitMiddleware, ProxyHeadersMiddleware
from rest.middleware.origins import CORSMiddleware, TrustedHostsMiddleware
from rest.middleware.request_metrics import RequestContextMiddleware, RequestMetricsMiddleware
from rest.middleware.response_cache import ResponseCacheMiddleware

__all__ = [
    "AuthenticationMiddleware",
    "CORSMiddleware",
    "ClientLimitMiddleware",
    "ProxyHeadersMiddleware",
    "RequestContextMiddleware",
    "RequestMetricsMiddleware",
    "ResponseCacheMiddleware",
    "TrustedHostsMiddleware",
]
