"""The whole database in the shape of its official releases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import orjson

from services.ehtag.forms import TagForm, render_record
from services.ehtag.records import Commit, NamespaceInfo, Signature
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.tags import TagRecord


def export(snapshot: TagSnapshot, form: TagForm) -> Iterator[bytes]:
    """The release as JSON in UTF-8, in pieces: join them, or write them as they come.

    `{"repo", "head", "version", "data": [{"namespace", "frontMatters", "count", "data": {raw: record}}]}`, byte for
    byte as `JSON.stringify` gives it. What is rendered on the way is not kept.
    """
    yield b'{"repo":%b,"head":%b,"version":%d,"data":[' % (
        orjson.dumps(snapshot.repo),
        orjson.dumps(commit_form(snapshot.commit)),
        snapshot.version,
    )
    for position, info in enumerate(snapshot.namespaces):
        yield b"," * (position > 0)
        yield from _namespace(snapshot, info, form)
    yield b"]}"


def commit_form(commit: Commit) -> dict[str, Any]:
    """A commit as releases show it: sha, message, author, committer."""
    return {
        "sha": commit.sha,
        "message": commit.message.rstrip("\n"),
        "author": _signature(commit.author),
        "committer": _signature(commit.committer),
    }


def _namespace(snapshot: TagSnapshot, info: NamespaceInfo, form: TagForm) -> Iterator[bytes]:
    yield b'{"namespace":%b,"frontMatters":%b,"count":%d,"data":{' % (
        orjson.dumps(info.namespace.value),
        orjson.dumps(info.front_matters),
        info.count,
    )
    for position, record in enumerate(snapshot.passing(info.namespace)):
        yield b"%b%b:%b" % (b"," * (position > 0), orjson.dumps(record.raw), _record(record, form))
    yield b"}}"


def _record(record: TagRecord, form: TagForm) -> bytes:
    return orjson.dumps(render_record(record, form))


def _signature(signature: Signature) -> dict[str, str]:
    when = signature.when.astimezone(UTC)
    return {
        "name": signature.name,
        "email": signature.email,
        "when": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z",
    }
