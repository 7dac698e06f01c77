"""The EhTag tag database: format, rendering, git, translator."""

from services.ehtag.aliases import parse_aliases
from services.ehtag.database import EditResult, FrequentTag, TagDatabase
from services.ehtag.editing import CellSources, RowPosition, checked_raw
from services.ehtag.export import (
    ParsedRow,
    TagForm,
    commit_form,
    export,
    normalise_record,
    parse_row_text,
    render_record,
    serialise_record,
)
from services.ehtag.factory import open_tag_database, require_usable_repository
from services.ehtag.folder_remote import FetchProgress
from services.ehtag.folding import ChineseScript, fold, fold_many, in_script, other_scripts
from services.ehtag.identity import EditorRules, GitHubIdentity, GitHubUser, open_identity
from services.ehtag.markup.cells import Cell
from services.ehtag.records import (
    CommitRecord,
    Namespace,
    NamespaceRecord,
    Report,
    Signature,
    TagKind,
    TagMatch,
    parse_namespace,
    parse_raw_tag,
)
from services.ehtag.search import FoundTags, TagSearch
from services.ehtag.search_index import MatchedText, TagMatchedField
from services.ehtag.snapshot import TagRecord, TagSnapshot, problems_of
from services.ehtag.state import DatabaseState
from services.ehtag.sync import SyncOutcome
from services.ehtag.translator import Translation, Translator

__all__ = [
    "Cell",
    "CellSources",
    "ChineseScript",
    "CommitRecord",
    "DatabaseState",
    "EditResult",
    "EditorRules",
    "FetchProgress",
    "FoundTags",
    "FrequentTag",
    "GitHubIdentity",
    "GitHubUser",
    "MatchedText",
    "Namespace",
    "NamespaceRecord",
    "ParsedRow",
    "Report",
    "RowPosition",
    "Signature",
    "SyncOutcome",
    "TagDatabase",
    "TagForm",
    "TagKind",
    "TagMatch",
    "TagMatchedField",
    "TagRecord",
    "TagSearch",
    "TagSnapshot",
    "Translation",
    "Translator",
    "checked_raw",
    "commit_form",
    "export",
    "fold",
    "fold_many",
    "in_script",
    "normalise_record",
    "open_identity",
    "open_tag_database",
    "other_scripts",
    "parse_aliases",
    "parse_namespace",
    "parse_raw_tag",
    "parse_row_text",
    "problems_of",
    "render_record",
    "require_usable_repository",
    "serialise_record",
]
