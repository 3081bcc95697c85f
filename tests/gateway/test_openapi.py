"""`/openapi.json` says what is served under `/v1`: no less, no more, nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from homeward.app.answering import Answering
from homeward.app.compose import api_routes, gated
from homeward.backends import Connections
from homeward.config import Settings
from homeward.gate import refusals as gate_refusals
from homeward.gate.refusals import Refusal
from homeward.gateway.openapi import MEANINGS, PATH, document, encoded_document, openapi_route
from homeward.gateway.openapi_operations import ANSWERING, OPERATIONS
from homeward.gateway.responses_store import NothingKept
from homeward.gateway.sending import Sender
from homeward.protocol.errors import HomewardError
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import Gateway, Kept, gateway_over

DOCUMENT = document(OPERATIONS)
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ANSWERERS = ["ok", "calls", "logprobs", "thinking-reasoning_content", "zero-tokens", "finish-length"]


def checker(name: str) -> Draft202012Validator:
    """Of one component."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return Draft202012Validator(schema)


def errors(name: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in checker(name).iter_errors(value)]


def served(routes: list[Any]) -> Iterator[tuple[str, str]]:
    """Method and path of each; what only says that there is nothing is left out."""
    for route in routes:
        if isinstance(route, Route) and route.path.startswith("/v1/") and route.path != "/v1/{path:path}":
            for method in (route.methods or set()) - {"HEAD"}:
                yield method.lower(), route.path.replace(":path}", "}")


async def test_every_route_is_in_it_and_every_path_of_it_is_a_route(
    tmp_path: Path, completer_of: MakeCompleter
) -> None:
    settings = Settings(data_dir=tmp_path)
    async with Connections() as connections:
        answering = Answering(settings, connections)
        routes = api_routes(settings, answering, Sender(completer_of("ok"), Kept()), NothingKept())
    described = [(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods]
    assert sorted(described) == sorted(served(routes))


def classes(root: type[HomewardError]) -> Iterator[type[HomewardError]]:
    yield root
    for each in root.__subclasses__():
        yield from classes(each)


def test_every_status_of_an_error_is_in_it() -> None:
    """Those of our errors, and those of the gate."""
    refused = [each.status for each in vars(gate_refusals).values() if isinstance(each, Refusal)]
    refused += [gate_refusals.too_large(1).status, gate_refusals.lacks_scope("answers").status]
    assert {each.status for each in classes(HomewardError)} | set(refused) == set(ANSWERING) == set(MEANINGS)
    for operation in OPERATIONS:
        responses = DOCUMENT["paths"][operation.path][operation.method]["responses"]
        assert {int(status) for status in responses} - {200} == set(operation.refusals)
        assert set(refused) - {400, 404} <= set(operation.refusals)


def test_every_reference_leads_somewhere() -> None:
    components = DOCUMENT["components"]["schemas"]
    named = set(components)
    text = encoded_document().decode()
    assert {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]} == named
    for schema in components.values():
        Draft202012Validator.check_schema(schema)
    names = {each.name: each for each in OPERATIONS}
    assert len(names) == len(OPERATIONS)
    for operation in OPERATIONS:
        for target, where in operation.leads_to.items():
            assert "{" + where.partition("=")[0] + "}" in names[target].path


