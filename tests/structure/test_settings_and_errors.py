"""Settings and errors are the same in the code, the documents and the tests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from services import errors
from services.errors import ErrorCode, JmgraphError, UpstreamReason
from services.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("library", "old-api", "operating", "people", "scale", "settings")
"""Documents for users; their Chinese versions name the same settings."""


def _tree(kind: type[JmgraphError]) -> list[type[JmgraphError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]


def test_every_setting_has_a_row_in_its_document() -> None:
    rows = re.findall(r"^\| (`JMGRAPH_[^|]+)", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE)
    variables = [str(info.validation_alias) for info in Settings.model_fields.values()]

    assert sorted(re.findall(r"JMGRAPH_[A-Z_]+", "".join(rows))) == sorted(variables)


def test_every_variable_that_the_documents_name_is_a_setting() -> None:
    documents = ("README.md", *(f"docs/{name}.md" for name in GUIDES), "compose.yaml", "Dockerfile")
    named = {
        name
        for document in documents
        for name in re.findall(r"JMGRAPH_[A-Z_]+", (ROOT / document).read_text("utf-8"))
    }

    assert named - {str(info.validation_alias) for info in Settings.model_fields.values()} == set()


def test_the_drawn_tree_of_errors_is_the_real_one() -> None:
    own = [kind for kind in _tree(JmgraphError)[1:] if kind.__module__ == "services.errors"]

    assert re.findall(r"── (\w+)", errors.__doc__ or "") == [kind.__name__ for kind in own]


def test_every_error_code_has_a_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))

    assert [code for code in ErrorCode if f'"{code}"' not in tests and f"ErrorCode.{code}" not in tests] == []


def test_every_reason_of_the_site_has_a_test() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))

    assert [reason for reason in UpstreamReason if reason not in tests] == []


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("JMGRAPH_PORT", "many", "JMGRAPH_PORT='many': input should be a valid integer"),
        ("JMGRAPH_PORT", "70000", "JMGRAPH_PORT='70000': input should be less than or equal to 65535"),
        ("JMGRAPH_JM_METHOD", "ftp", "JMGRAPH_JM_METHOD='ftp': input should be 'auto', 'html' or 'api'"),
        ("JMGRAPH_JM_API_URLS", "site", "JMGRAPH_JM_API_URLS='site': an http:// or https:// address"),
        ("JMGRAPH_STORAGE_OPTIONS", "{", "JMGRAPH_STORAGE_OPTIONS=**********: "),
        ("JMGRAPH_REDIS_URL", "http://:pw@x", "JMGRAPH_REDIS_URL=**********: empty, or an address that begins with"),
    ],
)
def test_a_bad_setting_is_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(errors.ConfigurationError) as caught:
        read_settings()

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_secrets_print_as_stars() -> None:
    settings = read_settings(
        redis_url="redis://:hidden@h", api_keys="hidden", ehtag_token="hidden", jm_proxy="http://u:hidden@p"
    )

    assert "hidden" not in repr(settings)


def test_the_repository_names_no_machine_and_no_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = [
        ROOT / name
        for name in listed.split("\0")
        if re.search(r"\.(py|toml|md|lock|json|yaml|yml|ts|tsx)$|Makefile|Dockerfile", name)
    ]
    # folders in which people and machines keep checkouts
    address = re.compile(
        r"files\.pythonhosted\.org|registry\.npmjs\.org|(?<![\w.-])/(home|Users|root|work|workspace)/\w"
    )

    assert [str(path) for path in texts if path.is_file() and address.search(path.read_text("utf-8"))] == []
