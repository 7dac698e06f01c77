"""The ASGI middlewares of the server."""

from rest.middleware.cors import CORSMiddleware
from rest.middleware.hosts import ProxyHeadersMiddleware, TrustedHostsMiddleware
from rest.middleware.request_metrics import RequestContextMiddleware, RequestMetricsMiddleware
from rest.middleware.response_cache import ResponseCacheMiddleware

__all__ = [
    "CORSMiddleware",
    "ProxyHeadersMiddleware",
    "RequestContextMiddleware",
    "RequestMetricsMiddleware",
    "ResponseCacheMiddleware",
    "TrustedHostsMiddleware",
]
