"""A real S3 server on loopback."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import httpx
import pytest

BUCKET = "archives"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 server on loopback, with an empty bucket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the server's own libraries, not ours
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    empty_bucket(endpoint)
    yield endpoint
    server.stop()


def empty_bucket(endpoint: str) -> None:
    """Forget everything that the server has, but an empty bucket."""
    httpx.post(f"{endpoint}/moto-api/reset", trust_env=False).raise_for_status()
    httpx.put(f"{endpoint}/{BUCKET}", trust_env=False).raise_for_status()


def s3_options(endpoint: str) -> dict[str, object]:
    """What a host sets to reach this server."""
    return {
        "endpoint": endpoint,
        "region": "eu-north-1",
        "access_key_id": "tests",
        "secret_access_key": "tests",
        "retry_config": {"max_retries": 0},
    }
