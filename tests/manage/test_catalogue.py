"""The catalogue: asked only when the user wants it, filtered, and downloaded from after a question."""

import pytest
from playwright.sync_api import Locator, Page, expect

from homeward.manage.state import Catalogue
from tests.manage.conftest import Pages
from tests.manage.fake_manager import FakeManager, UnusableError
from tests.manage.models_page import error_in, focused_name, press, section, see, shows
from tests.manage.views import ARRIVING, LARGE_OFFER, MACHINE, PHI, PHI_OFFER, SMALL_OFFER, STARTER, changed

pytestmark = pytest.mark.browser


def opened(page: Page) -> Locator:
    """The section, with its table."""
    catalogue = section(page, "Catalogue")
    press(catalogue, "Look at the catalogue")
    expect(catalogue.get_by_role("table")).to_be_visible()
    return catalogue


def row(catalogue: Locator, variant: str) -> Locator:
    return catalogue.get_by_role("row").filter(has_text=variant)


def test_it_is_closed_until_it_is_wanted(pages: Pages, manager: FakeManager) -> None:
    """The button says what looking means; nothing is asked before."""
    page = pages.open()
    catalogue = section(page, "Catalogue")
    button = catalogue.get_by_role("button", name="Look at the catalogue")
    shows(catalogue, "Looking at it asks Microsoft's servers over the network; nothing is downloaded yet.")
    shows(catalogue, "Microsoft sees your IP address and what kind of computer this is, never a word of a chat.")
    expect(button).to_have_attribute("aria-describedby", "catalogue-hint")
    expect(catalogue.get_by_role("table")).to_have_count(0)
    expect(catalogue.get_by_label("Filter")).to_be_hidden()
    assert manager.calls == []
    opened(page)
    expect(catalogue.get_by_role("button", name="Ask again")).to_be_focused()
    assert manager.calls == [("catalogue",)]


def test_each_variant_has_its_row(pages: Pages) -> None:
    """With everything that a choice depends on."""
    catalogue = opened(pages.open())
    names = ["Model", "Licence", "Download", "Context", "Computes on", "Calls tools", "Memory needed", "What to do"]
    assert catalogue.get_by_role("columnheader").all_inner_texts() == names
    expect(catalogue.get_by_role("rowheader")).to_have_count(4)
    gpu = row(catalogue, "Phi-4-mini-instruct-cuda-gpu:5")
    shows(
        gpu, "Microsoft", "MIT", "3.7 GB", "131,072 tokens", "Graphics processor CUDA", "yes", "about 4.8 GB Fits now"
    )
    large = row(catalogue, "gpt-oss-20b")
    shows(large, "OpenAI", "12.3 GB", "not stated", "Processor", "no", "about 15.1 GB Does not fit now")


def test_it_is_filtered_by_words_and_by_what_fits(pages: Pages) -> None:
    """By title, alias, publisher, licence; all words must be there."""
    catalogue = opened(pages.open())
    rows, filter_field = catalogue.get_by_role("rowheader"), catalogue.get_by_label("Filter")
    for words, count in (("PHI", 2), ("phi cuda", 2 - 1), ("alibaba", 1), ("apache", 2), ("nothing", 0), ("", 4)):
        filter_field.fill(words)
        expect(rows).to_have_count(count)
        shows(catalogue, f"{count} of 4 shown")
    catalogue.get_by_label("Only what fits into memory now").check()
    expect(rows).to_have_count(3)
    expect(catalogue.get_by_text("gpt-oss-20b", exact=True)).to_have_count(0)


