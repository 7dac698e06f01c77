"""The whole database in the format of its releases."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from services.ehtag import TagForm, TagSnapshot, export, render_record
from services.ehtag.records import Namespace
from tests.tag_glossary import tag_file, tag_snapshot

HEAD = (
    '{"repo":"https://a.example/words","head":{"sha":"0000000000000000000000000000000000000000","message":"加一条河",'
    '"author":{"name":"Lin","email":"lin@a.example","when":"2024-05-01T12:30:00.000Z"},'
    '"committer":{"name":"Lin","email":"lin@a.example","when":"2024-05-01T12:30:00.000Z"}},"version":7,"data":['
    '{"namespace":"other","frontMatters":{"name":"其他","description":"一组词","key":"other"},"count":2,"data":{'
)
RIVER = (
    '"river":{"name":{"raw":"河","text":"河","html":"<p>河</p>",'
    '"ast":[{"type":"paragraph","content":[{"type":"text","text":"河"}]}]}'
)
EMPTY = '{"raw":"","text":"","html":"","ast":[]}'


@pytest.fixture(scope="module")
def rivers() -> TagSnapshot:
    return tag_snapshot({Namespace.OTHER: tag_file("其他", "| river | 河 | | |", "| 7 | 七 | a b | |")})


def test_the_full_form_is_written_as_json_stringify_writes_it(rivers: TagSnapshot) -> None:
    written = b"".join(export(rivers, TagForm.FULL)).decode()

    assert written.startswith(HEAD + '"7":{"name":{"raw":"七"')
    assert written.endswith(f'{RIVER},"intro":{EMPTY},"links":{EMPTY}}}}}}}]}}')


@pytest.mark.parametrize(
    ("form", "record"),
    [
        (TagForm.RAW, '"river":{"name":"河","intro":"","links":""}'),
        (TagForm.TEXT, '"river":{"name":"河","intro":"","links":""}'),
        (TagForm.HTML, '"river":{"name":"<p>河</p>","intro":"","links":""}'),
        (
            TagForm.AST,
            '"river":{"name":[{"type":"paragraph","content":[{"type":"text","text":"河"}]}],"intro":[],"links":[]}',
        ),
    ],
)
def test_the_other_forms_have_one_value_a_cell(rivers: TagSnapshot, form: TagForm, record: str) -> None:
    written = b"".join(export(rivers, form)).decode()

    assert written.startswith(HEAD)
    assert written.endswith(record + "}}]}")


def test_a_database_without_files_has_no_data() -> None:
    assert json.loads(b"".join(export(tag_snapshot({}), TagForm.RAW)))["data"] == []


def test_every_cell_equals_the_official_release(ehtag_folder: Path) -> None:
    release = json.loads(gzip.decompress((ehtag_folder / "release-sample.full.json.gz").read_bytes()))
    snapshot = tag_snapshot(
        {namespace: (ehtag_folder / "database" / f"{namespace}.md").read_bytes() for namespace in Namespace}
    )
    infos = {info.namespace.value: info for info in snapshot.namespaces}

    for official in release["data"]:
        info = infos[official["namespace"]]
        records = {record.raw: render_record(record, TagForm.FULL) for record in snapshot.records(info.namespace)}
        assert list(records) == list(official["data"])
        assert _first_difference(records, official["data"]) is None
        assert info.count == official["count"]
        assert _json(info.front_matters) == _json(official["frontMatters"])


def test_the_database_is_read_without_a_problem(ehtag_folder: Path) -> None:
    snapshot = tag_snapshot(
        {namespace: (ehtag_folder / "database" / f"{namespace}.md").read_bytes() for namespace in Namespace}
    )

    assert snapshot.count == 43_644
    assert snapshot.reports() == []


def _first_difference(ours: dict[str, Any], official: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first record that is not the same, small enough to be read in a failure."""
    return next(
        ((raw, ours[raw], official[raw]) for raw in official if _json(ours[raw]) != _json(official[raw])), None
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
