"""A good plain FastAPI server of the old API: responses in a dictionary, covers as files, no upstream.

`JMGRAPH_BENCH_V1` names a folder: `answers.json` has the bodies by path, `350234.jpg` and the like are covers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse

_FOLDER = Path(os.environ["JMGRAPH_BENCH_V1"])
_ANSWERS: dict[str, Any] = json.loads((_FOLDER / "answers.json").read_text("utf-8"))
_RANKS: dict[str, Any] = _ANSWERS["rank"]
_SEARCHES: dict[tuple[str, int], Any] = {
    (tag, int(number)): body for tag, pages in _ANSWERS["search"].items() for number, body in pages.items()
}
_ALBUMS: dict[str, Any] = _ANSWERS["info"]

app = FastAPI(openapi_url=None)


@app.get("/ready")
async def ready() -> JSONResponse:
    """Responds once the server is up."""
    return JSONResponse({"status": "ok"})


@app.get("/v1/rank/{time}")
async def rank(time: str) -> JSONResponse:
    """A ranking."""
    return JSONResponse(_RANKS[time])


@app.get("/v1/search/{tag}/{num}")
async def search(tag: str, num: int) -> JSONResponse:
    """A page of a search."""
    return JSONResponse(_SEARCHES[tag, num])


@app.get("/v1/info/{aid}")
async def info(aid: str) -> JSONResponse:
    """An album."""
    return JSONResponse(_ALBUMS[aid])


@app.get("/v1/get/cover/{aid}")
async def cover(aid: str) -> FileResponse:
    """A cover."""
    return FileResponse(_FOLDER / f"{aid}.jpg", media_type="image/jpeg", filename="cover.jpg")
