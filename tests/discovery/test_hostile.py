"""Listeners that mean harm, or are broken."""

import asyncio
import contextlib
import gzip
import json

import msgspec
import pytest
from aiohttp import ClientConnectorError, web

from homeward.discovery import Rules, discover
from homeward.discovery.peer import BODY_LIMIT_BYTES, opened_session

from .conftest import Environment, at, reasons
from .services import OLLAMA, Routes, models, never, serving, speaking

NOT_OPENAI = "does not speak OpenAI's protocol"


async def why(url: str, rules: Rules, environment: Environment) -> str:
    """The one reason, where nothing must be found."""
    outcome = await at(url, rules, environment)
    assert outcome.found == ()
    (reason,) = reasons(outcome)["openai-compatible"]
    return reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(rules: Rules, environment: Environment, status: int) -> None:
    """Neither to another host nor to another port of this one, and the key doesn't get there."""
    async with serving(OLLAMA) as target:
        away = web.Response(status=status, headers={"Location": f"{target.url}/models"})
        async with serving({"*": away}) as service:
            outcome = await at(service.url, rules, environment, api_key="s3cret")
    assert f"sends us on to another address, which is not followed (status {status})" in str(reasons(outcome))
    assert target.asked == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Welcome</html>",
        "{",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"data": "none"}',
        '{"data": null}',
        '{"models": []}',
        "[]",
        "null",
        '"data"',
        '{"error": {"message": "no"}}',
        "\xff\xfe",
    ],
)
async def test_what_is_no_list_of_models_is_no_service(rules: Rules, environment: Environment, body: str) -> None:
    """Whatever its status says."""
    async with serving({"*": web.Response(body=body.encode("latin-1"), content_type="application/json")}) as service:
        assert NOT_OPENAI in await why(service.url, rules, environment)


@pytest.mark.parametrize(
    ("status", "words"), [(404, NOT_OPENAI), (400, NOT_OPENAI), (500, "has a fault"), (503, "has a fault")]
)
async def test_other_answers_are_told_by_their_status(
    rules: Rules, environment: Environment, status: int, words: str
) -> None:
    """A plain sentence each."""
    async with serving({"*": web.Response(status=status, text=json.dumps(models("a")))}) as service:
        reason = await why(service.url, rules, environment)
    assert words in reason
    assert f"(status {status})" in reason


async def test_endless_answers_are_cut(rules: Rules, environment: Environment) -> None:
    """To every question; what is read of each is bounded, and the sender notices."""
    sent = 0
    cut = asyncio.Event()

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await response.write(b'{"data": [')
            while request.raw_path == "/v1/models":
                await response.write(b'{"id": "a"},' * 10_000)
                sent += 120_000
                assert sent < 100_000_000
        cut.set()
        return response

    async with serving({"*": endless}) as service, asyncio.timeout(60):
        reason = await why(service.url, rules, environment)
        await cut.wait()
    assert "sends more than a list of models" in reason
    assert sent >= BODY_LIMIT_BYTES


async def test_compressed_answers_are_not_unpacked(rules: Rules, environment: Environment) -> None:
    """We say that we take none; a small one could unpack to any size."""
    body = gzip.compress(json.dumps(models("a")).encode())
    squeezed = web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="application/json")
    async with serving({"*": squeezed}) as service:
        assert NOT_OPENAI in await why(service.url, rules, environment)


async def test_who_is_silent_or_slow_without_end_is_given_up(rules: Rules, environment: Environment) -> None:
    """After the head, after some of the body, drop by drop: the limit is for the whole answer."""

    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    quick = msgspec.structs.replace(rules, answer_seconds=0.5)
    for handle in (drip, silent):
        async with speaking(handle) as port:
            reason = await why(f"http://127.0.0.1:{port}", quick, environment)
        assert reason == f"127.0.0.1:{port} did not answer within 0.5 s."


@pytest.mark.parametrize(
    "words",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
        b"\x00" * 1000,
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_who_does_not_speak_http_is_no_service(rules: Rules, environment: Environment, words: bytes) -> None:
    """Other protocols, broken frames, connections that end early."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(words)

    async with speaking(say) as port:
        reason = await why(f"http://127.0.0.1:{port}", rules, environment)
    assert reason == f"What listens on 127.0.0.1:{port} does not answer in HTTP."


async def test_one_that_hangs_does_not_hide_the_others(rules: Rules, environment: Environment) -> None:
    """All are asked at once."""
    quick = msgspec.structs.replace(rules, answer_seconds=2)
    async with serving({"*": never}) as hangs, serving(OLLAMA) as ollama:
        usual = msgspec.structs.replace(quick, lm_studio_port=hangs.port, ollama_port=ollama.port)
        outcome = await discover(base_url=None, environment=environment, rules=usual)
    assert [found.kind for found in outcome.found] == ["ollama"]
    assert "did not answer within 2 s" in reasons(outcome)["lm-studio"][0]


async def test_a_search_can_be_cancelled(rules: Rules, environment: Environment) -> None:
    """Its connections are closed then, and none of its tasks stays."""
    before = asyncio.all_tasks()
    asked, left = asyncio.Event(), asyncio.Event()

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        left.set()

    async with speaking(wait) as port, asyncio.timeout(60):
        searching = asyncio.create_task(at(f"http://127.0.0.1:{port}", rules, environment))
        await asked.wait()
        searching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await searching
        await left.wait()
        assert not {task for task in asyncio.all_tasks() - before if "homeward" in str(task.get_coro())}


async def test_no_proxy_is_used(rules: Rules, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the process's nor the one in the environment that is passed."""
    async with serving({"*": models("from the proxy")}) as proxy, serving({"/v1/models": models("a")}) as service:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.root)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        (found,) = (await at(service.url, rules, {**environment, "HTTP_PROXY": proxy.root})).found
    assert [model.id for model in found.models] == ["a"]
    assert proxy.asked == []


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "home", "LOCALHOST.local"])
async def test_names_are_never_resolved(host: str) -> None:
    """The client itself knows none but localhost, should an address ever get past the checks."""
    async with opened_session() as session:
        with pytest.raises(ClientConnectorError, match="not a name of this machine"):
            await session.get(f"http://{host}:80/")


IMPOSTORS: list[Routes] = [
    {"*": {"version": "1"}},
    {"*": {"endpoints": [], "modelCachePath": ""}},
    {"*": {"Endpoints": 1, "ModelDirPath": 2}},
    {"*": {"data": [], "version": "1", "endpoints": 1, "modelcachepath": 1, "modeldirpath": 1}},
    {"*": {"data": [{"id": "a", "owned_by": ["vllm"]}, {"id": "b", "owned_by": "llamacpp"}]}},
    {"*": [["models"]]},
]


@pytest.mark.parametrize("routes", IMPOSTORS)
async def test_who_says_the_same_to_everything_does_no_harm(
    rules: Rules, environment: Environment, routes: Routes
) -> None:
    """It is found as something or not at all; the search ends either way."""
    async with serving(routes) as service:
        outcome = await at(service.url, rules, environment)
    assert len(outcome.found) + len(reasons(outcome).get("openai-compatible", [])) == 1
