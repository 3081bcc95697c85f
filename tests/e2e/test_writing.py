"""An answer while it is being written: it grows, is announced, is stopped, goes on.

A test dictates it, so that it is neither over before the test looks, nor late.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Pages
from tests.e2e.server import Server, running
from tests.e2e.service import Service

pytestmark = pytest.mark.browser

BEGINNING = "Once upon a time there was a sea"
REST = ", and a ship on it."


@pytest.fixture(scope="module")
def server(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("dictated") / "data", **service.environment) as server:
        yield server


def ask_and_dictate(chat: ChatPage, service: Service, question: str, answer: str) -> None:
    """A whole exchange."""
    chat.ask(question)
    dictation = service.answer()
    dictation.write(answer)
    dictation.end()
    chat.wait_until_answered()
    assert chat.answer_text() == answer


def test_an_answer_grows_on_the_page_while_it_is_written(chat: ChatPage, service: Service) -> None:
    """Text is there long before the answer is whole."""
    chat.ask("Write a story about the sea.")
    answer = service.answer()
    answer.write(BEGINNING)
    chat.wait_until_writing(len(BEGINNING))
    assert chat.answer_text() == BEGINNING
    answer.write(REST)
    chat.wait_until_writing(len(BEGINNING + REST))
    assert chat.answer_text() == BEGINNING + REST
    answer.end()
    chat.wait_until_answered()
    assert chat.answer_text() == BEGINNING + REST


def test_an_answer_is_announced_in_sentences(chat: ChatPage, service: Service) -> None:
    """A polite log gets the text of the answer and its end, once each."""
    chat.ask("Write three sentences about the sea.")
    answer = service.answer()
    said = chat.page.get_by_role("log").locator("div")
    answer.write("The sea is wide. It is")
    expect(said).to_have_text(["The answer is being written.", "The sea is wide."])
    answer.write(" deep. Ships")
    expect(said).to_have_text(["The answer is being written.", "The sea is wide.", "It is deep."])
    answer.write(" sail on it.")
    answer.end()
    expect(said).to_have_text(
        [
            "The answer is being written.",
            "The sea is wide.",
            "It is deep.",
            "Ships sail on it.",
            "The answer is complete.",
        ]
    )


def test_a_stopped_answer_keeps_its_text_and_says_so(chat: ChatPage, service: Service) -> None:
    """On the page, after a reload, and in the model's memory."""
    chat.ask("Write a story about the sea.")
    service.answer().write(BEGINNING)
    chat.wait_until_writing(len(BEGINNING))
    chat.stop()
    chat.wait_until_answered()
    assert chat.answer_text() == BEGINNING
    expect(chat.receipt()).to_contain_text("Stopped")
    expect(chat.answers).to_have_count(1)  # no message of its own for the stop
    chat.page.reload()
    chat.wait_until_answered()
    expect(chat.answers).to_have_count(1)
    assert chat.answer_text() == BEGINNING
    expect(chat.receipt()).to_contain_text("Stopped")
    chat.ask("Thank you.")
    answer = service.answer()
    assert {"role": "assistant", "content": BEGINNING} in answer.messages
    answer.end()
    chat.wait_until_answered()


def test_a_stopped_answer_can_go_on(chat: ChatPage, service: Service) -> None:
    """Continue appends to the same answer, under a receipt of its own."""
    chat.ask("Write a story about the sea.")
    service.answer().write(BEGINNING)
    chat.wait_until_writing(len(BEGINNING))
    chat.stop()
    chat.wait_until_answered()
    chat.receipt().get_by_role("button", name="Continue").click()
    answer = service.answer()
    assert answer.messages[-1] == {"role": "assistant", "content": BEGINNING}
    answer.write(REST)
    chat.wait_until_writing(len(BEGINNING + REST))
    chat.stop()
    chat.wait_until_answered()
    expect(chat.answers).to_have_count(1)
    assert chat.answer_text() == BEGINNING + REST
    expect(chat.answers.last.locator(".homeward-receipt")).to_have_count(2)
    chat.page.reload()
    expect(chat.answers.last.locator(".homeward-receipt")).to_have_count(2)
    assert chat.answer_text() == BEGINNING + REST


def test_an_edited_question_is_asked_anew_and_can_be_stopped(chat: ChatPage, service: Service) -> None:
    """What came after it is gone, on the page and on disk."""
    ask_and_dictate(chat, service, "Say hello.", "Hello.")
    ask_and_dictate(chat, service, "Say goodbye.", "Goodbye.")
    chat.edit_last_question("Write a very long story")
    answer = service.answer()
    answer.write(BEGINNING)
    chat.wait_until_writing(len(BEGINNING))
    chat.stop()
    answer.wait_until_left()  # it really ended: nothing can grow behind the stop
    chat.wait_until_answered()
    expect(chat.questions).to_have_count(2)
    expect(chat.answers).to_have_count(2)
    assert chat.answer_text() == BEGINNING
    chat.page.reload()
    chat.wait_until_answered()
    expect(chat.questions.last).to_contain_text("Write a very long story")
    expect(chat.answers).to_have_count(2)
    assert "Say goodbye" not in chat.page.inner_text("body")
    assert [message["content"] for message in answer.messages[1:]] == [
        "Say hello.",
        "Hello.",
        "Write a very long story",
    ]


def test_the_page_speaks_korean(pages: Pages, server: Server, service: Service) -> None:
    """Composer, starters, receipt and offers."""
    chat = pages.open(server, locale="ko-KR")
    chat.wait_until_ready()
    expect(chat.page.get_by_role("heading", name="무엇을 도와드릴까요?")).to_be_visible()
    expect(chat.page.get_by_role("textbox", name="메시지")).to_be_visible()
    expect(chat.page.get_by_role("button", name="쉽게 설명")).to_be_visible()
    chat.ask("바다 이야기를 써 주세요.")
    service.answer().write("옛날 옛적에")
    chat.wait_until_writing(len("옛날 옛적에"))
    chat.page.get_by_role("button", name="답변 중지").click()
    chat.wait_until_answered()
    expect(chat.receipt()).to_contain_text("이 기기")
    expect(chat.receipt().get_by_role("button", name="계속")).to_be_visible()
