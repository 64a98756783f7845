"""Serves style sheets and scripts from memory, under names that change with their content."""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
PREFIX: Final = "/static"
NEVER_CHANGES: Final = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files of the `static` folders of some packages, read once."""

    def __init__(self, packages: Iterable[str] = ("zorgid.web",)) -> None:
        self._contents: dict[str, tuple[bytes, str]] = {}
        self._addresses: dict[str, str] = {}
        for package in packages:
            for file in (files(package) / "static").iterdir():
                self._add(file.name, file.read_bytes())

    def _add(self, name: str, content: bytes) -> None:
        """Keep one file under a name that holds a part of its hash."""
        stem, _, ending = name.rpartition(".")
        named = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
        self._contents[named] = (content, KINDS[ending])
        self._addresses[name] = f"{PREFIX}/{named}"

    def address(self, name: str) -> str:
        """Return the address of the file `name`, such as `zorgid.css`. Raises `KeyError`."""
        return self._addresses[name]

    def addresses(self) -> Mapping[str, str]:
        """Return the address of every file by its name."""
        return dict(self._addresses)

    def route(self) -> Route:
        """Return the route that serves the files."""
        return Route(f"{PREFIX}/{{name}}", self._serve, name="static")

    async def _serve(self, request: Request) -> Response:
        """Answer one file."""
        try:
            content, kind = self._contents[request.path_params["name"]]
        except KeyError:
            raise HTTPException(404) from None
        return Response(content, media_type=kind, headers={"Cache-Control": NEVER_CHANGES})
