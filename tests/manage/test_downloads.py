"""Downloads: from the first byte to the switch, and every other way in which they end."""

import pytest
from playwright.sync_api import expect

from homeward.models.downloads import Progress
from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager
from tests.manage.models_page import card, focused_name, press, section, see, shows
from tests.manage.views import ARRIVING, PHI, READY, STARTER, changed

pytestmark = pytest.mark.browser

CHECKING = changed(ARRIVING, state="checking", bytes_per_second=None, seconds_left=None, checked=0.5)
DONE = changed(CHECKING, state="done", name="phi-4-mini", arrived_bytes=ARRIVING.size_bytes)
CANCELLED = changed(ARRIVING, state="cancelled", bytes_per_second=None, seconds_left=None)
FAILED = changed(
    CANCELLED, state="failed", problem="The download broke off. Try again: it goes on where it stopped."
)  # fmt: skip


def test_a_download_from_its_start_to_the_switch(pages: Pages, manager: FakeManager) -> None:
    """Nothing is pressed but the switch; each state is announced once, no percent is."""
    page = pages.open()
    said = page.locator("#announcer")
    expect(page.get_by_role("heading", name="Downloads")).to_be_hidden()
    see(page, manager, downloads=(changed(ARRIVING, arrived_bytes=0, bytes_per_second=None, seconds_left=None),))
    phi = card(page, ARRIVING.title, "Downloads")
    shows(phi, "0 KB of 4.8 GB")
    expect(said).to_have_text("Phi-4-mini-instruct is being downloaded.")
    page.evaluate("document.querySelector('#announcer').textContent = ''")
    manager.show(downloads=(ARRIVING,))
    shows(phi, "1.2 GB of 4.8 GB · 24 MB/s · about 2 min left")
    bar = phi.get_by_role("progressbar", name=ARRIVING.title)
    expect(bar).to_have_attribute("aria-valuetext", "25 %, 1.2 GB of 4.8 GB")
    assert bar.evaluate("(bar) => bar.value") == pytest.approx(1.21 / 4.806)
    expect(said).to_be_empty()
    manager.show(downloads=(CHECKING,))
    shows(phi, "Checking the files… 50 %")
    expect(said).to_have_text("The files of Phi-4-mini-instruct are being checked.")
    manager.show(downloads=(DONE,), models=(STARTER, PHI), ready_to_switch="phi-4-mini")
    shows(phi, "On this machine, as phi-4-mini. Its files are whole.")
    expect(said).to_contain_text("Phi-4-mini-instruct is on this machine.")
    expect(bar).to_have_count(0)
    manager.effect(
        "use",
        ready_to_switch="",
        in_use=changed(READY, backend="foundry", model="phi-4-mini"),
        models=(changed(STARTER, in_use=False), changed(PHI, in_use=True, state="ready")),
    )
    press(page, "Use it")
    shows(section(page, "What answers now"), "phi-4-mini")
    shows(card(page, PHI.title), "Answers now")
    expect(phi.get_by_role("button", name="Use")).to_have_count(0)
    manager.effect("dismiss", downloads=())
    press(phi, "Close")
    expect(page.get_by_role("heading", name="Downloads")).to_be_hidden()
    assert manager.calls == [("use", "phi-4-mini"), ("dismiss", ARRIVING.variant)]


def test_a_download_is_cancelled_and_goes_on(pages: Pages, manager: FakeManager) -> None:
    """What arrived is kept, and said so; the focus does not get lost with its button."""
    manager.show(downloads=(ARRIVING,))
    page = pages.open()
    phi = card(page, ARRIVING.title, "Downloads")
    manager.effect("cancel", downloads=(CANCELLED,))
    press(phi, "Cancel")
    shows(phi, "Cancelled. 1.2 GB have arrived and are kept.")
    assert focused_name(page).startswith(ARRIVING.title)
    manager.effect("download", downloads=(ARRIVING,))
    press(phi, "Go on")
    shows(phi, "24 MB/s")
    assert manager.calls == [("cancel", ARRIVING.variant), ("download", ARRIVING.variant)]


def test_a_download_that_stopped_says_why(pages: Pages, manager: FakeManager) -> None:
    """And offers to go on."""
    manager.show(downloads=(FAILED,))
    phi = card(pages.open(), ARRIVING.title, "Downloads")
    shows(phi, "Stopped.", "The download broke off. Try again: it goes on where it stopped.")
    assert phi.get_by_role("button").all_inner_texts() == ["Go on", "Close"]


def test_what_arrived_broken_is_fetched_once_more(pages: Pages, manager: FakeManager) -> None:
    """The user is told why it begins anew."""
    manager.show(downloads=(changed(ARRIVING, repaired=True, arrived_bytes=0),))
    phi = card(pages.open(), ARRIVING.title, "Downloads")
    shows(phi, "What arrived was not whole; it is fetched once more.")
    manager.show(downloads=(changed(DONE, repaired=True),))
    expect(phi.get_by_text("What arrived was not whole; it is fetched once more.")).to_be_hidden()


def test_an_unknown_size_makes_no_numbers_up(pages: Pages, manager: FakeManager) -> None:
    """The bar moves without a value."""
    manager.show(downloads=(Progress(variant="x:1", alias="x", title="x", state="downloading", size_bytes=0),))
    unknown = card(pages.open(), "x", "Downloads")
    shows(unknown, "Downloading…")
    bar = unknown.get_by_role("progressbar")
    assert bar.get_attribute("value") is None
    expect(bar).to_have_attribute("aria-valuetext", "Downloading…")


def test_time_left_in_words(pages: Pages, manager: FakeManager) -> None:
    """No more exact than it is."""
    page = pages.open()
    for seconds, words in (
        (5, "less than a minute left"),
        (59.9, "less than a minute left"),
        (60, "about 1 min left"),
        (3540, "about 59 min left"),
        (3599, "about 1 h 0 min left"),
        (9000, "about 2 h 30 min left"),
    ):
        see(page, manager, downloads=(changed(ARRIVING, seconds_left=seconds),))
        shows(card(page, ARRIVING.title, "Downloads"), words)


def test_several_downloads_keep_their_places(pages: Pages, manager: FakeManager) -> None:
    """Each with its own buttons; one that is gone leaves the others alone."""
    downloads = tuple(changed(ARRIVING, variant=name, title=name, alias=name) for name in "abc")
    manager.show(downloads=downloads)
    page = pages.open()
    names = section(page, "Downloads").get_by_role("heading", level=3)
    assert [text.strip() for text in names.all_inner_texts()] == ["a", "b", "c"]
    cancel = card(page, "c", "Downloads").get_by_role("button", name="Cancel")
    cancel.focus()
    see(page, manager, downloads=(downloads[2], downloads[0]))
    expect(names).to_have_count(2)
    assert [text.strip() for text in names.all_inner_texts()] == ["c", "a"]
    expect(cancel).to_be_focused()
    press(card(page, "a", "Downloads"), "Cancel")
    manager.wait_for("cancel", "a")
