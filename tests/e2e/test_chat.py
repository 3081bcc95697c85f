"""A user's day with the chat page and the starter model: ask, read, come back."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.chat_page import ANSWER_MILLISECONDS, ChatPage

pytestmark = pytest.mark.browser


def test_a_model_answers_with_a_receipt(chat: ChatPage) -> None:
    """Under the answer stands where it was made, by what and how fast; opened, that nothing left the machine."""
    assert chat.ask_and_wait("Name one colour of the rainbow.")
    line = chat.receipt().locator("summary")
    expect(line).to_have_text(
        re.compile(r"This device SmolLM2-135M-Instruct · [\d.,]+ s to first word · [\d.,]+ tokens/s Why\?")
    )
    line.click()
    names, values = (chat.receipt().locator(tag).all_inner_texts() for tag in ("dt", "dd"))
    rows = dict(zip(names, values, strict=True))
    assert rows["Bytes that left this machine"] == "0"
    assert int(rows["Tokens read"]) > 10
    assert int(rows["Tokens written"]) > 0
    assert "llama (this device, SmolLM2-135M-Instruct): answered" in rows["Attempts"]
    expect(chat.receipt()).to_contain_text("No personal data or secrets of a known form were found.")
    expect(chat.page.get_by_role("button", name="Try again with")).to_have_count(0)  # there is nobody else
    chat.page.locator("#mode-picker-trigger-mode").click()
    places = chat.page.locator("#mode-picker-popover-mode")
    expect(places).to_contain_text("This browser")
    expect(places.get_by_text("This device", exact=True)).to_have_count(0)  # it is Auto


def test_threads_are_listed_searched_renamed_and_deleted(chat: ChatPage) -> None:
    """The history of a user with no login."""
    chat.ask_and_wait("Say hello to the zebras in the savanna.")
    entry = chat.page.locator(f"#thread-{chat.thread_id()}")
    expect(entry).to_contain_text("Say hello to the zebras")
    chat.page.locator("#search-chats-button").click()
    chat.page.get_by_role("dialog").get_by_role("combobox").fill("savanna")
    expect(chat.page.get_by_role("dialog").get_by_text("Say hello to the zebras").first).to_be_visible()
    chat.page.keyboard.press("Escape")
    entry.hover()
    entry.locator("#thread-options").click()
    chat.page.locator("#rename-thread").click()
    chat.page.get_by_role("dialog").get_by_role("textbox").fill("Striped horses")
    chat.page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    expect(entry).to_contain_text("Striped horses")
    chat.page.reload()
    expect(entry).to_contain_text("Striped horses")
    entry.hover()
    entry.locator("#thread-options").click()
    chat.page.locator("#delete-thread").click()
    with chat.page.expect_response(lambda answer: answer.request.method == "DELETE"):  # a reload would break it off
        chat.page.get_by_role("alertdialog").get_by_role("button", name="Confirm").click()
    expect(entry).to_have_count(0)
    with chat.page.expect_response("**/project/threads"):
        chat.page.reload()
    expect(chat.composer).to_be_visible()
    expect(entry).to_have_count(0)


def test_a_conversation_remembers_what_was_said(chat: ChatPage) -> None:
    """The thread goes to the model, not only the last message."""
    chat.ask_and_wait("Hello.")
    first = tokens_read(chat)
    chat.ask_and_wait("And now?")
    assert tokens_read(chat) > first + 5


def tokens_read(chat: ChatPage) -> int:
    chat.receipt().locator("summary").click()
    row = chat.receipt().locator("dl > div").filter(has_text="Tokens read")
    return int(re.sub(r"\D", "", row.locator("dd").inner_text()))


def test_a_message_that_is_too_long_gets_a_sentence(chat: ChatPage) -> None:
    """With both numbers and the next step; the chat goes on."""
    chat.ask("word " * 3000)
    chat.wait_until_answered()
    expect(chat.receipt().get_by_role("alert")).to_have_text(
        re.compile(r"The message is \d+ tokens long, but this model has room for \d+\. Shorten it")
    )
    assert chat.ask_and_wait("Hello again.")


def test_old_turns_are_left_out_and_the_page_says_so(chat: ChatPage) -> None:
    """When the window is full."""
    for _ in range(3):
        chat.ask_and_wait("word " * 600 + ". Answer with one word.")
    expect(chat.receipt()).to_contain_text(re.compile("older messages? (was|were) left out"))


def test_more_than_a_megabyte_can_be_pasted(chat: ChatPage) -> None:
    """The connection stays; the answer says that it is too long."""
    chat.composer.evaluate(
        """(box) => {
            const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set
            set.call(box, "x ".repeat(600_000))
            box.dispatchEvent(new Event("input", { bubbles: true }))
        }"""
    )
    expect(chat.send_button).to_be_enabled()
    chat.send_button.click()
    expect(chat.receipt().get_by_role("alert")).to_be_visible(timeout=ANSWER_MILLISECONDS)


def test_a_starter_asks_its_question(chat: ChatPage) -> None:
    """One click."""
    chat.page.get_by_role("button", name="Ideas").click()
    expect(chat.questions).to_contain_text("five ideas for a rainy afternoon")
    chat.wait_until_answered()
