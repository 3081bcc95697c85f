"""What the user is asked before anything leaves this device: nothing goes out before the answer, or without it."""

import asyncio
from uuid import UUID, uuid4

import pytest

from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.chat.conftest import SECONDS, Agreed, MakeRoom, Page

CLOUD_FIRST = PolicySettings(preset="cloud-first")
ASK = PrivacySettings(kinds={"phone": "ask", "email": "mask"})
PHONE = "Call me at 010-1234-5678 tomorrow."
EMAIL = "Write to kim.minsu@example.com please."


async def test_nothing_is_sent_before_consent(hybrid: MakeRoom, cloud: FakeUpstream, upstream: FakeUpstream) -> None:
    """The card stands in place of the answer; consent is kept, and the answer comes from there."""
    agreed = Agreed()
    room, page = await hybrid(policy=CLOUD_FIRST, agreed=agreed), Page()
    await room.ask(page)
    asked = await page.until_asked()
    assert asked["title"] == "May azure answer this?"
    assert (cloud.connections, upstream.connections, agreed.backends) == (0, 0, set())
    await room.decide(page, "agree")
    await page.until_told("task_end")
    assert agreed.backends == {"azure"}
    assert page.elements("Question") == []
    assert page.answers == [TEXT]
    assert [each["receipt"]["place"] for each in page.receipts] == ["cloud"]
    assert page.receipts[0]["receipt"]["bytes_out"] == sum(asked.raw_bytes for asked in cloud.requests) > 0
    assert await room.ask_and_wait(page, "And now?", first=False)
    assert len(cloud.requests) == 2  # not asked again


async def test_the_card_says_what_goes_where(hybrid: MakeRoom) -> None:
    """Backend, host, place, model, how much, what was found and how it goes, the cost, and what can't be seen."""
    room = await hybrid(policy=CLOUD_FIRST, privacy=ASK, agreed=Agreed(), system_prompt="Be brief.", max_tokens=1000)
    page = Page()
    await room.ask_and_wait(page, "Hello.", mode="device")
    await room.ask(page, f"{EMAIL} {PHONE}", first=False)
    asked = await page.until_asked()
    rows = {row["label"]: " ".join(row["sentences"]) for row in asked["rows"]}
    characters = len("Be brief." + "Hello." + TEXT + f"{EMAIL} {PHONE}")
    assert rows["Goes to"] == "azure at azure.example (the cloud)"
    assert rows["Model"] == "ok"
    assert rows["Is sent"] == (
        f"This message and the 2 before it in this chat, about {characters} characters in all. "
        "Homeward's instructions to the model go with it."
    )
    assert rows["Found in it"] == (
        "e-mail address: replaced by placeholders. phone number: you are asked about it next."
    )
    assert rows["May cost"].startswith("At most 0.004")
    assert "Names of people" in asked["limits"]["sentences"][0]
    assert "images" in asked["limits"]["sentences"][1]
    assert asked["agree"] == "Allow azure from now on"
    assert room.conversations.completer.backends["azure"].row.host == "azure.example"


async def test_the_card_in_korean(hybrid: MakeRoom) -> None:
    """In the language of each page that looks."""
    room, page, other = await hybrid(policy=CLOUD_FIRST), Page(), Page("ko")
    await room.ask(page)
    await page.until_asked()
    assert await room.conversations.show(other, room.thread_id)
    assert (await other.until_asked())["title"] == "azure에 물어봐도 될까요?"


