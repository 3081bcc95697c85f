"""Who gets through the gate, and what every answer carries."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from homeward.gate import ApiEntry, Gate, KeyGuard
from homeward.gate.keys import Ring
from homeward.gate.policy import allowed_origins, is_loopback, with_port

HERE = "http://127.0.0.1:8080"
WS = "ws://127.0.0.1:8080/ws"


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def accept(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("in")
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    app = Starlette(
        routes=[
            WebSocketRoute("/ws", accept),
            WebSocketRoute("/v1/ws", accept),
            Route("/{path:path}", echo, methods=["GET", "POST", "PUT", "OPTIONS"]),
        ]
    )
    gate = Gate(app, origins=allowed_origins("127.0.0.1", 8080), max_body_bytes=1000)
    return TestClient(gate, base_url=HERE)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "LOCALHOST:8080"])
def test_own_hosts_are_served(client: TestClient, host: str) -> None:
    """All names of this machine with our port, in any case."""
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.nip.io:8080", "127.0.0.1", "127.0.0.1:81", "", "0.0.0.0:8080",
     "localhost.evil:8080"],
)  # fmt: skip
def test_foreign_hosts_are_refused(client: TestClient, host: str) -> None:
    """A rebound DNS name reaches nothing (S1)."""
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert host not in answer.text or not host


def test_two_hosts_are_refused(client: TestClient) -> None:
    """A doubled header is not left to whoever reads the first."""
    headers = [("host", "127.0.0.1:8080"), ("host", "evil.example")]
    assert client.get("/", headers=headers).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.com", "http://localhost:9999",
     "https://127.0.0.1:8080", ""],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_foreign_origins_are_refused(client: TestClient, method: str, origin: str) -> None:
    """Other pages, other local ports included, can neither read nor write; no CORS header is given (S2, S3)."""
    answer = client.request(method, "/project/element", headers={"origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_own_origin_may_write(client: TestClient) -> None:
    """Our own page can."""
    assert client.post("/x", headers={"origin": "http://localhost:8080"}, content=b"abc").text == "3"


@pytest.mark.parametrize(("mode", "status"), [("no-cors", 403), ("cors", 403), ("navigate", 200)])
def test_cross_site_requests_are_refused_but_links_work(client: TestClient, mode: str, status: int) -> None:
    """An image on a foreign page is refused, a link on it may open ours (S4)."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": mode}
    assert client.get("/", headers=headers).status_code == status


def test_websocket_of_our_page_is_let_in(client: TestClient) -> None:
    """With our Origin."""
    with client.websocket_connect(WS, headers={"origin": HERE}) as socket:
        assert socket.receive_text() == "in"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"},
     {"sec-fetch-site": "same-origin"}, {"host": "evil.example"}],
)  # fmt: skip
def test_foreign_websocket_is_never_accepted(client: TestClient, headers: dict[str, str]) -> None:
    """A websocket has no preflight: only this check stands between a foreign page and the chat."""
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(WS, headers=headers):
        pass


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/copilot/index.js", "/mcp", "/project/share/x"])
def test_closed_paths_are_not_there(client: TestClient, path: str) -> None:
    """What we don't offer of Chainlit is not served."""
    assert client.get(path).status_code == 404


def test_polling_transport_is_not_served(client: TestClient) -> None:
    """The chat's socket is a websocket or nothing."""
    assert client.get("/ws/socket.io/?EIO=4&transport=polling").status_code == 400


def test_declared_length_above_the_limit_is_refused(client: TestClient) -> None:
    """413 before a byte is read."""
    assert client.post("/", content=b"x" * 1001).status_code == 413


def test_undeclared_body_above_the_limit_is_refused(client: TestClient) -> None:
    """413 while it is read, where no length was declared."""
    assert client.post("/", content=iter([b"x" * 600, b"x" * 600])).status_code == 413


@pytest.mark.parametrize("path", ["/", "/docs", "/project/file/x", "/v1/x", "/openapi.json"])
def test_every_answer_carries_the_headers(client: TestClient, path: str) -> None:
    """Refusals too (S9)."""
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "content-security-policy" in headers


def test_page_may_only_talk_to_itself(client: TestClient) -> None:
    """Images and connections are limited to this origin, frames are forbidden (S10)."""
    policy = client.get("/").headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy
    assert "ws://127.0.0.1:8080" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http:" not in policy


def test_uploaded_file_never_runs(client: TestClient) -> None:
    """It comes as a download in a sandbox (S12)."""
    headers = client.get("/project/file/1").headers
    assert headers["content-disposition"] == "attachment"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("host", "answer"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("192.168.0.1", False), ("example.org", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_rest(host: str, answer: bool) -> None:
    """Only addresses that nobody else can reach."""
    assert is_loopback(host) is answer


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"host": "evil.example"}, 421, "wrong_host"),
        ({"origin": "https://evil.example"}, 403, "foreign_origin"),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403, "foreign_origin"),
    ],
)
def test_programs_are_refused_in_openais_envelope(
    client: TestClient, headers: dict[str, str], status: int, code: str
) -> None:
    """And the app is not asked."""
    answer = client.post("/v1/chat/completions", headers=headers)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert "evil" not in answer.text


