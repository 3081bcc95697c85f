"""The models page as a test drives it: what a user sees and does, by name."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.manage.fake_manager import FakeManager


def section(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def card(page: Page, title: str, within: str = "On this machine") -> Locator:
    """A model's, a download's or a service's card, by its heading."""
    items = section(page, within).get_by_role("listitem")
    return items.filter(has=page.get_by_role("heading", name=title)).first


def see(page: Page, manager: FakeManager, **changes: Any) -> None:
    """Let the page see another state, without waiting for its next look."""
    manager.show(**changes)
    look(page)


def look(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def press(place: Locator | Page, name: str) -> None:
    """A button by its name, or by what its name begins with before the model's."""
    place.get_by_role("button", name=re.compile(rf"^{re.escape(name)}(: |$)")).click()


def focused_name(page: Page) -> str:
    """What has the keyboard's focus, as its text or label."""
    script = "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
    return str(page.evaluate(script))


def shows(place: Locator, *texts: str) -> None:
    """All of this can be read there: hidden text does not count. Spaces and line ends are alike."""
    for text in texts:
        expect(place).to_contain_text(text, use_inner_text=True)


def error_in(place: Locator) -> Locator:
    """The line for errors; a screen reader's alert once it says something."""
    return place.locator("[role='alert']")
