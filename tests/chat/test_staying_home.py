"""A thread that held findings stays on this device, for all that happens in it later, and says so once."""

from typing import Any

from homeward.config import PolicySettings, PrivacySettings
from tests.backends.fake_upstream import FakeUpstream
from tests.chat.conftest import Agreed, MakeRoom, Page, Room

CLOUD_FIRST = PolicySettings(preset="cloud-first")
PHONE = "Call me at 010-1234-5678 tomorrow."
SAID = "Found in this chat: phone number. From now on it stays on this device."


async def at_home(hybrid: MakeRoom, page: Page, **more: Any) -> Room:
    """A room whose first question holds a phone number."""
    room: Room = await hybrid(policy=CLOUD_FIRST, agreed=Agreed("azure"), **more)
    await room.ask_and_wait(page, PHONE)
    return room


async def test_it_says_so_once(hybrid: MakeRoom) -> None:
    """Under the answer where it was noted, after a reload too."""
    page, later = Page(), Page("ko")
    room = await at_home(hybrid, page)
    await room.ask_and_wait(page, "Thank you.", first=False)
    assert [each["sentence"] for each in page.elements("Home")] == [SAID]
    assert await room.conversations.show(later, room.thread_id)
    assert [each["sentence"] for each in later.elements("Home")] == [
        "이 대화에서 발견된 것: 전화번호. 지금부터 이 대화는 이 기기에서만 처리합니다."
    ]


async def test_nothing_of_it_ever_leaves(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Later turns, the mode Cloud, another try, a chosen cloud, going on: all at home."""
    page = Page()
    room = await at_home(hybrid, page, device="finish-length")
    await room.ask_and_wait(page, "Thank you.", first=False, mode="cloud")
    answer = await room.answer()
    await room.conversations.try_with(page, room.thread_id, answer.id, "azure")
    await page.until_told("task_end", 3)
    await room.conversations.continue_answer(page, room.thread_id, answer.id, "azure")
    await page.until_told("task_end", 4)
    await room.conversations.try_again(page, room.thread_id, answer.id, room.user_id)
    await page.until_told("task_end", 6)
    assert cloud.connections == 0
    assert page.elements("Question") == []


async def test_it_stays_when_the_finding_is_edited_away(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """For good; and the page still says so, under the answer that there is then."""
    page, later = Page(), Page()
    room = await at_home(hybrid, page)
    question = (await room.thread()).steps[0].id
    await room.edit_and_wait(page, question, "Call me.")
    assert cloud.connections == 0
    assert [each["sentence"] for each in page.elements("Home")] == [SAID]
    assert await room.conversations.show(later, room.thread_id)
    assert [each["sentence"] for each in later.elements("Home")] == [SAID]
    assert "stays on this device" in " ".join(page.receipts[-1]["why"])


async def test_a_menu_says_why_a_cloud_is_out(hybrid: MakeRoom) -> None:
    """Disabled, with the reason."""
    page = Page()
    room = await at_home(hybrid, page)
    (azure,) = await room.conversations.others(room.thread_id, (await room.answer()).id, "try", "en")
    assert (azure["backend"], azure["state"]) == ("azure", "no")
    assert "stays on this device" in azure["note"]


async def test_what_may_leave_keeps_nothing_home(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Kinds that are masked or allowed don't mark the thread."""
    privacy = PrivacySettings(kinds={"phone": "allow"})
    page = Page()
    room = await at_home(hybrid, page, privacy=privacy)
    assert page.elements("Home") == []
    assert "stays_home" not in (await room.thread()).metadata
    assert len(cloud.requests) == 1


async def test_where_there_is_no_cloud_nothing_is_said(room_with: MakeRoom) -> None:
    """Everything stays here anyway."""
    room, page = await room_with("ok"), Page()
    await room.ask_and_wait(page, PHONE)
    assert page.elements("Home") == []
    assert "stays_home" not in (await room.thread()).metadata
