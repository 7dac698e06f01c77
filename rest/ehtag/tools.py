"""`/api/tools`: normalise a record, write it as a table row, read a row. Nothing is stored."""

from __future__ import annotations

from starlette.responses import PlainTextResponse, Response

from rest.ehtag.database import form_response
from rest.ehtag.endpoint import TagEndpoint
from rest.ehtag.requests import TagRequest, computes, parse_cells, reads
from rest.ehtag.schemas import (
    FORMAT,
    NAMESPACE,
    NORMALISED,
    PARSED,
    RAW,
    ROW,
    CheckedRecordBody,
    CheckedRowBody,
    LogBody,
    ParsedRowBody,
    RecordBody,
)
from services.ehtag import (
    CellSources,
    TagRecord,
    normalise_record,
    parse_row_text,
    problems_of,
    render_record,
    serialise_record,
)
from services.errors import InvalidInput


class ToolsStatus(TagEndpoint):
    """Whether the tools run."""

    @reads("Whether the tools run", {})
    def head(self, _: TagRequest) -> Response:
        """200."""
        return Response()


class Normalise(TagEndpoint):
    """A record in canonical form."""

    @computes("A record in canonical form", NORMALISED, [NAMESPACE, FORMAT])
    def post(self, request: TagRequest, body: bytes) -> Response:
        """A record in canonical form; within a namespace, with its problems."""
        record = _normalise(request, "", parse_cells(body))
        cells = render_record(record, request.form)
        if not request.has_namespace:
            return form_response(request, RecordBody(**cells))
        return form_response(request, CheckedRecordBody(**cells, logs=_logs(record)))


class Serialise(TagEndpoint):
    """A record as a table row."""

    @computes("A record as a table row", ROW, [NAMESPACE, RAW])
    def post(self, request: TagRequest, body: bytes) -> Response:
        """A record as a table row."""
        return PlainTextResponse(serialise_record(request.raw, _normalise(request, request.raw, parse_cells(body))))


class Parse(TagEndpoint):
    """A table row as a record."""

    @computes("A table row as a record", PARSED, [NAMESPACE, FORMAT], takes=ROW)
    def post(self, request: TagRequest, body: bytes) -> Response:
        """A table row as a record; within a namespace, with its problems."""
        try:
            row = parse_row_text(body.decode())
        except UnicodeDecodeError:
            raise InvalidInput("body", "The body must be UTF-8.") from None
        record = _normalise(request, row.raw, row.cells)
        cells = render_record(record, request.form)
        if not request.has_namespace:
            return form_response(request, ParsedRowBody(key=row.raw, value=RecordBody(**cells)))
        return form_response(request, CheckedRowBody(raw=row.raw, **cells, logs=_logs(record)))


def _normalise(request: TagRequest, raw: str, cells: CellSources) -> TagRecord:
    return normalise_record(request.state.snapshot, request.namespace if request.has_namespace else None, raw, cells)


def _logs(record: TagRecord) -> list[LogBody]:
    return [LogBody(logger=report.logger, message=report.message) for report in problems_of(record)]
