"""The whole entry of the API as it is put together, on a real server, asked in bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from homeward.app.compose import gated
from homeward.app.keys import FILE, KeyFile
from homeward.config import Settings, load
from homeward.config.gateway import GatewaySettings
from homeward.gate.policy import allowed_origins
from tests.gate.serving import Site, serving

CHAT = "/v1/chat/completions"
LIMIT = 1_000_000
GUEST = "https://chat.example.org"
ORIGIN = f"Origin: {GUEST}"
ASKS = "Access-Control-Request-Method: POST"


class App:
    """Counts what reaches it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def answer(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return PlainTextResponse("in")


def settings_of(folder: Path, **gateway: object) -> Settings:
    settings = load({"data_dir": folder}, environment={})
    table = GatewaySettings.model_validate({"max_body_mb": 1, "origins": (GUEST,), **gateway})
    return settings.model_copy(update={"gateway": table})


def site_of(app: App, settings: Settings) -> AbstractAsyncContextManager[Site]:
    routes = [Route("/{path:path}", app.answer, methods=["GET", "POST", "PUT", "OPTIONS"])]
    inner = Starlette(routes=routes)
    return serving(lambda port: gated(inner, settings, allowed_origins("127.0.0.1", port), port))


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def site(app: App, tmp_path: Path) -> AsyncIterator[Site]:
    """Without a key, so that nothing but the gate stands before the app."""
    async with site_of(app, settings_of(tmp_path)) as site:
        yield site


async def test_a_program_gets_in(site: Site) -> None:
    """So that the refusals below mean something."""
    answer = await site.ask("POST", CHAT, "Content-Type: application/json", body=b"{}")
    assert (answer.status, answer.body) == (200, b"in")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "evil.example.localhost.evil:{port}", "127.0.0.1.nip.io:{port}", "",
     "0.0.0.0:{port}", "127.0.0.1", "127.0.0.1:{port}@evil.example", "127.0.0.1:{port} ,evil.example",
     "[::ffff:127.0.0.1]:{port}", "2130706433:{port}", "127.1:{port}", "localhost.:{port}"],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHAT, "/"])
async def test_no_other_host(site: Site, app: App, host: str, path: str) -> None:
    """S1, S6."""
    answer = await site.ask("GET", path, host=host.format(port=site.port))
    assert answer.status in (400, 421)
    assert app.bodies == []


async def test_not_two_hosts_and_not_none(site: Site, app: App) -> None:
    """S1: nor one in the request line that differs, which proxies believe."""
    two = f"GET {CHAT} HTTP/1.1\r\nHost: {site.host}\r\nHost: evil.example\r\n\r\n"
    none = f"GET {CHAT} HTTP/1.1\r\nAccept: */*\r\n\r\n"
    old = f"GET {CHAT} HTTP/1.0\r\n\r\n"
    assert [(await site.send(each.encode())).status for each in (two, none, old)] == [421, 421, 421]
    assert app.bodies == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.com", "http://localhost:9999", "",
               "https://chat.example.org.evil", "https://chat.example.org:444", "http://chat.example.org"],
)  # fmt: skip
@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/v1/receipts/x", "/openapi.json", "/healthz", "/"])
async def test_no_other_page(site: Site, app: App, origin: str, path: str) -> None:
    """S2, S3: whatever the method, and no answer that a browser would let it read."""
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        answer = await site.ask(method, path, f"Origin: {origin}", ASKS)
        assert answer.status in (403, 404)
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert app.bodies == []


async def test_no_page_without_an_origin(site: Site, app: App) -> None:
    """S4: an image or a script of another site."""
    answer = await site.ask("GET", "/v1/models", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")
    assert answer.status == 403
    assert app.bodies == []


async def test_a_websocket_handshake_gets_no_101(site: Site) -> None:
    """S2: neither on the API nor, with a foreign origin, on the chat's path."""
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    for path, origin in (("/ws/socket.io/?EIO=4&transport=websocket", "https://evil.example"), ("/v1/x", GUEST)):
        answer = await site.ask("GET", path, f"Origin: {origin}", *lines)
        assert answer.status == 403


async def test_every_answer_carries_the_headers(site: Site) -> None:
    """S9, refusals among them."""
    answers = [
        await site.ask("POST", CHAT, body=b"{}"),
        await site.ask("GET", CHAT, host="evil.example"),
        await site.ask("OPTIONS", CHAT, ORIGIN, ASKS),
        await site.ask("POST", CHAT, f"Content-Length: {LIMIT + 1}"),
    ]
    assert [answer.status for answer in answers] == [200, 421, 204, 413]
    for answer in answers:
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"


async def test_a_page_that_was_named_may_ask(site: Site) -> None:
    """And may send its key."""
    asks = await site.ask("OPTIONS", CHAT, ORIGIN, ASKS, "Access-Control-Request-Headers: authorization")
    assert (asks.status, asks.headers["access-control-allow-headers"]) == (204, "authorization")
    answer = await site.ask("POST", CHAT, ORIGIN, body=b"{}")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, GUEST)


