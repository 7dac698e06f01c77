"""Enumerations: those of the services, described for readers of the schema."""

from __future__ import annotations

from enum import Enum, StrEnum

import strawberry

from services.catalog import AlbumOrder, Category, HostRole, Period, SearchField, SourceMethod
from services.downloads import ArchiveFormat, DownloadState, ImageFormat
from services.ehtag import ChineseScript, Namespace, TagKind, TagMatch, TagMatchedField
from services.errors import ErrorCode, UpstreamReason
from services.library import LibraryOrder
from services.people import SiteAccountState, TokenScope
from services.push import NotificationEvent
from services.upstream import FavoriteOrder


class CoverSize(StrEnum):
    """Size of a cover."""

    FULL = "FULL"
    THUMBNAIL = "THUMBNAIL"


class CellFormat(StrEnum):
    """Form of a cell of the tag database."""

    RAW = "RAW"
    TEXT = "TEXT"
    HTML = "HTML"


def _enum(cls: type[Enum], description: str, *, name: str | None = None, **descriptions: str) -> None:
    """Make `cls` a GraphQL enum with a description, and one for each of its members."""
    strawberry.enum(cls, name=name, description=description)
    definition = cls.__strawberry_definition__  # type: ignore[attr-defined]  # private API of Strawberry
    for value in definition.values:
        value.description = descriptions[value.name]