@pytest.mark.parametrize("header", ["origin", "sec-fetch-site"])
def test_a_doubled_header_is_refused(client: TestClient, header: str) -> None:
    """A good value beside a bad one is a bad one."""
    good, bad = {"origin": (HERE, "null"), "sec-fetch-site": ("cross-site", "none")}[header]
    assert client.get("/", headers=[(header, good), (header, bad)]).status_code == 403


def test_no_websocket_is_served_to_programs(client: TestClient) -> None:
    """There is no such API, so what would look after its keys is not there either."""
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("ws://127.0.0.1:8080/v1/ws"):
        pass


def network_gate(*, asks: str = "192.0.2.7", at: str = "192.0.2.1") -> TestClient:
    """A Homeward that listens at all addresses of its machine, asked by a machine (`asks`) at one of them (`at`)."""
    app = Starlette(routes=[WebSocketRoute("/ws", accept), Route("/{path:path}", echo)])
    gate = Gate(
        app,
        origins=allowed_origins("0.0.0.0", 8080),
        max_body_bytes=1000,
        api=ApiEntry(hosts=with_port(["192.0.2.1"], 8080)),
        page_stays_here=True,
    )
    return TestClient(gate, base_url=f"http://{at}:8080", client=(asks, 50_000))


@pytest.mark.parametrize("path", ["/v1/models", "/healthz", "/readyz"])
def test_other_machines_get_what_is_for_programs(path: str) -> None:
    """Their keys are the guard's business."""
    assert network_gate().get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/models", "/policy", "/project/threads", "/metrics", "/logs", "/public/x.css"]
)
@pytest.mark.parametrize("host", ["192.0.2.1:8080", "127.0.0.1:8080", "localhost:8080"])
def test_other_machines_get_nothing_else(path: str, host: str) -> None:
    """The page has no login: whatever they call this machine, it is not for them (S7)."""
    assert network_gate().get(path, headers={"host": host}).status_code in (403, 421)
    assert network_gate(asks="::ffff:192.0.2.7").get(path, headers={"host": host}).status_code in (403, 421)


def test_other_machines_get_no_websocket() -> None:
    """Which is the chat."""
    with (
        pytest.raises(WebSocketDisconnect),
        network_gate().websocket_connect("ws://127.0.0.1:8080/ws", headers={"origin": HERE}),
    ):
        pass


@pytest.mark.parametrize(
    ("asks", "at"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.1", "localhost")],
)
def test_this_machine_still_has_its_page(asks: str, at: str) -> None:
    """By any of its own names."""
    assert network_gate(asks=asks, at=at).get("/").status_code == 200


def test_this_machine_has_its_page_at_its_address_in_the_network() -> None:
    """Where Homeward listens at that one only: whoever asks from the address that is asked is this machine."""
    app = Starlette(routes=[Route("/{path:path}", echo)])
    gate = Gate(app, origins=allowed_origins("192.0.2.1", 8080), max_body_bytes=1000, page_stays_here=True)
    for asks, status in (("192.0.2.1", 200), ("192.0.2.7", 403)):
        asked = TestClient(gate, base_url="http://192.0.2.1:8080", client=(asks, 50_000))
        assert asked.get("/").status_code == status


@pytest.mark.parametrize("host", ["0.0.0.0:8080", "192.0.2.9:8080", "evil.example:8080", "192.0.2.1.evil:8080"])
def test_names_that_were_not_given_are_refused(host: str) -> None:
    """The address of all addresses too; it is said what to do (S1, S6)."""
    answer = network_gate().get("/v1/models", headers={"host": host})
    assert answer.status_code == 421
    assert "`hosts` in [gateway]" in answer.json()["error"]["message"]


def test_a_further_name_serves_no_page() -> None:
    """A container may use the API by it; also on this machine, the page has its own names."""
    gate = network_gate(asks="127.0.0.1")
    assert gate.get("/v1/models").status_code == 200
    assert gate.get("/").status_code == 421


@pytest.mark.parametrize(
    ("name", "sent"),
    [("box", {"box", "box:8080"}), ("box:80", {"box:80"}), ("[fe80::1]", {"[fe80::1]", "[fe80::1]:8080"}),
     ("[fe80::1]:80", {"[fe80::1]:80"})],
)  # fmt: skip
def test_a_name_without_a_port_means_ours_too(name: str, sent: set[str]) -> None:
    """Clients leave out the port that is usual, and name any other."""
    assert with_port([name], 8080) == sent


@pytest.mark.parametrize("port", [80, 8080])
def test_browsers_leave_out_the_usual_port(port: int) -> None:
    """So without it, it is ours only there."""
    app = Starlette(routes=[Route("/", echo)])
    client = TestClient(Gate(app, origins=allowed_origins("127.0.0.1", port), max_body_bytes=1000))
    answer = client.get("/", headers={"host": "localhost", "origin": "http://localhost"})
    assert answer.status_code == (200 if port == 80 else 421)


async def test_what_is_no_request_passes() -> None:
    """The server's own messages about its life."""
    passed = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(_message: Message) -> None:
        raise AssertionError("the gate has nothing to say")

    guarded = KeyGuard(app, Ring, required=True)
    gate = Gate(guarded, origins=allowed_origins("127.0.0.1", 8080), max_body_bytes=1000)
    await gate({"type": "lifespan"}, receive, send)
    assert passed == ["lifespan"]
