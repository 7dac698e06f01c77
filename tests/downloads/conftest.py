"""Fixtures of these tests."""

from tests.s3_server import s3_endpoint

__all__ = ["s3_endpoint"]
