"""Serves the built pages of `web/`: right types, caching by hash, isolation, ranges, and what is compressed beside it.

Which files there are is looked up once, so no address leads out of the folder. They are the same for everybody.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from stat import S_ISREG

import msgspec
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

HEADERS: Mapping[str, str] = {
    # All three on every file, also on those that workers load: without them there are no threads.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""What browsers need to isolate the pages, and to keep them from talking to anybody else."""

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".gguf": "application/octet-stream",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}
"""By the end of a name. Python's own table depends on version and system, and knows no models."""

HASHED_FOLDER = "assets"
"""Vite puts files there whose names change with their content."""

_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""The best first."""


class _File(msgspec.Struct, frozen=True):
    """One address."""

    path: Path
    media_type: str
    caching: str
    compressed: Mapping[str, Path]
    """By encoding; only what lies beside the file."""


def browser_app(folder: Path) -> ASGIApp:
    """The built pages below `folder`, at the root of the app. Reads the folder; a missing one has no pages."""
    files = _files_in(folder)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _answer(files, scope)(scope, receive, send)

    return app


def _files_in(folder: Path) -> dict[str, _File]:
    """By address, which begins with a slash. What only looks as if it lay in the folder is left out."""
    root = folder.resolve()
    paths = {path for path in root.rglob("*") if path.is_file() and path.resolve().is_relative_to(root)}
    files = {}
    for path in paths:
        if (media_type := MEDIA_TYPES.get(path.suffix)) is None:
            continue
        place = PurePosixPath("/", *path.relative_to(root).parts)
        hashed = HASHED_FOLDER in place.parent.parts
        beside = {name: path.with_name(path.name + end) for name, end in _ENCODINGS.items()}
        files[str(place)] = _File(
            path=path,
            media_type=media_type,
            caching="public, max-age=31536000, immutable" if hashed else "no-cache",
            compressed={name: other for name, other in beside.items() if other in paths},
        )
        if place.name == "index.html":
            files[str(place.parent).rstrip("/") + "/"] = files[str(place)]
    return files


def _answer(files: Mapping[str, _File], scope: Scope) -> Response:
    if scope["method"] not in {"GET", "HEAD"}:
        return Response(status_code=405, headers={**HEADERS, "allow": "GET, HEAD"})
    file = files.get(_place(scope))
    if file is None:
        return _not_found()
    headers = Headers(scope=scope)
    # A part is one of the file itself, so it is never compressed.
    encoding = "" if "range" in headers else _encoding(headers.get("accept-encoding", ""), file)
    path = file.compressed[encoding] if encoding else file.path
    try:
        status = path.stat()
    except OSError:
        return _not_found()
    if not S_ISREG(status.st_mode):
        return _not_found()
    answer = FileResponse(path, headers=_headers(file, encoding), media_type=file.media_type, stat_result=status)
    if headers.get("if-none-match") == answer.headers["etag"]:
        kept = {name: answer.headers[name] for name in ("cache-control", "etag", "vary") if name in answer.headers}
        return Response(status_code=304, headers={**HEADERS, **kept})
    return answer


def _place(scope: Scope) -> str:
    """The path below where the app is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _encoding(accepted: str, file: _File) -> str:
    """The best that the browser takes and that is there; empty for the file as it is."""
    offers = [offer.replace(" ", "").lower().partition(";q=") for offer in accepted.split(",")]
    taken = {name for name, _, weight in offers if not weight.startswith("0") or weight.strip("0.")}
    return next((name for name in file.compressed if name in taken), "")


def _headers(file: _File, encoding: str) -> dict[str, str]:
    headers = {**HEADERS, "cache-control": file.caching}
    if file.compressed:
        headers["vary"] = "accept-encoding"
    if encoding:
        headers["content-encoding"] = encoding
    return headers


def _not_found() -> Response:
    return Response(
        "Not found.", status_code=404, headers={**HEADERS, "cache-control": "no-store"}, media_type="text/plain"
    )
