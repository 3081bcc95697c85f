"""A worker's connection to its keeper: what was told, and who waits for an answer."""

import asyncio
import socket
from collections.abc import Callable
from typing import TypeVar

from homeward.app.workers.channel import Channel
from homeward.app.workers.messages import (
    Drain,
    EndNow,
    EngineChanged,
    Failure,
    FromKeeper,
    FromWorker,
    HealthChanged,
    Question,
    Refused,
    ShelfChanged,
    SpendChanged,
    Start,
    Told,
)
from homeward.backends.health import HealthState
from homeward.engines.engine import EngineState, EngineStatus
from homeward.protocol.errors import OverloadedError

Answer = TypeVar("Answer", bound=Told)
Listener = Callable[[Told], None]


class Link:
    """For one event loop."""

    def __init__(self) -> None:
        self.healths: dict[str, HealthState] = {}
        self.engines: dict[str, EngineStatus] = {}
        self.spend = SpendChanged((0, 0), 0.0)
        self.stopping = asyncio.Event()
        """Set when running answers are to finish, also when the keeper is gone."""
        self.hurry = asyncio.Event()
        """Set when they are to end at once, also when the keeper is gone."""
        self.shelf_changed = asyncio.Event()
        """Set at each change; whoever waits for it clears it."""
        self._channel: Channel[FromKeeper, FromWorker] = Channel(FromKeeper, self._hear, self._gone)
        self._started: asyncio.Future[Start] = asyncio.get_running_loop().create_future()
        self._listeners: dict[int, Listener] = {}
        self._last_number = 0
        self._is_gone = False

    async def open(self, end: socket.socket) -> Start:
        """Talk over this socket; what the keeper says first. Raises OverloadedError: it is gone already."""
        await self._channel.open(end)
        return await self._started

    def close(self) -> None:
        """Say what is left to say, and end it."""
        self._channel.close()

    def send(self, message: FromWorker) -> None:
        """Say something that has no answer."""
        self._channel.send(message)

    async def ask(self, question: Question, answer: type[Answer]) -> Answer:
        """The answer. Raises HomewardError: it is refused, or the keeper is gone."""
        came: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def arrived(message: Told) -> None:
            if not came.done():
                came.set_result(message)

        self._listen(question.id, arrived)
        self.send(question)
        try:
            message = await came
        finally:
            self.forget(question.id)
        if isinstance(message, Refused):
            raise message.failure.error()
        assert isinstance(message, answer)
        return message

    def number(self) -> int:
        """For something new that is asked for."""
        self._last_number += 1
        return self._last_number

    def listen(self, listener: Listener) -> int:
        """The same, for what has several answers; each goes to the listener until it is forgotten."""
        number = self.number()
        self._listen(number, listener)
        return number

    def forget(self, number: int) -> None:
        """Pass over further answers."""
        self._listeners.pop(number, None)

    def _listen(self, number: int, listener: Listener) -> None:
        self._listeners[number] = listener
        if self._is_gone:
            listener(Refused(number, Failure.of(shutting_down())))

    def _hear(self, message: FromKeeper) -> None:
        match message:
            case HealthChanged(backend, state):
                self.healths[backend] = state
            case EngineChanged(model, status) if status.state is EngineState.CLOSED:
                self.engines.pop(model, None)
            case EngineChanged(model, status):
                self.engines[model] = status
            case SpendChanged():
                self.spend = message
            case ShelfChanged():
                self.shelf_changed.set()
            case Drain():
                self.stopping.set()
            case EndNow():
                self.stopping.set()
                self.hurry.set()
            case Start():
                self._started.set_result(message)
            case _:
                if listener := self._listeners.get(message.id):
                    listener(message)

    def _gone(self) -> None:
        self._is_gone = True
        self.stopping.set()
        self.hurry.set()
        if not self._started.done():
            self._started.set_exception(shutting_down())
        for number, listener in list(self._listeners.items()):
            listener(Refused(number, Failure.of(shutting_down())))


def shutting_down() -> OverloadedError:
    """For whoever asks a keeper that is gone."""
    return OverloadedError("Homeward is shutting down.", retry_after_seconds=5.0)
