"""The real Open WebUI, installed from its registry and driven in Chromium, with the real Homeward behind it.

Minutes, and 300 MB to download; `OPEN_WEBUI_ENVIRONMENT` names an environment that is installed already. Screenshots
go to `test-results/open-webui`.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from homeward.app.consents import Consent, store
from tests.e2e.conftest import browser  # noqa: F401 - a fixture
from tests.e2e.server import Server, free_port
from tests.open_webui.conftest import status_under, until
from tests.open_webui.hostile import HARM, TEXT, Hostile
from tests.open_webui.page import OpenWebuiPage
from tests.open_webui.running import OpenWebui
from tests.open_webui.wire import Wire

pytestmark = [pytest.mark.open_webui, pytest.mark.opt_in, pytest.mark.timeout(900)]

SCREENSHOTS = Path(__file__).parents[2] / "test-results/open-webui"
LONG = "Write a very long story about a lighthouse, with many chapters."


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    running = Hostile()
    yield running
    running.close()


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def homeward(hostile: Hostile, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a cloud that means harm, one that is not there, and the page of Open WebUI allowed to ask directly."""
    data_dir = tmp_path_factory.mktemp("homeward") / "data"
    data_dir.mkdir(mode=0o700)
    clouds = {"hostile": hostile.url, "gone": f"http://127.0.0.1:{free_port()}/v1"}
    config = f'[gateway]\norigins = ["http://127.0.0.1:{port}"]\n'
    for name, url in clouds.items():
        config += f'[clouds.{name}]\nurl = "{url}"\nmodel = "any"\nauth = "none"\n'
    (data_dir / "homeward.toml").write_text(config, encoding="utf-8")
    consent = Consent("127.0.0.1", datetime.now(UTC))
    store(data_dir / "consents.json", dict.fromkeys(clouds, consent))
    running = Server(data_dir)
    try:
        yield running.wait_until_ready()
    finally:
        running.close()


@pytest.fixture(scope="module")
def wire(homeward: Server) -> Iterator[Wire]:
    listening = Wire(homeward.url)
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def open_webui(wire: Wire, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenWebui]:
    running = OpenWebui(tmp_path_factory.mktemp("open-webui") / "data", port, homeward=wire.url)
    try:
        yield running.wait_until_ready().make_calm()
        running.end()
    finally:
        running.close()


@pytest.fixture
def chat(
    browser: Browser,
    open_webui: OpenWebui,
    wire: Wire,
    hostile: Hostile,
    request: pytest.FixtureRequest,
) -> Iterator[OpenWebuiPage]:
    """A new chat with `homeward`; at its end nothing was asked of any other machine, and a picture was taken."""
    page = OpenWebuiPage(browser, open_webui.url, allowed=(wire.url, hostile.url.removesuffix("/v1")))
    page.new_chat()
    wire.forget()
    hostile.asked.clear()
    try:
        yield page
    finally:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(SCREENSHOTS / f"{request.node.name}.png")
        page.close()
    assert page.foreign == []
    assert page.errors == []


def figure(chat: OpenWebuiPage, name: str) -> str:
    """One line of what the info button shows."""
    found = re.search(rf"^{name}: (.*)$", chat.figures().inner_text(), re.MULTILINE)
    assert found, chat.figures().inner_text()
    return found[1].strip('"')


def test_a_first_chat(chat: OpenWebuiPage, wire: Wire) -> None:
    """One prompt is one small call; above the answer stands where it was made, and its receipt in the tooltip."""
    assert chat.ask_and_wait("Say hello.")
    expect(chat.status_lines.last).to_contain_text("This device:")
    assert figure(chat, "place") == "device"
    assert figure(chat, "bytes_that_left_this_machine") == "0"
    (asked,) = wire.answers_asked
    assert (asked.task, asked.client) == ("", "open-webui")
    assert asked.size < 1000
    assert "tools" not in asked.body
    chat.page.get_by_role("button", name="Info").last.hover()
    expect(chat.page.get_by_text("bytes_that_left_this_machine").last).to_be_visible()


def test_a_conversation_goes_on(chat: OpenWebuiPage, wire: Wire) -> None:
    """With what was said before; each prompt is one call."""
    chat.ask_and_wait("My name is Ada.")
    first = int(figure(chat, "prompt_tokens"))
    chat.ask_and_wait("What is my name?")
    assert int(figure(chat, "prompt_tokens")) > first + 5
    assert len(wire.answers_asked) == 2
    assert [message["role"] for message in wire.answers_asked[1].body["messages"]] == ["user", "assistant", "user"]


def test_a_stopped_answer_keeps_its_text(chat: OpenWebuiPage, homeward: Server) -> None:
    """And the model stops: the next answer comes at once."""
    chat.ask(LONG)
    chat.wait_until_writing(40)
    chat.stop_button.click()
    chat.wait_until_answered()
    assert len(chat.answers.last.inner_text()) >= 40
    assert chat.ask_and_wait("Say hello.")


