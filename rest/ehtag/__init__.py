"""The EhTag connector API: the tag database and its tools, below `/api`."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import BaseRoute, Route, Router

import rest.parameters  # noqa: F401 (the convertors of paths)
from rest.ehtag.database import (
    API_PATH,
    CommentRow,
    DatabaseSummary,
    NamespaceBadge,
    NamespaceSummary,
    Record,
    TotalBadge,
    UpdateWebhook,
    VersionBadge,
)
from rest.ehtag.endpoint import TagApiMiddleware, UnknownPath, exception_handlers
from rest.ehtag.tools import Normalise, Parse, Serialise, ToolsStatus
from rest.operations import Group
from rest.responses import Problem

_described_routes = [
    Route("/api/database", DatabaseSummary),
    Route("/api/database/~update-webhook", UpdateWebhook),
    Route("/api/database/~badge", VersionBadge),
    Route("/api/database/~badge/all", TotalBadge),
    Route("/api/database/~badge/{namespace}", NamespaceBadge),
    Route("/api/database/all/~badge", TotalBadge),
    Route("/api/database/{namespace}", NamespaceSummary),
    Route("/api/database/{namespace}/~badge", NamespaceBadge),
    Route("/api/database/{namespace}/~comment", CommentRow),
    Route("/api/database/{namespace}/{raw:remainder}", Record),
    Route("/api/tools/status", ToolsStatus),
    Route("/api/tools/normalize", Normalise),
    Route("/api/tools/normalize/{namespace}", Normalise),
    Route("/api/tools/serialize/{raw}", Serialise),
    Route("/api/tools/serialize/{namespace}/{raw:remainder}", Serialise),
    Route("/api/tools/parse", Parse),
    Route("/api/tools/parse/{namespace}", Parse),
]
"""The first that matches answers. A raw tag is the remainder of the path, so that a bad one is 400 and not 404."""

GROUP = Group(
    "EhTag connector · 标签数据库",
    "Reads and edits the tag database; each edit is one commit. "
    "Order of checks on an edit: 413, 428, 412, 401, 403, then the body.",
    _described_routes,
    Problem,
)

_router = Router(
    [*_described_routes, Route("/{path:remainder}", UnknownPath)],
    middleware=[Middleware(TagApiMiddleware), Middleware(ExceptionMiddleware, handlers=exception_handlers)],
)

routes: list[BaseRoute] = [Route(API_PATH, _router), Route(f"{API_PATH}/{{path:remainder}}", _router)]
"""Not a `Mount`, whose pattern ends at a newline: a bad raw tag may have one."""

__all__ = ["GROUP", "routes"]
