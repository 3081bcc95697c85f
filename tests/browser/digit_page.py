"""The page "Draw a digit" as a test drives it: what a user sees and does, by name."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

LOADING_MILLISECONDS = 120_000  # 27 MB, two engines and the shaders, on a busy machine
READING_MILLISECONDS = 60_000

Points = Sequence[tuple[int, int]]
DRAWINGS: dict[int, Sequence[Points]] = {
    0: [[(140, 50), (90, 90), (80, 150), (100, 210), (140, 235), (185, 200), (200, 140), (180, 80), (140, 50)]],
    1: [[(140, 40), (140, 240)]],
    2: [[(80, 100), (100, 60), (150, 50), (190, 80), (180, 130), (80, 230), (210, 230)]],
    3: [[(90, 70), (140, 45), (190, 75), (180, 120), (140, 135), (190, 155), (200, 200), (150, 235), (85, 215)]],
    4: [[(120, 50), (70, 160), (210, 160)], [(170, 90), (170, 240)]],
    7: [[(70, 70), (210, 70), (130, 240)]],
}


class DigitPage:
    """One open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.load_button = page.locator("#start")
        self.answer = page.locator("#answer")
        self.badge = page.locator("#badge")
        self.problem = page.locator("#problem")
        self.reason = page.locator("#gpu-reason")
        self.step = page.locator("#gpu-step")
        self.phase = page.locator("#phase")
        self.ports = page.locator("#ports")
        self.pad = page.locator("#pad")

    def load(self) -> None:
        self.load_button.click()
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        expect(self.phase).to_contain_text("Ready", timeout=LOADING_MILLISECONDS)

    def draw(self, strokes: Sequence[Points]) -> None:
        """With the mouse."""
        self.page.get_by_role("button", name="Clear").click()
        self.pad.scroll_into_view_if_needed()
        box = self.pad.bounding_box()
        assert box is not None
        for stroke in strokes:
            for index, (x, y) in enumerate(stroke):
                self.page.mouse.move(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280, steps=4)
                if index == 0:
                    self.page.mouse.down()
            self.page.mouse.up()

    def take_example(self, digit: int) -> None:
        self.page.locator("#example").select_option(str(digit))

    def reads(self, backend: str, digit: int) -> None:
        """Waits until this backend reads this digit."""
        expect(self.cell("Reads", backend)).to_contain_text(f"{digit} (", timeout=READING_MILLISECONDS)

    def cell(self, row: str, backend: str) -> Any:
        column = {"WebGPU": 0, "WASM": 1}[backend]
        return self.page.locator("#times tr").filter(has_text=row).locator("td").nth(column)

    def use_own(self, file: Path | FilePayload) -> None:
        self.page.locator("#own").set_input_files(file)

    def numbers(self) -> dict[str, Any]:
        """What the page saves for those who want to check it."""
        with self.page.expect_download() as downloading:
            self.page.get_by_role("button", name="Save the numbers").click()
        numbers: dict[str, Any] = json.loads(downloading.value.path().read_text(encoding="utf-8"))
        return numbers
