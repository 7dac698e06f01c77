"""The Chinese documents say what the English ones say, and what documents show of GraphQL is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).resolve().parents[2]
PAIRS = {
    "README.md": "README.zh-CN.md",
    **{
        f"docs/{name}.md": f"docs/zh/{name}.md"
        for name in ("library", "old-api", "operating", "people", "scale", "settings")
    },
}
SCHEMA = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def read(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def outline(document: str) -> list[str]:
    """The blocks of a document in order: "##", "-", "| 3" for a row of three cells, "```sh"."""
    text = FENCE.sub(r"@\2\n", read(document))
    lines = [line for line in text.splitlines() if re.match(r"#+ |- |\||@|!\[", line)]
    return [f"| {line.count(' |')}" if line[0] == "|" else re.split(r" |\[", line)[0][:5] for line in lines]


def code(document: str) -> list[str]:
    """The code blocks, without their comments."""
    return [re.sub(r" *#.*", "", body) for _, _, body in FENCE.findall(read(document))]


def names(document: str) -> list[str]:
    """What stands in backticks: settings, commands, addresses, codes."""
    return sorted(re.findall(r"`([^`\n]+)`", FENCE.sub("", read(document)).replace("`docs/zh/", "`docs/")))


def links(document: str) -> list[str]:
    """The targets of links and pictures, without their addresses inside a page."""
    return re.findall(r'(?:\]\(|src=")([^)"#]+)', FENCE.sub("", read(document)))


@pytest.mark.parametrize("english", PAIRS)
def test_both_languages_have_the_same_sections_lists_and_tables(english: str) -> None:
    assert outline(PAIRS[english]) == outline(english)


@pytest.mark.parametrize("english", PAIRS)
def test_both_languages_show_the_same_code(english: str) -> None:
    assert code(PAIRS[english]) == code(english)


@pytest.mark.parametrize("english", PAIRS)
def test_both_languages_name_the_same_settings_commands_and_addresses(english: str) -> None:
    assert names(PAIRS[english]) == names(english)


@pytest.mark.parametrize("english", PAIRS)
def test_both_languages_have_the_same_links_and_pictures(english: str) -> None:
    def targets(document: str) -> list[str]:
        return [Path(target).name for target in links(document) if not Path(target).name.startswith("README")]

    assert targets(PAIRS[english]) == targets(english)


def test_every_chinese_document_has_an_english_one() -> None:
    chinese = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("docs/zh/*.md"), *ROOT.glob("README.*.md")]}

    assert chinese == set(PAIRS.values())


@pytest.mark.parametrize("document", [*PAIRS, *PAIRS.values()])
def test_every_link_leads_to_a_file(document: str) -> None:
    folder = (ROOT / document).parent
    local = [target for target in links(document) if not target.startswith("http")]

    assert [target for target in local if not (folder / target).is_file()] == []


@pytest.mark.parametrize("document", PAIRS)
def test_every_graphql_operation_shown_is_valid(document: str) -> None:
    shown = [body for _, language, body in FENCE.findall(read(document)) if language == "graphql"]

    assert [str(error) for body in shown for error in validate(SCHEMA, parse(body))] == []


def test_what_replaces_an_old_call_is_valid() -> None:
    selections = [name for name in names("docs/old-api.md") if re.match(r"\w+(\(.*\))? \{", name)]
    queries = [name if name.startswith("subscription") else f"{{ {name} }}" for name in selections]
    changes = [
        f"mutation {{ {name} {{ __typename }} }}"
        for name in names("docs/old-api.md")
        if re.match(r"(startDownload|loginWithSite|setSiteFavorite)\(", name)
    ]

    assert len(queries) >= 12
    assert len(changes) >= 4
    assert [str(error) for text in queries + changes for error in validate(SCHEMA, parse(text))] == []


def test_every_old_address_has_a_row() -> None:
    from rest import v1

    rows = set(re.findall(r"`(?:[A-Z]+ )?(/(?:v1|ws)/[^`]+)`", read("docs/old-api.md")))
    routes = [*(route for group in v1.GROUPS for route in group.routes), v1.routes[1]]
    paths = {getattr(route, "path", "") for route in routes}

    assert {re.sub(r"\{\w+", "{", row) for row in rows} == {re.sub(r"\{\w+(:\w+)?", "{", path) for path in paths}
