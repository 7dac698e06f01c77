"""The ASGI middlewares of the server."""

from rest.middleware.cors import CORSMiddleware
from rest.middleware.proxy_headers import ProxyHeadersMiddleware
from rest.middleware.request_metrics import RequestContextMiddleware, RequestMetricsMiddleware
from rest.middleware.response_cache import ResponseCacheMiddleware
from rest.middleware.trusted_hosts import TrustedHostsMiddleware

__all__ = [
    "CORSMiddleware",
    "ProxyHeadersMiddleware",
    "RequestContextMiddleware",
    "RequestMetricsMiddleware",
    "ResponseCacheMiddleware",
    "TrustedHostsMiddleware",
]
