"""Digits where there is no WebGPU, wrong files, and who can use the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper
from playwright.sync_api import Browser, Route, expect

from homeward.browser.files import PAGES, browser_app
from tests.browser.conftest import LAN_NAME, Pages, chromium, complaints, pages_of, serving
from tests.browser.digit_page import DRAWINGS, LOADING_MILLISECONDS, READING_MILLISECONDS

pytestmark = pytest.mark.browser_page

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "web/models/digits.onnx"
NO_GPU = "Object.defineProperty(Navigator.prototype, 'gpu', {get: () => undefined})"
GPU_FAILS = (
    "Object.defineProperty(Navigator.prototype, 'gpu', {get: () => ({requestAdapter: async () => { throw 'driver' }})})"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def pages(browser: Browser, site: int) -> Iterator[Pages]:
    with pages_of(browser, site) as opened:
        yield opened


@pytest.mark.parametrize(
    ("script", "reason", "step"),
    [
        ("", "found no graphics adapter", "chrome://flags"),
        (NO_GPU, "does not offer it", "chrome://flags"),
        (GPU_FAILS, "failed when it was asked", "chrome://flags"),
    ],
)
def test_without_webgpu_it_reads_by_wasm_and_says_why(pages: Pages, script: str, reason: str, step: str) -> None:
    """The right digit, WASM's badge, the reason, what to do about it, and no WebGPU in the table."""
    page = pages.open(script=script)
    page.load()
    page.draw(DRAWINGS[3])
    page.reads("WASM", 3)
    expect(page.badge).to_have_text("Read by WebAssembly (processor)")
    expect(page.reason).to_contain_text(reason)
    expect(page.step).to_contain_text(step)
    expect(page.cell("Device", "WebGPU")).to_have_text("not there")


def test_on_a_lan_address_it_reads_and_names_the_cause(pages: Pages) -> None:
    """Plain http from another machine: no WebGPU, no isolation, and it works all the same."""
    page = pages.open(host=LAN_NAME)
    assert page.page.evaluate("!isSecureContext && !crossOriginIsolated")
    page.load()
    page.draw(DRAWINGS[7])
    page.reads("WASM", 7)
    expect(page.reason).to_contain_text("on https pages and on this machine itself only")
    expect(page.step).to_contain_text("http://localhost")


def test_our_model_that_is_missing_or_broken_is_explained_and_can_be_loaded_again(pages: Pages) -> None:
    page = pages.open(keeps_files=False)
    for fulfilment, words in (
        ({"status": 404}, "does not have a file of this page"),
        ({"body": "<!doctype html><p>Sign in</p>"}, "This is a web page"),
        ({"body": MODEL.read_bytes()[:100_000]}, "is cut off"),
    ):
        page.page.route("**/*.onnx", answering(**fulfilment))
        page.load_button.click()
        expect(page.problem).to_contain_text(words, timeout=LOADING_MILLISECONDS)
        page.page.unroute("**/*.onnx")
    page.load()
    expect(page.problem).to_be_hidden()
    page.take_example(6)
    page.reads("WASM", 6)


def test_loading_can_be_cancelled_and_begun_again(pages: Pages) -> None:
    page = pages.open(keeps_files=False)
    page.page.route("**/*.wasm", lambda _: None)  # never answered
    page.load_button.click()
    expect(page.phase).to_contain_text("Loading: 0.0 of 27")
    page.page.get_by_role("button", name="Cancel").click()
    expect(page.phase).to_have_text("Cancelled.")
    page.page.unroute("**/*.wasm")
    page.load()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<html></html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"GGUF and more", "not an ONNX model"),
        (None, "is cut off"),
    ],
)
def test_a_wrong_file_is_explained_and_our_model_stays(pages: Pages, content: bytes | None, words: str) -> None:
    """None is our own model without its end."""
    content = MODEL.read_bytes()[:-7] if content is None else content
    page = pages.open()
    page.load()
    page.use_own({"name": "mine.onnx", "mimeType": "application/octet-stream", "buffer": content})
    expect(page.problem).to_contain_text(words)
    page.take_example(9)
    page.reads("WASM", 9)


def test_an_own_model_is_inspected_and_run(pages: Pages) -> None:
    """Three channels, its own size and names; what it answers is shown by class number; ours can come back."""
    page = pages.open()
    page.load()
    page.take_example(1)
    page.use_own({"name": "mine.onnx", "mimeType": "", "buffer": classifier("ReduceMean")})
    expect(page.ports).to_contain_text("photo: float32 [batch, 3, 32, 48]", timeout=LOADING_MILLISECONDS)
    expect(page.ports).to_contain_text("scores: float32 [batch, 3]")
    expect(page.page.locator("#seen-text")).to_contain_text("48 \N{MULTIPLICATION SIGN} 32")
    expect(page.answer).to_contain_text("Class ", timeout=READING_MILLISECONDS)
    numbers = page.numbers()
    assert numbers["dims"] == [1, 3, 32, 48]
    assert numbers["wasm"]["outputs"] == pytest.approx([sum(numbers["input"]) / len(numbers["input"])] * 3, abs=1e-6)
    page.page.get_by_role("button", name="Back to our model").click()
    page.reads("WASM", 1)


