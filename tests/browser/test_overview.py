"""The overview: what a browser can do, why not more, and what to do about it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import LAN_NAME, SOFTWARE_WEBGPU, Pages, chromium, complaints, pages_of

pytestmark = pytest.mark.browser_page

MILLISECONDS = 60_000  # a service worker and an adapter, on a busy machine
GRAPHICS_CARD = """
    for (const [name, value] of [['isFallbackAdapter', false], ['architecture', 'ada'], ['description', '']]) {
        Object.defineProperty(GPUAdapterInfo.prototype, name, {get: () => value});
    }
    Object.defineProperty(GPUAdapter.prototype, 'features', {get: () => new Set(F16)});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(*SOFTWARE_WEBGPU) as started:
        yield started


@pytest.fixture
def pages(browser: Browser, site: int) -> Iterator[Pages]:
    with pages_of(browser, site) as opened:
        yield opened


def test_what_this_browser_can_do(pages: Pages) -> None:
    """Nothing of the models' engines is loaded for it, and it leads to both pages and back to the main chat."""
    page = pages.visit("/")
    says(page, "secure", "Yes", "this machine itself")
    says(page, "webgpu", "Partly", "Only in software", "swiftshader", "chrome://flags")
    says(page, "threads", "", "processor cores")
    says(page, "storage", "", "Models are kept")
    says(page, "offline", "Yes", "without a network")
    says(page, "builtIn", "No", "Nothing here needs it")
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert not [name for name in loaded if name.endswith((".wasm", ".onnx", ".gguf"))]
    for name, address in (("Open the private chat", "/chat/"), ("Open the drawing page", "/digits/")):
        page.get_by_role("link", name=name).click()
        assert page.url.endswith(address)
        page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("link", name="To the main chat")).to_have_attribute("href", "../")


def test_a_graphics_card_that_can_and_one_that_cannot(pages: Pages) -> None:
    says(pages.visit("/", script=GRAPHICS_CARD.replace("F16", "['shader-f16']")), "webgpu", "Yes", "ada")
    says(pages.visit("/", script=GRAPHICS_CARD.replace("F16", "[]")), "webgpu", "Partly", "shader-f16", "driver")


def test_on_a_lan_address_each_no_has_its_next_step(pages: Pages) -> None:
    page = pages.visit("/", host=LAN_NAME)
    says(page, "secure", "No", "plain http", "http://localhost")
    for feature in ("webgpu", "threads", "storage", "offline"):
        says(page, feature, "No", "A safe address brings it")


def test_without_isolation_it_names_the_headers(pages: Pages) -> None:
    page = pages.visit("/", script="Object.defineProperty(self, 'crossOriginIsolated', {get: () => false})")
    says(page, "threads", "No", "not isolated", "Cross-Origin-Embedder-Policy")


def test_chromes_own_model_that_could_be_downloaded(pages: Pages) -> None:
    page = pages.visit("/", script="self.LanguageModel = {availability: async () => 'downloadable'}")
    says(page, "builtIn", "Partly", "never start that download")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_nothing_for_axe_to_complain_about(pages: Pages, locale: str, dark: bool) -> None:
    page = pages.visit("/", locale=locale, dark=dark, width=390)
    expect(page.locator("#offline .state")).to_be_visible(timeout=MILLISECONDS)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def says(page: Page, feature: str, state: str, *words: str) -> None:
    row: Locator = page.locator(f"#{feature}")
    expect(row.locator(".state")).to_contain_text(state, timeout=MILLISECONDS)
    for word in words:
        expect(row).to_contain_text(word, timeout=MILLISECONDS)
