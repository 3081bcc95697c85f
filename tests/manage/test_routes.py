"""The page's API: what it answers, what it refuses, and what may be kept by whom."""

import re
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from homeward.gate import Gate
from homeward.gate.policy import allowed_origins
from homeward.manage.routes import model_routes
from homeward.manage.state import Catalogue, State
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.views import ARRIVING, OWN, STARTER

HERE = "http://127.0.0.1:8080"
JSON = {"content-type": "application/json"}
ACTIONS: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("use", {"name": "phi"}, ("use", "phi")),
    ("add", {"path": "/models/한국어 모델.gguf"}, ("add", "/models/한국어 모델.gguf")),
    ("remove", {"name": "phi", "delete_files": True}, ("remove", "phi", True)),
    ("remove", {"name": "phi", "delete_files": False}, ("remove", "phi", False)),
    ("verify", {"name": "phi"}, ("verify", "phi")),
    ("repair", {"name": "phi"}, ("repair", "phi")),
    ("download", {"variant": "phi:5"}, ("download", "phi:5")),
    ("cancel", {"variant": "phi:5"}, ("cancel", "phi:5")),
    ("dismiss", {"variant": "phi:5"}, ("dismiss", "phi:5")),
    ("search", {}, ("search",)),
    ("devices", {}, ("devices",)),
    ("later", {}, ("later",)),
]
BAD_BODIES = [
    *(b"", b"null", b"[]", b'"x"', b"{", b"{}", b"[" * 20_000),
    *(b'{"name": 1}', b'{"name": null}', b'{"name": ""}', b'{"name": "a\\u0000b"}', b'{"name": "\xff"}'),
    b'{"name": "' + b"x" * 5000 + b'"}',
]


@pytest.fixture
def client(manager: FakeManager) -> TestClient:
    gate = Gate(
        Starlette(routes=model_routes(manager)), origins=allowed_origins("127.0.0.1", 8080), max_body_bytes=100_000
    )
    return TestClient(gate, base_url=HERE)


def test_state_is_what_the_manager_says(client: TestClient, manager: FakeManager) -> None:
    """Whole, down to a download's speed, and kept by nobody."""
    manager.show(downloads=(ARRIVING,))
    answer = client.get("/models/state")
    assert msgspec.json.decode(answer.content, type=State) == manager.now
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


def test_catalogue_is_asked_for_only_when_it_is_wanted(client: TestClient, manager: FakeManager) -> None:
    """Neither the page nor the state asks the network."""
    client.get("/models")
    client.get("/models/state")
    assert manager.calls == []
    assert msgspec.json.decode(client.get("/models/catalogue").content, type=Catalogue) == manager.offers
    assert manager.calls == [("catalogue",)]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_catalogue_is_not_asked_for_by_a_link(client: TestClient, manager: FakeManager, site: str) -> None:
    """No other page can make Homeward ask the network, by navigating there for instance."""
    answer = client.get("/models/catalogue", headers={"sec-fetch-site": site, "sec-fetch-mode": "navigate"})
    assert answer.status_code == 403
    assert answer.json()["error"]["next_step"] == "Open /models."
    assert manager.calls == []


@pytest.mark.parametrize(("action", "body", "call"), ACTIONS)
def test_an_action_answers_with_the_new_state(
    client: TestClient, manager: FakeManager, action: str, body: dict[str, Any], call: tuple[Any, ...]
) -> None:
    """What came of it is seen at once."""
    manager.effect(action, models=(STARTER,), notice="Done.")
    answer = client.post(f"/models/{action}", json=body)
    assert answer.status_code == 200
    assert manager.calls == [call]
    state = msgspec.json.decode(answer.content, type=State)
    assert (state.notice, state.models) == ("Done.", (STARTER,))
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("action", sorted({action for action, _, _ in ACTIONS}))
def test_actions_are_not_reached_by_get(client: TestClient, manager: FakeManager, action: str) -> None:
    """A link or an image does nothing."""
    assert client.get(f"/models/{action}").status_code == 405
    assert manager.calls == []


@pytest.mark.parametrize("content", BAD_BODIES)
def test_a_body_that_is_not_understood_is_refused(client: TestClient, manager: FakeManager, content: bytes) -> None:
    """With a sentence that says what is wanted, and nothing done."""
    answer = client.post("/models/use", content=content, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "message": "This request is not understood.",
        "next_step": 'Send a JSON object with "name".',
        "code": "invalid_request",
    }
    assert manager.calls == []