@pytest.mark.parametrize("backend", ANSWERERS)
async def test_answers_are_as_it_says(completer_of: MakeCompleter, backend: str) -> None:
    async with gateway_over(completer_of(backend)) as gateway:
        wish: dict[str, Any] = {"homeward": {"receipt": True}, "tools": [TOOL]}
        status, body, headers = await gateway.post(**wish)
        assert (status, errors("ChatCompletion", body)) == (200, [])
        assert set(DOCUMENT["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]["headers"]) <= set(headers)
        stream = await gateway.stream(**wish, stream_options={"include_usage": True})
        assert wrong_in(stream, "ChatCompletionChunk") == []
        status, body, _ = await gateway.post("completions", prompt="Hi.", homeward={"receipt": True})
        assert (status, errors("TextCompletion", body)) == (200, [])
        assert errors("Receipt", body["homeward"]) == []


def wrong_in(stream: str, name: str) -> list[str]:
    events = [each.removeprefix("data: ") for each in stream.split("\n\n") if each]
    assert events[-1] == "[DONE]"
    return [error for event in events[:-1] for error in errors(name, json.loads(event))]


async def test_the_older_stream_models_and_errors_are_as_it_says(gateway: Gateway) -> None:
    asked = {"prompt": "Hi.", "stream": True, "stream_options": {"include_usage": True}}
    async with gateway.http.post(f"{gateway.url}/completions", json=asked) as answer:
        assert wrong_in((await answer.read()).decode(), "TextCompletion") == []
    async with gateway.http.get(f"{gateway.url}/models") as answer:
        assert errors("ModelPage", await answer.json()) == []
    async with gateway.http.get(f"{gateway.url}/models/homeward") as answer:
        assert errors("ModelObject", await answer.json()) == []
    _, body, _ = await gateway.post(model="nobody")
    assert errors("Envelope", body) == []


USER = {"role": "user", "content": "Hi."}
AT_THE_EDGE: list[tuple[str, dict[str, Any]]] = [
    ("taken", {"temperature": 0}),
    ("taken", {"temperature": 2}),
    ("refused", {"temperature": 2.1}),
    ("refused", {"temperature": -0.1}),
    ("refused", {"top_p": 1.1}),
    ("taken", {"presence_penalty": -2}),
    ("refused", {"frequency_penalty": 2.5}),
    ("taken", {"max_tokens": 0}),
    ("refused", {"max_tokens": -1}),
    ("refused", {"max_completion_tokens": -1}),
    ("taken", {"logprobs": True, "top_logprobs": 20}),
    ("refused", {"logprobs": True, "top_logprobs": 21}),
    ("taken", {"n": 1}),
    ("refused", {"n": 2}),
    ("taken", {"stop": list("abcd")}),
    ("refused", {"stop": list("abcde")}),
    ("refused", {"stop": ""}),
    ("taken", {"modalities": ["text"]}),
    ("refused", {"modalities": ["audio"]}),
    ("refused", {"messages": []}),
    ("taken", {"messages": [{"role": "developer", "content": "Be brief."}, USER]}),
    ("refused", {"messages": [{"role": "function", "name": "f", "content": "x"}]}),
    ("refused", {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}),
    (
        "refused",
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/"}}]}]},
    ),
    ("taken", {"tools": [TOOL], "tool_choice": "required"}),
    ("refused", {"tools": [{"type": "custom", "custom": {"name": "f"}}]}),
    ("refused", {"tools": [TOOL] * 129}),
    ("taken", {"response_format": {"type": "json_object"}}),
    ("refused", {"response_format": {"type": "json_schema"}}),
    ("refused", {"homeward": {"places": ["moon"]}}),
]


@pytest.mark.parametrize(("fate", "fields"), AT_THE_EDGE, ids=lambda each: str(each)[:60])
async def test_what_it_allows_is_taken_and_what_it_does_not_is_refused(
    gateway: Gateway, fate: str, fields: dict[str, Any]
) -> None:
    status, body, _ = await gateway.post(**fields)
    allowed = errors("ChatBody", {"messages": [USER], **fields}) == []
    assert (status == 200, allowed) == (fate == "taken", fate == "taken"), body


def test_it_is_ours_that_is_served_and_not_that_of_the_page(tmp_path: Path) -> None:
    """Chainlit has a document of its own at the same path."""
    theirs = Starlette(routes=[Route("/{path:path}", lambda _: PlainTextResponse("Chainlit's"))])
    app = Starlette(routes=[openapi_route(), Mount("/", theirs)])
    host = "http://127.0.0.1:8080"
    client = TestClient(gated(app, Settings(data_dir=tmp_path), [host], 8080), base_url=host)
    answer = client.get(PATH)
    assert (answer.status_code, answer.json()["info"]["title"]) == (200, "Homeward")
    assert client.get("/other").text == "Chainlit's"
    assert client.get("/docs").status_code == 404
