"""Auto, This device, Cloud: per message and per thread."""

import pytest

from homeward.chat.exchange import question_modes
from homeward.config import PolicySettings
from tests.backends.fake_upstream import FakeUpstream
from tests.chat.conftest import Agreed, MakeRoom, Page

AZURE = "azure"


@pytest.mark.parametrize(
    ("mode", "preset", "place"),
    [
        ("cloud", "local-first", "cloud"),
        ("device", "cloud-first", "device"),
        ("auto", "cloud-first", "cloud"),
        ("cloud", "local-only", "device"),
    ],
)
async def test_a_message_is_answered_where_its_mode_says(hybrid: MakeRoom, mode: str, preset: str, place: str) -> None:
    """Within what the policy allows."""
    policy = PolicySettings.model_validate({"preset": preset})
    room, page = await hybrid(policy=policy, agreed=Agreed(AZURE)), Page()
    await room.ask_and_wait(page, mode=mode)
    assert page.receipts[-1]["receipt"]["place"] == place


async def test_the_mode_stays_with_question_and_thread(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """An edit and another try keep the question's own; the page is given the thread's last one."""
    room, page = await hybrid(policy=PolicySettings(preset="cloud-first"), agreed=Agreed(AZURE)), Page()
    first = await room.ask(page, mode="device")
    await page.until_told("task_end")
    await room.ask_and_wait(page, "Two?", first=False, mode="cloud")
    await room.conversations.offer_modes(page, room.thread_id)
    assert page.picker == {"auto": False, "device": False, "cloud": True}
    assert len(cloud.requests) == 1
    answer = await room.edit_and_wait(page, first, "One, again?")
    assert [each["receipt"]["place"] for each in page.receipts] == ["device"]
    before = page.count("task_end")
    await room.conversations.try_again(page, room.thread_id, answer.id, room.user_id)
    await page.until_told("task_end", before + 2)
    assert [each["receipt"]["place"] for each in page.receipts] == ["device"]
    assert len(cloud.requests) == 1


async def test_a_new_chat_begins_with_the_policys_choice(hybrid: MakeRoom) -> None:
    """In the page's language."""
    room, page = await hybrid(), Page("ko")
    await room.conversations.offer_modes(page, None)
    assert page.picker == {"auto": True, "device": False, "cloud": False}
    assert [option["name"] for option in page.events[-1][1][0]["options"]] == ["자동", "이 기기", "클라우드"]


async def test_without_a_cloud_there_is_nothing_to_pick(room_with: MakeRoom, hybrid: MakeRoom) -> None:
    """None is configured, or the policy allows none."""
    for room in (await room_with("ok"), await hybrid(policy=PolicySettings(preset="local-only"))):
        page = Page()
        await room.conversations.offer_modes(page, None)
        assert page.events == [("set_modes", [])]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"mode": "device"}, {"mode": "device"}),
        ({"mode": "elsewhere", "x": 1}, {"mode": "auto"}),
        ({"mode": ["cloud"]}, {"mode": "auto"}),
        ("cloud", {"mode": "auto"}),
        (None, {}),
        ({}, {}),
    ],
)
def test_what_the_page_sends_is_checked(sent: object, stored: dict[str, str]) -> None:
    """A client's word is one of the modes, or the policy decides."""
    assert question_modes(sent) == stored
