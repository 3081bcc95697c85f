"""What stands in a body is the caller's business, and never a fault of ours."""

from contextlib import suppress
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from homeward.gateway.bodies import MOST_LEVELS, decode, json_body
from homeward.gateway.refusals import refused
from homeward.protocol.errors import InvalidRequestError

CANARY = "canary"


class Part(msgspec.Struct):
    """A piece of a message."""

    text: str


class Said(msgspec.Struct):
    """A message."""

    role: Literal["user", "assistant"]
    content: str | list[Part]


class Asked(msgspec.Struct):
    """As a route's own: typed fields, open ones, and others that are ignored."""

    messages: list[Said]
    n: int = 1
    top_p: float = 1
    logit_bias: dict[int, float] = {}
    schema: Any = None


decoder = msgspec.json.Decoder(Asked)


async def route(request: Request) -> Response:
    try:
        asked = decode(await json_body(request.scope, request.receive), decoder)
    except InvalidRequestError as error:
        return refused(error)
    return PlainTextResponse(str(len(msgspec.json.encode(asked))))


client = TestClient(Starlette(routes=[Route("/v1/x", route, methods=["POST"])]))


def body(fields: bytes = b"", messages: bytes = b"[]") -> bytes:
    return b'{"messages":%b%b}' % (messages, b"," + fields if fields else b"")


def post(content: bytes, media_type: str | None = "application/json") -> tuple[int, dict[str, Any]]:
    headers = {} if media_type is None else {"content-type": media_type}
    answer = client.post("/v1/x", content=content, headers=headers)
    return answer.status_code, {} if answer.status_code == 200 else answer.json()["error"]


def brackets(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8", "application/json;x=y"],
)
def test_json_is_taken(media_type: str) -> None:
    """With whatever parameters."""
    assert post(body(), media_type) == (200, {})


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
     "application/jsonx", "application/json, text/plain", "text/plain; application/json"],
)  # fmt: skip
def test_what_a_web_form_can_send_is_not(media_type: str | None) -> None:
    """Even if it is JSON (S5); it is said what to send."""
    status, error = post(body(), media_type)
    assert status == 415
    assert error["code"] == "unsupported_media_type"
    assert "application/json" in error["message"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" ", id="white space"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param("{}".encode("utf-16"), id="UTF-16"),
        pytest.param(body() + b"x", id="something behind it"),
        pytest.param(body()[:-1], id="cut off"),
        pytest.param(body(b'"top_p":NaN'), id="NaN"),
        pytest.param(body(b'"schema":NaN'), id="NaN in an open field"),
        pytest.param(body(b'"x":NaN'), id="NaN in an ignored field"),
        pytest.param(body(b'"top_p":Infinity'), id="Infinity"),
        pytest.param(body(b'"top_p":1e999'), id="1e999"),
        pytest.param(body(b'"schema":1e999'), id="1e999 in an open field"),
        pytest.param(b"[" * 100_000, id="deep, open"),
        pytest.param(brackets(100_000), id="deep"),
        pytest.param(body(b'"schema":' + brackets(100_000)), id="deep in an open field"),
        pytest.param(body(b'"x":' + brackets(100_000)), id="deep in an ignored field"),
        pytest.param(body(b'"schema":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000), id="deep objects"),
        pytest.param(body(b'"schema":' + brackets(950)), id="as deep as can be read, but not written"),
        pytest.param(body(b'"schema":"\\ud800"'), id="lone surrogate"),
        pytest.param(body(b'"schema":"\\udc00x"'), id="lone low surrogate"),
        pytest.param(body(b'"schema":{"\\ud800":1}'), id="lone surrogate in a name"),
        pytest.param(body(b'"x":"\\ud800"'), id="lone surrogate in an ignored field"),
        pytest.param(body(b'"schema":"\xed\xa0\x80"'), id="surrogate in UTF-8"),
        pytest.param(body(b'"schema":"\xff"'), id="no UTF-8"),
        pytest.param(body(b'"x":"\xff"'), id="no UTF-8 in an ignored field"),
        pytest.param(body(b'"\xff":1'), id="no UTF-8 in a name"),
        pytest.param(body(b'"n":' + b"9" * 5000), id="5,000 digits"),
        pytest.param(body(b'"schema":' + b"9" * 5000), id="5,000 digits in an open field"),
        pytest.param(body(b'"top_p":' + b"9" * 5000), id="5,000 digits for a fraction"),
        pytest.param(body(b'"schema":"\0"'), id="NUL"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"text"', id="a text"),
    ],
)
def test_bodies_that_break_others_are_refused(content: bytes) -> None:
    """With 400 in the envelope, and a sentence (S23)."""
    status, error = post(content)
    assert status == 400
    assert error["code"] == "invalid_request"
    assert error["type"] == "invalid_request_error"
    assert error["message"].endswith(".")


@pytest.mark.parametrize(
    ("content", "param", "words"),
    [
        (b"{}", "messages", "`messages` is missing"),
        (body(messages=b"[{}]"), "messages[0].role", "`messages[0].role` is missing"),
        (body(messages=b'[{"role":"user","content":"a"},{"role":"user","content":5}]'), "messages[1].content",
         "expected `str | array`, got `int`"),
        (body(messages=b'[{"role":"user","content":[{"text":"a"},{"text":null}]}]'), "messages[0].content[1].text",
         "expected `str`, got `null`"),
        (body(messages=b'[{"role":"canary","content":""}]'), "messages[0].role", "a value that is not known"),
        (body(b'"n":"canary"'), "n", "expected `int`, got `str`"),
        (body(b'"n":' + b"9" * 5000), "n", "out of range"),
        (body(b'"logit_bias":{"1":"canary"}'), "logit_bias[...]", "expected `float`"),
        (body(b'"logit_bias":{"canary":1}'), "logit_bias", "expected `int`"),
        (b"[]", None, "The body is wrong: expected `object`, got `array`"),
        (body(b'"schema":' + brackets(65)), None, "64 levels"),
    ],
)  # fmt: skip
def test_the_field_is_named(content: bytes, param: str | None, words: str) -> None:
    """By its path as OpenAI writes it; what was sent is not repeated."""
    status, error = post(content)
    assert status == 400
    assert error["param"] == param
    assert words in error["message"]
    assert CANARY not in str(error)


def test_levels_are_counted_exactly() -> None:
    """The field that holds them is the first one; brackets in texts are none, nor are those side by side."""
    assert post(body(b'"schema":' + brackets(MOST_LEVELS - 1)))[0] == 200
    assert post(body(b'"schema":' + brackets(MOST_LEVELS)))[0] == 400
    assert post(body(b'"schema":"' + b"[" * 1000 + b'"'))[0] == 200
    assert post(body(b'"schema":[' + b"[]," * 1000 + b"{}]"))[0] == 200


def test_what_is_ignored_may_be_long() -> None:
    """Nothing is made of it."""
    assert post(body(b'"x":' + b"9" * 5000))[0] == 200


async def test_a_client_that_leaves_is_no_fault() -> None:
    """What there is of the body is not used."""

    async def receive() -> Message:
        return pieces.pop(0)

    pieces: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(InvalidRequestError, match="broken off"):
        await json_body(scope, receive)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:0123456789eE+-.\\untrefalsmg ', max_size=200).map(str.encode))
def test_no_body_is_anything_but_read_or_refused(content: bytes) -> None:
    """Whatever it is."""
    for each in (content, body(b'"schema":' + content), body(messages=b"[" + content + b"]")):
        with suppress(InvalidRequestError):
            msgspec.json.encode(decode(each, decoder))
