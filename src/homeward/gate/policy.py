"""What the gate allows, as values: origins, headers, closed paths."""

from collections.abc import Iterable
from ipaddress import ip_address

from starlette.types import Scope

from homeward.config.gateway import LOOPBACK_NAMES

API = "/v1/"
PAGES_OF_THEIR_OWN = "/browser/"
"""They set a stricter content security policy than the chat can have."""
API_DOCUMENT = "/openapi.json"
PROBES = frozenset({"/healthz", "/readyz"})

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

UPLOADED_FILE_HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",
    "content-disposition": "attachment",
}
"""A file that somebody put in never runs as a page of ours, whatever type its sender gave it."""

UPLOADED_FILES = "/project/file/"

ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - not listened on, but told apart
"""What is listened on, but is no name that a request can be sent to."""

CLOSED_PATHS = frozenset(
    {
        # Chainlit's API pages and those that we don't offer: what isn't served can't be attacked.
        "/docs",
        "/redoc",
        "/copilot",
        "/mcp",
        "/project/share",
        "/project/thread/share",
        "/share",
        "/slack",
        "/teams",
        "/auth/oauth",
        "/auth/jwt",
        "/login",
    }
)
CLOSED_FOLDERS = tuple(f"{path}/" for path in CLOSED_PATHS)


def allowed_origins(host: str, port: int) -> frozenset[str]:
    """The origins under which this program's own pages are opened, lower case, with port.

    Listening on one loopback name serves them all: browsers resolve `localhost` to either address family.
    """
    names = set(LOOPBACK_NAMES)
    if not is_loopback(host) and host not in ANY_ADDRESS:
        names.add(f"[{host}]" if ":" in host else host.lower())
    origins = {f"http://{name}:{port}" for name in names}
    if port == 80:  # browsers leave the default port out
        origins |= {f"http://{name}" for name in names}
    return frozenset(origins)


def with_port(hosts: Iterable[str], port: int) -> frozenset[str]:
    """What clients may send as Host for these names: where no port was named, with ours as well as without one."""
    named = frozenset(hosts)
    return named | {f"{host}:{port}" for host in named if not host.rpartition("]")[2].count(":")}


def is_api(path: str) -> bool:
    """Whether other programs use this path, with a key where one is needed."""
    return path.startswith(API) or path == API_DOCUMENT


def is_for_programs(path: str) -> bool:
    """Whether it is served under any name of this machine and, where Homeward listens on a network, to others."""
    return is_api(path) or path in PROBES


def is_from_here(scope: Scope) -> bool:
    """Whether a program of this machine asks, which has either a loopback address or the one that it asks."""
    client, server = scope.get("client"), scope.get("server")
    return client is not None and (is_loopback(client[0]) or (server is not None and client[0] == server[0]))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def content_security_policy(origins: Iterable[str]) -> str:
    """The page's CSP: nothing from elsewhere, so that no text of a model can make the page call out.

    'unsafe-inline' for Chainlit's two inline scripts and its inline styles, 'unsafe-eval' for its custom
    elements (compiled in the page). Images and connections are what an injected prompt would use to carry
    words away, and those are limited to this origin.
    """
    # 'self' covers websockets in current browsers; older ones want them named, and none takes an IPv6 literal.
    sockets = " ".join(sorted(origin.replace("http", "ws", 1) for origin in origins if "[" not in origin))
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {sockets}",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