def test_a_download_begins_only_after_the_question(pages: Pages, manager: FakeManager) -> None:
    """Which names size, licence, memory and disk."""
    page = pages.open()
    catalogue = opened(page)
    press(row(catalogue, PHI_OFFER.variant), "Download")
    question = page.get_by_role("dialog", name="Download Phi-4-mini-instruct?")
    shows(question, "Size 4.8 GB", "Licence MIT", "Memory needed Fits: needs about 6.1 GB, 9.8 GB free.", "212 GB")
    shows(question, "It comes from Microsoft's servers", "never a word of a chat")
    expect(question.locator(".warning")).to_have_count(0)
    press(question, "Cancel")
    expect(page.locator("dialog")).to_have_count(0)
    assert manager.calls == [("catalogue",)]
    press(row(catalogue, PHI_OFFER.variant), "Download")
    manager.effect("download", downloads=(ARRIVING,))
    press(question, "Download")
    shows(section(page, "Downloads"), "1.2 GB of 4.8 GB")
    shows(row(catalogue, PHI_OFFER.variant), "Downloading…")
    assert manager.calls[1:] == [("download", PHI_OFFER.variant)]
    assert focused_name(page) == "Catalogue"  # its button is gone


def test_the_question_warns_of_what_does_not_fit(pages: Pages, manager: FakeManager) -> None:
    """Into memory, or onto the disk."""
    page = pages.open()
    catalogue = opened(page)
    question = page.get_by_role("dialog")
    press(row(catalogue, LARGE_OFFER.variant), "Download")
    shows(question, "It does not fit into memory now: it may not run on this machine.")
    press(question, "Cancel")
    see(page, manager, machine=changed(MACHINE, disk_free_bytes=10_000_000_000))
    shows(section(page, "This machine"), "10.0 GB")
    press(row(catalogue, LARGE_OFFER.variant), "Download")
    shows(question, "The disk has too little room for it.")


def test_what_is_here_needs_no_download(pages: Pages, manager: FakeManager) -> None:
    """Until it is removed."""
    manager.offers = Catalogue(offers=(changed(PHI_OFFER, downloaded=True), SMALL_OFFER))
    manager.show(models=(STARTER, PHI))
    page = pages.open()
    catalogue = opened(page)
    shows(row(catalogue, PHI_OFFER.variant), "On this machine")
    expect(row(catalogue, PHI_OFFER.variant).get_by_role("button")).to_have_count(0)
    see(page, manager, models=(STARTER,))
    expect(row(catalogue, PHI_OFFER.variant).get_by_role("button", name="Download")).to_be_visible()


def test_an_empty_catalogue_says_why(pages: Pages, manager: FakeManager) -> None:
    """And can be asked again."""
    manager.offers, offers = Catalogue(offers=(), sentence="The catalogue could not be reached."), manager.offers
    catalogue = section(pages.open(), "Catalogue")
    press(catalogue, "Look at the catalogue")
    shows(catalogue, "The catalogue could not be reached.")
    expect(catalogue.get_by_role("table")).to_have_count(0)
    manager.offers = offers
    press(catalogue, "Ask again")
    expect(catalogue.get_by_role("table")).to_be_visible()
    expect(catalogue.get_by_text("The catalogue could not be reached.")).to_be_hidden()


def test_errors_stand_beside_their_buttons(pages: Pages, manager: FakeManager) -> None:
    """Of the look, and of a download."""
    pages.refusals_expected = True
    manager.fail("catalogue", UnusableError("The part that talks to the catalogue stopped.", next_step="Try again."))
    page = pages.open()
    catalogue = section(page, "Catalogue")
    press(catalogue, "Look at the catalogue")
    expect(error_in(catalogue).first).to_have_text("The part that talks to the catalogue stopped. Try again.")
    manager.fail("catalogue")
    opened(page)
    expect(error_in(catalogue).first).to_be_empty()
    manager.fail("download", UnusableError("phi-4-mini can't be downloaded."))
    press(row(catalogue, PHI_OFFER.variant), "Download")
    press(page.get_by_role("dialog"), "Download")
    expect(row(catalogue, PHI_OFFER.variant).locator("[role='alert']")).to_have_text("phi-4-mini can't be downloaded.")
