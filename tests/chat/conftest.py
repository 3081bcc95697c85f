"""A room to talk in: pages that remember what they were told, a user with a thread, models on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.chat.conversations import Conversations
from homeward.chat.texts import Language
from homeward.completion import Books, Completer, Firewall, Rules
from homeward.config import BudgetSettings, ChatSettings, PolicySettings, PrivacySettings
from homeward.history import History, Step, Thread
from homeward.observability.audit import Audit
from homeward.observability.spend import Spend
from homeward.protocol.address import Address
from homeward.protocol.place import Place
from homeward.routing import Snapshot
from tests.backends.fake_upstream import FakeUpstream, serving
from tests.completion.conftest import SHORT, MakeCompleter, completer_of, upstream, view_of

__all__ = ["completer_of", "upstream"]

SECONDS = 10


class Page:
    """A viewer that remembers what it was told, as the browser's page does."""

    def __init__(self, language: Language = "en") -> None:
        self.language = language
        self.events: list[tuple[str, Any]] = []
        self.steps: dict[str, dict[str, Any]] = {}
        self.shown: dict[str, dict[str, Any]] = {}
        """Elements by id."""
        self._news = asyncio.Condition()

    async def emit(self, event: str, data: Any) -> None:
        """Take one event, and keep steps and elements as the page would show them."""
        self.events.append((event, data))
        if event in ("new_message", "stream_start"):
            self.steps.setdefault(data["id"], {}).update(data)
        elif event == "update_message" and data["id"] in self.steps:
            self.steps[data["id"]].update(data)
        elif event == "delete_message":
            self.steps.pop(data["id"], None)
        elif event == "stream_token" and data["id"] in self.steps:
            self.steps[data["id"]]["output"] += data["token"]
        elif event == "resume_thread":
            self.steps = {step["id"]: dict(step) for step in data["steps"]}
            self.shown = {element["id"]: element for element in data["elements"]}
        elif event == "element":
            self.shown[data["id"]] = data
        elif event == "remove_element":
            self.shown.pop(data["id"], None)
        async with self._news:
            self._news.notify_all()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that an event brings."""
        async with asyncio.timeout(SECONDS), self._news:
            await self._news.wait_for(condition)

    async def until_told(self, event: str, times: int = 1) -> None:
        """Wait until an event came so often."""
        await self.until(lambda: self.count(event) >= times)

    async def until_written(self, characters: int = 1) -> None:
        """Wait until an answer shows some text."""
        await self.until(lambda: any(len(answer) >= characters for answer in self.answers))

    async def until_asked(self) -> dict[str, Any]:
        """Wait for the card that asks before anything leaves; what it shows."""
        await self.until(lambda: self.elements("Question"))
        return self.elements("Question")[-1]

    def count(self, event: str) -> int:
        return sum(name == event for name, _ in self.events)

    @property
    def answers(self) -> list[str]:
        return [step["output"] for step in self.steps.values() if step["type"] == "assistant_message"]

    def elements(self, name: str) -> list[dict[str, Any]]:
        """The props of all elements of this name that are shown."""
        return [element["props"] for element in self.shown.values() if element["name"] == name]

    @property
    def receipts(self) -> list[dict[str, Any]]:
        return self.elements("Receipt")

    @property
    def toasts(self) -> list[str]:
        return [data["message"] for name, data in self.events if name == "toast"]

    @property
    def picker(self) -> dict[str, bool]:
        """The modes offered last, with which one is chosen."""
        (modes,) = [data for name, data in self.events if name == "set_modes"][-1:]
        return {option["id"]: option["default"] for mode in modes for option in mode["options"]}


class Agreed:
    """Consents, kept for the length of a test."""

    def __init__(self, *backends: str) -> None:
        self.backends = set(backends)

    async def give(self, backend: str) -> None:
        self.backends.add(backend)


class Room:
    """A user with one thread."""

    def __init__(self, history: History, conversations: Conversations, user_id: UUID) -> None:
        self.history = history
        self.conversations = conversations
        self.user_id = user_id
        self.thread_id = uuid4()

    async def ask(
        self, page: Page, text: str = "Tell me a story.", *, first: bool = True, mode: str | None = None
    ) -> UUID:
        modes = {"mode": mode} if mode else {}
        question = Step(id=uuid4(), thread_id=self.thread_id, kind="user", name="You", text=text, modes=modes)
        await self.conversations.ask(page, question, self.user_id, first=first)
        return question.id

    async def ask_and_wait(self, page: Page, text: str = "Tell me a story.", **more: Any) -> Step:
        """The stored answer."""
        before = page.count("task_end")
        await self.ask(page, text, **more)
        await page.until_told("task_end", before + 1)
        return await self.answer()

    async def edit_and_wait(self, page: Page, question_id: UUID, text: str) -> Step:
        """The new answer; the page is redrawn, with an end of its own, before it begins."""
        before = page.count("task_end")
        await self.conversations.edit(page, self.thread_id, question_id, text, self.user_id)
        await page.until_told("task_end", before + 2)
        return await self.answer()

    async def decide(self, page: Page, decision: Any) -> None:
        """Press a button of the card."""
        asked = await page.until_asked()
        await self.conversations.decide(page, self.thread_id, UUID(asked["id"]), decision)

    async def thread(self) -> Thread:
        thread = await self.history.get_thread(self.thread_id)
        assert thread is not None
        return thread

    async def answer(self) -> Step:
        return [step for step in (await self.thread()).steps if step.kind == "assistant"][-1]


MakeRoom = Callable[..., Any]


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    async with await History.open(tmp_path / "history.db") as opened:
        yield opened


@pytest.fixture
async def room_with(history: History, completer_of: MakeCompleter) -> AsyncIterator[MakeRoom]:
    """A room whose models behave as their names say, all on this device; or with a completer of the test's own."""
    opened: list[Conversations] = []

    async def make(
        *behaviours: str, completer: Completer | None = None, agreed: Agreed | None = None, **settings: Any
    ) -> Room:
        chosen = completer or completer_of(*behaviours)
        conversations = Conversations(history, chosen, ChatSettings(**settings), agreed or Agreed())
        opened.append(conversations)
        user = await history.ensure_user("local")
        return Room(history, conversations, user.id)

    yield make
    for conversations in opened:
        await conversations.close(0)


