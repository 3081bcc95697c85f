"""Which programs get through with which key."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from homeward.gate import KeyGuard
from homeward.gate.keys import DEFAULT_SCOPES, Key, Ring, digest_of, ring_of
from homeward.protocol.key_use import SCOPES, KeyScope

EDITOR, NOTES = "hw-" + "e" * 43, "hw-" + "n" * 43
NOBODYS = "hw-" + "x" * 43
CHAT = "/v1/chat/completions"
PATHS: dict[str, KeyScope] = {
    "/v1/models": "models",
    "/v1/models/homeward": "models",
    "/v1/receipts/1": "models",
    "/v1/chat/completions": "answers",
    "/v1/completions": "answers",
    "/v1/responses": "answers",
    "/v1/responses/1/cancel": "answers",
    "/v1/embeddings": "embeddings",
}


async def show_key(request: Request) -> Response:
    use = request.state.key
    return JSONResponse({"name": use.name, "scopes": sorted(use.scopes)})


async def page(request: Request) -> Response:
    return JSONResponse({"known": hasattr(request.state, "key")})


def key(name: str, text: str, *scopes: KeyScope) -> Key:
    return Key(name=name, digest=digest_of(text), scopes=scopes, created_at=datetime.now(UTC))


TWO = ring_of([key("notes", NOTES, "embeddings"), key("editor", EDITOR, *DEFAULT_SCOPES)])


def client(ring: Ring = TWO, *, required: bool = False) -> TestClient:
    app = Starlette(
        routes=[
            Route("/v1/{path:path}", show_key, methods=["GET", "POST"]),
            Route("/openapi.json", show_key),
            Route("/{path:path}", page),
        ]
    )
    return TestClient(KeyGuard(app, lambda: ring, required=required), base_url="http://127.0.0.1:8080")


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize(
    "send",
    [
        bearer,
        lambda text: {"authorization": f"bearer   {text} "},
        lambda text: {"x-api-key": text},
        lambda text: {"api-key": text},
        lambda text: {"api-key": text, "x-api-key": text, **bearer(text)},
        lambda text: {"authorization": "Basic bm86bm8=", "api-key": text},
        lambda text: {"authorization": "Bearer ", "x-api-key": text},
    ],
)
def test_the_same_key_has_the_same_rights_in_every_header(send: Callable[[str], dict[str, str]]) -> None:
    """OpenAI's, Anthropic's and Azure's way of sending it (S19)."""
    assert client().post(CHAT, headers=send(EDITOR)).json() == {"name": "editor", "scopes": sorted(DEFAULT_SCOPES)}
    assert client().post(CHAT, headers=send(NOTES)).status_code == 403


REFUSED: list[dict[str, str] | list[tuple[str, str]]] = [
    {},
    bearer(NOBODYS),
    bearer(EDITOR[:-1]),
    bearer(EDITOR + "e"),
    bearer(EDITOR.upper()),
    bearer("' OR '1'='1"),
    bearer("x" * 1_000_000),
    bearer(digest_of(EDITOR)),
    {"authorization": EDITOR},
    {"authorization": f"Basic {EDITOR}"},
    {"authorization": ""},
    {**bearer(EDITOR), "x-api-key": NOBODYS},
    {**bearer(EDITOR), "api-key": NOTES},
    [("authorization", f"Bearer {EDITOR}"), ("authorization", f"Bearer {NOTES}")],
    {"cookie": f"access_token={EDITOR}"},
    {"x-forwarded-for": "127.0.0.1"},
]


@pytest.mark.parametrize("headers", REFUSED, ids=str)
@pytest.mark.parametrize("path", [*PATHS, "/v1/unknown", "/openapi.json"])
def test_everything_else_gets_the_same_refusal(path: str, headers: dict[str, str] | list[tuple[str, str]]) -> None:
    """Byte for byte, so that nothing can be learned from it (S7, S18)."""
    answer = client().get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.content == client(Ring(), required=True).get(CHAT).content
    assert answer.json()["error"] == {
        "message": answer.json()["error"]["message"],
        "type": "authentication_error",
        "param": None,
        "code": "invalid_api_key",
    }


def test_a_key_that_is_not_ascii_is_wrong() -> None:
    """And nothing worse."""
    answer = client().get(CHAT, headers=[(b"authorization", "Bearer clé-열쇠".encode())])
    assert answer.status_code == 401


@pytest.mark.parametrize(("path", "needed"), PATHS.items())
@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_is_good_for_its_scopes_alone(path: str, needed: KeyScope, scope: KeyScope) -> None:
    """403, naming what is lacking; `cloud` alone opens nothing."""
    answer = client(ring_of([key("laptop", EDITOR, scope)])).get(path, headers=bearer(EDITOR))
    if scope == needed:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        error = answer.json()["error"]
        assert (error["code"], error["type"]) == ("insufficient_scope", "permission_error")
        assert f"`{needed}`" in error["message"]
        assert f"--scope {needed}" in error["message"]
        assert "laptop" not in answer.text


@pytest.mark.parametrize("path", ["/v1/files", "/v1/", "/v1/modelsx", "/v1//models", "/v1/Models"])
def test_what_is_not_known_needs_the_most_usual_scope(path: str) -> None:
    """A route that comes later is closed until somebody says what it needs."""
    only_models = client(ring_of([key("one", EDITOR, "models")]))
    assert only_models.get(f"http://127.0.0.1:8080{path}", headers=bearer(EDITOR)).status_code in (403, 404)
    assert client().get("/v1/files", headers=bearer(EDITOR)).status_code == 200


def test_any_key_may_read_the_description() -> None:
    """It says what there is, not what is in it."""
    assert client().get("/openapi.json", headers=bearer(NOTES)).status_code == 200


@pytest.mark.parametrize("headers", [{}, bearer("sk-whatever"), {**bearer("one"), "api-key": "two"}])
def test_without_any_key_every_program_of_this_machine_may_do_everything(headers: dict[str, str]) -> None:
    """Clients of OpenAI's always send one, whatever it is."""
    answer = client(Ring()).post(CHAT, headers=headers)
    assert answer.json() == {"name": "", "scopes": sorted(SCOPES)}


@pytest.mark.parametrize("path", ["/", "/healthz", "/models", "/v1"])
def test_pages_are_none_of_its_business(path: str) -> None:
    """The gate looks after those."""
    assert client(required=True).get(path).json() == {"known": False}


def test_no_key_is_right_while_it_is_not_known_which_there_are() -> None:
    """Nor may it be left out."""
    assert client(Ring(shut=True)).get(CHAT).status_code == 401
    assert client(Ring(shut=True)).get(CHAT, headers=bearer(EDITOR)).status_code == 401


def test_each_request_asks_anew() -> None:
    """A key that is gone does not work any more."""
    rings = [TWO, Ring(shut=True)]
    app = Starlette(routes=[Route("/v1/models", show_key)])
    asked = TestClient(KeyGuard(app, lambda: rings.pop(0), required=False))
    statuses = [asked.get("/v1/models", headers=bearer(EDITOR)).status_code for _ in range(2)]
    assert statuses == [200, 401]
