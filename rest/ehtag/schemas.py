"""The bodies of the EhTag API, as JSON schemas, by the form that is asked for."""

from __future__ import annotations

from rest.ehtag.formats import MEDIA_TYPES
from rest.operations import JSON, Bodies, Parameter, Schema
from rest.schemas import FLAG, INTEGER, TEXT, list_of, record

_CELLS = ("name", "intro", "links")

NODES: Schema = list_of({"title": "Node", "type": "object", "properties": {"type": TEXT}, "required": ["type"]})
CELL = record("Cell", raw=TEXT, text=TEXT, html=TEXT, ast=NODES)

_CELL_OF_FORM: dict[str, tuple[str, Schema]] = {
    "application/json": ("Full", CELL),
    "application/raw+json": ("Text", TEXT),
    "application/html+json": ("Text", TEXT),
    "application/text+json": ("Text", TEXT),
    "application/ast+json": ("Ast", NODES),
}


def _cells(cell: Schema) -> dict[str, Schema]:
    return dict.fromkeys(_CELLS, cell)


RECORD: Bodies = {
    media_type: record(f"{form}Record", **_cells(cell)) for media_type, (form, cell) in _CELL_OF_FORM.items()
}

_LOG = record("Log", logger=TEXT, message=TEXT)
CHECKED: Bodies = {
    media_type: {
        "anyOf": [RECORD[media_type], record(f"{form}CheckedRecord", **_cells(cell), logs=list_of(_LOG))],
    }
    for media_type, (form, cell) in _CELL_OF_FORM.items()
}
PARSED: Bodies = {
    media_type: {
        "anyOf": [
            record(f"{form}ParsedRow", key=TEXT, value=RECORD[media_type]),
            record(f"{form}CheckedRow", raw=TEXT, **_cells(cell), logs=list_of(_LOG)),
        ]
    }
    for media_type, (form, cell) in _CELL_OF_FORM.items()
}
CREATED: Bodies = {
    media_type: {"anyOf": [schema, {"type": "object", "maxProperties": 0}]} for media_type, schema in RECORD.items()
}
"""A comment row has no record."""

_PERSON = record("Signature", name=TEXT, email=TEXT, when={"type": ["string", "number"]})
_HEAD = record("Head", author=_PERSON, committer=_PERSON, sha=TEXT, message=TEXT)
_NAMESPACE = record("TagNamespace", namespace=TEXT, count=INTEGER, frontMatters={"type": "object"})


def in_every_form(schema: Schema) -> Bodies:
    """A body without cells: the same whatever form is asked for."""
    return dict.fromkeys(MEDIA_TYPES, schema)


DATABASE = in_every_form(record("TagDatabase", repo=TEXT, head=_HEAD, version=INTEGER, data=list_of(_NAMESPACE)))
NAMESPACE = in_every_form(_NAMESPACE)
BADGE = in_every_form(
    record("Badge", schemaVersion={"type": "integer", "const": 1}, label=TEXT, message=TEXT, isError=FLAG)
)
ROW: Bodies = {"text/plain": TEXT}
WEBHOOK: Bodies = {JSON: record("WebhookOutcome", event=TEXT, outcome=TEXT, sha=TEXT)}

CELLS: Bodies = {
    JSON: {
        "title": "Cells",
        "type": "object",
        "properties": _cells(TEXT),
        "required": list(_CELLS),
        "example": {"name": "雨林", "intro": "Warm and wet.", "links": ""},
    }
}
EVENT: Bodies = {JSON: {"type": "object"}}

_RAW: Schema = {"type": "string", "pattern": r"^[-a-z0-9.]([-a-z0-9. ]*[-a-z0-9.])?$"}

PARTS = {
    "namespace": Parameter("Full name of a namespace, or an alias of it, in any case.", TEXT, "female"),
    "raw": Parameter("Raw tag.", _RAW, "glasses"),
}
FORMAT = {
    "format": Parameter(
        "Form of the cells; wins over `Accept`.",
        {"type": "string", "enum": ["json", "raw.json", "html.json", "text.json", "ast.json"]},
    )
}
PLACE = {
    "before": Parameter("Raw tag of the row to stand before.", _RAW),
    "after": Parameter("Raw tag of the row to stand behind; not together with `before`.", _RAW),
}