async def test_no_more_than_was_declared_reaches_the_app(site: Site, app: App) -> None:
    """The server keeps to the declared length; the gate relies on that."""
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {site.host}\r\nContent-Length: 5\r\n\r\n".encode()
    answer = await site.send(head + b"first" + head + b"other")
    assert answer.status == 200
    assert app.bodies[0] == b"first"


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 2000000",
        "Content-Length: 5, 5",
        "Content-Length: -5",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding : chunked",
        "X-A: b\rContent-Length: 5",
        "X-A: b\nX B: c",
        "X-A: \0",
        " X-A: folded",
    ],
)
async def test_what_can_be_read_in_two_ways_never_gets_past_the_limit(site: Site, app: App, lines: str) -> None:
    """Nobody in between and we may read one request as two, or as a longer one."""
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {site.host}\r\n{lines}\r\n\r\n"
    answer = await site.send(head.encode() + b"1e8480\r\n" + b"x" * 2_000_000 + b"\r\n0\r\n\r\n")
    assert answer.status in (400, 413)
    assert all(len(body) <= LIMIT for body in app.bodies)


async def test_too_much_is_refused_while_it_comes(site: Site, app: App) -> None:
    """The answer is there before the end of the request, which never comes."""
    head = f"POST {CHAT} HTTP/1.1\r\nHost: {site.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
    piece = b"40000\r\n" + b"x" * 0x40000 + b"\r\n"
    answer = await site.send(head.encode() + piece * 4)
    assert answer.status == 413
    assert msgspec.json.decode(answer.body)["error"]["code"] == "request_too_large"
    assert app.bodies == []


async def test_too_much_is_refused_to_a_client_that_sends_it_all(site: Site, app: App) -> None:
    """It reads the refusal, not a connection that was reset."""
    answer = await site.ask("POST", CHAT, body=b"x" * (3 * LIMIT))
    assert answer.status == 413
    assert app.bodies == []


async def test_keys_of_any_kind_on_the_wire(app: App, tmp_path: Path) -> None:
    """S18: wrong, strange, and huge ones get the same answer; the right one gets in."""
    key = KeyFile(tmp_path).add("editor", ("answers",))
    async with site_of(app, settings_of(tmp_path)) as site:
        wrong = ["", "x", "' OR '1'='1", "x" * 1_000_000, "clé", "\x80\xff", key + "x", f"{key}, {key}", "%00"]
        bodies = set()
        for each in wrong:
            answer = await site.ask("POST", CHAT, f"Authorization: Bearer {each}", body=b"{}")
            assert answer.status == 401
            bodies.add(answer.body)
        assert len(bodies) == 1
        assert app.bodies == []
        assert (await site.ask("POST", CHAT, f"Authorization: Bearer {key}", body=b"{}")).status == 200


async def test_paths_that_look_alike_need_the_key_or_lead_nowhere(app: App, tmp_path: Path) -> None:
    """However the path is written: what the app takes for the API, the guard does too."""
    KeyFile(tmp_path).add("editor", ("answers",))
    async with site_of(app, settings_of(tmp_path)) as site:
        for path in ("/v1/x", "/%761/x", "/v1%2Fx", "/v1/%2e%2e/x", "/v1/../x", "/v1//x", "/v1/x?y=/", "/v1/x%00"):
            assert (await site.ask("GET", path)).status == 401, path


async def test_no_key_is_found_where_it_should_not_be(
    app: App, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """S25: neither in an answer, nor in what is logged, nor on disk."""
    key = KeyFile(tmp_path).add("editor", ("answers",))
    async with site_of(app, settings_of(tmp_path, api_key="sk-canary-of-the-settings")) as site:
        for each in (key, f"sk-canary-{key}", "sk-canary-of-the-settings"):
            for path in (CHAT, "/v1/models", "/v1/embeddings"):
                answer = await site.ask("POST", path, f"Authorization: Bearer {each}", body=b"{}")
                for secret in (key, "sk-canary"):
                    assert secret not in str(answer.headers) + answer.body.decode()
    written = capfd.readouterr()
    for secret in (key, "sk-canary"):
        assert secret not in written.out + written.err
        assert secret not in (tmp_path / FILE).read_text()


async def test_a_key_that_is_removed_is_refused_soon(app: App, tmp_path: Path) -> None:
    """By a Homeward that runs, without a restart; and from the first key on one is needed."""
    file = KeyFile(tmp_path)
    async with site_of(app, settings_of(tmp_path)) as site:

        async def until(expected: int, *lines: str) -> None:
            async with asyncio.timeout(30):
                while (await site.ask("POST", CHAT, *lines, body=b"{}")).status != expected:
                    pass

        await until(200)
        key = file.add("editor", ("answers",))
        await until(401)
        await until(200, f"Authorization: Bearer {key}")
        file.add("other", ("answers",))
        file.remove("editor")
        await until(401, f"Authorization: Bearer {key}")
