"""Hatch's build hook: the wheel contains the built page and GraphiQL.

What `make web` has built is taken as it is. Where nothing is built it is built now, with Node 20 or later; without
Node the wheel is made without them, and the server explains at `/` what to do.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the page before a wheel is made of it. An editable install serves the page of the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling before the files are collected."""
        web = Path(self.root) / "web"
        is_built = (Path(self.root) / "rest" / "static" / "index.html").is_file()
        if version == "editable" or is_built or not web.is_dir():
            return
        if (npm := shutil.which("npm")) is None:
            self.app.display_warning("The page is not built: there is no Node. The wheel contains the API alone.")
            return
        subprocess.run([npm, "ci", "--no-fund", "--no-audit"], cwd=web, check=True)
        subprocess.run([npm, "run", "build"], cwd=web, check=True)
