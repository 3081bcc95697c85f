"""A page that answers itself: what it is asked, whom it is heard from, and how it may end.

The page's own half runs in Chromium: `tests/e2e/test_in_browser.py`.
"""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from homeward.chat import tab as tab_module
from homeward.config import ChatSettings, PolicySettings
from tests.backends.fake_upstream import FakeUpstream
from tests.chat.conftest import SECONDS, Agreed, MakeRoom, Page, Room

READY = {"about": "ready", "model": "SmolLM2", "context_tokens": 2048}
ENDED = {"about": "ended", "finish": "stop", "read": 12, "written": 3}
PHONE = "Call me at 010-1234-5678 tomorrow."


async def card(page: Page, do: str) -> dict[str, Any]:
    """What the page is told to do, once it is."""
    await page.until(lambda: any(each["do"] == do for each in page.elements("Tab")))
    return page.elements("Tab")[-1]


def say(room: Room, page: Page, props: dict[str, Any], **said: Any) -> bool:
    return room.conversations.tabs.hear(page, UUID(props["id"]), said)


async def asked(room: Room, page: Page, text: str = "What is the sea?", **more: Any) -> dict[str, Any]:
    """A question to this browser whose model is ready; the card that has it write."""
    await room.ask(page, text, mode="browser", **more)
    assert say(room, page, await card(page, "load"), **READY)
    return await card(page, "write")


async def test_the_page_writes_and_the_receipt_says_so(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    room, page = await hybrid(agreed=Agreed("azure"), system_prompt="Be brief."), Page()
    props = await asked(room, page)
    assert props["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is the sea?"},
    ]
    assert props["temperature"] == ChatSettings().temperature
    assert 0 < props["max_tokens"] <= 2048
    for text in ("Much ", "water."):
        assert say(room, page, props, about="wrote", text=text)
    assert say(room, page, props, **ENDED)
    await page.until_told("task_end")
    assert (page.answers, page.elements("Tab")) == (["Much water."], [])
    answer = await room.answer()
    assert (answer.text, answer.status) == ("Much water.", "complete")
    (element,) = page.receipts
    receipt = element["receipt"]
    assert (receipt["place"], receipt["model"], receipt["bytes_out"]) == ("browser", "SmolLM2", 0)
    assert (receipt["prompt_tokens"], receipt["completion_tokens"]) == (12, 3)
    assert "went no further" in element["why"][0]
    assert cloud.requests == []
    assert not say(room, page, props, about="wrote", text="late")  # the page learns that it may stop


@pytest.mark.parametrize("preset", ["local-only", "cloud-first"])
async def test_findings_may_go_to_the_page_that_shows_them(
    hybrid: MakeRoom, cloud: FakeUpstream, upstream: FakeUpstream, preset: str
) -> None:
    """Whatever the policy: nobody else is asked."""
    room = await hybrid(policy=PolicySettings.model_validate({"preset": preset}), agreed=Agreed("azure"))
    page = Page()
    props = await asked(room, page, PHONE)
    assert props["messages"][-1]["content"] == PHONE
    say(room, page, props, about="wrote", text="I can't call.")
    say(room, page, props, **ENDED)
    await page.until_told("task_end")
    assert (cloud.requests, upstream.requests) == ([], [])
    assert room.conversations.completer.backends.keys() == {"home", "azure"}  # it is gone with its answer


async def test_a_stop_keeps_what_was_written(room_with: MakeRoom) -> None:
    room, page = await room_with("ok"), Page()
    props = await asked(room, page)
    say(room, page, props, about="wrote", text="Much ")
    await page.until_written()
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end")
    assert (await room.answer()).status == "stopped"
    assert page.answers == ["Much "]
    assert page.elements("Tab") == []
    assert not say(room, page, props, about="waiting")


