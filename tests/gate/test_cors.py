"""Pages of other origins that the user named: the API, and nothing else."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from homeward.gate import ApiEntry, Gate, KeyGuard
from homeward.gate.keys import Ring
from homeward.gate.policy import allowed_origins

HERE = "http://127.0.0.1:8080"
GUEST = "http://127.0.0.1:8081"
CHAT = "/v1/chat/completions"


async def answer(_request: Request) -> Response:
    headers = {"x-homeward-place": "device", "x-request-id": "1", "x-inner": "secret", "vary": "accept"}
    return PlainTextResponse("an answer", headers=headers)


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()


def client(*, required: bool = False) -> TestClient:
    app = Starlette(
        routes=[
            WebSocketRoute("/v1/realtime", accept),
            Route("/{path:path}", answer, methods=["GET", "POST", "DELETE"]),
        ]
    )
    guarded = KeyGuard(app, Ring, required=required)
    origins = allowed_origins("127.0.0.1", 8080)
    entry = ApiEntry(origins=frozenset({GUEST}), max_body_bytes=100)
    return TestClient(Gate(guarded, origins=origins, max_body_bytes=100, api=entry), base_url=HERE)


def preflight(method: str = "POST", headers: str = "authorization, content-type", **more: str) -> dict[str, str]:
    asked = {"origin": GUEST, "access-control-request-method": method, "access-control-request-headers": headers}
    return asked | more


def test_a_guest_may_read_the_answer() -> None:
    """Its origin is named, never `*`; of our headers it sees those meant for it."""
    headers = client().post(CHAT, headers={"origin": GUEST}).headers
    assert headers["access-control-allow-origin"] == GUEST
    assert headers["access-control-expose-headers"] == "x-homeward-place, x-request-id"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers.get_list("vary") == ["accept", "origin"]
    assert "access-control-allow-credentials" not in headers
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("headers", [{}, {"origin": HERE}])
def test_without_a_guest_nothing_is_said(headers: dict[str, str]) -> None:
    """Our own page and other programs need no permission."""
    answer = client().post(CHAT, headers=headers)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_preflight_is_answered(method: str) -> None:
    """Before any key is asked for: browsers send none with it."""
    answer = client(required=True).options(CHAT, headers=preflight(method))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == GUEST
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"
    assert answer.headers["access-control-max-age"] == "600"
    assert answer.headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("authorization,content-type,x-api-key,api-key", "authorization, content-type, x-api-key, api-key"),
        ("X-Homeward-Mode, OpenAI-Organization", "X-Homeward-Mode, OpenAI-Organization"),
        ("x-stainless-retry-count, x-stainless-arch", "x-stainless-retry-count, x-stainless-arch"),
        ("cookie, x-forwarded-for, authorization", "authorization"),
        ("x-homeward-", ""),
        ("*", ""),
        ("authorization\tx", ""),
    ],
)
def test_only_known_headers_are_allowed(asked: str, allowed: str) -> None:
    """What OpenAI's clients send, and our own."""
    answer = client().options(CHAT, headers=preflight(headers=asked))
    assert answer.headers["access-control-allow-headers"] == allowed


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_other_methods_are_not_allowed(method: str) -> None:
    """The browser reads which are, and doesn't send it."""
    answer = client().options(CHAT, headers=preflight(method))
    assert method not in answer.headers["access-control-allow-methods"]


def test_private_network_access_is_never_allowed() -> None:
    """That a public page may reach this machine is for the browser's user to say (S3)."""
    headers = preflight(**{"access-control-request-private-network": "true"})
    answer = client().options(CHAT, headers=headers)
    assert not [name for name in answer.headers if "private-network" in name]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:8082", "http://127.0.0.1:8081.evil"]
)
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_no_other_page_gets_anything(origin: str, method: str) -> None:
    """Neither a preflight nor an answer (S2, S3)."""
    answer = client().request(method, CHAT, headers=preflight() | {"origin": origin})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "foreign_origin"
    assert "an answer" not in answer.text
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v2/x", "/project/element", "/models", "/openapi.json", "/healthz", "//v1/models"]
)
@pytest.mark.parametrize("method", ["OPTIONS", "GET", "POST"])
def test_a_guest_gets_nothing_but_the_api(path: str, method: str) -> None:
    """The chat and the pages stay as closed to it as to any other page."""
    answer = client().request(method, f"{HERE}{path}", headers=preflight())
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_guest_gets_no_websocket() -> None:
    """None is served under /v1."""
    with pytest.raises(WebSocketDisconnect), client().websocket_connect("/v1/realtime", headers={"origin": GUEST}):
        pass


@pytest.mark.parametrize(("body", "status"), [(b"", 401), (b"x" * 101, 413)])
def test_a_guest_may_read_refusals(body: bytes, status: int) -> None:
    """So that a page can say what is wrong."""
    answer = client(required=True).post(CHAT, headers={"origin": GUEST}, content=body)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == GUEST


def test_two_origins_are_none() -> None:
    """A guest's beside another one doesn't count."""
    headers = [("origin", GUEST), ("origin", "https://evil.example")]
    assert client().post(CHAT, headers=headers).status_code == 403


def test_a_guest_does_not_get_in_by_another_host() -> None:
    """The host is looked at first, and the refusal can't be read."""
    answer = client().post(CHAT, headers={"origin": GUEST, "host": "evil.example"})
    assert answer.status_code == 421
    assert "access-control-allow-origin" not in answer.headers
