"""The EhTag tag database: format, rendering, git, translator."""

from services.ehtag import tools
from services.ehtag.database import EditResult, TagDatabase
from services.ehtag.drafts import CellSources
from services.ehtag.edits import Place
from services.ehtag.export import commit_form, export
from services.ehtag.factory import open_tag_database
from services.ehtag.folding import fold, fold_many
from services.ehtag.forms import TagForm, render_record
from services.ehtag.identity import GitHubIdentity, GitHubUser, open_identity
from services.ehtag.markup.cells import Cell
from services.ehtag.namespaces import parse_namespace, parse_raw_tag
from services.ehtag.plans import checked_raw
from services.ehtag.records import Commit, Namespace, NamespaceInfo, Report, Signature, TagKind, TagMatch
from services.ehtag.remote import FetchProgress
from services.ehtag.search import TagSearch
from services.ehtag.snapshot import TagSnapshot, problems_of
from services.ehtag.state import DatabaseState
from services.ehtag.sync import SyncOutcome
from services.ehtag.tags import TagRecord
from services.ehtag.translator import Translation, Translator
from services.ehtag.versions import names_version

__all__ = [
    "Cell",
    "CellSources",
    "Commit",
    "DatabaseState",
    "EditResult",
    "FetchProgress",
    "GitHubIdentity",
    "GitHubUser",
    "Namespace",
    "NamespaceInfo",
    "Place",
    "Report",
    "Signature",
    "SyncOutcome",
    "TagDatabase",
    "TagForm",
    "TagKind",
    "TagMatch",
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
    "names_version",
    "open_identity",
    "open_tag_database",
    "parse_namespace",
    "parse_raw_tag",
    "problems_of",
    "render_record",
    "tools",
]
