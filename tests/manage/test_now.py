"""What answers now, and the banners above it."""

import pytest
from playwright.sync_api import expect

from homeward.manage.state import InUse
from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.models_page import card, error_in, press, section, see, shows
from tests.manage.views import NOT_FOUND, OLLAMA, OWN, PHI, READY, STARTER, STATE, changed

pytestmark = pytest.mark.browser

LOADING = InUse(
    backend="foundry", model="phi-4-mini", state="loading", memory_bytes=412_000_000, expected_bytes=2_300_000_000
)


def test_the_model_that_answers_is_named(pages: Pages) -> None:
    """With its engine, its state in words, and what it holds."""
    now = section(pages.open(), "What answers now")
    shows(now, "SmolLM2-135M-Instruct")
    shows(now, "Ready")
    shows(now, "llama.cpp · 398 MB of memory")
    expect(now.get_by_role("progressbar")).to_have_count(0)


def test_loading_is_shown_as_memory_that_fills(pages: Pages, manager: FakeManager) -> None:
    """From loading to ready, with nothing pressed."""
    manager.show(in_use=LOADING)
    page = pages.open()
    now = section(page, "What answers now")
    shows(now, "Being loaded… Foundry Local · 412 MB of about 2.3 GB")
    bar = now.get_by_role("progressbar", name="Loading")
    expect(bar).to_have_attribute("aria-valuetext", "412 MB of about 2.3 GB")
    assert bar.evaluate("(bar) => bar.value") == pytest.approx(412 / 2300)
    manager.show(in_use=changed(LOADING, memory_bytes=2_400_000_000))
    expect(bar).to_have_attribute("value", "1")
    manager.show(in_use=changed(LOADING, state="ready"))
    shows(now, "Ready")
    expect(bar).to_have_count(0)
    expect(page.locator("#announcer")).to_have_text("phi-4-mini is ready.")


def test_a_failed_model_says_why_and_can_be_tried_again(pages: Pages, manager: FakeManager) -> None:
    """The sentence, and the way on."""
    failed = changed(READY, state="failed", sentence="The engine did not start.")
    manager.show(in_use=failed, models=(changed(STARTER, state="failed", sentence=failed.sentence), OWN))
    page = pages.open()
    now = section(page, "What answers now")
    shows(now, "Can't answer")
    shows(now, "The engine did not start.")
    manager.effect("use", in_use=READY, models=STATE.models)
    press(now, "Try again")
    shows(now, "Ready")
    assert manager.calls == [("use", STARTER.name)]
    expect(now.get_by_role("button")).to_have_count(0)


def test_a_service_answers(pages: Pages, manager: FakeManager) -> None:
    """By its own name."""
    manager.show(in_use=InUse(backend="ollama", model="llama3.2:3b", state="service"), services=(OLLAMA,))
    now = section(pages.open(), "What answers now")
    shows(now, "llama3.2:3b")
    shows(now, "Answers through another program on this computer Ollama")


def test_no_model_at_all(pages: Pages, manager: FakeManager) -> None:
    """The page says so, and what to do."""
    manager.show(in_use=None, models=())
    page = pages.open()
    shows(section(page, "What answers now"), "No model answers yet")
    shows(section(page, "On this machine"), "There is no model yet.")


def test_a_model_that_arrived_can_be_switched_to(pages: Pages, manager: FakeManager) -> None:
    """Or not now."""
    manager.show(ready_to_switch="phi-4-mini", models=(STARTER, PHI))
    page = pages.open()
    banner = page.get_by_text("phi-4-mini is ready. Let it answer from now on?").locator("..")
    manager.effect("later", ready_to_switch="")
    press(banner, "Not now")
    expect(banner).to_be_hidden()
    see(page, manager, ready_to_switch="phi-4-mini")
    manager.effect("use", ready_to_switch="", in_use=LOADING)
    press(banner, "Use it")
    expect(banner).to_be_hidden()
    shows(section(page, "What answers now"), "Being loaded…")
    assert manager.calls == [("later",), ("use", "phi-4-mini")]


def test_switching_that_fails_says_so_in_the_banner(pages: Pages, manager: FakeManager) -> None:
    """Beside the button; the next try clears it."""
    pages.refusals_expected = True
    manager.show(ready_to_switch="phi-4-mini")
    page = pages.open()
    manager.fail("use", UnusableError("phi-4-mini can't answer.", next_step="Close other programs."))
    press(page, "Use it")
    banner = page.locator(".banner.good")
    expect(banner.get_by_role("alert")).to_have_text("phi-4-mini can't answer. Close other programs.")
    manager.fail("use")
    press(page, "Use it")
    expect(error_in(banner)).to_be_empty()


@pytest.mark.parametrize("missing", ["phi-4-mini", "foundry/phi-4-mini"])
def test_a_missing_model_is_looked_for_in_the_catalogue(pages: Pages, manager: FakeManager, missing: str) -> None:
    """Its word becomes the filter; the catalogue is asked only now."""
    manager.show(missing=missing)
    page = pages.open()
    expect(page.get_by_text("phi-4-mini should answer, but is not on this machine.")).to_be_visible()
    expect(page.get_by_text("This asks Microsoft's catalogue over the network; nothing is")).to_be_visible()
    assert manager.calls == []
    press(page, "Look for it in the catalogue")
    catalogue = section(page, "Catalogue")
    expect(catalogue.get_by_label("Filter")).to_have_value("phi-4-mini")
    expect(catalogue.get_by_label("Filter")).to_be_focused()
    expect(catalogue.get_by_role("rowheader")).to_have_count(2)
    assert manager.calls == [("catalogue",)]


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [("ollama/llama3.2:3b", "ollama/llama3.2:3b should answer, but is not on this machine."),
     ("service", "The service at the address that you gave should answer, but was not found.")],
)  # fmt: skip
def test_a_missing_service_is_searched_for(pages: Pages, manager: FakeManager, missing: str, sentence: str) -> None:
    """On this computer, not in the catalogue."""
    manager.show(missing=missing)
    page = pages.open()
    banner = page.get_by_text(sentence).locator("..")
    manager.effect("search", missing="", searched=True, services=(OLLAMA,), not_found=NOT_FOUND)
    press(banner, "Search this computer")
    expect(card(page, "Ollama", "Services on this machine")).to_be_visible()
    expect(banner).to_be_hidden()
    assert manager.calls == [("search",)]


def test_a_notice_is_read_and_closed(pages: Pages, manager: FakeManager) -> None:
    """Once."""
    manager.show(notice="Ollama runs on this computer.")
    page = pages.open()
    notice = page.get_by_text("Ollama runs on this computer.").locator("..")
    manager.effect("later", notice="")
    press(notice, "Close")
    expect(notice).to_be_hidden()


def test_the_chat_is_one_click_away(pages: Pages) -> None:
    """By a link."""
    pages.refusals_expected = True  # what stands here for the chat has no icon
    page = pages.open()
    page.get_by_role("link", name="Back to the chat").click()
    expect(page.get_by_text("the chat", exact=True)).to_be_visible()
