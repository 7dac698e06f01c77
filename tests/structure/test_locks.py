"""The image contains the versions that were tested."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _pins(name: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+==[^\s;]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))


def test_the_image_has_a_subset_of_the_tested_packages_at_the_same_versions() -> None:
    server, tested = _pins("requirements.server.lock"), _pins("requirements.lock")

    assert server < tested
    assert not [pin for pin in server if pin.startswith(("pytest==", "mypy==", "moto=="))]


def test_every_pin_has_its_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements.server.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert len(re.findall(r"^[\w.-]+==.*\\\n    --hash=sha256:", text, re.MULTILINE)) == len(_pins(name))
        assert "://" not in text
