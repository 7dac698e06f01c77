"""Fixtures of these tests."""

from tests.git_server import git_server
from tests.github import github, github_server
from tests.tag_repositories import make_tag_repository

__all__ = ["git_server", "github", "github_server", "make_tag_repository"]
