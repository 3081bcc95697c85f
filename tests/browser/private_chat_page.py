"""The page "Private chat" as a test drives it: what a user sees and does."""

from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

LOADING_MILLISECONDS = 180_000  # 98 MB, their checks and the engine, on a busy machine
ANSWERING_MILLISECONDS = 180_000


class PrivateChatPage:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.offer = page.locator("#offer")
        self.begin = page.locator("#begin")
        self.cancel = page.locator("#cancel")
        self.built_in = page.locator("#built-in")
        self.amount = page.locator("#amount")
        self.problem = page.locator("#problem")
        self.talk = page.locator("#talk")
        self.badge = page.locator("#badge")
        self.why = page.locator("#why")
        self.question = page.locator("#question")
        self.send = page.locator("#send")
        self.stop = page.locator("#stop")
        self.live = page.locator("#live")
        self.turns = page.locator("#log .turn")
        self.context = page.locator("#used")
        self.stored = page.locator("#stored")
        self.left_out = page.locator("#left-out")

    def load(self) -> None:
        self.begin.click()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        expect(self.talk).to_be_visible(timeout=LOADING_MILLISECONDS)

    def open_own(self, file: Path | FilePayload) -> None:
        self.page.locator("#own").set_input_files(file)

    def choose(
        self, *, temperature: str | None = None, max_tokens: int | None = None, system: str | None = None
    ) -> None:
        if temperature is not None:
            self.page.locator("#temperature").fill(temperature)
        if max_tokens is not None:
            self.page.locator("#max-tokens").fill(str(max_tokens))
            self.page.locator("#max-tokens").blur()
        if system is not None:
            self.page.locator("#system").fill(system)

    def ask(self, question: str) -> str:
        """Waits for the answer and gives it."""
        before = self.turns.count()
        self.question.fill(question)
        self.question.press("Enter")
        expect(self.turns).to_have_count(before + 1, timeout=ANSWERING_MILLISECONDS)
        return self.answer()

    def answer(self) -> str:
        """The last one."""
        return self.turns.last.locator(".prose").inner_text()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)
