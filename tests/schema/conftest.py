"""Fixtures of these tests."""

from tests.github import github, github_server
from tests.tag_repositories import make_tag_repository

__all__ = ["github", "github_server", "make_tag_repository"]
