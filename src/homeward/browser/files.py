"""Serves the built pages of `web/`: right types, caching by hash, isolation, ranges, and what is compressed beside it.

Which files there are is looked up once, so no address leads out of the folder. They are the same for everybody.
"""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from stat import S_ISREG

import msgspec
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PAGES = Path(__file__).with_name("pages")
"""Where the build of `web/` puts them; without that build, nowhere."""

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

Models = Callable[[], Mapping[str, Path]]
"""Files of this machine that pages may load, by name."""

MODELS_FOLDER = "models"
"""Where the pages look for models that are not of their build."""

MODELS_LIST = f"/{MODELS_FOLDER}/list.json"

_ASKED_ANEW = "no-cache"

_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""The best first."""


class _File(msgspec.Struct, frozen=True):
    """One address."""

    path: Path
    media_type: str
    caching: str
    compressed: Mapping[str, Path]
    """By encoding; only what lies beside the file."""


def browser_app(folder: Path, models: Models) -> ASGIApp:
    """The built pages below `folder`, at the root of the app, and models by name below `/models/`.

    Reads the folder; a missing one has no pages. What models there are is asked for with each request for one.
    """
    files = _files_in(folder)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _answer(files, models, scope)(scope, receive, send)

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
            caching="public, max-age=31536000, immutable" if hashed else _ASKED_ANEW,
            compressed={name: other for name, other in beside.items() if other in paths},
        )
        if place.name == "index.html":
            files[str(place.parent).rstrip("/") + "/"] = files[str(place)]
    return files


def _model(place: str, models: Models) -> _File | None:
    """The model that is asked for, wherever on this machine it lies."""
    folder, _, name = place.rpartition("/")
    path = models().get(name) if folder == f"/{MODELS_FOLDER}" else None
    if path is None:
        return None
    return _File(path=path, media_type=MEDIA_TYPES[path.suffix], caching=_ASKED_ANEW, compressed={})


def _answer(files: Mapping[str, _File], models: Models, scope: Scope) -> Response:
    if scope["method"] not in {"GET", "HEAD"}:
        return Response(status_code=405, headers={**HEADERS, "allow": "GET, HEAD"})
    place = _place(scope)
    if place == MODELS_LIST:
        return _list(models())
    file = files.get(place) or _model(place, models)
    if file is None:
        return _moved(place) if f"{place}/" in files else _not_found()
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


def _list(models: Mapping[str, Path]) -> Response:
    """For pages that let their user choose one."""
    listed = [{"file": name, "bytes": path.stat().st_size} for name, path in models.items()]
    headers = {**HEADERS, "cache-control": "no-store"}
    return Response(msgspec.json.encode(listed), headers=headers, media_type=MEDIA_TYPES[".json"])


def _moved(place: str) -> Response:
    """To the folder's own address, below which its files are found; relative, wherever the app is mounted."""
    return Response(status_code=308, headers={**HEADERS, "location": PurePosixPath(place).name + "/"})


def _not_found() -> Response:
    return Response(
        "Not found.", status_code=404, headers={**HEADERS, "cache-control": "no-store"}, media_type="text/plain"
    )
