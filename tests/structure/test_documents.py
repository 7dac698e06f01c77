"""What the documents for developers name is in the repository: files, classes, functions, commands, make targets."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema

from benchmarks import scale
from schema.http import errors
from services.errors import ErrorCode, UpstreamReason
from tools.structure import product_files

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/graphql.md",
    "docs/library.md",
    "docs/old-api.md",
    "docs/operating.md",
    "docs/people.md",
    "docs/performance.md",
    "docs/private-apis.md",
    "docs/scale.md",
    "docs/settings.md",
    "docs/upstream.md",
    "docs/zh/library.md",
    "docs/zh/old-api.md",
    "docs/zh/operating.md",
    "docs/zh/people.md",
    "docs/zh/scale.md",
    "docs/zh/settings.md",
    "demo/README.md",
)


def spans(document: str) -> list[str]:
    """What a document has in backticks, without its code blocks."""
    text = re.sub(r"^```.*?^```", "", (ROOT / document).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)


def blocks(document: str) -> list[str]:
    """The code blocks of a document."""
    return re.findall(r"^```\w*\n(.*?)^```", (ROOT / document).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def files() -> set[str]:
    """Every file of the repository and every folder, "services/cache/" say."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return {*listed, *(f"{parent}/" for file in listed for parent in Path(file).parents)}


@pytest.fixture(scope="module")
def classes() -> dict[str, set[str]]:
    """Members of each class of the product."""
    members: dict[str, set[str]] = {}
    for path in product_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                named = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
                fields = {ast.unparse(item.target) for item in node.body if isinstance(item, ast.AnnAssign)}
                assigned = {ast.unparse(item.targets[0]) for item in node.body if isinstance(item, ast.Assign)}
                members.setdefault(node.name, set()).update(named | fields | assigned)
    return members


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_folder_named_exists(document: str, files: set[str]) -> None:
    pattern = r"[\w./-]+(/|\.(py|md|graphql|json|toml|lock|yaml))|(services|rest|schema|tests|docs)(/\w+)+"
    folder = f"{Path(document).parent}/".removeprefix("./")

    assert [
        name
        for name in spans(document)
        if re.fullmatch(pattern, name) and not name.startswith("/")
        if not {name, f"{name}/", folder + name} & files
    ] == []


def test_the_layout_names_files_and_folders_that_exist(files: set[str]) -> None:
    folders: list[tuple[int, str]] = []
    missing = []
    for line in blocks("docs/architecture.md")[0].splitlines():
        depth = len(line) - len(line.lstrip())
        folders = [(at, folder) for at, folder in folders if at < depth]
        for name in re.findall(r"(?<!\S)[\w.]+(?:/|\.py)(?= |$)", line[: 34 if depth else 27]):
            path = "".join(folder for _, folder in folders) + name
            missing += [] if path in files else [path]
            folders += [(depth, name)] if name.endswith("/") else []

    assert missing == []


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_class_and_method_named_exists(document: str, classes: dict[str, set[str]]) -> None:
    named = [span.split(".") for span in spans(document) if re.fullmatch(r"[A-Z]\w*[a-z]\w*(\.\w+)?", span)]
    headers = {"Age", "Warning", "None", "Unreleased"}

    assert [".".join(n) for n in named if n[0] not in {*classes, *headers}] == []
    assert [".".join(n) for n in named if len(n) == 2 and n[1] not in classes[n[0]]] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_named_exists(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_every_file_names_the_repository_as_its_package_does(files: set[str]) -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    repository = package["project"]["urls"]["Repository"]
    places = {
        file: set(re.findall(r"https://github\.com/[\w-]+/jmgraph\b", (ROOT / file).read_text("utf-8")))
        for file in files
        if re.search(r"\.(md|toml|json|yaml|yml)$|Dockerfile$", file) and (ROOT / file).is_file()
    }
    naming = {file: named for file, named in places.items() if named}

    assert {"README.md", "README.zh-CN.md", "pyproject.toml", "deploy/huggingface/Dockerfile"} <= set(naming)
    assert {file: named for file, named in naming.items() if named != {repository}} == {}


def test_the_error_cookbook_has_every_code_and_reason_and_no_other() -> None:
    rows = re.findall(r"^\| (`[A-Z][^|]*)", (ROOT / "docs/graphql.md").read_text("utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)]
    of_requests = [
        errors.BAD_REQUEST,
        errors.PARSE_FAILED,
        errors.VALIDATION_FAILED,
        errors.PERSISTED_QUERY_NOT_FOUND,
    ]

    assert sorted(named) == sorted([*ErrorCode, *of_requests, *UpstreamReason])


def test_the_cache_keys_leave_out_exactly_the_types_without_an_id() -> None:
    [block] = blocks("docs/graphql.md")
    kinds = build_schema((ROOT / "schema.graphql").read_text("utf-8")).type_map
    roots = {"Query", "Mutation", "Subscription"}

    assert re.findall(r"\w+", block) == sorted(
        name
        for name, kind in kinds.items()
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
        if name not in roots and "id" not in kind.fields
    )


@pytest.mark.parametrize("document", ["docs/scale.md", "docs/zh/scale.md"])
def test_the_simulation_gives_the_figures_that_are_told(document: str) -> None:
    rows = re.findall(r"^\| (?:1|3|10) \| .*", (ROOT / document).read_text("utf-8"), re.MULTILINE)

    assert len(rows) == len(scale.REGION_S) * len(scale.HITS)
    assert rows[-1] == scale.row(scale.Simulation(10, 0.95).run())


def test_the_simulation_starts_from_what_was_measured() -> None:
    measured = (ROOT / "docs/performance.md").read_text("utf-8")

    assert re.search(rf"response cached \| {1 / scale.CACHED_S:,.0f} ", measured)
    assert re.search(rf"not cached, data warm \| {1 / scale.WARM_S:.0f} ", measured)
    assert re.search(rf"\*\*`ORIGINAL`\*\* .*\| {scale.PAGES_PER_S} \|", measured)


def test_every_command_is_in_the_readme_and_no_other() -> None:
    import typer

    from cli import cli

    readme = (ROOT / "README.md").read_text("utf-8")
    group = typer.main.get_group(cli)

    assert set(group.commands) == set(re.findall(r"`jmgraph ([a-z]+)", readme))
