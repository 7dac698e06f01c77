"""The version of this product, written once: in the package's metadata."""

from __future__ import annotations

from importlib.metadata import version

VERSION = version("jmgraph")
"""For example "2.0.0"."""
