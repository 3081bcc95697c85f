"""F2, F18, F20 and F39 as the page sees them; I3: what is stored is what was shown, and says how it ended."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from homeward.chat.conversations import Conversations
from homeward.config import ChatSettings
from homeward.history import History, Step
from tests.backends.exchange import TEXT, WORDS
from tests.chat.conftest import Agreed, MakeRoom, Page, Room
from tests.faults.house import LONG_STORY, MakeHouse, kill
from tests.faults.world import FOUND, World

pytestmark = pytest.mark.timeout(120)

FIRST_WORDS = "".join(WORDS[:2])
UNATTENDED_SECONDS = 0.3


@pytest.fixture
async def room_of(world: World, tmp_path: Path) -> AsyncIterator[MakeRoom]:
    """A user with one thread before this world; what it stored is compared with what its pages showed."""
    async with await History.open(tmp_path / "history.db") as history:
        rooms: list[Room] = []

        async def make(**settings: Any) -> Room:
            conversations = Conversations(history, world.completer, ChatSettings(**settings), Agreed())
            user = await history.ensure_user("local")
            rooms.append(Room(history, conversations, user.id))
            return rooms[-1]

        yield make
        for room in rooms:
            await room.conversations.close(0)
            await check_history(room)


async def check_history(room: Room) -> None:
    """Invariant I3, and I1 for what is stored: every answer has ended in one of the ways."""
    steps = (await room.thread()).steps
    for step in steps:
        assert step.status != "streaming"
        if step.kind == "assistant":
            assert step.status in {"complete", "stopped", "interrupted", "failed"}
            assert bool(step.text) or step.status in {"stopped", "failed"}
            assert bool(step.metadata.get("problem")) == (step.status in {"interrupted", "failed"})


async def ended(page: Page, times: int = 1) -> None:
    await page.until_told("task_end", times)


def is_shown(page: Page, step: Step) -> bool:
    """Whether the page shows what is stored, once."""
    return [text for text in page.answers if text == step.text] == [step.text]


class TestBrokenOff:
    async def test_f02_the_page_keeps_what_was_said(self, world: World, house_of: MakeHouse, room_of: MakeRoom) -> None:
        """The real engine is killed in the middle: the text stays, with the reason; the next question is answered."""
        house = await house_of("ok")
        pid = await house.ready()
        room, page = await room_of(max_tokens=800), Page()
        await room.ask(page, LONG_STORY)
        await page.until_written(5)
        kill(pid)
        await ended(page)
        stored = await room.answer()
        assert stored.status == "interrupted"
        assert stored.text
        assert is_shown(page, stored)
        assert stored.metadata["problem"]["key"] == "upstream_disconnected"
        assert page.receipts[-1]["receipt"]["outcome"] == "interrupted"
        assert world.cloud.connections == 0
        await house.back(pid)
        await room.ask(page, "Hi", first=False)
        await page.until(lambda: len([answer for answer in page.answers if answer]) == 2)
        await room.conversations.stop(room.thread_id)

    async def test_f06_half_an_event_is_not_shown(self, world: World, room_of: MakeRoom) -> None:
        """Nor stored."""
        world.add_device("half-event-rst")
        room, page = await room_of(), Page()
        stored = await room.ask_and_wait(page)
        assert (stored.text, stored.status) == (FIRST_WORDS, "interrupted")
        assert is_shown(page, stored)

    async def test_f39_a_later_turn_stays_home_too(self, world: World, room_of: MakeRoom) -> None:
        """Home fails each time, the cloud is well and asked for: it never hears of this conversation."""
        world.add_device("status-500")
        world.add_cloud("ok")
        room, page = await room_of(), Page()
        assert (await room.ask_and_wait(page, FOUND, mode="cloud")).status == "failed"
        assert (await room.ask_and_wait(page, "And now?", first=False, mode="cloud")).status == "failed"
        assert world.cloud.connections == 0


class TestLeaving:
    async def test_f18_what_was_written_is_stored(self, world: World, room_of: MakeRoom) -> None:
        """The user presses stop."""
        world.add_device("never-ends")
        room, page = await room_of(), Page()
        await room.ask(page)
        await page.until_written(5)
        await room.conversations.stop(room.thread_id)
        await ended(page)
        stored = await room.answer()
        assert (stored.status, is_shown(page, stored)) == ("stopped", True)
        assert world.home.clients_left_early == 1

    async def test_f20_a_closed_tab_lets_the_answer_finish(self, world: World, room_of: MakeRoom) -> None:
        """It is written to its end though nobody looks, and is there once for whoever comes back."""
        world.add_device("ok-slow")
        room, page, later = await room_of(), Page(), Page()
        await room.ask(page)
        await page.until_written(5)
        writing = writer()
        room.conversations.detach(page, room.thread_id)
        await asyncio.wait({writing})
        stored = await room.answer()
        assert (stored.text, stored.status) == (TEXT * 4, "complete")
        assert await room.conversations.show(later, room.thread_id)
        assert is_shown(later, stored)

    async def test_f20_and_ends_it_when_nobody_comes_back(self, world: World, room_of: MakeRoom) -> None:
        """After a while that is a setting: stored as interrupted, with the reason; the upstream is let go."""
        world.add_device("never-ends")
        room, page, later = await room_of(unattended_seconds=UNATTENDED_SECONDS), Page(), Page()
        await room.ask(page)
        await page.until_written(5)
        writing = writer()
        room.conversations.detach(page, room.thread_id)
        await asyncio.wait({writing})
        stored = await room.answer()
        assert (stored.status, stored.metadata["problem"]["key"]) == ("interrupted", "unattended")
        assert world.home.clients_left_early == 1
        assert await room.conversations.show(later, room.thread_id)
        assert is_shown(later, stored)

    async def test_f20_a_tab_that_comes_back_goes_on(self, world: World, room_of: MakeRoom) -> None:
        """In the middle: it shows what there is, and then the rest, each word once."""
        world.add_device("ok-slow")
        room, page, later = await room_of(), Page(), Page()
        await room.ask(page)
        await page.until_written(5)
        room.conversations.detach(page, room.thread_id)
        assert await room.conversations.show(later, room.thread_id)
        await ended(later)
        stored = await room.answer()
        assert stored.text == TEXT * 4
        assert is_shown(later, stored)


def writer() -> asyncio.Task[Any]:
    """The task that writes the answer."""
    return next(task for task in asyncio.all_tasks() if task.get_name().startswith("answer "))
