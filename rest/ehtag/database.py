"""`/api/database`: read and edit the tag database, one commit an edit, and follow its remote."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from rest.ehtag.endpoint import TagEndpoint
from rest.ehtag.requests import ETAG, TagEdit, TagRequest, edits, parse_cells, reads
from rest.ehtag.schemas import (
    ADDED_COMMENT,
    EVENT,
    FORMAT,
    MEDIA_FORMAT,
    MEDIA_TYPES,
    NAMESPACE,
    POSITION,
    RAW,
    RECORD,
    BadgeBody,
    DatabaseBody,
    EmptyBody,
    HeadBody,
    NamespaceBody,
    WebhookBody,
    in_every_form,
)
from rest.operations import JSON, Returns, header, operation
from rest.responses import json_response
from services.ehtag import EditResult, NamespaceRecord, TagDatabase, TagRecord, commit_form, render_record
from services.errors import NotFound, TagNotFound, Unauthenticated
from services.http_semantics import body_chunks, quote_etag

API_PATH = "/api"

MAX_WEBHOOK_BYTES = 25 * 1024 * 1024
"""GitHub's own limit; such a body is hashed as it arrives and never kept."""

_BADGE_SHA_LENGTH = 8

_ADDED_HEADERS = {**ETAG, "Location": "The address of what was added."}


class DatabaseSummary(TagEndpoint):
    """The whole database."""

    @reads("The head, and what each namespace holds", in_every_form(DatabaseBody), [MEDIA_FORMAT])
    def get(self, request: TagRequest) -> Response:
        """The head, and each namespace."""
        snapshot = request.state.snapshot
        body = DatabaseBody(
            repo=snapshot.repo,
            head=msgspec.convert(commit_form(snapshot.commit), HeadBody),
            version=snapshot.version,
            data=[_namespace_body(info) for info in snapshot.namespaces],
        )
        return form_response(request, body, ETag=request.etag)

    @reads("The version alone", {}, status=204)
    def head(self, request: TagRequest) -> Response:
        """The version alone."""
        return _no_content(request.etag)


class NamespaceSummary(TagEndpoint):
    """One namespace."""

    @reads("What a namespace holds", in_every_form(NamespaceBody), [NAMESPACE, MEDIA_FORMAT])
    def get(self, request: TagRequest) -> Response:
        """The number of its tags and its front matter."""
        return form_response(request, _namespace_body(_namespace_info(request)), ETag=request.etag)

    head = get


class Record(TagEndpoint):
    """One record."""

    @reads("A record", RECORD, [NAMESPACE, RAW, FORMAT])
    def get(self, request: TagRequest) -> Response:
        """The record in the form asked for."""
        return form_response(request, render_record(_find_record(request), request.form), ETag=request.etag)

    @reads("Whether there is such a record", {}, [NAMESPACE, RAW, FORMAT], status=204)
    def head(self, request: TagRequest) -> Response:
        """204 or 404."""
        _find_record(request)
        return _no_content(request.etag)

    @edits(
        "Add a record",
        {
            201: Returns("Added.", RECORD, _ADDED_HEADERS),
            409: "It exists, or editing is not possible.",
        },
        [NAMESPACE, RAW, *POSITION, FORMAT],
    )
    async def post(self, edit: TagEdit) -> Response:
        """Add a record."""
        request, cells = edit.request, parse_cells(edit.body)
        result = await request.tags.add(
            request.namespace, request.raw, cells, position=request.position, if_match=edit.if_match, user=edit.user
        )
        return _added(request, result, request.namespace.value, request.raw)

    @edits(
        "Change a record",
        {200: Returns("Changed.", RECORD, ETAG), 204: Returns("Nothing changes.", headers=ETAG)},
        [NAMESPACE, RAW, FORMAT],
    )
    async def put(self, edit: TagEdit) -> Response:
        """Change a record; 204 when nothing would change."""
        request, cells = edit.request, parse_cells(edit.body)
        result = await request.tags.update(
            request.namespace, request.raw, cells, if_match=edit.if_match, user=edit.user
        )
        if result.record is None:
            return _no_content(quote_etag(result.sha))
        return form_response(request, render_record(result.record, request.form), ETag=quote_etag(result.sha))

    @edits("Remove a record", {204: Returns("Removed.", headers=ETAG)}, [NAMESPACE, RAW], takes=None)
    async def delete(self, edit: TagEdit) -> Response:
        """Remove a record."""
        request = edit.request
        result = await request.tags.remove(request.namespace, request.raw, if_match=edit.if_match, user=edit.user)
        return _no_content(quote_etag(result.sha))


class CommentRow(TagEndpoint):
    """The rows of a namespace that have no raw tag."""

    @edits(
        "Add a comment row before or after the row of a tag",
        {201: Returns("Added.", ADDED_COMMENT, _ADDED_HEADERS)},
        [NAMESPACE, *POSITION, FORMAT],
    )
    async def post(self, edit: TagEdit) -> Response:
        """Add a comment row."""
        request, cells = edit.request, parse_cells(edit.body)
        result = await request.tags.add_comment(
            request.namespace, cells, position=request.position, if_match=edit.if_match, user=edit.user
        )
        return _added(request, result, request.namespace.value)


