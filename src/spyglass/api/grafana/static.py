"""The built web UI from a folder: hashed assets for ever, index.html never cached and under a strict policy.

A file `x.js` is answered from `x.js.br` or `x.js.gz` beside it where the client takes that. A path that is no file is a client
route and gets index.html. Only files that were there at the first look of each folder are served: no path is ever joined
from a request. A UI that is built anew is noticed at the next page.
"""

import asyncio
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_HASHED = re.compile(r"[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_NO_UI = "The web UI is not built. The HTTP API works: see /api/health.\n"


@dataclass(frozen=True, slots=True)
class Asset:
    path: Path
    media_type: str
    encodings: tuple[tuple[str, Path], ...]


class StaticFiles:
    """ASGI app over a folder. allow_embedding: other sites may show us in a frame."""

    def __init__(self, folder: Path | None, *, allow_embedding: bool = False) -> None:
        self._folder, self._allow_embedding = folder, allow_embedding
        self._assets: dict[str, Asset] = {}
        self._built_ns = -1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http", "only HTTP is routed here"
        response = await self._answer(Request(scope))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Method Not Allowed\n", 405, headers={"Allow": "GET, HEAD"})
        name = request.scope["path"].lstrip("/")
        asset = self._assets.get(name) if self._assets else None
        if asset is None or name == "index.html":
            # A page: look whether the UI was built anew since. Pages are few, assets come from the list.
            self._assets = await asyncio.to_thread(self._current)
            asset = self._assets.get(name)
        if asset is None and "." in name.rpartition("/")[2]:
            # A file that is not there must not be answered with a page, which a script tag would try to run.
            return PlainTextResponse("Not Found\n", 404)
        asset = asset or self._assets.get("index.html")
        if asset is None:
            return PlainTextResponse(_NO_UI, 404 if name else 200)
        return self._file(request, asset)

    def _current(self) -> dict[str, Asset]:
        """The list of files, made anew when index.html has changed."""
        try:
            built_ns = (self._folder / "index.html").stat().st_mtime_ns if self._folder else 0
        except OSError:
            built_ns = 0
        if built_ns == self._built_ns:
            return self._assets
        self._built_ns = built_ns
        return list_assets(self._folder)

    def _file(self, request: Request, asset: Asset) -> Response:
        accepted = {part.split(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
        headers = {"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
        path = asset.path
        for encoding, packed in asset.encodings:
            if encoding in accepted:
                path, headers["Content-Encoding"] = packed, encoding
                break
        if asset.path.name == "index.html":
            frames = "" if self._allow_embedding else "; frame-ancestors 'self'"
            headers |= {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY + frames}
            headers["Referrer-Policy"] = "same-origin"
        elif _HASHED.search(asset.path.name):
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            headers["Cache-Control"] = "public, max-age=3600"
        return FileResponse(path, media_type=asset.media_type, headers=headers)


def list_assets(folder: Path | None) -> dict[str, Asset]:
    """Every file of the folder by its URL path; precompressed ones beside their original."""
    if folder is None or not folder.is_dir():
        return {}
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    assets = {}
    for name, path in files.items():
        if name.removesuffix(".br") in files and name.endswith(".br"):
            continue
        if name.removesuffix(".gz") in files and name.endswith(".gz"):
            continue
        kinds = (("br", ".br"), ("gzip", ".gz"))
        packed = tuple((encoding, files[name + suffix]) for encoding, suffix in kinds if name + suffix in files)
        assets[name] = Asset(path, media_type_of(name), packed)
    return assets


def media_type_of(name: str) -> str:
    """By suffix; not by the machine's own table, which may call JavaScript text/plain."""
    known = {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".html": "text/html",
        ".json": "application/json",
        ".map": "application/json",
        ".woff2": "font/woff2",
        ".webmanifest": "application/manifest+json",
    }
    suffix = Path(name).suffix.lower()
    return known.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
