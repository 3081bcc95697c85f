"""A cloud beside the device, in the browser: where an answer is made, what is asked before, two answers at once.

The first test is one that agrees to nothing: a consent counts for all that come after it.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.chat_page import ChatPage
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import Pages
from tests.e2e.server import Server, running
from tests.e2e.test_access import violations

pytestmark = pytest.mark.browser

POLICY: dict[str, Any] = {
    "policy": {"preset": "local-first", "places": None, "complex_from": "never", "rules": []},
    "budget": {"month": 10, "currency": "USD"},
    "spent": 2.5,
    "backends": [{"name": "llama", "place": "device"}, {"name": "azure", "place": "cloud"}],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    started = Cloud()
    yield started
    started.close()


@pytest.fixture(scope="module")
def server(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data_dir = tmp_path_factory.mktemp("hybrid") / "data"
    cloud.write_config(data_dir)
    with running(data_dir, HOMEWARD_CHAT_MAX_TOKENS="16") as server:
        yield server


def card(chat: ChatPage) -> Locator:
    return chat.page.get_by_role("region", name=re.compile("May azure answer this"))


def badge(chat: ChatPage) -> Locator:
    return chat.receipt().locator(".homeward-badge")


def boxes(chat: ChatPage) -> list[dict[str, float]]:
    """Where the answers stand, all at one moment: the page scrolls by itself."""
    found: list[dict[str, float]] = chat.answers.evaluate_all(
        "(all) => all.map((each) => each.getBoundingClientRect().toJSON())"
    )
    return found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_card_is_usable_by_all(pages: Pages, server: Server, cloud: Cloud, width: int, scheme: str) -> None:
    """No serious finding of axe-core, nothing wider than a phone; stop ends the question, and nothing was sent."""
    chat = pages.open(server, width=width)
    chat.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    chat.wait_until_ready()
    chat.choose_mode("Cloud")
    chat.ask("Name one colour of the rainbow.")
    expect(card(chat)).to_be_visible()
    assert violations(chat) == []
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= width
    chat.stop()
    chat.wait_until_answered()
    expect(card(chat)).to_have_count(0)
    expect(chat.receipt()).to_contain_text("Stopped")
    assert cloud.asked == 0


def test_nothing_leaves_before_the_user_agrees(pages: Pages, server: Server, cloud: Cloud) -> None:
    """The card says what would go where; a reload finds it again; declined, the device answers; agreed, the cloud."""
    chat = pages.open(server)
    chat.wait_until_ready()
    chat.choose_mode("Cloud")
    chat.ask("Name one colour of the rainbow.")
    expect(card(chat)).to_contain_text("azure at 127.0.0.1 (the cloud)")
    expect(card(chat)).to_contain_text("Nothing was sent there yet")
    expect(chat.composer).to_be_focused()  # no keystroke decides by accident
    expect(chat.page.get_by_role("log")).to_contain_text("A decision is needed.")
    chat.thread_id()
    chat.page.reload()
    card(chat).get_by_role("button", name="Answer on this device").click()
    chat.wait_until_answered()
    expect(badge(chat)).to_have_text("This device")
    expect(card(chat)).to_have_count(0)
    assert cloud.asked == 0

    expect(chat.page.locator("#mode-picker-trigger-mode")).to_have_text("Cloud")  # as the thread was left
    chat.ask("And another one.")
    agree = card(chat).get_by_role("button", name="Allow azure from now on")
    agree.press("Enter")
    chat.wait_until_answered()
    expect(badge(chat)).to_have_text("Cloud")
    expect(chat.receipt().locator("summary")).to_contain_text("azure · ok-slow")
    assert cloud.asked == 1
    chat.receipt().locator("summary").click()
    expect(chat.receipt()).to_contain_text("You chose where the answer is made.")
    expect(chat.receipt()).to_contain_text(
        re.compile(r"azure \(the cloud, ok-slow\): answered, .* bytes left this machine")
    )


def test_two_answers_side_by_side(pages: Pages, server: Server) -> None:
    """Made beside the first, each with its badge; after a reload too; the other one can be chosen."""
    chat = pages.open(server)
    chat.wait_until_ready()
    chat.choose_mode("This device")
    own = chat.ask_and_wait("Say hello.")
    chat.page.get_by_role("button", name="Try again with").click()
    chat.page.get_by_role("menuitem", name="azure").click()
    agree = chat.page.get_by_role("button", name="Allow azure from now on")
    use = chat.page.get_by_role("button", name="Use this answer")
    expect(agree.or_(use)).to_be_visible()
    if agree.is_visible():  # where this test runs alone
        agree.click()
    expect(use).to_be_visible()
    chat.page.reload()
    expect(use).to_be_visible()
    expect(chat.page.locator(".homeward-badge")).to_have_text(["This device", "Cloud"])
    left, right = boxes(chat)
    assert abs(left["y"] - right["y"]) < 5
    assert left["x"] + left["width"] <= right["x"] + 1
    other = chat.answer_text(1)
    assert violations(chat) == []
    use.click()
    expect(chat.page.locator(".homeward-badge")).to_have_text(["Cloud", "This device"])
    assert (chat.answer_text(0), chat.answer_text(1)) == (other, own)
    phone = pages.open(server, f"/thread/{chat.thread_id()}", width=390)
    expect(phone.page.get_by_role("button", name="Use this answer")).to_be_visible()
    upper, lower = boxes(phone)
    assert upper["y"] + upper["height"] <= lower["y"] + 1
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_chat_with_a_phone_number_stays_at_home(pages: Pages, server: Server, cloud: Cloud) -> None:
    """Although the cloud was asked for; the chat says why, once, and the menu does too."""
    chat = pages.open(server)
    chat.wait_until_ready()
    chat.choose_mode("Cloud")
    chat.ask_and_wait("Call 010-1234-5678.")
    expect(badge(chat)).to_have_text("This device")
    chat.ask_and_wait("Thank you.")
    expect(badge(chat)).to_have_text("This device")
    chat.page.reload()
    note = chat.page.get_by_role("note")
    expect(note).to_have_text("Found in this chat: phone number. From now on it stays on this device.")
    others = chat.page.get_by_role("button", name="Try again with")
    expect(others).to_have_count(2)
    others.last.click()
    item = chat.page.get_by_role("menuitem", name="azure")
    expect(item).to_be_disabled()
    expect(item).to_contain_text("stays on this device")
    assert "010-1234-5678" not in cloud.texts()


def test_the_header_shows_the_spend_and_the_welcome_is_true(pages: Pages, server: Server) -> None:
    """From the policy's state; with the budget spent, it says that no cloud is asked."""
    chat = pages.open(server)
    state = {**POLICY}
    chat.page.route("**/policy/state", lambda route: route.fulfill(json=state))
    chat.page.reload()
    expect(chat.page.locator(".homeward-promise")).to_contain_text(
        "Answers come from this device. azure is asked only as your policy says."
    )
    spend = chat.page.locator(".homeward-spend")
    expect(spend).to_have_text("$2.50 of $10.00")
    assert violations(chat) == []
    state["spent"] = 10.0
    state["policy"] = {**POLICY["policy"], "preset": "local-only"}
    chat.page.reload()
    expect(spend).to_have_attribute("aria-label", re.compile("The budget is spent: no cloud is asked."))
    expect(chat.page.locator(".homeward-promise")).to_contain_text("Your words do not leave this computer.")
