"""Usable by keyboard and screen reader, in both themes and on a phone."""

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Pages
from tests.e2e.server import Server

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[1] / "vendor/axe-core/axe.min.js"

SECONDS = 60
"""After which what is found stays."""


def violations(chat: ChatPage) -> list[str]:
    """Serious and critical findings of axe-core, one line each.

    Those that stay: what has just appeared is named a moment later, which is longer on a busy machine.
    """
    chat.page.evaluate(AXE.read_text(encoding="utf-8"))
    deadline = time.monotonic() + SECONDS
    while (found := violations_now(chat)) and time.monotonic() < deadline:
        chat.page.wait_for_timeout(500)
    return found


def violations_now(chat: ChatPage) -> list[str]:
    """Those of this moment."""
    found: list[dict[str, Any]] = chat.page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_findings(pages: Pages, server: Server, scheme: str) -> None:
    """On the welcome page and with an answer, in both themes."""
    chat = pages.open(server)
    chat.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    chat.wait_until_ready()
    for late in (".homeward-promise p", ".homeward-model"):
        expect(chat.page.locator(late).first).to_be_visible()
    assert violations(chat) == []
    chat.ask_and_wait("Say hello.")
    expect(chat.page.locator(f"#thread-{chat.thread_id()}")).to_be_visible()
    chat.receipt().locator("summary").click()
    expect(chat.receipt().get_by_text("Bytes that left this machine")).to_be_visible()
    assert violations(chat) == []


def test_a_chat_by_keyboard_alone(chat: ChatPage) -> None:
    """Type, Enter, read, open the receipt: no mouse."""
    keyboard = chat.page.keyboard
    expect(chat.composer).to_be_focused()
    keyboard.type("Say hello.")
    keyboard.press("Enter")
    chat.wait_until_answered()
    summary = chat.receipt().locator("summary")
    for _ in range(60):
        keyboard.press("Tab")
        if summary.evaluate("(element) => element === document.activeElement"):
            break
    else:
        raise AssertionError("the receipt is not reached by Tab")
    keyboard.press("Enter")
    expect(chat.receipt().get_by_text("Bytes that left this machine")).to_be_visible()


def test_controls_have_names(chat: ChatPage) -> None:
    """What a screen reader calls them."""
    expect(chat.page.get_by_role("textbox", name="Message", exact=True)).to_be_visible()
    for name in ("Send message", "Choose theme", "Search chats", "New chat", "Toggle list of chats"):
        expect(chat.page.get_by_role("button", name=name).first).to_be_visible()


def test_a_phone_shows_everything(pages: Pages, server: Server) -> None:
    """390 px wide, nothing sticks out."""
    chat = pages.open(server, width=390)
    chat.wait_until_ready()
    chat.ask_and_wait("Say hello.")
    assert chat.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    expect(chat.receipt()).to_be_visible()
