"""Fixtures of the tag database's tests."""

from tests.tag_repositories import make_tag_repository

__all__ = ["make_tag_repository"]