def test_a_file_is_read_on_this_device(chat: OpenWebuiPage, wire: Wire, tmp_path: Path) -> None:
    """Its text is searched with Homeward's embeddings, and what was found goes to the model."""
    notes = tmp_path / "harbour.txt"
    notes.write_text("The secret number of the harbour is 4711.\n" * 3, encoding="utf-8")
    chat.attach(notes)
    chat.ask_and_wait("What is the secret number of the harbour?")
    embedded = [each for each in wire.asked if each.path == "/v1/embeddings"]
    assert {each.body["model"] for each in embedded} == {"homeward:embedding"}
    (asked,) = wire.answers_asked
    assert "4711" in str(asked.body["messages"])
    expect(chat.page.get_by_text(re.compile(r"1 Source|harbour\.txt")).last).to_be_visible()
    assert figure(chat, "place") == "device"


def test_a_message_that_is_too_long_gets_a_sentence(chat: OpenWebuiPage) -> None:
    """With the next step, and the chat goes on."""
    chat.composer.click()
    chat.page.keyboard.insert_text("word " * 3000)
    chat.send_button.click()
    expect(chat.page.get_by_text(re.compile(r"The message is \d+ tokens long")).first).to_be_visible(timeout=60_000)
    assert chat.ask_and_wait("Say hello.")


def test_a_cloud_that_is_not_there_gets_a_sentence(chat: OpenWebuiPage, wire: Wire) -> None:
    """Nothing technical, and no second call."""
    chat.new_chat("gone/any")
    chat.ask("Hello")
    expect(chat.page.get_by_text(re.compile("gone")).last).to_be_visible()
    expect(chat.page.locator("#messages-container")).to_contain_text(re.compile("can't be reached|not be reached"))
    assert len(wire.answers_asked) == 1


def test_an_answer_that_is_cut_off_says_so(chat: OpenWebuiPage) -> None:
    """Its text stays, and a sentence stands below it."""
    chat.new_chat("hostile/any")
    chat.ask("Please cut.")
    expect(chat.answers.last).to_contain_text("Words of")
    expect(chat.page.locator("#messages-container")).to_contain_text("The backend 'hostile'")


def test_a_hostile_cloud_gets_nothing_but_its_words_through(chat: OpenWebuiPage, hostile: Hostile) -> None:
    """No script of it runs, no line of it stands where Homeward speaks."""
    chat.new_chat("hostile/any")
    assert chat.ask_and_wait("Hello").startswith(TEXT)
    assert len(hostile.asked) == 1
    assert chat.page.evaluate("document.documentElement.dataset.attacked ?? null") is None
    assert "FORGED" not in chat.page.inner_text("body")
    expect(chat.answers.last).to_contain_text("Image unavailable")
    assert hostile.fetched == []
    expect(chat.status_lines).to_have_count(1)
    expect(chat.status_lines).to_contain_text("hostile")
    expect(chat.toasts()).to_have_count(0)


def test_the_page_would_not_run_it_either(chat: OpenWebuiPage, wire: Wire) -> None:
    """A second fence, its content security policy: the same events where no Homeward takes them out."""
    wire.slipped_in = b"".join(b"data: " + json.dumps(harm).encode() + b"\n\n" for harm in HARM[:1])
    try:
        assert chat.ask_and_wait("Say hello.")
    finally:
        wire.slipped_in = b""
    assert chat.page.evaluate("document.documentElement.dataset.attacked ?? null") is None


def test_it_answers_under_the_names_of_this_machine_only(open_webui: OpenWebui) -> None:
    """A page elsewhere whose name points here is none of its own."""
    port = int(open_webui.url.rsplit(":", 1)[1])
    assert status_under("localhost", port) == 200
    assert status_under("evil.example", port) == 400


def test_the_page_can_ask_homeward_itself(chat: OpenWebuiPage, open_webui: OpenWebui, wire: Wire) -> None:
    """A direct connection: the browser asks, from an origin that Homeward was told."""
    chat.page.goto(f"{open_webui.url}/?settings=connections")
    settings = chat.page.get_by_role("dialog", name="Settings")
    settings.get_by_role("button", name="Add Connection").click()
    chat.page.locator("#url-input").fill(f"{wire.url}/v1")
    chat.page.get_by_role("dialog").last.get_by_role("button", name="Save").click()
    settings.get_by_role("button", name="Save").click()
    chat.new_chat()
    wire.forget()
    chat.page.reload()
    expect(chat.composer).to_be_visible()
    assert chat.ask_and_wait("Say hello.")
    assert [each.origin for each in wire.answers_asked] == [open_webui.url]


def test_titles_stay_on_this_device(
    browser: Browser,
    hostile: Hostile,
    wire: Wire,
    tmp_path: Path,
) -> None:
    """The chat goes to the cloud that was chosen; title and questions are asked of this device."""
    running = OpenWebui(tmp_path / "data", free_port(), "--titles", homeward=wire.url)
    try:
        chat = OpenWebuiPage(browser, running.wait_until_ready().make_calm().url, allowed=())
        wire.forget()
        hostile.asked.clear()
        chat.new_chat("hostile/any")
        chat.ask("Hello")
        expect(chat.answers.last).to_contain_text(TEXT)
        at_once = {"title_generation", "follow_up_generation"}  # the tags come when the questions are written
        until(lambda: {} if {each.task for each in wire.answers_asked} >= at_once else None)
        for asked in wire.answers_asked:
            assert asked.body["model"] == ("homeward:device" if asked.task else "hostile/any")
        chat.screenshot(SCREENSHOTS / "titles.png")
        chat.close()
        running.end()
        assert len(hostile.asked) == 1
    finally:
        running.close()
