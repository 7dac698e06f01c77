"""The structure stays within its limits: `make structure` prints what is counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.structure import LIMITS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """The measures, taken in a process of their own: the server there is in no other test's way."""
    command = [sys.executable, "tools/structure.py", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    values: dict[str, float] = json.loads(done.stdout)
    return values


@pytest.mark.parametrize("name", LIMITS)
def test_a_measure_is_within_its_limit(measured: dict[str, float], name: str) -> None:
    assert measured[name] <= LIMITS[name]
