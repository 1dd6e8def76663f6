"""The static files: styles, scripts, icons."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"

FOR_EVER = "public, max-age=31536000, immutable"


@cache
def version() -> str:
    """Digits that change when a static file does. They are a folder in the addresses of all, so
    that a script imports the others of its own version.
    """
    files = sorted(FOLDER.iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


class VersionedFiles(StaticFiles):
    """Serves ``<version>/<file>``, which browsers keep for ever, and ``<file>``."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at ``path``. Raises HTTPException with 404 where there is none."""
        folder, _, name = path.rpartition("/")
        response = await super().get_response(name, scope)
        # During a deploy an older process may be asked for the files of a newer one.
        if folder == version():
            response.headers["cache-control"] = FOR_EVER
        return response
