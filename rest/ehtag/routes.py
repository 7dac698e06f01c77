"""The EhTag connector API: every address of it, below `/api`."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

import rest.path_convertors  # noqa: F401 (the notation of paths)
from rest.ehtag import editing, schemas, tools, webhook
from rest.ehtag import reading as answers
from rest.ehtag.endpoint import BASE, Door, nowhere
from rest.ehtag.requests import Reading, Tool, reading, tool, writing
from rest.ehtag.schemas import FORMAT, PARTS, PLACE
from rest.operations import Address, Bodies, Operation, Parameter, Section
from rest.schemas import PROBLEM

_CONDITIONAL = {"If-None-Match": Parameter("The version you have: 304 when it is still the newest.")}
_EDITOR = {"If-Match": Parameter("The version you edit.", example="*", required=True)}
_KEYS = ("gitHubToken", "gitHubTokenAsBearer")
_VERSION = {"ETag": "The version of the database: the sha of its head.", "Vary": "What the answer depends on."}
_PLACED = {**_VERSION, "Location": "The address of what was added."}
_EDIT_ANSWERS = {
    400: "Bad cells, one line for each problem, or a bad raw tag.",
    401: "No token, or one that GitHub refuses.",
    409: "Only the starter glossary is there, or the work tree has changes of its own.",
    412: "Another version is the newest by now, or the remote refused the edit.",
    413: "The body is too long.",
    428: "If-Match is missing.",
    502: "GitHub sent nonsense.",
    504: "GitHub gave no answer, or the remote did not.",
}
_MISSING = {404: "No such namespace or tag."}
_UNKNOWN = {400: "An unknown format, or a bad raw tag."}


def _get(answer: Reading, summary: str, gives: Bodies, *, status: int = 200) -> Operation:
    answers = {status: "There it is.", 304: "You have it.", **_UNKNOWN, **_MISSING}
    return Operation(reading(answer), summary, answers, FORMAT, _CONDITIONAL, gives=gives, notes=_VERSION)


def _tool(answer: Tool, summary: str, gives: Bodies, takes: Bodies = schemas.CELLS) -> Operation:
    answers = {200: "There it is.", 400: "The body can't be read.", 413: "The body is too long.", **_MISSING}
    return Operation(tool(answer), summary, answers, FORMAT, takes=takes, gives=gives, notes=_VERSION)


def _both(operation: Operation) -> dict[str, Operation]:
    return dict.fromkeys(("GET", "HEAD"), operation)


_BADGE = _both(_get(answers.badge, "The version, for shields.io", schemas.BADGE))
_COUNT = _both(_get(answers.namespace_badge, "A namespace's count, for shields.io", schemas.BADGE))
_STATUS = {"HEAD": _get(tools.status, "Whether the tools are there", {})}
_NORMALISE = {"POST": _tool(tools.normalise, "A record in canonical form", schemas.CHECKED)}
_SERIALISE = {"POST": _tool(tools.serialise, "A record as a table row", schemas.ROW)}
_PARSE = {"POST": _tool(tools.parse, "A table row as a record", schemas.PARSED, schemas.ROW)}
_WEBHOOK = {
    "POST": Operation(
        webhook.update,
        "GitHub's push webhook: fetches and moves to the remote's head",
        {
            200: "Done, or an event that needs nothing.",
            401: "The signature is wrong.",
            404: "No secret is set.",
            409: "The remote has moved in a way that can't be followed.",
            413: "The body is too long.",
            504: "The remote gave no answer.",
        },
        headers={
            "X-Hub-Signature-256": Parameter("HMAC of the body."),
            "X-GitHub-Event": Parameter("`push` does something."),
        },
        takes=schemas.EVENT,
        gives=schemas.WEBHOOK,
        notes=_VERSION,
    )
}
_DATABASE = {
    "GET": _get(answers.database, "The head, and what each namespace holds", schemas.DATABASE),
    "HEAD": _get(answers.version, "The version alone", {}, status=204),
}
_NAMESPACE = _both(_get(answers.namespace, "What a namespace holds", schemas.NAMESPACE))
_COMMENT = {
    "POST": Operation(
        writing(editing.comment),
        "Add a comment row before or behind the row of a tag",
        {201: "Added.", **_EDIT_ANSWERS, **_MISSING},
        {**PLACE, **FORMAT},
        _EDITOR,
        takes=schemas.CELLS,
        gives=schemas.CREATED,
        notes=_PLACED,
        keys=_KEYS,
    )
}
_RECORD = {
    "GET": _get(answers.record, "A record", schemas.RECORD),
    "HEAD": _get(answers.record_exists, "Whether there is such a record", {}, status=204),
    "POST": Operation(
        writing(editing.add),
        "Add a record",
        {201: "Added.", **_EDIT_ANSWERS, 409: "There is one already, or editing is not possible.", **_MISSING},
        {**PLACE, **FORMAT},
        _EDITOR,
        takes=schemas.CELLS,
        gives=schemas.RECORD,
        notes=_PLACED,
        keys=_KEYS,
    ),
    "PUT": Operation(
        writing(editing.update),
        "Change a record",
        {200: "Changed.", 204: "It says the same already.", **_EDIT_ANSWERS, **_MISSING},
        FORMAT,
        _EDITOR,
        takes=schemas.CELLS,
        gives=schemas.RECORD,
        notes=_VERSION,
        keys=_KEYS,
    ),
    "DELETE": Operation(
        writing(editing.remove),
        "Remove a record",
        {204: "Removed.", **_EDIT_ANSWERS, **_MISSING},
        {},
        _EDITOR,
        notes=_VERSION,
        keys=_KEYS,
    ),
}


def _address(path: str, operations: dict[str, Operation]) -> Address:
    parts = {name: part for name, part in PARTS.items() if f"{{{name}" in path}
    return Address(path, operations, parts)


ADDRESSES: tuple[Address, ...] = (
    _address("/database", _DATABASE),
    _address("/database/~update-webhook", _WEBHOOK),
    _address("/database/~badge", _BADGE),
    _address("/database/~badge/all", _BADGE),
    _address("/database/~badge/{namespace}", _COUNT),
    _address("/database/all/~badge", _BADGE),
    _address("/database/{namespace}", _NAMESPACE),
    _address("/database/{namespace}/~badge", _COUNT),
    _address("/database/{namespace}/~comment", _COMMENT),
    _address("/database/{namespace}/{raw:remainder}", _RECORD),
    _address("/tools/status", _STATUS),
    _address("/tools/normalize", _NORMALISE),
    _address("/tools/normalize/{namespace}", _NORMALISE),
    _address("/tools/serialize/{raw}", _SERIALISE),
    _address("/tools/serialize/{namespace}/{raw:remainder}", _SERIALISE),
    _address("/tools/parse", _PARSE),
    _address("/tools/parse/{namespace}", _PARSE),
)
"""The first that fits answers: a raw tag is whatever is left, so that a bad one is told as such."""

SECTION = Section(
    "EhTag connector · 标签数据库",
    "Reads and edits the tag database; each edit is one commit. "
    "Order of checks on an edit: 413, 428, 412, 401, then the body.",
    ADDRESSES,
    PROBLEM,
    BASE,
)

routes: list[BaseRoute] = [
    *(Route(BASE + address.path, Door(address.operations)) for address in ADDRESSES),
    Route(BASE, nowhere),
    Route(BASE + "/{nothing:remainder}", nowhere),
]
"""The whole API. No Mount: its pattern ends at a newline, and a raw tag with one would be told to be nowhere."""