def test_a_model_that_homeward_fetched_is_offered(browser: Browser, pages: Pages, tmp_path: Path) -> None:
    """By name; where it is broken or gone, ours stays. Where none was fetched, nothing is offered."""
    assert not pages.open().page.locator("#fetched-field").is_visible()
    good, broken = tmp_path / "mnist-12.onnx", tmp_path / "broken.onnx"
    good.write_bytes(classifier("ReduceMean"))
    broken.write_bytes(MODEL.read_bytes()[:1000])
    app = browser_app(PAGES, lambda: {path.name: path for path in tmp_path.iterdir()})
    with serving(app) as site, pages_of(browser, site.port) as others:
        page = others.open()
        page.load()
        choice = page.page.locator("#fetched")
        choice.select_option("mnist-12.onnx")
        expect(page.page.locator("#model-text")).to_contain_text("mnist-12.onnx", timeout=LOADING_MILLISECONDS)
        choice.select_option("broken.onnx")
        expect(page.problem).to_contain_text("cut off", timeout=READING_MILLISECONDS)
        page.page.locator("#back").click()
        expect(page.page.locator("#model-text")).to_contain_text("own, ", timeout=LOADING_MILLISECONDS)
        expect(choice).to_have_value("")


def test_an_own_model_that_the_engine_refuses_leaves_ours_in_place(pages: Pages) -> None:
    page = pages.open()
    page.load()
    page.use_own({"name": "mine.onnx", "mimeType": "", "buffer": classifier("NoSuchOperator")})
    expect(page.problem).to_contain_text("could not load this model", timeout=LOADING_MILLISECONDS)
    page.take_example(0)
    page.reads("WASM", 0)


def test_by_keyboard_alone(pages: Pages) -> None:
    """A seven drawn with the arrow keys; each step of the pen is spoken."""
    page = pages.open()
    page.load_button.focus()
    page.page.keyboard.press("Enter")
    page.wait_until_ready()
    page.pad.focus()
    keys = page.page.keyboard
    for key, times in (("ArrowLeft", 6), (" ", 1), ("ArrowRight", 13)):
        for _ in range(times):
            keys.press(key)
    expect(page.page.locator("#pen-state")).to_have_text("Pen down")
    for _ in range(8):
        for key in ("ArrowDown", "ArrowDown", "ArrowLeft"):
            keys.press(key)
    keys.press(" ")
    expect(page.page.locator("#pen-state")).to_have_text("Pen up")
    page.reads("WASM", 7)
    keys.press("Backspace")
    expect(page.answer).to_have_text("Nothing is drawn yet.")


def test_by_touch_on_a_narrow_phone(pages: Pages) -> None:
    """A finger draws and does not scroll; nothing is wider than 390 pixels."""
    page = pages.open(width=390, touch=True)
    page.load()
    page.pad.scroll_into_view_if_needed()
    box = page.pad.bounding_box()
    assert box is not None
    before = page.page.evaluate("scrollY")
    touching = page.page.context.new_cdp_session(page.page)
    for kind, y in (("touchStart", 40), ("touchMove", 100), ("touchMove", 170), ("touchMove", 240), ("touchEnd", None)):
        points = [] if y is None else [{"x": box["x"] + box["width"] / 2, "y": box["y"] + y * box["height"] / 280}]
        touching.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.reads("WASM", 1)
    assert page.page.evaluate("scrollY") == before
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_nothing_for_axe_to_complain_about(pages: Pages, locale: str, dark: bool) -> None:
    """At the start, and with an answer; in the browser's language."""
    page = pages.open(locale=locale, dark=dark, width=390)
    expect(page.page.locator("html")).to_have_attribute("lang", locale[:2])
    assert complaints(page.page) == []
    page.load_button.click()
    page.take_example(4)
    expect(page.badge).to_contain_text("WebAssembly", timeout=LOADING_MILLISECONDS)
    assert complaints(page.page) == []
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_can_be_changed_and_stays(pages: Pages) -> None:
    page = pages.open()
    page.page.locator("#language").select_option("ko")
    expect(page.page.locator("h1")).to_have_text("숫자 그리기")
    page.page.reload()
    expect(page.page.locator("h1")).to_have_text("숫자 그리기")


def answering(**answer: Any) -> Callable[[Route], None]:
    """For requests that never reach the server."""

    def answer_it(route: Route) -> None:
        route.fulfill(**answer)

    return answer_it


def classifier(operator: str) -> bytes:
    """The mean of each channel as its score."""
    attributes: dict[str, Any] = {"axes": [2, 3], "keepdims": 0} if operator == "ReduceMean" else {}
    graph = helper.make_graph(
        [helper.make_node(operator, ["photo"], ["scores"], **attributes)],
        "mine",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, ["batch", 3, 32, 48])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())
