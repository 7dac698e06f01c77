"""Measures of the code's structure, each with its limit: `make structure`, or `--json` for the numbers alone.

The product is `schema resolvers services rest commands app.py worker.py cli.py`. All but one of the measures come
from reading its files; `modules_of_cold_ranking` runs a server on the demo site.
"""

from __future__ import annotations

import ast
import asyncio
import json
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("schema", "resolvers", "services", "rest", "commands", "app.py", "worker.py", "cli.py")
SHORT_LINES = 40

LIMITS = {
    # for what version 2.0.0 does, the check of the site; people, library and OPDS; the budgets of clients
    "product files": 190 + 2 + 70 + 1,
    "percent of files below 40 lines": 11.9,
    "import cycles": 0,
    "repeated class names": 0,
    "modules of a cold ranking": 40,
}
"""The highest value of each measure."""

TRANSLATION = '{ translateTags(names: ["全彩"]) { name } }'
"""Sent before the ranking: opening the tag database belongs to the start of a process, not to a ranking."""
RANKING = "{ ranking { entries { album { title tags { name translation { name } } } } } }"


@dataclass(frozen=True)
class Measure:
    """A value and what it was counted from, one line each."""

    name: str
    value: float
    details: list[str]

    @property
    def exceeds_limit(self) -> bool:
        """True when the value is above its limit."""
        return self.value > LIMITS[self.name]


def measures() -> list[Measure]:
    """Every measure, in the order of `LIMITS`."""
    files, short, cycles, repeated = product_files(), short_files(), import_cycles(), repeated_class_names()
    folders = Counter(path.parent.relative_to(ROOT).as_posix() for path in files)
    entered = modules_of_cold_ranking()
    return [
        Measure("product files", len(files), [f"{folder:<30}{count:4}" for folder, count in sorted(folders.items())]),
        Measure("percent of files below 40 lines", round(100 * len(short) / len(files), 1), list(map(module, short))),
        Measure("import cycles", len(cycles), [", ".join(cycle) for cycle in cycles]),
        Measure("repeated class names", len(repeated), [f"{n}: {', '.join(where)}" for n, where in repeated.items()]),
        Measure("modules of a cold ranking", len(entered), entered),
    ]


def product_files() -> list[Path]:
    """Every Python file of the product, sorted."""
    paths = [ROOT / name for name in PRODUCT]
    return sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py")))


def short_files() -> list[Path]:
    """Files of fewer than `SHORT_LINES` lines."""
    return [path for path in product_files() if len(path.read_text("utf-8").splitlines()) < SHORT_LINES]


def module(path: Path) -> str:
    """The dotted name of a file: "services.cache" for `services/cache/__init__.py`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports() -> dict[str, set[str]]:
    """The product modules that each product module imports, wherever in the file the import is."""
    modules = {module(path): path for path in product_files()}
    return {
        name: {found for each in imported_names(path) if (found := module_of(each, modules))} - {name}
        for name, path in modules.items()
    }


def imported_names(path: Path) -> Iterator[str]:
    """Every import of a file by its full name: "a.b" for `import a.b`, "a.b.C" for `from a.b import C`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str, modules: Container[str]) -> str | None:
    """The module that holds an imported name: itself or its parent, whichever is in `modules`."""
    parent = name.rpartition(".")[0]
    return name if name in modules else parent if parent in modules else None


def import_cycles() -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (Tarjan's algorithm)."""
    edges = imports()
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    cycles: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(edges[name]):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                cycles.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return cycles


def repeated_class_names() -> dict[str, list[str]]:
    """Class names that are defined in more than one module, each with those modules."""
    found = defaultdict(list)
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module(path))
    return {name: modules for name, modules in sorted(found.items()) if len(modules) > 1}


def modules_of_cold_ranking() -> list[str]:
    """The product modules in which code runs for a ranking with tags and translations while every cache is empty."""
    return asyncio.run(_modules_of_cold_ranking())


_in_request: ContextVar[bool] = ContextVar("in_request", default=False)
"""True in the request and in the tasks it starts: background work of the server is not counted."""


async def _modules_of_cold_ranking() -> list[str]:
    import httpx

    from app import build_app
    from demo.server import running_demo
    from services.observability import set_up_log
    from services.redis import embedded_valkey
    from services.settings import read_settings

    entered: set[str] = set()
    modules = {str(path): module(path) for path in product_files()}

    def record(frame: FrameType, event: str, _: Any) -> None:
        is_call = event == "call" and frame.f_code.co_name != "<module>" and _in_request.get()
        if is_call and (name := modules.get(frame.f_code.co_filename)):
            entered.add(name)

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        data_dir = folder / "data"
        data_dir.mkdir()
        site = stack.enter_context(running_demo(folder / "pictures"))
        settings = read_settings(
            data_dir=data_dir,
            redis_url=await stack.enter_async_context(embedded_valkey(data_dir)),
            jm_method="api",
            jm_api_urls=tuple(site.api_urls),
            jm_html_urls=tuple(site.html_urls),
            jm_image_urls=tuple(site.image_urls),
            log_level="warning",
            disk_floor_bytes=0,
        )
        set_up_log(settings.log_level, settings.log_format)
        app = build_app(settings)
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:11111", timeout=60)
        )
        await client.post("/graphql", json={"query": TRANSLATION})
        _in_request.set(True)
        threading.setprofile(record)
        sys.setprofile(record)
        try:
            response = await client.post("/graphql", json={"query": RANKING})
        finally:
            sys.setprofile(None)
            threading.setprofile(None)
    body = response.json()
    if "errors" in body or not body["data"]["ranking"]["entries"]:
        raise RuntimeError("the ranking could not be read")
    return sorted(entered)


def main() -> int:
    """Print every measure; the exit code is 1 when one is over its limit."""
    found = measures()
    if "--json" in sys.argv[1:]:
        print(json.dumps({measure.name: measure.value for measure in found}))
        return 0
    for measure in found:
        print(f"{measure.name:<34}{measure.value:>7g}   at most {LIMITS[measure.name]:g}")
        for line in measure.details:
            print(f"    {line}")
    return 1 if any(measure.exceeds_limit for measure in found) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
