"""The pages' files, each under an address that changes with their content: so browsers may keep them for ever."""

import hashlib
import re
from pathlib import Path

from starlette.responses import Response

ADDRESS = "/models/assets/"
MODELS_PAGE = "models.html"
POLICY_PAGE = "policy.html"

_FOLDER = Path(__file__).resolve().parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_NAMED = re.compile(rb'"(?:\./|/models/assets/)[\w.-]+\.(?:css|js|svg)(?=")')
"""Where one of the files names another."""


class Assets:
    """The pages and what belongs to them, in memory."""

    def __init__(self) -> None:
        """Read the files. Raises OSError."""
        files = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}
        self.version = hashlib.sha256(b"\0".join(files.values())).hexdigest()[:16]
        """The same for all of them: a page's modules must fit together."""
        query = f"?v={self.version}".encode()
        self._files = {name: _NAMED.sub(rb"\g<0>" + query, content) for name, content in files.items()}

    def page(self, name: str) -> Response:
        """A page itself; asked for anew each time."""
        return self._answer(name, "no-store")

    def asset(self, name: str, version: str) -> Response:
        """One of their files; 404 where there is none. Kept by the browser where its address has the right version."""
        if name in {MODELS_PAGE, POLICY_PAGE} or name not in self._files:
            return Response(status_code=404, headers={"cache-control": "no-store"})
        return self._answer(name, "max-age=31536000, immutable" if version == self.version else "no-cache")

    def _answer(self, name: str, caching: str) -> Response:
        kind = _TYPES[Path(name).suffix]
        return Response(self._files[name], media_type=kind, headers={"cache-control": caching})
