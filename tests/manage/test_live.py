"""How the page keeps up with the server: how often it looks, what it forgives, and what it leaves alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from homeward.manage.state import State
from tests.manage.conftest import Pages, Site
from tests.manage.fake_manager import FakeManager
from tests.manage.models_page import card, look, press, section, see, shows
from tests.manage.views import ARRIVING, OWN, READY, STARTER, STATE, changed

pytestmark = pytest.mark.browser

COUNT_LOOKS = """
window.looks = 0
const real = window.fetch
window.fetch = (address, ...rest) => {
  if (String(address) === "/models/state") window.looks += 1
  return real(address, ...rest)
}
Object.defineProperty(document, "hidden", { get: () => window.away === true })
"""


@pytest.fixture
def counted(pages: Pages, manager: FakeManager) -> Callable[[State], Page]:
    """Opens a page whose clock stands still and whose looks are counted."""

    def opened(state: State) -> Page:
        manager.now = state
        page = pages.blank()
        page.clock.install(time=0)
        page.clock.pause_at(1000)
        page.add_init_script(COUNT_LOOKS)
        page.goto("/models")
        expect(page.locator("#sections")).to_be_visible()
        return page

    return opened


def looks(page: Page) -> int:
    return int(page.evaluate("window.looks"))


@pytest.mark.parametrize(
    ("state", "milliseconds"),
    [
        (STATE, 4000),
        (changed(STATE, downloads=(changed(ARRIVING, state="failed"),)), 4000),
        (changed(STATE, downloads=(ARRIVING,)), 1000),
        (changed(STATE, downloads=(changed(ARRIVING, state="checking"),)), 1000),
        (changed(STATE, in_use=changed(READY, state="loading")), 1000),
        (changed(STATE, models=(changed(OWN, check="checking"),)), 1000),
        (changed(STATE, models=(changed(OWN, state="loading"),)), 1000),
        (changed(STATE, searching=True), 1000),
    ],
    ids=["calm", "failed", "download", "checked download", "loading", "check", "model", "search"],
)
def test_it_looks_often_only_while_something_moves(
    counted: Callable[[State], Page], state: State, milliseconds: int
) -> None:
    """Every second, else every four."""
    page = counted(state)
    assert looks(page) == 1
    page.clock.run_for(milliseconds - 200)
    assert looks(page) == 1
    page.clock.run_for(400)
    assert looks(page) == 2


def test_it_does_not_look_while_nobody_sees_it(counted: Callable[[State], Page]) -> None:
    """And looks at once when it is seen again."""
    page = counted(changed(STATE, searching=True))
    page.evaluate("window.away = true")
    look(page)
    page.clock.run_for(60_000)
    assert looks(page) == 1
    page.evaluate("window.away = false")
    look(page)
    page.clock.run_for(10)
    assert looks(page) == 2


def test_a_server_that_is_away_is_waited_for(pages: Pages, manager: FakeManager, site: Site) -> None:
    """The page says so, keeps what it shows, and goes on by itself."""
    pages.refusals_expected = True
    page = pages.open()
    trouble = page.locator("#trouble")
    expect(trouble).to_be_hidden()
    site.stop()
    look(page)
    expect(trouble).to_have_text("Homeward does not answer; trying again…")
    expect(page.locator("#announcer")).to_have_text("Homeward does not answer; trying again…")
    shows(card(page, OWN.title), "4.7 GB")
    press(card(page, OWN.title), "Check files")
    shows(card(page, OWN.title), "Homeward does not answer. Try again in a moment.")
    manager.show(notice="Back.")
    site.start()
    shows(section(page, "What answers now"), "Back.")
    expect(trouble).to_be_hidden()
    expect(page.locator("#announcer")).to_have_text("Homeward answers again.")


def test_a_page_opened_too_early_says_so(pages: Pages, manager: FakeManager) -> None:
    """Instead of staying empty."""
    pages.refusals_expected = True
    manager.fail("state", RuntimeError())
    page = pages.blank()
    page.goto("/models")
    expect(page.locator("#trouble")).to_be_visible()
    expect(page.locator("#sections")).to_be_hidden()
    manager.fail("state")
    expect(page.locator("#sections")).to_be_visible()
    expect(page.locator("#trouble")).to_be_hidden()


def test_an_old_look_does_not_undo_an_action(pages: Pages, manager: FakeManager) -> None:
    """What was asked for before the action's answer came shows what was before."""
    page = pages.open()
    old = []

    def hold(route: Route) -> None:
        old.append((route, route.fetch()))

    page.route("**/models/state", hold, times=1)
    with page.expect_request("**/models/state"):
        look(page)
    manager.effect("use", models=(changed(STARTER, in_use=False), changed(OWN, in_use=True)))
    press(card(page, OWN.title), "Use")
    shows(card(page, OWN.title), "Answers now")
    card(page, OWN.title).evaluate(
        """(card) => {
          window.undone = false
          const look = () => { window.undone ||= card.querySelector(".badge").hidden }
          new MutationObserver(look).observe(card, { attributes: true, subtree: true })
        }"""
    )
    route, response = old[0]
    with page.expect_response("**/models/state"):
        route.fulfill(response=response)
    with page.expect_response("**/models/state"):
        pass  # the next look: the one before it has been dealt with
    assert page.evaluate("window.undone") is False


def test_an_action_under_way_is_not_asked_for_twice(pages: Pages, manager: FakeManager) -> None:
    """However often the button is pressed; it keeps the focus meanwhile."""
    page = pages.open()
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/models/verify", hold)
    check = card(page, OWN.title).get_by_role("button", name="Check files")
    with page.expect_request("**/models/verify"):
        check.click()
    expect(check).to_have_attribute("aria-disabled", "true")
    check.click(force=True)
    page.keyboard.press("Enter")
    expect(check).to_be_focused()
    assert len(waiting) == 1
    waiting[0].continue_()
    expect(check).not_to_have_attribute("aria-disabled", "true")
    assert manager.calls == [("verify", OWN.name)]


def test_a_look_that_shows_nothing_new_touches_nothing(pages: Pages, manager: FakeManager) -> None:
    """No node is replaced, no text is written again: selection and screen readers are left alone."""
    page = pages.open()
    press(page, "Look at the catalogue")
    expect(page.get_by_role("table")).to_be_visible()
    page.evaluate(
        """() => {
          window.changes = []
          const everything = { subtree: true, childList: true, characterData: true, attributes: true }
          new MutationObserver((all) => window.changes.push(...all)).observe(document.body, everything)
        }"""
    )
    with page.expect_response("**/models/state"):
        look(page)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("window.changes.length") == 0
    see(page, manager, machine=changed(STATE.machine, free_bytes=5_000_000_000))
    shows(section(page, "This machine"), "5.0 GB")
    assert page.evaluate("window.changes.length") == 1


def test_what_the_user_is_doing_is_left_alone(pages: Pages, manager: FakeManager) -> None:
    """Text that is typed, what is folded open, and the focus survive changes around them."""
    page = pages.open()
    field = page.get_by_label("Add a model from a file or folder")
    card(page, OWN.title).get_by_text("Where it is").click()
    field.fill("/half/a/pa")
    field.evaluate("(field) => field.setSelectionRange(2, 4)")
    see(page, manager, models=(changed(OWN, held_bytes=1_000_000_000, state="ready"), changed(STARTER, in_use=False)))
    shows(card(page, OWN.title), "It holds 1.0 GB of memory now.", OWN.path)
    expect(field).to_be_focused()
    expect(field).to_have_value("/half/a/pa")
    assert field.evaluate("(field) => [field.selectionStart, field.selectionEnd]") == [2, 4]
