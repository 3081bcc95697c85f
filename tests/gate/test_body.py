"""How much may be sent, and what comes of more."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from homeward.gate import ApiEntry, Gate
from homeward.gate.body import TooLargeError, declared_length
from homeward.gate.policy import allowed_origins

API_LIMIT, LIMIT = 2000, 1000


async def count(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def careless(request: Request) -> Response:
    """Takes whatever goes wrong for a body that is not there."""
    try:
        await request.body()
    except Exception:  # noqa: BLE001 - that is what it is about
        return PlainTextResponse("fine")
    return PlainTextResponse("read")


async def early(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answers while the body still comes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    try:
        while (await receive()).get("more_body"):
            pass
    finally:
        await send({"type": "http.response.body", "body": b" and ended"})


async def deaf(_request: Request) -> Response:
    return PlainTextResponse("not read")


@pytest.fixture
def client() -> TestClient:
    routes: list[BaseRoute] = [
        Mount("/v1/early", early),
        *(
            Route(f"{prefix}/{app.__name__}", app, methods=["POST"])
            for prefix in ("", "/v1")
            for app in (count, careless, deaf)
        ),
    ]
    origins = allowed_origins("127.0.0.1", 8080)
    gate = Gate(Starlette(routes=routes), origins=origins, max_body_bytes=LIMIT, api=ApiEntry(max_body_bytes=API_LIMIT))
    return TestClient(gate, base_url="http://127.0.0.1:8080", raise_server_exceptions=False)


def pieces(size: int) -> Iterator[bytes]:
    """A body whose length is not declared."""
    yield b"x" * (size - 1)
    yield b"x"


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("path", "limit"), [("/count", LIMIT), ("/v1/count", API_LIMIT)])
def test_the_api_has_a_limit_of_its_own(client: TestClient, path: str, limit: int, declared: bool) -> None:
    """Exactly so many bytes, whether they were declared or not."""

    def send(size: int) -> tuple[int, str]:
        answer = client.post(path, content=b"x" * size if declared else pieces(size))
        return answer.status_code, answer.text

    assert send(limit) == (200, str(limit))
    assert send(limit + 1)[0] == 413


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("app", ["count", "careless"])
def test_the_api_refuses_in_openais_envelope(client: TestClient, app: str, declared: bool) -> None:
    """Also where the app took what happened for something else."""
    answer = client.post(f"/v1/{app}", content=b"x" * 3000 if declared else pieces(3000))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": {
            "message": "The request is too large: at most 2,000 bytes are taken.",
            "type": "invalid_request_error",
            "param": None,
            "code": "request_too_large",
        }
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_elsewhere_it_is_a_sentence(client: TestClient) -> None:
    """For people."""
    answer = client.post("/count", content=pieces(3000))
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/plain; charset=utf-8")


def test_an_answer_that_has_begun_goes_no_further(client: TestClient) -> None:
    """What is on its way can't be taken back; nothing is put behind it."""
    answer = client.post("/v1/early/", content=pieces(3000))
    assert (answer.status_code, answer.text) == (200, "begun and ended")


@pytest.mark.parametrize("answers_first", [False, True])
def test_an_app_that_knows_nothing_of_limits(answers_first: bool) -> None:
    """What it doesn't catch becomes our refusal, or where its answer has begun, an error of the server."""

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        if answers_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        while (await receive()).get("more_body"):
            pass

    gate = Gate(app, origins=allowed_origins("127.0.0.1", 8080), max_body_bytes=LIMIT)
    client = TestClient(gate, base_url="http://127.0.0.1:8080")
    if answers_first:
        with pytest.raises(TooLargeError):
            client.post("/", content=pieces(LIMIT + 1))
    else:
        assert client.post("/", content=pieces(LIMIT + 1)).status_code == 413


def test_a_body_that_nobody_reads_is_not_counted(client: TestClient) -> None:
    """The server throws it away."""
    assert client.post("/v1/deaf", content=pieces(3000)).text == "not read"


@pytest.mark.parametrize(
    ("length", "encoding", "expected"),
    [(b"0", None, 0), (b"17", None, 17), (None, None, None), (b"17", b"chunked", None), (b"17, 17", None, None),
     (b"-1", None, None), (b"+1", None, None), (b"1_0", None, None), (b" 1", None, None), (b"9" * 5000, None, None),
     ("٣".encode(), None, None)],
)  # fmt: skip
def test_only_a_plain_length_is_believed(length: bytes | None, encoding: bytes | None, expected: int | None) -> None:
    """Everything else is counted."""
    assert declared_length(length, encoding) == expected
