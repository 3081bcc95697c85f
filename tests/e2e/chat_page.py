"""The chat page as a test drives it: what a user sees and does, by name."""

import re

from playwright.sync_api import Locator, Page, expect

ANSWER_MILLISECONDS = 480_000  # of 400 tokens on a busy machine

LAST_STEP = """
    const steps = document.querySelectorAll("[data-step-type='user_message'], [data-step-type='assistant_message']")
    const last = steps[steps.length - 1]
    const isAnswer = last?.dataset.stepType === "assistant_message"
    const receipts = last?.querySelectorAll(".homeward-receipt") ?? []
    const receipt = receipts[receipts.length - 1]
    const canBeStopped = document.querySelector("#stop-button") !== null
"""
"""One moment of the page: what is asked for in several looks may hold in each of them and never at once."""


class ChatPage:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.composer = page.locator("#chat-input")
        self.send_button = page.locator("#chat-submit")
        self.stop_button = page.locator("#stop-button")
        self.questions = page.locator("[data-step-type='user_message']")
        self.answers = page.locator("[data-step-type='assistant_message']")

    def wait_until_ready(self) -> None:
        """Until a question can be asked."""
        # Before the page knows its user and settings it draws a composer, covered by a spinner, that it throws away.
        expect(self.page.locator("#sidebar-trigger-button").first).to_be_attached()
        self.page.wait_for_function("() => document.documentElement.lang !== ''")
        self.composer.fill("x")
        expect(self.send_button).to_be_enabled()  # the socket is connected
        self.composer.fill("")

    def ask(self, question: str) -> None:
        self.composer.fill(question)
        expect(self.send_button).to_be_enabled()
        self.send_button.click()
        self._wait_for_thread()

    def choose_mode(self, name: str) -> None:
        """Where the next question is to be answered, by its name on the page."""
        picker = self.page.locator("#mode-picker-trigger-mode")
        picker.click()
        self.page.locator("#mode-picker-popover-mode").get_by_text(name, exact=True).click()
        expect(picker).to_have_text(name)

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
        """Until an answer is being written, and has that much text.

        A receipt with an outcome is one of an answer that ended: of the one before, where it is asked for again.
        """
        self._wait_for_thread()
        self.page.wait_for_function(
            f"""(wanted) => {{
                {LAST_STEP}
                const prose = last?.querySelectorAll(".prose") ?? []
                const text = [...prose].map((each) => each.textContent).join("")
                return canBeStopped && isAnswer && receipt && !receipt.dataset.outcome && text.length >= wanted
            }}""",
            arg=characters,
            timeout=ANSWER_MILLISECONDS,
        )

    def wait_until_answered(self) -> None:
        """Until the last question has its answer, with its whole text, and the next one can be asked.

        A receipt without an outcome is one of an answer being written.
        """
        self._wait_for_thread()
        self.page.wait_for_function(
            f"() => {{ {LAST_STEP} return isAnswer && receipt?.dataset.outcome && !canBeStopped }}",
            timeout=ANSWER_MILLISECONDS,
        )

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

    def _wait_for_thread(self) -> None:
        """Until the page is that of a thread.

        With the first question it becomes one as soon as the list of chats has come, in the middle of the answer or
        after it, and then draws everything anew: what was opened closes, what had the focus loses it. Where there is
        no room for that list, on a phone, it stays as it is.
        """
        self.page.wait_for_function(
            "() => location.pathname.startsWith('/thread/') || !document.querySelector('[data-sidebar=sidebar]')"
        )
        self.page.evaluate("() => new Promise((done) => requestIdleCallback(done, { timeout: 10_000 }))")
