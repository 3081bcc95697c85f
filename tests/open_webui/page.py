"""Open WebUI's page as a test drives it: what a user sees and does."""

from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Request, expect

ANSWER_MILLISECONDS = 120_000


class OpenWebuiPage:
    """One open page, which notices every request to somewhere else."""

    def __init__(self, browser: Browser, url: str, allowed: tuple[str, ...]) -> None:
        self.url = url
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._allowed = (url, url.replace("http", "ws", 1), "data:", "blob:", *allowed)
        self.page.on("request", self._check)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        release_notes = self.page.get_by_role("button", name="Okay, Let's Go!")
        self.page.add_locator_handler(release_notes, lambda button: button.first.click())
        self.composer = self.page.locator("#chat-input")
        self.send_button = self.page.locator("#send-message-button")
        self.stop_button = self.page.get_by_role("button", name="Stop", exact=True)
        self.questions = self.page.locator(".chat-user")
        self.answers = self.page.locator("#response-content-container")
        self.status_lines = self.page.locator(".status-description")

    def _check(self, request: Request) -> None:
        if not request.url.startswith(self._allowed):
            self.foreign.append(request.url)

    def new_chat(self, model: str = "homeward") -> None:
        self.page.goto(f"{self.url}/?models={model}")
        expect(self.composer).to_be_visible()

    def ask(self, question: str) -> None:
        self.composer.click()
        self.page.keyboard.type(question)
        expect(self.send_button).to_be_enabled()
        self.send_button.click()

    def ask_and_wait(self, question: str) -> str:
        """The answer's text."""
        before = self.answers.count()
        self.ask(question)
        expect(self.answers).to_have_count(before + 1, timeout=ANSWER_MILLISECONDS)
        self.wait_until_answered()
        return self.answers.last.inner_text()

    def wait_until_writing(self, characters: int) -> None:
        """Until the last answer has that much text."""
        self.page.wait_for_function(
            """(wanted) => {
                const all = document.querySelectorAll("#response-content-container")
                return all.length && all[all.length - 1].innerText.length >= wanted
            }""",
            arg=characters,
            timeout=ANSWER_MILLISECONDS,
        )

    def wait_until_answered(self) -> None:
        """Until the page offers to regenerate the last answer."""
        expect(self.stop_button).to_have_count(0, timeout=ANSWER_MILLISECONDS)
        expect(self.page.get_by_role("button", name="Regenerate").last).to_be_visible(timeout=ANSWER_MILLISECONDS)

    def figures(self) -> Locator:
        """What the info button of the last answer shows."""
        return self.page.locator("[id^=usage-]").last

    def toasts(self) -> Locator:
        return self.page.locator("[data-sonner-toast]")

    def attach(self, path: Path) -> None:
        """Put a file into the chat; returns when Open WebUI has read it."""
        self.page.set_input_files("input[type=file]:not(#camera-input)", path)

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path)

    def close(self) -> None:
        self.page.context.close()