class VersionBadge(TagEndpoint):
    """A badge of the version."""

    @reads("The version, for shields.io", in_every_form(BadgeBody), [MEDIA_FORMAT])
    def get(self, request: TagRequest) -> Response:
        """The version for shields.io."""
        return _badge(request, "database", request.state.sha[:_BADGE_SHA_LENGTH])

    head = get


class TotalBadge(TagEndpoint):
    """A badge of all namespaces."""

    @reads("The number of all records, for shields.io", in_every_form(BadgeBody), [MEDIA_FORMAT])
    def get(self, request: TagRequest) -> Response:
        """The number of all records for shields.io."""
        return _badge(request, "all records", str(request.state.snapshot.count))

    head = get


class NamespaceBadge(TagEndpoint):
    """A badge of a namespace."""

    @reads("A namespace's count, for shields.io", in_every_form(BadgeBody), [NAMESPACE, MEDIA_FORMAT])
    def get(self, request: TagRequest) -> Response:
        """A namespace's count for shields.io."""
        info = _namespace_info(request)
        return _badge(request, info.namespace.value, str(info.count))

    head = get


class UpdateWebhook(TagEndpoint):
    """GitHub's webhook."""

    @operation(
        "GitHub's push webhook: fetches and moves to the remote's head",
        {
            200: Returns("Done, or an event that needs nothing.", {JSON: WebhookBody}, ETAG),
            401: "The signature is wrong.",
            404: "No secret is set.",
            409: "The remote has moved in a way that can't be followed.",
            413: "The body is too long.",
            504: "The remote gave no answer.",
        },
        parameters=(
            header("X-Hub-Signature-256", "HMAC of the body."),
            header("X-GitHub-Event", "`push` does something."),
        ),
        body=EVENT,
    )
    async def post(self, request: Request) -> Response:
        """Fetch and move to the remote's head on a push; any other event is only acknowledged."""
        services = request.app.state.services
        secret = services.settings.ehtag_webhook_secret.get_secret_value()
        if not secret:
            raise NotFound("No webhook is set up: JMGRAPH_EHTAG_WEBHOOK_SECRET is empty.")
        await _check_signature(request, secret)
        tags: TagDatabase = services.tags
        event = request.headers.get("x-github-event", "")
        outcome = (await tags.sync()).value if event == "push" else "IGNORED"
        sha = tags.state.sha
        return json_response(WebhookBody(event=event, outcome=outcome, sha=sha), headers={"ETag": quote_etag(sha)})


async def _check_signature(request: Request, secret: str) -> None:
    """Raise `Unauthenticated` unless the body is signed with the secret."""
    digest = hmac.new(secret.encode(), digestmod=hashlib.sha256)
    async for chunk in body_chunks(request.headers.raw, request.receive, MAX_WEBHOOK_BYTES):
        digest.update(chunk)
    given = request.headers.get("x-hub-signature-256", "")
    if not hmac.compare_digest(f"sha256={digest.hexdigest()}".encode(), given.encode()):
        raise Unauthenticated("The signature does not fit the secret.")


def form_response(request: TagRequest, body: Any, status: int = 200, **headers: str) -> Response:
    """A body of the form asked for, under that form's media type; the keywords are headers."""
    media_type = f"{MEDIA_TYPES[request.form]}; charset=utf-8"
    return Response(msgspec.json.encode(body), status, headers, media_type=media_type)


def _no_content(etag: str) -> Response:
    return Response(status_code=204, headers={"ETag": etag})


def _badge(request: TagRequest, label: str, message: str) -> Response:
    body = BadgeBody(schema_version=1, label=label, message=message, is_error=False)
    return form_response(request, body, ETag=request.etag)


def _added(request: TagRequest, result: EditResult, *path: str) -> Response:
    """201 with the address of a namespace or of one of its records, below the sub-path a proxy serves us under."""
    body = render_record(result.record, request.form) if result.record else EmptyBody()
    prefix = request.http_request.scope.get("root_path", "")
    location = "/".join((f"{prefix}{API_PATH}/database", *(quote(part, safe="") for part in path)))
    return form_response(request, body, 201, ETag=quote_etag(result.sha), Location=location)


def _find_record(request: TagRequest) -> TagRecord:
    record = request.state.snapshot.find(request.namespace, request.raw)
    if record is None:
        raise TagNotFound(request.namespace.value, request.raw)
    return record


def _namespace_info(request: TagRequest) -> NamespaceRecord:
    for info in request.state.snapshot.namespaces:
        if info.namespace is request.namespace:
            return info
    raise NotFound(f"The tag database has no file for {request.namespace.value}.")


def _namespace_body(info: NamespaceRecord) -> NamespaceBody:
    return NamespaceBody(namespace=info.namespace.value, count=info.count, front_matters=dict(info.front_matters))
