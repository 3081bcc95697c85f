"""The layer that every request passes first, http and websocket alike.

A program that listens on localhost can be reached by every web page its user visits. The gate lets in only
requests that name this program as their host and do not come from a foreign page; browsers' own rules are not
enough (Firefox and Safari don't restrict public pages from calling loopback). Keys are the gateway's business.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.gate.policy import (
    CLOSED_PATHS,
    SECURITY_HEADERS,
    UPLOADED_FILE_HEADERS,
    UPLOADED_FILES,
    content_security_policy,
)

Refusal = tuple[int, str]
"""HTTP status and a sentence that says whose fault it is."""


class Gate:
    """Serves `app` to the pages of `origins` and to programs without an Origin, on their hosts only."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str], max_body_bytes: int) -> None:
        self.app = app
        self.origins = frozenset(origins)
        self.hosts = frozenset(urlsplit(origin).netloc for origin in self.origins)
        self.bounded = RequestBodyLimitMiddleware(app, max_body_bytes)
        self.page_csp = content_security_policy(self.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with a bounded body and our headers on the answer."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = header_lists(scope)
        refusal = self.refusal(scope["type"], scope["path"], headers)
        if refusal is None and scope["type"] == "http":
            await self.bounded(scope, receive, self.with_headers(scope["path"], send))
        elif refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refuse(refusal, self.with_headers(scope["path"], send))

    def refusal(self, kind: str, path: str, headers: dict[bytes, list[str]]) -> Refusal | None:
        """Why this request is not let in; None if it is."""
        hosts = headers.get(b"host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 421, "This program is not served under that host name."
        origins = headers.get(b"origin", [])
        if origins and (len(origins) > 1 or origins[0].lower() not in self.origins):
            return 403, "Other pages may not use this program."
        site, mode = headers.get(b"sec-fetch-site", [""])[0], headers.get(b"sec-fetch-mode", [""])[0]
        if site == "cross-site" and mode != "navigate" and not origins:
            return 403, "Other pages may not use this program."
        if kind == "websocket" and not origins and site:
            # A browser always sends an Origin with a websocket; one without is no browser we know.
            return 403, "A websocket of a browser needs an Origin."
        if path == "/ws/socket.io/" and kind == "http":
            return 400, "Only the websocket transport is served."
        if any(path == closed or path.startswith(closed + "/") for closed in CLOSED_PATHS):
            return 404, "Not found."
        return None

    def with_headers(self, path: str, send: Send) -> Send:
        """`send` that adds the security headers, replacing what the app set under the same names."""
        own = {"content-security-policy": self.page_csp, **SECURITY_HEADERS}
        if path.startswith(UPLOADED_FILES):
            own |= UPLOADED_FILE_HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in own.items():
                    headers[name] = value
            await send(message)

        return send_with_headers


def header_lists(scope: Scope) -> dict[bytes, list[str]]:
    """All values of each header, so that a doubled one is seen."""
    found: dict[bytes, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.lower(), []).append(value.decode("latin-1"))
    return found


async def refuse(refusal: Refusal, send: Send) -> None:
    """A short plain answer; nothing of the request is repeated in it."""
    status, sentence = refusal
    body = sentence.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
