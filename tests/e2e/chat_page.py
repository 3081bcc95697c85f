"""The chat page as a test drives it: what a user sees and does, by name."""

import re

from playwright.sync_api import Locator, Page, expect

ANSWER_MILLISECONDS = 240_000  # of 400 tokens on a busy machine


class ChatPage:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.composer = page.locator("#chat-input")
        self.send_button = page.locator("#chat-submit")
        self.stop_button = page.locator("#stop-button")
        self.questions = page.locator("[data-step-type='user_message']")
        self.answers = page.locator("[data-step-type='assistant_message']")
        self.receipts = page.locator(".homeward-receipt")

    def wait_until_ready(self) -> None:
        expect(self.composer).to_be_visible()
        self.page.wait_for_function("() => document.documentElement.lang !== ''")
        self.composer.fill("x")
        expect(self.send_button).to_be_enabled()  # the socket is connected
        self.composer.fill("")

    def ask(self, question: str) -> None:
        self.composer.fill(question)
        expect(self.send_button).to_be_enabled()
        self.send_button.click()

    def stop(self) -> None:
        """At once: a click waits until the button stands still, and on a busy machine the answer is whole by then."""
        self.stop_button.dispatch_event("click")

    def ask_and_wait(self, question: str) -> str:
        """The answer's text."""
        before = self.answers.count()
        self.ask(question)
        expect(self.answers).to_have_count(before + 1, timeout=ANSWER_MILLISECONDS)
        self.wait_until_answered()
        return self.answer_text()

    def wait_until_writing(self, characters: int = 20) -> None:
        """Until the last answer has that much text and goes on."""
        expect(self.stop_button).to_be_visible(timeout=ANSWER_MILLISECONDS)
        self.page.wait_for_function(
            """(wanted) => {
                const all = document.querySelectorAll("[data-step-type='assistant_message'] .prose")
                return all.length && all[all.length - 1].textContent.length >= wanted
            }""",
            arg=characters,
            timeout=ANSWER_MILLISECONDS,
        )

    def wait_until_answered(self) -> None:
        """Until it has ended, with its whole text: a receipt without an outcome is one of an answer being written."""
        expect(self.stop_button).to_have_count(0, timeout=ANSWER_MILLISECONDS)
        expect(self.receipt()).to_have_attribute("data-outcome", re.compile("."), timeout=ANSWER_MILLISECONDS)

    def answer_text(self, index: int = -1) -> str:
        """What an answer says, without its receipt."""
        prose = self.answers.nth(index).locator(".prose")
        return "\n".join(prose.all_inner_texts()).strip()

    def receipt(self) -> Locator:
        return self.answers.last.locator(".homeward-receipt").last

    def thread_id(self) -> str:
        self.page.wait_for_url(re.compile(r"/thread/"))
        return self.page.url.rsplit("/", 1)[1]

    def edit_last_question(self, text: str) -> None:
        question = self.questions.last
        question.hover()
        question.locator(".edit-message").click()
        self.page.locator("#edit-chat-input").fill(text)
        self.page.locator(".confirm-edit").click()