def test_deleting_files_must_be_said(client: TestClient, manager: FakeManager) -> None:
    """No default decides over files."""
    for body in ({"name": "phi"}, {"name": "phi", "delete_files": "yes"}):
        answer = client.post("/models/remove", json=body)
        assert (answer.status_code, manager.calls) == (400, [])


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
             "text/plain; application/json", "application/jsonx"],
)  # fmt: skip
def test_only_json_is_taken(client: TestClient, manager: FakeManager, kind: str | None) -> None:
    """What a form of a foreign page can send is refused by its type alone."""
    headers = {} if kind is None else {"content-type": kind}
    answer = client.post("/models/use", content=b'{"name": "phi"}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["error"]["message"] == "The body must be JSON."
    assert manager.calls == []


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_is_taken_however_it_is_written(client: TestClient, manager: FakeManager, kind: str) -> None:
    """Parameters and case don't matter."""
    assert client.post("/models/use", content=b'{"name": "phi"}', headers={"content-type": kind}).status_code == 200
    assert manager.calls == [("use", "phi")]


def test_foreign_pages_are_kept_out(client: TestClient, manager: FakeManager) -> None:
    """By the gate, as everywhere."""
    headers = {"origin": "https://evil.example"}
    assert client.post("/models/use", json={"name": "phi"}, headers=headers).status_code == 403
    assert manager.calls == []


def test_an_error_becomes_its_status_and_sentences(client: TestClient, manager: FakeManager) -> None:
    """Without what is for the log only."""
    error = UnusableError("There is nothing at /x.", next_step="Check the path.", detail="/secret")
    manager.fail("add", error)
    answer = client.post("/models/add", json={"path": "/x"})
    assert answer.status_code == 400
    assert answer.json() == {
        "error": {"message": "There is nothing at /x.", "next_step": "Check the path.", "code": "model_unusable"}
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("address", "action"), [("/models/catalogue", "catalogue"), ("/models/state", "state")])
def test_looking_can_fail_in_the_same_way(client: TestClient, manager: FakeManager, address: str, action: str) -> None:
    """The same envelope for every route."""
    manager.fail(action, UnusableError("No."))
    answer = client.get(address)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "No.")


def test_page_and_its_files_fit_together(client: TestClient) -> None:
    """Every file that one of them names is there, under the address of this version, and may be kept for ever."""
    page = client.get("/models")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    seen: set[str] = set()
    waiting = addresses(page.text)
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        waiting |= addresses(answer.text) - seen
    assert len({address.partition("?v=")[2] for address in seen}) == 1
    kinds = {address.partition("?")[0].rpartition(".")[2] for address in seen}
    assert kinds == {"css", "js", "svg"}


def addresses(text: str) -> set[str]:
    named = re.findall(r'"(?:\./|/models/assets/)([\w.-]+\.(?:css|js|svg)\?v=\w+)"', text)
    assert not re.search(r'"(?:\./|/models/assets/)[\w.-]+\.(?:css|js|svg)"', text), "a file without its version"
    return {f"/models/assets/{name}" for name in named}


def test_a_file_of_another_version_is_not_kept(client: TestClient) -> None:
    """A browser that asks with an old address looks again next time."""
    for address in ("/models/assets/main.js", "/models/assets/main.js?v=old"):
        assert client.get(address).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["models.html", "policy.html", "nothing.js", "..%2froutes.py", "%2e%2e/routes.py", "routes.py"]
)
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    """Only the page's files."""
    assert client.get(f"/models/assets/{name}").status_code == 404


def test_the_page_allows_itself_less_than_the_gate_does(client: TestClient) -> None:
    """No inline script or style, no eval, nobody else: neither allowed nor there."""
    page = client.get("/models").text
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:", page)


def test_names_stay_as_they_are(client: TestClient, manager: FakeManager) -> None:
    """The page gets text, whatever it looks like; that it is shown as text is tested in a browser."""
    manager.show(models=(msgspec.structs.replace(OWN, title="<img src=x onerror=alert(1)>"),))
    answer = client.get("/models/state")
    assert answer.json()["models"][0]["title"] == "<img src=x onerror=alert(1)>"
    assert answer.headers["x-content-type-options"] == "nosniff"
