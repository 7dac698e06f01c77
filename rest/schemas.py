"""JSON schemas that rooms share, and short ways to write one."""

from __future__ import annotations

from rest.operations import Schema

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
DIGITS: Schema = {"type": "string", "pattern": "^[0-9]+$"}
BYTES: Schema = {}

ALBUM: Schema = {"type": "string", "pattern": "^([Jj][Mm])?0*[1-9][0-9]{0,11}$", "maxLength": 100}
"""A number as `parse_album_id` reads it."""
SAMPLE_ALBUM = "350234"


def maybe(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """A list of such."""
    return {"type": "array", "items": schema}


def constant(value: str) -> Schema:
    """Always this."""
    return {"type": "string", "const": value}


def record(title: str, /, **fields: Schema) -> Schema:
    """An object with exactly these fields, a type of its own."""
    return {
        "title": title,
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


PROBLEM = record("Problem", code=TEXT, message=TEXT, retryable=FLAG)
"""The error body of everything beside GraphQL and the old API."""
