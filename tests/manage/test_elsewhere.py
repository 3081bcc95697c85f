"""Services beside Homeward, and this machine."""

import pytest
from playwright.sync_api import expect

from homeward.manage.state import ProviderView
from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.models_page import card, error_in, press, section, see, shows
from tests.manage.views import FOUNDRY, LLAMA, MACHINE, NOT_FOUND, OLLAMA, changed

pytestmark = pytest.mark.browser

SERVICES = "Services on this machine"


def test_services_are_searched_for_when_asked(pages: Pages, manager: FakeManager) -> None:
    """What is found, with its models; why the others were not, folded away."""
    page = pages.open()
    services = section(page, SERVICES)
    shows(services, "Only this computer is asked, and nothing is started.")
    assert manager.calls == []
    manager.effect("search", searched=True, services=(OLLAMA,), not_found=NOT_FOUND)
    press(services, "Search this computer")
    ollama = card(page, "Ollama", SERVICES)
    shows(ollama, "0.12.3", "http://127.0.0.1:11434/v1", "llama3.2:3b", "in memory · 4,096 tokens", "not in memory")
    reason = services.get_by_text("Nothing listens on 127.0.0.1:1234.")
    expect(reason).to_be_hidden()
    services.get_by_text("Why others were not found").click()
    expect(reason).to_be_visible()
    see(page, manager, not_found=NOT_FOUND[:2])
    expect(services.get_by_text("What answers on 127.0.0.1:8000")).to_have_count(0)
    expect(reason).to_be_visible()  # what the user opened stays open


def test_a_search_that_lasts_is_seen(pages: Pages, manager: FakeManager) -> None:
    """And its end is announced."""
    manager.show(searching=True)
    page = pages.open()
    services = section(page, SERVICES)
    expect(services.get_by_role("button", name="Searching…")).to_be_visible()
    expect(services).to_have_attribute("aria-busy", "true")
    manager.show(searching=False, searched=True, services=(OLLAMA,))
    expect(services.get_by_role("button", name="Search again")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("One service was found.")


def test_nothing_found(pages: Pages, manager: FakeManager) -> None:
    """Is said."""
    manager.show(searched=True, not_found=NOT_FOUND)
    services = section(pages.open(), SERVICES)
    shows(services, "No other service answers on this computer.")


def test_a_search_that_fails(pages: Pages, manager: FakeManager) -> None:
    """Says why, beside its button."""
    pages.refusals_expected = True
    services = section(pages.open(), SERVICES)
    manager.fail("search", UnusableError("Not now."))
    press(services, "Search this computer")
    expect(error_in(services).first).to_have_text("Not now.")


def test_a_services_model_is_used(pages: Pages, manager: FakeManager) -> None:
    """By its whole name; the one in use needs no button."""
    manager.show(searched=True, services=(OLLAMA,))
    page = pages.open()
    used = changed(OLLAMA, models=(OLLAMA.models[0], changed(OLLAMA.models[1], in_use=True)))
    manager.effect("use", services=(used,))
    gemma = card(page, "Ollama", SERVICES).get_by_role("listitem").filter(has_text="gemma3:4b")
    press(gemma, "Use")
    shows(gemma, "Answers now")
    expect(gemma.get_by_role("button")).to_have_count(0)
    assert manager.calls == [("use", "ollama/gemma3:4b")]


def test_a_service_without_models(pages: Pages, manager: FakeManager) -> None:
    """Says so."""
    manager.show(searched=True, services=(changed(OLLAMA, models=()),))
    shows(card(pages.open(), "Ollama", SERVICES), "It has no models yet.")


def test_this_machine_is_described(pages: Pages) -> None:
    """Memory, disk, cores, and what each runtime sends."""
    machine = section(pages.open(), "This machine")
    shows(machine, "Memory 16.6 GB", "Free now 9.8 GB", "Free on disk 212 GB", "Processor cores 8")
    shows(card(machine.page, "llama.cpp", "This machine"), "Available", LLAMA.privacy)
    shows(card(machine.page, "Foundry Local", "This machine"), "Available", FOUNDRY.privacy)


def test_a_missing_engine_says_why(pages: Pages, manager: FakeManager) -> None:
    """And its devices can't be looked for."""
    foundry = changed(FOUNDRY, available=False, sentence="Foundry Local is not installed.")
    manager.show(machine=changed(MACHINE, engines=(LLAMA, foundry)))
    page = pages.open()
    shows(card(page, "Foundry Local", "This machine"), "Not available", "Foundry Local is not installed.")
    expect(page.get_by_role("button", name="Look for graphics and neural processors")).to_be_hidden()


def test_devices_are_looked_for_when_asked(pages: Pages, manager: FakeManager) -> None:
    """None at first, then only the processor, then those that there are."""
    machine = section(pages.open(), "This machine")
    nothing = machine.get_by_text("Only the processor; no graphics or neural processor that Foundry Local knows.")
    expect(nothing).to_be_hidden()
    manager.effect("devices", machine=changed(MACHINE, providers=()))
    press(machine, "Look for graphics and neural processors")
    expect(nothing).to_be_visible()
    found = (
        ProviderView(name="CUDAExecutionProvider", registered=True),
        ProviderView(name="WebGpuExecutionProvider", registered=False),
    )
    manager.effect("devices", machine=changed(MACHINE, providers=found))
    press(machine, "Look again")
    shows(machine, "CUDAExecutionProvider in use", "WebGpuExecutionProvider its library is not on this machine")
    expect(nothing).to_be_hidden()
    assert manager.calls == [("devices",), ("devices",)]