@pytest.fixture
async def cloud() -> AsyncIterator[FakeUpstream]:
    """Somebody else's machine, which counts what it is told."""
    async with serving(pace=0.01) as upstream:
        yield upstream


@pytest.fixture
async def hybrid(
    room_with: MakeRoom, upstream: FakeUpstream, cloud: FakeUpstream, tmp_path: Path
) -> AsyncIterator[MakeRoom]:
    """A room with the backend `home` on this device and the backend `azure` in the cloud."""
    async with Connections() as connections:
        audit = Audit(tmp_path / "audit.jsonl")

        async def make(
            device: str = "ok",
            away: str = "ok",
            *,
            agreed: Agreed | None = None,
            more: Mapping[str, str] | None = None,
            policy: PolicySettings | None = None,
            privacy: PrivacySettings | None = None,
            budget: BudgetSettings | None = None,
            **settings: Any,
        ) -> Room:
            consents = agreed if agreed is not None else Agreed()
            rows = {
                "home": (BackendRow(name="home", place=Place.DEVICE, deadlines=SHORT), upstream, device),
                **{
                    name: (
                        BackendRow(
                            name=name, place=Place.CLOUD, deadlines=SHORT, host=f"{name}.example", model=model,
                            input_price=1.0, output_price=4.0,
                        ),
                        cloud,
                        model,
                    )
                    for name, model in {"azure": away, **(more or {})}.items()
                },
            }  # fmt: skip
            backends = {
                name: Backend(row, fixed(Address(url=server.base_url, model=model)), connections)
                for name, (row, server, model) in rows.items()
            }

            def snapshot(*_: object) -> Snapshot:
                views = (
                    msgspec.structs.replace(
                        view_of(backend), consented=name in consents.backends, model=backend.row.model
                    )
                    for name, backend in backends.items()
                )
                return Snapshot(tuple(views))

            rules = Rules(
                policy or PolicySettings(), budget or BudgetSettings(), Firewall(privacy or PrivacySettings())
            )
            completer = Completer(backends, rules=rules, books=Books(audit, Spend()), snapshot=snapshot)
            room: Room = await room_with(completer=completer, agreed=consents, **settings)
            return room

        yield make
        await audit.close()