_enum(
    Period,
    "Span that a list is counted over.",
    DAY="The last day.",
    WEEK="The last seven days.",
    MONTH="The last thirty days.",
    ALL="All time.",
)
_enum(
    ChineseScript,
    "Script of a Chinese text.",
    SIMPLIFIED="As on the mainland.",
    TRADITIONAL="As in Taiwan.",
)
_enum(
    AlbumOrder,
    "Order of a list of albums.",
    LATEST="Newest first.",
    VIEWS="Most viewed first.",
    LIKES="Most liked first.",
    PICTURES="Most pictures first.",
)
_enum(
    LibraryOrder,
    "Order of the entries of a library.",
    ADDED="Last added first.",
    UPDATED="Last changed first: by new chapters, else by the day that the site states.",
    READ="Last read first.",
    TITLE="By title.",
)
_enum(
    SearchField,
    "Where a search looks.",
    SITE="Everywhere: titles, works, characters, tags, authors.",
    WORK="The work an album is drawn after.",
    AUTHOR="Authors.",
    TAG="Tags.",
    CHARACTER="Characters.",
)
_enum(
    Category,
    "Categories of the site.",
    ALL="All categories.",
    DOUJIN="Self-published books (同人).",
    SINGLE="Single volumes (單本).",
    SHORT="Short stories (短篇).",
    ANOTHER="Everything else (其他).",
    HANMAN="Korean comics (韓漫).",
    MEIMAN="American comics (美漫).",
    DOUJIN_COSPLAY="Cosplay (Cosplay).",
    THREE_D="Three-dimensional (3D).",
    ENGLISH_SITE="The English site.",
)
_enum(
    SourceMethod,
    "Upstream method that a record came from.",
    HTML="The site's web pages.",
    API="The site's mobile API.",
)
_enum(
    CoverSize,
    "Size of a cover.",
    FULL="As the site has it.",
    THUMBNAIL="300 pixels wide.",
)
_enum(
    TagKind,
    "Where a tag of the site stood.",
    GENRE="Among an album's tags.",
    WORK="Among the works an album is drawn after.",
    CHARACTER="Among its characters.",
    AUTHOR="Among its authors.",
)
_enum(
    TagMatch,
    "How a tag of the site found its record.",
    EXACT="The name as it stands.",
    FOLDED="Equal after folding script, width, case and decoration.",
    ALIAS="Another spelling: from the curated alias table or the introduction, or another transcription.",
    RAW="The raw English tag.",
    AMBIGUOUS="The first of several records of this name: nothing tells which is meant.",
    ELSEWHERE="Among the works or the authors, for a tag that stands among the genres.",
)
_enum(
    TagMatchedField,
    "The text of a tag in which a query was found.",
    RAW="The raw English tag.",
    NAME="The translated name.",
    ALIAS="Another spelling: the site's, or one that the name or the introduction gives.",
    PINYIN="The name or another spelling, by its pinyin or the initials of that.",
    INTRO="The introduction.",
)
_enum(
    Namespace,
    "Namespaces of the EhTag database.",
    name="TagNamespace",
    ROWS="The namespaces themselves.",
    RECLASS="Classes of galleries.",
    LANGUAGE="Languages and kinds of translation.",
    PARODY="Works that something is drawn after.",
    CHARACTER="Characters.",
    GROUP="Circles and companies.",
    ARTIST="Artists.",
    COSPLAYER="Cosplayers.",
    MALE="Traits of men.",
    FEMALE="Traits of women.",
    MIXED="Traits of several at once.",
    OTHER="Everything else.",
    LOCATION="Places.",
)
_enum(
    CellFormat,
    "Form of a cell of the tag database.",
    RAW="Canonical Markdown, as the database stores it.",
    TEXT="Plain text.",
    HTML="HTML, as the official release renders it.",
)
_enum(
    ArchiveFormat,
    "Kind of archive.",
    ZIP="Zip with the pages alone.",
    CBZ="Zip with ComicInfo.xml, for comic readers.",
    PDF="One PDF with a page per page.",
)
_enum(
    ImageFormat,
    "Format of an archive's pages.",
    ORIGINAL="The site's own format; untouched bytes wherever the page is not scrambled.",
    JPEG="JPEG.",
    PNG="PNG, without loss.",
    WEBP="WebP.",
)
_enum(
    DownloadState,
    "Where a download stands.",
    QUEUED="Waits for a worker.",
    RUNNING="Pages are being fetched.",
    PACKING="The archive is being finished and stored.",
    READY="The file is there, with every page unless `problem` says otherwise.",
    FAILED="It could not be finished; `problem` says why.",
    CANCELLED="Somebody stopped it.",
    EXPIRED="The file's time is over and it was deleted.",
)
_enum(
    HostRole,
    "What a host of the site serves.",
    API="The mobile API.",
    HTML="Web pages.",
    IMAGE="Pictures.",
)
_enum(
    UpstreamReason,
    "Why the site, or another server that this one needs, could not be used.",
    REGION_BLOCKED="The site refuses this server's region.",
    CHALLENGED="The site asks for a browser challenge.",
    RATE_LIMITED="The site asks for fewer requests.",
    TIMEOUT="No answer in time.",
    UNREACHABLE="No connection.",
    GARBLED="An answer that can't be read.",
    MAINTENANCE="The site is under maintenance.",
    LOGIN_REQUIRED="The site shows this only after a login.",
    REFUSED="The site refuses this number, on every host.",
    CREDENTIALS_REFUSED="This server's own credentials were refused.",
)
_enum(
    ErrorCode,
    "What went wrong, as a word to program against.",
    NOT_FOUND="There is no such thing.",
    INVALID_INPUT="An argument that can never work.",
    BLOCKED_BY_POLICY="This host withholds it.",
    OPERATION_TOO_COSTLY="One operation may not call the site so often; it gets further when sent again.",
    UPSTREAM_UNAVAILABLE="The site can't be read now.",
    UPSTREAM_BROKEN="The site answered with something that can't be read.",
    QUEUE_UNAVAILABLE="The queue can't be reached.",
    STORAGE_UNAVAILABLE="The database of people can't be reached.",
    QUEUE_FULL="Too many downloads wait already.",
    STORAGE_FULL="Too little disk is free.",
    UNAUTHENTICATED="A key or token is needed, or the one given was refused.",
    FORBIDDEN="Not from here, or not by this user.",
    RATE_LIMITED="Too many requests.",
    CONFLICT="It exists already, or its state does not allow this.",
    STALE="Somebody was quicker; read again first.",
    BUSY="Another change is not done yet; try again in a moment.",
    TIMEOUT="The site did not answer in time.",
    INTERNAL="A fault of this server.",
)
_enum(
    SiteAccountState,
    "Whether an account of the site can be used.",
    CONNECTED="It can.",
    EXPIRED="The site has ended the session: connect the account again.",
)
_enum(
    FavoriteOrder,
    "Order of favourites.",
    ADDED="The last added first.",
    UPDATED="The last updated on the site first.",
)
_enum(
    TokenScope,
    "What an access token may be used for; each includes the ones before it.",
    READ="Reading alone.",
    WRITE="All that its person may do, but managing accounts.",
    ADMIN="All that its person may do.",
)
_enum(
    NotificationEvent,
    "What a person can be notified of.",
    DOWNLOAD_READY="A download of theirs is ready.",
    DOWNLOAD_FAILED="A download of theirs has failed.",
    NEW_CHAPTERS="An album of their library, with notify, has new chapters.",
    SITE_LOGIN_EXPIRED="The site has ended their session, and they must log in there again.",
)

__all__ = [
    "AlbumOrder",
    "ArchiveFormat",
    "Category",
    "CellFormat",
    "CoverSize",
    "DownloadState",
    "ErrorCode",
    "FavoriteOrder",
    "HostRole",
    "ImageFormat",
    "LibraryOrder",
    "Namespace",
    "NotificationEvent",
    "Period",
    "SearchField",
    "SiteAccountState",
    "SourceMethod",
    "TagKind",
    "TagMatch",
    "TagMatchedField",
    "TokenScope",
    "UpstreamReason",
]
