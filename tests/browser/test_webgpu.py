"""Digits on WebGPU, which is SwiftShader here: no graphics card is needed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import SOFTWARE_WEBGPU, Pages, chromium, pages_of
from tests.browser.digit_page import DRAWINGS, READING_MILLISECONDS, DigitPage

pytestmark = pytest.mark.browser_page

MODEL = Path(__file__).parents[2] / "web/models/digits.onnx"
DEVICE_IN_REACH = """
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...details) {
        return (self.lastDevice = await request.apply(this, details));
    };
"""

LOOKS_LIKE_A_CARD = """
    for (const [name, value] of [['isFallbackAdapter', false], ['architecture', 'ada'], ['description', '']]) {
        Object.defineProperty(GPUAdapterInfo.prototype, name, {get: () => value});
    }
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*SOFTWARE_WEBGPU) as started:
        yield started


@pytest.fixture
def pages(browser: Browser, site: int) -> Iterator[Pages]:
    with pages_of(browser, site) as opened:
        yield opened


def test_reads_what_the_mouse_draws_on_both_backends(pages: Pages) -> None:
    """Each digit is right on each; the adapter is the one that really ran, and is named as software."""
    page = pages.open()
    assert page.page.evaluate("crossOriginIsolated")
    page.load()
    for digit, strokes in DRAWINGS.items():
        page.draw(strokes)
        page.reads("WebGPU", digit)
        page.reads("WASM", digit)
        expect(page.answer).to_contain_text(f"{digit}, ")
    expect(page.cell("Device", "WebGPU")).to_contain_text("swiftshader")
    expect(page.reason).to_contain_text("only in software")
    expect(page.badge).to_have_text("Read by WebAssembly (processor)")
    expect(page.ports).to_contain_text("image: float32 [1, 1, 28, 28]")
    expect(page.ports).to_contain_text("logits: float32 [1, 10]")
    for row in ("Load the model", "First run", "Later runs"):
        for backend in ("WebGPU", "WASM"):
            expect(page.cell(row, backend)).to_contain_text(" ms")


@pytest.mark.parametrize("digit", range(10))
def test_reads_every_example_with_the_numbers_of_another_runtime(pages: Pages, digit: int) -> None:
    """Logits of WebGPU and WASM are those of ONNX Runtime for Python, on what the page says that it fed in."""
    page = pages.open()
    page.load()
    page.take_example(digit)
    page.reads("WebGPU", digit)
    page.reads("WASM", digit)
    numbers = page.numbers()
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    fed = np.array(numbers["input"], np.float32).reshape(numbers["dims"])
    logits = session.run(None, {"image": fed})[0][0]
    assert logits.argmax() == digit
    for backend in ("webgpu", "wasm"):
        assert np.abs(logits - np.array(numbers[backend]["outputs"])).max() < 1e-3
    assert numbers["webgpu"]["adapter"]["software"] is True


def test_many_clicks_at_once_freeze_nothing(pages: Pages) -> None:
    """Two concurrent runs on WebGPU would freeze the thread for good."""
    page = pages.open()
    page.load()
    page.take_example(3)
    button = page.page.get_by_role("button", name="Read it")
    button.dblclick()
    for _ in range(5):
        button.dispatch_event("click")
    page.take_example(8)
    page.reads("WebGPU", 8)
    page.reads("WASM", 8)


def test_a_lost_device_is_replaced(pages: Pages) -> None:
    """Between two runs, and in the middle of one; the page says that it happened."""
    page = opened_with_device_in_reach(pages)
    worker = next(worker for worker in page.page.workers if worker.evaluate("'lastDevice' in self"))
    page.take_example(2)
    page.reads("WebGPU", 2)
    worker.evaluate("lastDevice.destroy()")
    page.take_example(7)
    page.reads("WebGPU", 7)
    expect(page.cell("Device", "WebGPU")).to_contain_text("Started again once")

    worker = next(worker for worker in page.page.workers if worker.evaluate("'lastDevice' in self"))
    worker.evaluate(
        """() => {
            const submit = GPUQueue.prototype.submit
            GPUQueue.prototype.submit = function (...buffers) {
                lastDevice.destroy()
                return submit.apply(this, buffers)
            }
        }"""
    )
    page.take_example(4)
    page.reads("WebGPU", 4)
    page.reads("WASM", 4)
    expect(page.cell("Device", "WebGPU")).to_contain_text("Started again 2 times", timeout=READING_MILLISECONDS)


def test_a_model_that_webgpu_can_not_start_runs_on_wasm_and_says_so(pages: Pages) -> None:
    """The worker gets no device: the page reads by WebAssembly, with the reason, and never speaks of WebGPU."""
    page = opened_with(
        pages, "GPUAdapter.prototype.requestDevice = async () => { throw new Error('no device today') };"
    )
    page.load()
    page.take_example(5)
    page.reads("WASM", 5)
    expect(page.badge).to_have_text("Read by WebAssembly (processor)")
    expect(page.reason).to_contain_text("could not run this model")
    expect(page.cell("Reads", "WebGPU")).to_have_text("\N{EN DASH}")


def test_the_badge_tells_what_really_ran(pages: Pages) -> None:
    """An adapter that looks like a graphics card when asked, and is none when the model runs on it."""
    page = pages.open(script=LOOKS_LIKE_A_CARD)
    page.load()
    page.take_example(6)
    page.reads("WebGPU", 6)
    expect(page.badge).to_have_text("Read by WebGPU in software")
    expect(page.cell("Device", "WebGPU")).to_contain_text("swiftshader")


def test_a_graphics_card_reads_first(pages: Pages) -> None:
    """SwiftShader in the guise of one, for the page and for its worker."""
    page = opened_with(pages, LOOKS_LIKE_A_CARD, script=LOOKS_LIKE_A_CARD)
    page.load()
    page.take_example(6)
    page.reads("WASM", 6)
    expect(page.badge).to_have_text("Read by WebGPU")
    expect(page.reason).to_contain_text("WebGPU is there. Adapter: google, ada")


def opened_with_device_in_reach(pages: Pages) -> DigitPage:
    page = opened_with(pages, DEVICE_IN_REACH)
    page.load()
    return page


def opened_with(pages: Pages, prelude: str, script: str = "") -> DigitPage:
    """A page whose workers run the prelude first, and that runs the script first itself."""

    def with_prelude(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=prelude + answer.text())

    page = pages.open(keeps_files=False, script=script)
    page.page.route("**/assets/worker-*.js", with_prelude)
    return page