async def test_nobody_else_can_speak_for_the_page(room_with: MakeRoom) -> None:
    """Another page that looks at the thread sees neither card nor is it heard."""
    room, page, other = await room_with("ok"), Page(), Page()
    props = await asked(room, page)
    await room.conversations.show(other, room.thread_id)
    assert other.elements("Tab") == []
    assert not say(room, other, props, about="wrote", text="I am the model.")
    assert not room.conversations.tabs.hear(page, uuid4(), {"about": "wrote", "text": "x"})
    say(room, page, props, about="wrote", text="Water.")
    say(room, page, props, **ENDED)
    await page.until_told("task_end")
    assert page.answers == ["Water."]


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"about": "wrote"},
        {"about": "wrote", "text": 1},
        {"about": "ended", "finish": "tool_calls"},
        {"about": "ready", "model": "x", "context_tokens": "many"},
        {"about": "sing"},
    ],
)
async def test_what_makes_no_sense_is_not_heard(room_with: MakeRoom, said: Any) -> None:
    room, page = await room_with("ok"), Page()
    props = await asked(room, page)
    assert not room.conversations.tabs.hear(page, UUID(props["id"]), said)
    assert say(room, page, props, **ENDED)


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        ("declined", "You did not load the model into this browser."),
        ("no-room", "This browser has no room for the model."),
        ("not-gguf", "The model could not run in this browser."),
        ("<script>", "The model could not run in this browser."),
    ],
)
async def test_a_page_that_cannot_answer_says_why(room_with: MakeRoom, cause: str, sentence: str) -> None:
    """Nobody else is asked in its place: the user chose it."""
    room, page = await room_with("ok"), Page()
    await room.ask(page, mode="browser")
    assert say(room, page, await card(page, "load"), about="failed", cause=cause, detail="its own words")
    await page.until_told("task_end")
    assert (await room.answer()).status == "failed"
    (receipt,) = page.receipts
    assert sentence in receipt["problem"]
    assert "try_again" in receipt["offers"]
    assert [each["backend"] for each in receipt["receipt"]["attempts"]] == ["browser"]


async def test_a_page_that_leaves_interrupts_its_answer(room_with: MakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment, for a lost connection may come back; nothing of what was written is lost."""
    monkeypatch.setattr(tab_module, "AWAY_SECONDS", 0.05)
    room, page, other = await room_with("ok"), Page(), Page()
    props = await asked(room, page)
    await room.conversations.show(other, room.thread_id)
    say(room, page, props, about="wrote", text="Much ")
    await page.until_written()
    room.conversations.detach(page, room.thread_id)
    await other.until_told("task_end")
    answer = await room.answer()
    assert (answer.text, answer.status) == ("Much ", "interrupted")
    assert "closed or reloaded" in other.receipts[-1]["problem"]


async def test_a_page_that_comes_back_goes_on(room_with: MakeRoom) -> None:
    """With its card, as it was."""
    room, page = await room_with("ok"), Page()
    props = await asked(room, page)
    room.conversations.detach(page, room.thread_id)
    page.shown.clear()
    await room.conversations.show(page, room.thread_id)
    assert page.elements("Tab") == [props]
    say(room, page, props, about="wrote", text="Water.")
    say(room, page, props, **ENDED)
    async with asyncio.timeout(SECONDS):
        await page.until(lambda: page.answers == ["Water."] and not page.elements("Tab"))


async def test_a_silent_page_is_not_waited_for_for_ever(room_with: MakeRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_module, "SILENCE_SECONDS", 0.05)
    room, page = await room_with("ok"), Page()
    await room.ask(page, mode="browser")
    await page.until_told("task_end")
    assert (await room.answer()).status == "failed"
    assert "closed or reloaded" in page.receipts[-1]["problem"]


async def test_it_can_be_picked_where_the_pages_are_there(room_with: MakeRoom, hybrid: MakeRoom) -> None:
    """Beside the policy's own choice; the thread keeps what was picked."""
    alone, room, page = await room_with("ok"), await hybrid(), Page()
    alone.conversations.in_browser = room.conversations.in_browser = True
    await alone.conversations.offer_modes(page, None)
    assert [*page.picker] == ["auto", "browser"]
    await room.conversations.offer_modes(page, None)
    assert [*page.picker] == ["auto", "device", "cloud", "browser"]
    props = await asked(room, page)
    say(room, page, props, **ENDED)
    await page.until_told("task_end")
    await room.conversations.offer_modes(page, room.thread_id)
    assert [mode for mode, chosen in page.picker.items() if chosen] == ["browser"]


async def test_the_oldest_turns_are_left_out_of_its_small_window(room_with: MakeRoom) -> None:
    """And the receipt says how many."""
    room, page = await room_with("ok"), Page()
    long, props = "Water is wet. " * 40, {}
    for turn in range(3):
        await room.ask(page, long, mode="browser", first=turn == 0)
        props = await card(page, "load")
        assert say(room, page, props, **{**READY, "context_tokens": 512})
        props = await card(page, "write")
        say(room, page, props, about="wrote", text="Yes.")
        say(room, page, props, **ENDED)
        await page.until_told("task_end", turn + 1)
    assert props["messages"][-1]["content"] == long
    assert page.receipts[-1]["receipt"]["left_out_messages"] > 0
