"""What the gate allows, as values: origins, headers, closed paths."""

from collections.abc import Iterable
from ipaddress import ip_address

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

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

CLOSED_PATHS = (
    # Chainlit's API documents and the pages that we don't offer: what isn't served can't be attacked.
    "/docs",
    "/redoc",
    "/openapi.json",
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
)


def allowed_origins(host: str, port: int) -> frozenset[str]:
    """The origins under which this program's own pages are opened, lower case, with port.

    Listening on one loopback name serves them all: browsers resolve `localhost` to either address family.
    """
    names = set(LOOPBACK_NAMES)
    if not is_loopback(host):
        names.add(f"[{host}]" if ":" in host else host.lower())
    origins = {f"http://{name}:{port}" for name in names}
    if port == 80:  # browsers leave the default port out
        origins |= {f"http://{name}" for name in names}
    return frozenset(origins)


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
