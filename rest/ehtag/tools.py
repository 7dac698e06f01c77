"""The three tools of the EhTag API: normalise a record, write it as a row, read a row. Nothing is stored."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from rest.ehtag.formats import record_in, response_in
from rest.ehtag.requests import Call, read_cells
from services.ehtag import CellSources, TagRecord, problems_of, tools
from services.errors import InvalidInput


def status(_: Call) -> Response:
    """The tools are there."""
    return Response()


def normalise(call: Call, body: bytes) -> Response:
    """A record in canonical form; within a namespace, with what is wrong with it."""
    record = _normal(call, "", read_cells(body))
    return response_in(call.form, record_in(call.form, record) | _logs(call, record))


def serialise(call: Call, body: bytes) -> Response:
    """A record as a row of a table."""
    return PlainTextResponse(tools.serialise(call.raw, _normal(call, call.raw, read_cells(body))))


def parse(call: Call, body: bytes) -> Response:
    """A row of a table as a record; within a namespace, with what is wrong with it."""
    try:
        row = tools.parse(body.decode())
    except UnicodeDecodeError:
        raise InvalidInput("body", "The body must be UTF-8.") from None
    record = _normal(call, row.raw, row.cells)
    cells = record_in(call.form, record)
    if not call.has_namespace:
        return response_in(call.form, {"key": row.raw, "value": cells})
    return response_in(call.form, {"raw": row.raw, **cells, **_logs(call, record)})


def _normal(call: Call, raw: str, cells: CellSources) -> TagRecord:
    return tools.normalise(call.state.snapshot, call.namespace if call.has_namespace else None, raw, cells)


def _logs(call: Call, record: TagRecord) -> dict[str, list[dict[str, str]]]:
    if not call.has_namespace:
        return {}
    return {"logs": [{"logger": report.logger, "message": report.message} for report in problems_of(record)]}