async def test_answer_on_this_device_instead(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """No consent is kept, nothing is sent, and the device answers."""
    agreed = Agreed()
    room, page = await hybrid(policy=CLOUD_FIRST, agreed=agreed), Page()
    await room.ask(page)
    await room.decide(page, "device")
    await page.until_told("task_end")
    assert page.receipts[-1]["receipt"]["place"] == "device"
    assert "You asked for an answer on this device." in " ".join(page.receipts[-1]["why"])
    assert (cloud.connections, agreed.backends) == (0, set())


async def test_findings_are_asked_about_after_consent(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Both questions, one after the other; only then the words go out, as they are."""
    room, page = await hybrid(policy=CLOUD_FIRST, privacy=ASK), Page()
    await room.ask(page, PHONE)
    await room.decide(page, "agree")
    await page.until(lambda: [each["about"] for each in page.elements("Question")] == ["findings"])
    asked = page.elements("Question")[0]
    assert asked["title"] == "Send what was found to azure?"
    assert {"label": "Found in it", "sentences": ["phone number: sent as it is."]} in asked["rows"]
    assert cloud.connections == 0
    await room.decide(page, "agree")
    await page.until_told("task_end")
    assert cloud.requests[-1].body["messages"][-1]["content"] == PHONE
    assert page.receipts[-1]["findings"] == ["phone number"]
    await room.ask(page, "Thank you.", first=False)
    assert (await page.until_asked())["about"] == "findings"  # this time does not mean every time
    assert len(cloud.requests) == 1


async def test_findings_stay_when_the_user_says_so(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Asked about them, answered on this device."""
    room, page = await hybrid(policy=CLOUD_FIRST, privacy=ASK, agreed=Agreed("azure")), Page()
    await room.ask(page, PHONE)
    await room.decide(page, "device")
    await page.until_told("task_end")
    assert (page.receipts[-1]["receipt"]["place"], cloud.connections) == ("device", 0)


async def test_the_card_names_who_is_asked_where_the_first_one_fails(hybrid: MakeRoom) -> None:
    """What is agreed to is the whole way."""
    agreed = Agreed("azure", "openai")
    room, page = await hybrid(policy=CLOUD_FIRST, privacy=ASK, agreed=agreed, more={"openai": "ok"}), Page()
    await room.ask(page, PHONE)
    asked = await page.until_asked()
    assert {"label": "If that fails", "sentences": ["openai would be asked with the same text."]} in asked["rows"]


async def test_masked_findings_go_out_as_placeholders(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Nobody is asked about them; the receipt counts them."""
    room, page = await hybrid(policy=CLOUD_FIRST, privacy=ASK, agreed=Agreed("azure")), Page()
    await room.ask_and_wait(page, EMAIL)
    assert "kim.minsu" not in str(cloud.requests[-1].body)
    assert page.receipts[-1]["receipt"]["masked"] == 1


async def test_stop_ends_the_question(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Nothing is asked of anybody; the card is gone, and the next message is free."""
    room, page = await hybrid(policy=CLOUD_FIRST), Page()
    await room.ask(page)
    await page.until_asked()
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end")
    stored = await room.answer()
    assert (stored.status, stored.text) == ("stopped", "")
    assert page.elements("Question") == []
    assert not page.receipts[-1]["receipt"]["attempts"]
    assert page.receipts[-1]["offers"] == ["try_again", "try_with"]
    assert cloud.connections == 0


async def test_a_reload_finds_the_question_again_and_can_answer_it(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """It belongs to the answer, not to the page."""
    room, page, again = await hybrid(policy=CLOUD_FIRST), Page(), Page()
    await room.ask(page)
    await page.until_asked()
    room.conversations.detach(page, room.thread_id)
    assert await room.conversations.show(again, room.thread_id)
    assert again.events[-1] == ("task_start", {})
    await room.decide(again, "agree")
    await again.until_told("task_end")
    assert again.answers == [TEXT]
    assert len(cloud.requests) == 1


async def test_a_second_page_sees_that_it_is_answered(hybrid: MakeRoom) -> None:
    """The card goes away everywhere; pressing it late changes nothing."""
    room, page, other = await hybrid(policy=CLOUD_FIRST), Page(), Page()
    await room.ask(page)
    asked = await page.until_asked()
    assert await room.conversations.show(other, room.thread_id)
    await room.decide(page, "device")
    await other.until(lambda: other.elements("Question") == [])
    await page.until_told("task_end")
    await room.conversations.decide(other, room.thread_id, UUID(asked["id"]), "agree")
    assert other.toasts[-1] == "This question was answered already."
    await room.conversations.decide(other, room.thread_id, uuid4(), "agree")
    assert (await room.answer()).status == "complete"


@pytest.mark.parametrize("privacy", [PrivacySettings(), ASK])
async def test_a_question_that_nobody_looks_at_sends_nothing(
    hybrid: MakeRoom, cloud: FakeUpstream, privacy: PrivacySettings
) -> None:
    """It ends like an answer that nobody looks at."""
    room, page = await hybrid(policy=CLOUD_FIRST, privacy=privacy, unattended_seconds=0.2), Page()
    await room.ask(page, "Hello.")
    await page.until_asked()
    room.conversations.detach(page, room.thread_id)
    running = next(task for task in asyncio.all_tasks() if task.get_name().startswith("answer "))
    await asyncio.wait_for(asyncio.wait({running}), SECONDS)
    stored = await room.answer()
    assert (stored.status, stored.metadata["problem"]["key"]) == ("failed", "unattended")
    assert cloud.connections == 0


async def test_a_question_does_not_hold_up_the_end_of_the_program(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """However long the grace is."""
    room, page = await hybrid(policy=CLOUD_FIRST), Page()
    await room.ask(page)
    await page.until_asked()
    await asyncio.wait_for(room.conversations.close(3600), SECONDS)
    assert (await room.answer()).metadata["problem"]["key"] == "shutdown"
    assert cloud.connections == 0


async def test_consent_that_cannot_be_kept_is_none(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Where nothing changes although the user agreed, the plan stands as it was: nothing is sent there."""

    class Forgetful(Agreed):
        async def give(self, backend: str) -> None: ...

    room, page = await hybrid(policy=CLOUD_FIRST, agreed=Forgetful()), Page()
    await room.ask(page)
    await room.decide(page, "agree")
    await page.until_told("task_end")
    assert (page.receipts[-1]["receipt"]["place"], cloud.connections) == ("device", 0)


async def test_a_spent_budget_asks_nothing_and_sends_nothing(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Nobody is asked for what could not be sent anyway."""
    room, page = await hybrid(policy=CLOUD_FIRST, budget=BudgetSettings(month=0), agreed=Agreed("azure")), Page()
    await room.ask_and_wait(page)
    assert (page.receipts[-1]["receipt"]["place"], cloud.connections) == ("device", 0)
    assert "budget" in " ".join(page.receipts[-1]["why"])
