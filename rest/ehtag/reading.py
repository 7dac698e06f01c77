"""Reading the tag database over HTTP: the whole, a namespace, a record, badges."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from rest.ehtag.endpoint import quoted
from rest.ehtag.formats import record_in, response_in
from rest.ehtag.requests import Call
from services.ehtag import NamespaceInfo, TagRecord, commit_form
from services.errors import NotFound, TagNotFound

_SHOWN_DIGITS = 8  # of the sha, on a badge


def version(call: Call) -> Response:
    """The version alone."""
    return _nothing(call)


def database(call: Call) -> Response:
    """The head, and what each namespace holds."""
    snapshot = call.state.snapshot
    commit = commit_form(snapshot.commit)
    head = {part: commit[part] for part in ("author", "committer", "sha", "message")}
    data = [_summary(info) for info in snapshot.namespaces]
    body = {"repo": snapshot.repo, "head": head, "version": snapshot.version, "data": data}
    return response_in(call.form, body, ETag=quoted(call.state.sha))


def namespace(call: Call) -> Response:
    """What a namespace holds."""
    return response_in(call.form, _summary(_info(call)), ETag=quoted(call.state.sha))


def record_exists(call: Call) -> Response:
    """Whether there is such a tag."""
    _record(call)
    return _nothing(call)


def record(call: Call) -> Response:
    """A record in the form asked."""
    return response_in(call.form, record_in(call.form, _record(call)), ETag=quoted(call.state.sha))


def badge(call: Call) -> Response:
    """The version for shields.io."""
    return _badge(call, "EhTag", call.state.sha[:_SHOWN_DIGITS])


def namespace_badge(call: Call) -> Response:
    """A namespace's count for shields.io."""
    info = _info(call)
    return _badge(call, info.name or info.namespace.value, str(info.count))


def _badge(call: Call, label: str, message: str) -> Response:
    body = {"schemaVersion": 1, "label": label, "message": message, "isError": False}
    return response_in(call.form, body, ETag=quoted(call.state.sha))


def _nothing(call: Call) -> Response:
    return Response(status_code=204, headers={"ETag": quoted(call.state.sha)})


def _record(call: Call) -> TagRecord:
    found = call.state.snapshot.find(call.namespace, call.raw)
    if found is None:
        raise TagNotFound(call.namespace.value, call.raw)
    return found


def _info(call: Call) -> NamespaceInfo:
    for info in call.state.snapshot.namespaces:
        if info.namespace is call.namespace:
            return info
    raise NotFound(f"The tag database has no file for {call.namespace.value}.")


def _summary(info: NamespaceInfo) -> dict[str, Any]:
    return {"namespace": info.namespace.value, "count": info.count, "frontMatters": info.front_matters}
