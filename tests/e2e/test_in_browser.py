"""The place "This browser": the chat's own page runs the model, and the receipt says so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Request, expect

from tests.e2e.chat_page import ANSWER_MILLISECONDS, ChatPage
from tests.e2e.conftest import Pages
from tests.e2e.server import Server

pytestmark = pytest.mark.browser

MODEL = "/browser/models/SmolLM2-135M-Instruct.Q4_1.gguf"
QUESTION = "What is the capital of France?"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its own model is switched off: whatever answers is in the page."""
    started = Server(tmp_path_factory.mktemp("homeward") / "data", HOMEWARD_LLAMA_ENABLED="false")
    try:
        yield started.wait_until_alive()
    finally:
        started.close()


def card(chat: ChatPage) -> Locator:
    return chat.page.locator(".homeward-question")


def test_the_page_asks_downloads_and_answers(pages: Pages, server: Server) -> None:
    """Nothing is fetched before the user agreed; the second answer fetches nothing, a reload neither."""
    chat = pages.open(server)
    chat.wait_until_ready()
    asked: list[str] = []

    def note(request: Request) -> None:
        if MODEL in request.url:
            asked.append(request.method)

    chat.page.on("request", note)
    chat.choose_mode("This browser")
    chat.ask(QUESTION)
    expect(card(chat)).to_contain_text("Load SmolLM2-135M-Instruct into this browser?")
    expect(card(chat)).to_contain_text("98 MB")
    assert asked == []
    card(chat).get_by_role("button", name="Load").click()
    chat.wait_until_answered()
    assert "Paris" in chat.answer_text()
    assert asked
    line = chat.receipt().locator("summary")
    expect(line).to_contain_text("This browser SmolLM2-135M-Instruct")
    line.click()
    expect(chat.receipt()).to_contain_text("went no further")
    expect(chat.receipt()).to_contain_text("Bytes that left this machine")
    asked.clear()
    chat.ask_and_wait("And of Italy?")
    chat.page.reload()
    expect(chat.answers).to_have_count(2)
    chat.ask_and_wait("And of Spain?")
    assert asked == []
    expect(chat.receipt().locator("summary")).to_contain_text("This browser")
    expect(card(chat)).to_have_count(0)


def test_who_does_not_want_it_gets_no_answer_and_no_download(pages: Pages, server: Server) -> None:
    chat = pages.open(server, locale="ko-KR")
    chat.wait_until_ready()
    chat.choose_mode("이 브라우저")
    chat.ask(QUESTION)
    card(chat).get_by_role("button", name="나중에").click()
    expect(chat.receipt()).to_have_attribute("data-outcome", "failed", timeout=ANSWER_MILLISECONDS)
    expect(chat.receipt()).to_contain_text("모델을 불러오지 않았습니다")


def test_stop_ends_it_and_keeps_the_text(pages: Pages, server: Server) -> None:
    chat = pages.open(server)
    chat.wait_until_ready()
    chat.choose_mode("This browser")
    chat.ask("Write a very long story about the sea, with many chapters.")
    card(chat).get_by_role("button", name="Load").click()
    chat.wait_until_writing(30)
    chat.stop()
    chat.wait_until_answered()
    expect(chat.receipt()).to_contain_text("Stopped")
    text = chat.answer_text()
    chat.page.reload()
    expect(chat.answers).to_have_count(1)
    assert chat.answer_text() == text
