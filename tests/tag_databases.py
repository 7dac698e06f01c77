"""Fixtures of a tag database over one small repository."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ehtag import CellSources, GitHubUser, TagDatabase, open_tag_database
from services.settings import Settings, read_settings
from tests.tag_repositories import MakeTagRepository, TagRepository

COOK = GitHubUser("cook", 7)
HAT = CellSources("高帽", "见`apron`。", "")


def tag_settings(tmp_path: Path, repository: Path | None = None, **more: object) -> Settings:
    """Settings of a server with this repository, or none; its data is under `tmp_path`."""
    return read_settings(data_dir=tmp_path / "data", ehtag_repository=repository, **more)


@pytest.fixture
def repository(make_tag_repository: MakeTagRepository) -> TagRepository:
    """Our small sample, bare."""
    return make_tag_repository()


@pytest.fixture
async def tags(tmp_path: Path, repository: TagRepository) -> AsyncIterator[TagDatabase]:
    """The tag database over `repository`."""
    async with open_tag_database(tag_settings(tmp_path, repository.folder)) as database:
        yield database
