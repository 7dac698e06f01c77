"""Prints the measures of the code's structure, each with its limit: `make structure`.

What is counted is the product: `schema resolvers services rest commands app.py worker.py cli.py`. The last figure
comes from running it: how many of those modules a GraphQL ranking enters while no cache holds it.
"""

from __future__ import annotations

import ast
import asyncio
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("schema", "resolvers", "services", "rest", "commands", "app.py", "worker.py", "cli.py")
SHORT_LINES = 40

MOST_FILES = 190
MOST_SHORT = 0.12
MOST_MODULES_OF_A_RANKING = 40

BASE = "http://127.0.0.1:11111"
TRANSLATION = '{ translateTags(names: ["全彩"]) { name } }'
"""Asked first: opening the tag database belongs to the start of a process, not to a ranking."""
RANKING = "{ ranking { entries { album { title tags { name translation { name } } } } } }"


def product_files() -> list[Path]:
    """Every Python file of the product."""
    places = [ROOT / name for name in PRODUCT]
    return sorted(path for place in places for path in ([place] if place.is_file() else place.rglob("*.py")))


def short_files() -> list[Path]:
    """Files of fewer than 40 lines."""
    return [path for path in product_files() if len(path.read_text("utf-8").splitlines()) < SHORT_LINES]


def module_of(path: Path) -> str:
    """ "services.cache" for `services/cache/__init__.py`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports() -> dict[str, set[str]]:
    """The modules of the product that each of them imports, wherever in the file the import stands."""
    modules = {module_of(path): path for path in product_files()}
    return {name: set(_imported(path, modules)) - {name} for name, path in modules.items()}


def _imported(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules:
                    yield inner
                elif node.module in modules:
                    yield node.module


def import_circles() -> list[list[str]]:
    """Groups of modules that import each other, directly or through others (Tarjan's algorithm)."""
    edges, index, low = imports(), {}, {}  # type: dict[str, set[str]], dict[str, int], dict[str, int]
    stack: list[str] = []
    circles: list[list[str]] = []

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
                circles.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return circles


def repeated_class_names() -> dict[str, list[str]]:
    """Class names that stand in more than one module."""
    found = defaultdict(list)
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module_of(path))
    return {name: places for name, places in sorted(found.items()) if len(places) > 1}


def modules_of_a_ranking() -> list[str]:
    """The product's modules in which code ran for a ranking with tags and translations, with every cache empty."""
    return asyncio.run(_modules_of_a_ranking())


in_request: ContextVar[bool] = ContextVar("in_request", default=False)
"""True in the request and in the tasks it starts; what runs beside it (upkeep, say) is not its own."""


async def _modules_of_a_ranking() -> list[str]:
    import httpx

    from app import build_app
    from demo.server import running_demo
    from services.observability import set_up_log
    from services.redis import embedded_valkey
    from services.settings import read_settings

    entered: set[str] = set()
    names = {str(path): module_of(path) for path in product_files()}

    def note(frame: FrameType, event: str, _: Any) -> None:
        is_ours = event == "call" and frame.f_code.co_name != "<module>" and in_request.get()
        if is_ours and (name := names.get(frame.f_code.co_filename)):
            entered.add(name)

    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        site = stack.enter_context(running_demo(Path(folder) / "pictures"))
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        redis_url = await stack.enter_async_context(embedded_valkey(data_dir))
        settings = read_settings(
            data_dir=data_dir,
            redis_url=redis_url,
            jm_method="api",
            jm_api_urls=tuple(site.api_urls),
            jm_html_urls=tuple(site.html_urls),
            jm_image_urls=tuple(site.image_urls),
            log_level="warning",
            disk_floor_bytes=0,
        )
        set_up_log(settings.log_level, settings.log_format)
        app = build_app(settings)
        transport = httpx.ASGITransport(app)
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60))
        await client.post("/graphql", json={"query": TRANSLATION})
        in_request.set(True)
        threading.setprofile(note)
        sys.setprofile(note)
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
    """Print every measure; 1 when one is over its limit."""
    files, short, circles, repeated = product_files(), short_files(), import_circles(), repeated_class_names()
    entered = modules_of_a_ranking()
    share = len(short) / len(files)
    print(f"product files                     {len(files):4}   at most {MOST_FILES}")
    for folder, count in sorted(Counter(str(path.parent.relative_to(ROOT)) for path in files).items()):
        print(f"    {folder:<30}{count:4}")
    print(f"of them below {SHORT_LINES} lines            {len(short):4}   {share:.1%}, less than {MOST_SHORT:.0%}")
    for path in short:
        print(f"    {path.relative_to(ROOT)}")
    print(f"import circles                    {len(circles):4}   none")
    for circle in circles:
        print(f"    {', '.join(circle)}")
    print(f"class names with two meanings     {len(repeated):4}   none")
    for name, places in repeated.items():
        print(f"    {name}: {', '.join(places)}")
    print(f"modules of a cold ranking         {len(entered):4}   at most {MOST_MODULES_OF_A_RANKING}")
    for name in entered:
        print(f"    {name}")
    over = (len(files) > MOST_FILES, share >= MOST_SHORT, circles, repeated, len(entered) > MOST_MODULES_OF_A_RANKING)
    return 1 if any(over) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
