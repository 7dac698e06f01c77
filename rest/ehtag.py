"""The EhTag connector API: every address of it, below `/api`."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Route

from rest import ehtag_editing, ehtag_reading, ehtag_tools, ehtag_webhook
from rest.ehtag_door import BASE, Door, nowhere
from rest.ehtag_forms import MEDIA_TYPES
from rest.ehtag_requests import Reading, Tool, reading, tool, writing
from rest.operations import Address, Operation


class Remainder(Convertor[str]):
    """Whatever is left of a path, slashes and newlines too."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("remainder", Remainder())

_CONDITIONAL = {"If-None-Match": "The version you have: 304 when it is still the newest."}
_EDITOR = {
    "If-Match": "The version you edit.",
    "X-Token": "A GitHub token that says who you are; `Authorization: Bearer` does as well.",
}
_FORMAT = {"format": "json, raw.json, html.json, text.json or ast.json; wins over `Accept`."}
_PLACE = {"before": "Raw tag of the row to stand before.", "after": "Raw tag of the row to stand behind."}
_EDIT_ANSWERS = {
    400: "Bad cells, one line for each problem.",
    401: "No token, or one that GitHub refuses.",
    409: "Only the starter glossary is there, or the work tree has changes of its own.",
    412: "Another version is the newest by now, or the remote refused the edit.",
    413: "The body is too long.",
    428: "If-Match is missing.",
}
_MISSING = {404: "No such namespace or tag."}
_CELLS = "application/json"


def _get(answer: Reading, summary: str, *, status: int = 200) -> Operation:
    answers = {status: "There it is.", 304: "You have it.", **_MISSING}
    return Operation(reading(answer), summary, answers, _FORMAT, _CONDITIONAL, produces=MEDIA_TYPES)


def _tool(answer: Tool, summary: str, *, body: str = _CELLS, produces: tuple[str, ...] = MEDIA_TYPES) -> Operation:
    answers = {200: "There it is.", 400: "The body can't be read.", 413: "The body is too long.", **_MISSING}
    return Operation(tool(answer), summary, answers, _FORMAT, body=body, produces=produces)


_BADGE = {method: _get(ehtag_reading.badge, "The version, for shields.io") for method in ("GET", "HEAD")}
_COUNT = {
    method: _get(ehtag_reading.namespace_badge, "A namespace's count, for shields.io") for method in ("GET", "HEAD")
}
_STATUS = {"HEAD": _get(ehtag_tools.status, "Whether the tools are there")}
_NORMALISE = {"POST": _tool(ehtag_tools.normalise, "A record in canonical form")}
_SERIALISE = {"POST": _tool(ehtag_tools.serialise, "A record as a table row", produces=("text/plain",))}
_PARSE = {"POST": _tool(ehtag_tools.parse, "A table row as a record", body="text/plain")}
_WEBHOOK = {
    "POST": Operation(
        ehtag_webhook.update,
        "GitHub's push webhook: fetches and moves to the remote's head",
        {200: "Done, or an event that needs nothing.", 401: "The signature is wrong.", 404: "No secret is set."},
        headers={"X-Hub-Signature-256": "HMAC of the body.", "X-GitHub-Event": "`push` does something."},
        body="application/json",
    )
}
_DATABASE = {
    "GET": _get(ehtag_reading.database, "The head, and what each namespace holds"),
    "HEAD": _get(ehtag_reading.version, "The version alone", status=204),
}
_NAMESPACE = {method: _get(ehtag_reading.namespace, "What a namespace holds") for method in ("GET", "HEAD")}
_COMMENT = {
    "POST": Operation(
        writing(ehtag_editing.comment),
        "Add a comment row before or behind the row of a tag",
        {201: "Added.", **_EDIT_ANSWERS, **_MISSING},
        {**_PLACE, **_FORMAT},
        _EDITOR,
        body=_CELLS,
        produces=MEDIA_TYPES,
    )
}
_RECORD = {
    "GET": _get(ehtag_reading.record, "A record"),
    "HEAD": _get(ehtag_reading.record_exists, "Whether there is such a record", status=204),
    "POST": Operation(
        writing(ehtag_editing.add),
        "Add a record",
        {201: "Added.", **_EDIT_ANSWERS, 409: "There is one already, or editing is not possible.", **_MISSING},
        {**_PLACE, **_FORMAT},
        _EDITOR,
        body=_CELLS,
        produces=MEDIA_TYPES,
    ),
    "PUT": Operation(
        writing(ehtag_editing.update),
        "Change a record",
        {200: "Changed.", 204: "It says the same already.", **_EDIT_ANSWERS, **_MISSING},
        _FORMAT,
        _EDITOR,
        body=_CELLS,
        produces=MEDIA_TYPES,
    ),
    "DELETE": Operation(
        writing(ehtag_editing.remove), "Remove a record", {204: "Removed.", **_EDIT_ANSWERS, **_MISSING}, {}, _EDITOR
    ),
}

ADDRESSES: tuple[Address, ...] = (
    Address("/database", _DATABASE),
    Address("/database/~update-webhook", _WEBHOOK),
    Address("/database/~badge", _BADGE),
    Address("/database/~badge/all", _BADGE),
    Address("/database/~badge/{namespace}", _COUNT),
    Address("/database/all/~badge", _BADGE),
    Address("/database/{namespace}", _NAMESPACE),
    Address("/database/{namespace}/~badge", _COUNT),
    Address("/database/{namespace}/~comment", _COMMENT),
    Address("/database/{namespace}/{raw:remainder}", _RECORD),
    Address("/tools/status", _STATUS),
    Address("/tools/normalize", _NORMALISE),
    Address("/tools/normalize/{namespace}", _NORMALISE),
    Address("/tools/serialize/{raw}", _SERIALISE),
    Address("/tools/serialize/{namespace}/{raw:remainder}", _SERIALISE),
    Address("/tools/parse", _PARSE),
    Address("/tools/parse/{namespace}", _PARSE),
)
"""The first that fits answers: a raw tag is whatever is left, so that a bad one is told as such."""

routes: list[BaseRoute] = [
    *(Route(BASE + address.path, Door(address.operations)) for address in ADDRESSES),
    Route(BASE, nowhere),
    Route(BASE + "/{nothing:remainder}", nowhere),
]
"""The whole API. No Mount: its pattern ends at a newline, and a raw tag with one would be told to be nowhere."""
