"""Try again with another backend: two answers side by side; continue with one: two models in one answer, marked."""

from uuid import UUID

from homeward.config import PolicySettings
from homeward.history import Step
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.chat.conftest import Agreed, MakeRoom, Page, Room


async def two_answers(room: Room, page: Page) -> tuple[Step, Step]:
    """An answer of this device, and one of `azure` beside it."""
    own = await room.ask_and_wait(page)
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    await page.until_told("task_end", 2)
    (beside,) = [step for step in (await room.thread()).steps if step.kind == "alternative"]
    return own, beside


async def test_another_answer_is_made_beside_the_first(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """Each with its receipt, on the page and after a reload; the model is told of its own question only."""
    room, page, later = await hybrid(device="finish-stop", agreed=Agreed("azure")), Page(), Page()
    own, beside = await two_answers(room, page)
    assert (own.parent_id, beside.text) == (beside.parent_id, TEXT)
    assert await room.conversations.show(later, room.thread_id)
    for shown in (page, later):
        places = {each["answer"]: each["receipt"]["place"] for each in shown.receipts}
        assert places == {str(own.id): "device", str(beside.id): "cloud"}
        assert shown.elements("Beside") == [
            {
                "answer": str(beside.id),
                "sentence": "Another answer. It is not part of the conversation.",
                "use": "Use this answer",
            }
        ]
    assert [message["role"] for message in cloud.requests[-1].body["messages"]] == ["system", "user"]


async def test_it_streams(hybrid: MakeRoom) -> None:
    """Every page sees it grow; a reload finds it, and stop ends it."""
    room, page, late = await hybrid(away="never-ends", agreed=Agreed("azure")), Page(), Page()
    own = await room.ask_and_wait(page)
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    await page.until(lambda: any(len(text) > 20 and text != own.text for text in page.answers))
    assert await room.conversations.show(late, room.thread_id)
    assert late.events[-1] == ("task_start", {})
    assert [each["writing"] for each in late.receipts] == [False, True]
    assert late.elements("Beside")[0]["use"] == ""
    await room.conversations.stop(room.thread_id)
    await late.until_told("task_end")
    assert late.elements("Beside")[0]["use"] == "Use this answer"


async def test_later_prompts_hold_the_conversations_own_answer(hybrid: MakeRoom, upstream: FakeUpstream) -> None:
    """Until the other one is chosen, which swaps the two; and swaps them back."""
    room, page = await hybrid(device="finish-stop", agreed=Agreed("azure")), Page()
    own, beside = await two_answers(room, page)
    assert own.text != beside.text
    for expected in (own.text, beside.text, own.text):
        await room.ask_and_wait(page, "And then?", first=False, mode="device")
        assert upstream.requests[-1].body["messages"][2]["content"] == expected
        await room.conversations.use(page, room.thread_id, beside.id)


async def test_choosing_swaps_texts_and_receipts(hybrid: MakeRoom) -> None:
    """On all pages, and on disk; ids and order stay."""
    room, page, other = await hybrid(device="finish-stop", agreed=Agreed("azure")), Page(), Page()
    own, beside = await two_answers(room, page)
    await room.ask_and_wait(page, "And then?", first=False)
    assert await room.conversations.show(other, room.thread_id)
    order = [step.id for step in (await room.thread()).steps]
    await room.conversations.use(page, room.thread_id, beside.id)
    for shown in (page, other):
        assert [shown.steps[str(each)]["output"] for each in (own.id, beside.id)] == [beside.text, own.text]
        places = {each["answer"]: each["receipt"]["place"] for each in shown.receipts}
        assert (places[str(own.id)], places[str(beside.id)]) == ("cloud", "device")
    assert [step.id for step in (await room.thread()).steps] == order


async def test_an_edit_drops_what_stands_beside_it_and_nothing_earlier(hybrid: MakeRoom) -> None:
    """Another answer belongs to its question."""
    room, page = await hybrid(agreed=Agreed("azure")), Page()
    first = await room.ask(page)
    await page.until_told("task_end")
    own = await room.answer()
    second = await room.ask(page, "Two?", first=False)
    await page.until_told("task_end", 2)
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    await page.until_told("task_end", 3)
    kinds = ["user", "run", "assistant", "user", "run", "assistant", "alternative"]
    for edited, expected in ((second, kinds), (first, kinds[:3])):
        before = {step.id for step in (await room.thread()).steps}
        await room.edit_and_wait(page, edited, "Again?")
        thread = await room.thread()
        assert sorted(step.kind for step in thread.steps) == sorted(expected)
        assert before != {step.id for step in thread.steps}


async def test_a_cloud_that_was_not_agreed_to_asks_first(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """The card stands in the place of the other answer; nothing is sent before."""
    agreed = Agreed()
    room, page = await hybrid(agreed=agreed), Page()
    own = await room.ask_and_wait(page)
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    await page.until_asked()
    assert cloud.connections == 0
    await room.decide(page, "agree")
    await page.until_told("task_end", 2)
    assert agreed.backends == {"azure"}
    assert len(cloud.requests) == 1


async def test_the_menu_lists_the_others(hybrid: MakeRoom) -> None:
    """Not the one that answered; those that would be asked about first say so, and so do those that can't be."""
    room, page = await hybrid(more={"openai": "ok"}, agreed=Agreed("azure")), Page()
    own = await room.ask_and_wait(page)
    listed = await room.conversations.others(room.thread_id, own.id, "try", "en")
    assert [(each["label"], each["where"], each["state"]) for each in listed] == [
        ("azure · ok", "the cloud", "ready"),
        ("openai · ok", "the cloud", "asks"),
    ]
    await room.ask_and_wait(page, "Two?", first=False, mode="cloud")
    listed = await room.conversations.others(room.thread_id, (await room.answer()).id, "try", "ko")
    assert [(each["label"], each["state"]) for each in listed] == [("이 기기", "ready"), ("openai · ok", "asks")]
    assert await room.conversations.others(room.thread_id, UUID(int=1), "try", "en") == []


async def test_the_menu_says_what_the_policy_forbids(hybrid: MakeRoom) -> None:
    """A choice doesn't go beyond it."""
    room, page = await hybrid(policy=PolicySettings(preset="local-only"), agreed=Agreed("azure")), Page()
    own = await room.ask_and_wait(page)
    (azure,) = await room.conversations.others(room.thread_id, own.id, "try", "en")
    assert (azure["state"], azure["note"]) == ("no", "Your policy doesn't allow this place.")


async def test_another_model_goes_on_and_a_line_says_so(hybrid: MakeRoom, cloud: FakeUpstream) -> None:
    """It gets the beginning as its own words; both receipts stand below; the prompt has no line in it."""
    room, page = await hybrid(device="half-event-rst", agreed=Agreed("azure"), away="never-ends"), Page("ko")
    own = await room.ask_and_wait(page)
    assert own.status == "interrupted"
    assert page.receipts[-1]["offers"] == ["continue_answer", "continue_with", "try_again", "try_with"]
    await room.conversations.continue_answer(page, room.thread_id, own.id, "azure")
    await page.until_written(len(own.text) + 60)
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end", 2)
    whole = await room.answer()
    line = "\n\n---\n\n*여기부터: azure · never-ends (클라우드)*\n\n"
    assert page.answers == [own.text + line + whole.text.removeprefix(own.text)]
    assert cloud.requests[-1].body["messages"][-1] == {"role": "assistant", "content": own.text}
    assert [each["receipt"]["place"] for each in page.receipts] == ["device", "cloud"]
    assert line not in [turn.text for turn in await room.history.turns(room.thread_id)][1]


async def test_a_policy_that_goes_on_elsewhere_is_marked_too(hybrid: MakeRoom) -> None:
    """Without a choice of the user's: what counts is who wrote."""
    room, page = await hybrid(away="finish-length", agreed=Agreed("azure")), Page()
    await room.ask_and_wait(page, mode="cloud")
    own = await room.answer()
    room.conversations.completer.rules = type(room.conversations.completer.rules)(
        PolicySettings(preset="local-only"),
        room.conversations.completer.rules.budget,
        room.conversations.completer.rules.firewall,
    )
    await room.conversations.continue_answer(page, room.thread_id, own.id)
    await page.until_told("task_end", 2)
    assert "*From here on: This device · ok*" in page.answers[0]


async def test_one_at_a_time(hybrid: MakeRoom) -> None:
    """Two clicks make one answer."""
    room, page = await hybrid(agreed=Agreed("azure"), away="never-ends"), Page()
    own = await room.ask_and_wait(page)
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    await room.conversations.try_with(page, room.thread_id, own.id, "azure")
    assert page.toasts[-1] == "An answer is still being written in this chat."
    await room.conversations.use(page, room.thread_id, own.id)
    assert page.toasts[-1] == "An answer is still being written in this chat."
    assert [step.kind for step in (await room.thread()).steps].count("alternative") == 1
