"""The layer that every request passes first, http and websocket alike.

A program that listens on localhost can be reached by every web page its user visits. The gate lets in only
requests that name this program as their host and do not come from a foreign page; browsers' own rules are not
enough (Firefox and Safari don't restrict public pages from calling loopback). Keys are the guard's business.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from urllib.parse import urlsplit

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.gate.body import declared_length, serve_counted
from homeward.gate.cors import ASKED_HEADERS, ASKED_METHOD, answer_preflight, readable_by
from homeward.gate.policy import (
    API,
    CLOSED_FOLDERS,
    CLOSED_PATHS,
    PAGES_OF_THEIR_OWN,
    SECURITY_HEADERS,
    UPLOADED_FILE_HEADERS,
    UPLOADED_FILES,
    content_security_policy,
    is_api,
    is_for_programs,
    is_from_here,
)
from homeward.gate.refusals import (
    FOREIGN_PAGE,
    NO_ORIGIN,
    NO_POLLING,
    NOT_FOUND,
    OTHER_MACHINE,
    WRONG_API_HOST,
    WRONG_HOST,
    Refusal,
    refuse,
    too_large,
)

Seen = dict[bytes, bytes]

WATCHED = frozenset(
    {
        *(b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"content-length", b"transfer-encoding"),
        *(ASKED_METHOD, ASKED_HEADERS),
    }
)


class ApiEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who may use the API beside the programs of this machine, and how much they may send."""

    origins: frozenset[str] = frozenset()
    """Pages of other origins: browsers may send their requests, and show them the answers."""
    hosts: frozenset[str] = frozenset()
    """Further host names, with port, that clients call this machine by; the page is not served under them."""
    max_body_bytes: int = 20_000_000


class Gate:
    """Serves `app` to the pages of `origins` and to programs without an Origin, on their hosts only.

    With `page_stays_here`, other machines get nothing but the API and the health probes: the page asks nobody who
    they are.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: Iterable[str],
        max_body_bytes: int,
        api: ApiEntry | None = None,
        page_stays_here: bool = False,
    ) -> None:
        self.app = app
        own, api = frozenset(origins), api or ApiEntry()
        self.origins = encoded(own)
        self.hosts = encoded(urlsplit(origin).netloc for origin in own)
        self.api_origins, self.api_hosts = encoded(api.origins), encoded(api.hosts)
        self.max_body_bytes, self.max_api_body_bytes = max_body_bytes, api.max_body_bytes
        self.page_stays_here = page_stays_here
        headers = {"content-security-policy": content_security_policy(own), **SECURITY_HEADERS}
        self.with_headers = adding(headers)
        self.with_headers_but_policy = adding(SECURITY_HEADERS)
        self.with_headers_of_files = adding(headers | UPLOADED_FILE_HEADERS)
        self.with_headers_for_guests = adding(headers | {"cross-origin-resource-policy": "cross-origin"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with a bounded body and our headers on the answer."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        seen = watched(scope["headers"])
        refusal = self.refusal(scope, seen)
        if kind == "http":
            await self.answer(refusal, scope, receive, send, seen)
        elif refusal is None:
            await self.app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    def refusal(self, scope: Scope, seen: Seen) -> Refusal | None:
        """Why this request is not let in; None if it is."""
        path: str = scope["path"]
        host = seen.get(b"host", b"").lower()
        if host not in self.hosts and not (host in self.api_hosts and is_for_programs(path)):
            return WRONG_API_HOST if is_api(path) else WRONG_HOST
        if self.is_foreign(path, seen):
            return FOREIGN_PAGE
        if self.page_stays_here and not is_for_programs(path) and not is_from_here(scope):
            return OTHER_MACHINE
        if path in CLOSED_PATHS or path.startswith(CLOSED_FOLDERS):
            return NOT_FOUND
        return transport_refusal(scope["type"], path, seen)

    def is_foreign(self, path: str, seen: Seen) -> bool:
        """Whether a page that is neither ours nor a guest sent it."""
        origin = seen.get(b"origin")
        if origin is None:
            site = seen.get(b"sec-fetch-site", b"")
            return site.startswith(b"cross-site") and seen.get(b"sec-fetch-mode") != b"navigate"
        return origin.lower() not in self.origins and not self.is_guest(path, origin)

    def is_guest(self, path: str, origin: bytes | None) -> bool:
        """Whether a page that the user named uses the API, and nothing else."""
        return origin in self.api_origins and path.startswith(API)

    def answer(
        self, refusal: Refusal | None, scope: Scope, receive: Receive, send: Send, seen: Seen
    ) -> Awaitable[None]:
        """Serve or refuse an http request."""
        path: str = scope["path"]
        origin = seen.get(b"origin")
        if refusal is not None:
            return refuse(refusal, path, self.with_headers(send))
        if origin is None or not self.is_guest(path, origin):
            return self.serve(scope, receive, self.headers_for(path)(send), seen)
        if scope["method"] == "OPTIONS" and ASKED_METHOD in seen:
            return answer_preflight(origin, seen.get(ASKED_HEADERS, b""), self.with_headers_for_guests(send))
        return self.serve(scope, receive, readable_by(origin, self.with_headers_for_guests(send)), seen)

    def headers_for(self, path: str) -> Callable[[Send], Send]:
        """What is added to an answer to a page of ours, or to a program."""
        if path.startswith(UPLOADED_FILES):
            return self.with_headers_of_files
        return self.with_headers_but_policy if path.startswith(PAGES_OF_THEIR_OWN) else self.with_headers

    def serve(self, scope: Scope, receive: Receive, send: Send, seen: Seen) -> Awaitable[None]:
        """Hand on, with no more of a body than is allowed."""
        path: str = scope["path"]
        limit = self.max_api_body_bytes if path.startswith(API) else self.max_body_bytes
        length = declared_length(seen.get(b"content-length"), seen.get(b"transfer-encoding"))
        if length is None:
            return serve_counted(self.app, scope, receive, send, limit)
        if length > limit:
            return refuse(too_large(limit), path, send)
        return self.app(scope, receive, send)


def watched(headers: Iterable[tuple[bytes, bytes]]) -> Seen:
    """The headers that the gate looks at. A doubled one is joined, and so is no host or origin that is known."""
    seen: Seen = {}
    for name, value in headers:
        if name in WATCHED:
            seen[name] = seen[name] + b", " + value if name in seen else value
    return seen


def transport_refusal(kind: str, path: str, seen: Seen) -> Refusal | None:
    """What is not served over this kind of connection."""
    if kind == "http":
        return NO_POLLING if path == "/ws/socket.io/" else None
    if is_api(path):
        return NOT_FOUND
    if b"origin" not in seen and b"sec-fetch-site" in seen:
        # A browser always sends an Origin with a websocket; one without is no browser we know.
        return NO_ORIGIN
    return None


def encoded(texts: Iterable[str]) -> frozenset[bytes]:
    """As they stand in headers."""
    return frozenset(text.encode() for text in texts)


def adding(headers: Mapping[str, str]) -> Callable[[Send], Send]:
    """What makes a `send` add these headers to an answer, in place of those that the app set under the same names."""
    own = [(name.encode(), value.encode()) for name, value in headers.items()]
    names = encoded(headers)

    def with_headers(send: Send) -> Send:
        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *(header for header in message.get("headers", ()) if header[0] not in names),
                    *own,
                ]
            return send(message)

        return send_with_headers

    return with_headers
