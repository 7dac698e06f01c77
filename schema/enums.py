"""Enumerations: those of the services, described for readers of the schema."""

from __future__ import annotations

from enum import Enum, StrEnum

import strawberry

from services.catalog import AlbumOrder, Category, HostRole, Period, SearchField, SourceMethod
from services.downloads import ArchiveFormat, DownloadState, ImageFormat
from services.ehtag import Namespace, TagKind, TagMatch
from services.errors import ErrorCode, UpstreamReason


class CoverSize(StrEnum):
    """Size of a cover."""

    FULL = "FULL"
    THUMBNAIL = "THUMBNAIL"


class CellFormat(StrEnum):
    """Form of a cell of the tag database."""

    RAW = "RAW"
    TEXT = "TEXT"
    HTML = "HTML"


def _describe(cls: type[Enum], description: str, values: dict[Enum, str], name: str | None = None) -> None:
    """Make `cls` a GraphQL enum, and describe it and its members."""
    strawberry.enum(cls, name=name, description=description)
    definition = cls.__strawberry_definition__  # type: ignore[attr-defined]  # private API of Strawberry
    for value, member in zip(definition.values, cls, strict=True):
        value.description = values[member]


_describe(
    Period,
    "Span that a list is counted over.",
    {
        Period.DAY: "The last day.",
        Period.WEEK: "The last seven days.",
        Period.MONTH: "The last thirty days.",
        Period.ALL: "All time.",
    },
)
_describe(
    AlbumOrder,
    "Order of a list of albums.",
    {
        AlbumOrder.LATEST: "Newest first.",
        AlbumOrder.VIEWS: "Most viewed first.",
        AlbumOrder.LIKES: "Most liked first.",
        AlbumOrder.PICTURES: "Most pictures first.",
    },
)
_describe(
    SearchField,
    "Where a search looks.",
    {
        SearchField.SITE: "Everywhere: titles, works, characters, tags, authors.",
        SearchField.WORK: "The work an album is drawn after.",
        SearchField.AUTHOR: "Authors.",
        SearchField.TAG: "Tags.",
        SearchField.CHARACTER: "Characters.",
    },
)
_describe(
    Category,
    "Shelves of the site.",
    {
        Category.ALL: "Every shelf.",
        Category.DOUJIN: "Self-published books (同人).",
        Category.SINGLE: "Single volumes (單本).",
        Category.SHORT: "Short stories (短篇).",
        Category.ANOTHER: "Everything else (其他).",
        Category.HANMAN: "Korean comics (韓漫).",
        Category.MEIMAN: "American comics (美漫).",
        Category.DOUJIN_COSPLAY: "Cosplay (Cosplay).",
        Category.THREE_D: "Three-dimensional (3D).",
        Category.ENGLISH_SITE: "The English site.",
    },
)
_describe(
    SourceMethod,
    "Upstream method that a record came from.",
    {SourceMethod.HTML: "The site's web pages.", SourceMethod.API: "The site's mobile API."},
)
_describe(
    CoverSize,
    "Size of a cover.",
    {CoverSize.FULL: "As the site has it.", CoverSize.THUMBNAIL: "300 pixels wide."},
)
_describe(
    TagKind,
    "Where a tag of the site stood.",
    {
        TagKind.GENRE: "Among an album's tags.",
        TagKind.WORK: "Among the works an album is drawn after.",
        TagKind.CHARACTER: "Among its characters.",
        TagKind.AUTHOR: "Among its authors.",
    },
)
_describe(
    TagMatch,
    "How a tag of the site found its record.",
    {
        TagMatch.EXACT: "The name as it stands.",
        TagMatch.FOLDED: "Equal after folding script, width, case and decoration.",
        TagMatch.ALIAS: "From the curated alias table.",
        TagMatch.RAW: "The raw English tag.",
    },
)
_describe(
    Namespace,
    "Namespaces of the EhTag database.",
    {
        Namespace.ROWS: "The namespaces themselves.",
        Namespace.RECLASS: "Classes of galleries.",
        Namespace.LANGUAGE: "Languages and kinds of translation.",
        Namespace.PARODY: "Works that something is drawn after.",
        Namespace.CHARACTER: "Characters.",
        Namespace.GROUP: "Circles and companies.",
        Namespace.ARTIST: "Artists.",
        Namespace.COSPLAYER: "Cosplayers.",
        Namespace.MALE: "Traits of men.",
        Namespace.FEMALE: "Traits of women.",
        Namespace.MIXED: "Traits of several at once.",
        Namespace.OTHER: "Everything else.",
        Namespace.LOCATION: "Places.",
    },
    name="TagNamespace",
)
_describe(
    CellFormat,
    "Form of a cell of the tag database.",
    {
        CellFormat.RAW: "Canonical Markdown, as the database stores it.",
        CellFormat.TEXT: "Plain text.",
        CellFormat.HTML: "HTML, as the official release renders it.",
    },
)
_describe(
    ArchiveFormat,
    "Kind of archive.",
    {
        ArchiveFormat.ZIP: "Zip with the pages alone.",
        ArchiveFormat.CBZ: "Zip with ComicInfo.xml, for comic readers.",
        ArchiveFormat.PDF: "One PDF with a page per page.",
    },
)
_describe(
    ImageFormat,
    "Format of an archive's pages.",
    {
        ImageFormat.ORIGINAL: "The site's own format; untouched bytes wherever the page is not scrambled.",
        ImageFormat.JPEG: "JPEG.",
        ImageFormat.PNG: "PNG, without loss.",
        ImageFormat.WEBP: "WebP.",
    },
)
_describe(
    DownloadState,
    "Where a download stands.",
    {
        DownloadState.QUEUED: "Waits for a worker.",
        DownloadState.RUNNING: "Pages are being fetched.",
        DownloadState.PACKING: "The archive is being finished and stored.",
        DownloadState.READY: "The file is there, with every page.",
        DownloadState.FAILED: "It could not be finished; `problem` says why.",
        DownloadState.CANCELLED: "Somebody stopped it.",
        DownloadState.EXPIRED: "The file's time is over and it was deleted.",
    },
)
_describe(
    HostRole,
    "What a host of the site serves.",
    {HostRole.API: "The mobile API.", HostRole.HTML: "Web pages.", HostRole.IMAGE: "Pictures."},
)
_describe(
    UpstreamReason,
    "Why the site could not be read.",
    {
        UpstreamReason.REGION_BLOCKED: "The site refuses this server's region.",
        UpstreamReason.CHALLENGED: "The site asks for a browser challenge.",
        UpstreamReason.RATE_LIMITED: "The site asks for fewer requests.",
        UpstreamReason.TIMEOUT: "No answer in time.",
        UpstreamReason.UNREACHABLE: "No connection.",
        UpstreamReason.GARBLED: "An answer that can't be read.",
        UpstreamReason.MAINTENANCE: "The site is under maintenance.",
    },
)
_describe(
    ErrorCode,
    "What went wrong, as a word to program against.",
    {
        ErrorCode.NOT_FOUND: "There is no such thing.",
        ErrorCode.INVALID_INPUT: "An argument that can never work.",
        ErrorCode.BLOCKED_BY_POLICY: "This host withholds it.",
        ErrorCode.UPSTREAM_UNAVAILABLE: "The site can't be read now.",
        ErrorCode.UPSTREAM_BROKEN: "The site answered with something that can't be read.",
        ErrorCode.QUEUE_UNAVAILABLE: "The queue can't be reached.",
        ErrorCode.QUEUE_FULL: "Too many downloads wait already.",
        ErrorCode.STORAGE_FULL: "Too little disk is free.",
        ErrorCode.UNAUTHENTICATED: "A key or token is needed, or the one given was refused.",
        ErrorCode.FORBIDDEN: "Not from here.",
        ErrorCode.RATE_LIMITED: "Too many requests.",
        ErrorCode.CONFLICT: "It exists already, or its state does not allow this.",
        ErrorCode.STALE: "Somebody was quicker; read again first.",
        ErrorCode.TIMEOUT: "The site did not answer in time.",
        ErrorCode.INTERNAL: "A fault of this server.",
    },
)

__all__ = [
    "AlbumOrder",
    "ArchiveFormat",
    "Category",
    "CellFormat",
    "CoverSize",
    "DownloadState",
    "ErrorCode",
    "HostRole",
    "ImageFormat",
    "Namespace",
    "Period",
    "SearchField",
    "SourceMethod",
    "TagKind",
    "TagMatch",
    "UpstreamReason",
]
