"""The owner of one child process: one task that alone decides and acts; all others send it messages.

`lifecycle` decides what happens next, `launch` starts, `child_process` ends; this module carries messages
between them and the callers. A decision and its actions happen without a pause in between, so no caller
sees half of one.

Use it from the event loop of the main thread (why: `child`).
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from datetime import UTC, datetime

import msgspec
import structlog

from homeward.engines import events as ev
from homeward.engines.child_process import ChildProcess
from homeward.engines.engine import EngineState, EngineStatus
from homeward.engines.launch import NotReadyError, Started, evidence, exit_words, launch
from homeward.engines.lifecycle import Life, decide, wakes_at
from homeward.engines.probe import answers
from homeward.engines.recipe import Recipe
from homeward.protocol.address import Address
from homeward.protocol.errors import EngineClosedError, EngineError, EngineStartError

_log = structlog.get_logger("homeward.engines")


class _Waiter(msgspec.Struct, frozen=True, eq=False):
    """A caller that waits for the address."""

    future: asyncio.Future[Address]
    lease: bool


class SupervisedEngine:
    """An `Engine` whose runtime is a child process, started as its recipe says. Making one starts nothing."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._life = Life()
        self._status = EngineStatus(name=recipe.name, state=self._life.state, since=datetime.now(UTC))
        self._inbox: asyncio.Queue[ev.Event] = asyncio.Queue()
        self._owner: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[_Waiter] = []
        self._end_waiters: list[asyncio.Future[None]] = []
        self._subscribers: set[asyncio.Queue[EngineStatus]] = set()
        self._suspected = asyncio.Event()
        self._answered = asyncio.Event()
        """Set by each probe that was answered; whoever waits for it clears it."""
        self._child: ChildProcess | None = None
        self._started: Started | None = None
        self._launching: asyncio.Task[None] | None = None
        self._clearing: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    # What callers say; the contract stands in `Engine`.

    @property
    def status(self) -> EngineStatus:
        """The engine at this instant."""
        return self._status

    async def changes(self) -> AsyncGenerator[EngineStatus, None]:
        """The status now, and then each new one, none left out; ends behind `closed`."""
        queue: asyncio.Queue[EngineStatus] = asyncio.Queue()
        queue.put_nowait(self._status)
        self._subscribers.add(queue)
        try:
            while True:
                status = await queue.get()
                yield status
                if status.state is EngineState.CLOSED:
                    return
        finally:
            self._subscribers.discard(queue)

    @contextlib.asynccontextmanager
    async def lease(self) -> AsyncIterator[Address]:
        """The address, for as long as the block lasts; the engine counts as in use."""
        address = await self._address(lease=True)
        try:
            yield address
        finally:
            self._post(ev.LeaseReturned())

    async def ensure_ready(self) -> Address:
        """The address, once the engine answers; starts it if need be."""
        return await self._address(lease=False)

    def suspect(self) -> None:
        """Have its health probed now; if it is bad, the engine is restarted."""
        self._suspected.set()

    async def examine(self) -> None:
        """Have its health probed now, and return when it has answered, or is no longer ready."""
        if self._status.state is not EngineState.READY:
            return
        self._answered.clear()
        self._suspected.set()
        answered = asyncio.create_task(self._answered.wait())
        left = asyncio.create_task(self._left_ready())
        try:
            await asyncio.wait({answered, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            answered.cancel()
            left.cancel()

    async def _left_ready(self) -> None:
        async with contextlib.aclosing(self.changes()) as changes:
            async for status in changes:
                if status.state is not EngineState.READY:
                    return

    async def stop(self) -> None:
        """End the child and wait until it is gone; leases may finish first."""
        await self._end_wanted(ev.StopWanted())

    async def close(self) -> None:
        """End the child for good and wait until it is gone."""
        await self._end_wanted(ev.CloseWanted())
        if self._owner is not None and self._owner is not asyncio.current_task():
            await asyncio.wait({self._owner, *self._tasks})

    async def _address(self, *, lease: bool) -> Address:
        future: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        self._waiters.append(_Waiter(future, lease))
        self._post(ev.ReadyWanted())
        try:
            return await future
        except asyncio.CancelledError:
            if lease and future.done() and not future.cancelled() and future.exception() is None:
                self._post(ev.LeaseReturned())  # granted, but the caller left before it knew
            raise

    async def _end_wanted(self, event: ev.StopWanted | ev.CloseWanted) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._end_waiters.append(future)
        self._post(event)
        await future
        await _done(self._clearing)

    # The owner.

    def _post(self, event: ev.Event) -> None:
        if self._life.state is EngineState.CLOSED:
            self._apply(event)  # the owner is gone: nothing can come between
            return
        self._inbox.put_nowait(event)
        if self._owner is None:
            self._owner = asyncio.create_task(self._own(), name=f"engine {self._recipe.name}")

    async def _own(self) -> None:
        try:
            while self._life.state is not EngineState.CLOSED:
                self._apply(await self._next_event())
            while not self._inbox.empty():
                self._apply(self._inbox.get_nowait())
        except Exception:
            _log.exception("engine.owner_failed", engine=self._recipe.name)
            raise
        finally:
            if self._life.state is not EngineState.CLOSED:  # the loop is shutting down, or a mistake of ours
                await self._abandon()

    async def _next_event(self) -> ev.Event:
        try:
            async with asyncio.timeout_at(wakes_at(self._life, self._recipe.rules)):
                return await self._inbox.get()
        except TimeoutError:
            return ev.Tick()

    def _apply(self, event: ev.Event) -> None:
        now = asyncio.get_running_loop().time()
        self._life, actions = decide(self._life, event, now, self._recipe.rules)
        for action in actions:
            self._perform(action)
        self._publish()

    def _perform(self, action: ev.Action) -> None:
        match action:
            case ev.Launch():
                self._launching = self._spawn(self._launch())
            case ev.Watch():
                self._suspected.clear()  # here and not in the task: a caller may suspect before it first runs
                self._watching = self._spawn(self._watch())
            case ev.End():
                self._spawn(self._end())
            case ev.Clear():
                self._clear()
            case ev.Answer():
                self._answer()
            case ev.Refuse():
                self._refuse(action)
            case ev.Confirm():
                for future in self._end_waiters:
                    if not future.done():
                        future.set_result(None)
                self._end_waiters.clear()

    def _answer(self) -> None:
        assert self._started is not None
        granted = 0
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_result(self._started.address)
                granted += waiter.lease
        self._waiters.clear()
        self._life, _ = decide(self._life, ev.LeasesGranted(granted), 0.0, self._recipe.rules)

    def _refuse(self, refusal: ev.Refuse) -> None:
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(self._error(refusal))
        self._waiters.clear()

    def _error(self, refusal: ev.Refuse) -> EngineError:
        failure = refusal.failure
        if failure is None:
            return EngineClosedError(f"The engine “{self._recipe.name}” was shut down.")
        return EngineStartError(
            failure.message,
            next_step=failure.next_step,
            detail=failure.detail,
            retry_after_seconds=refusal.retry_after_seconds,
        )

    def _publish(self) -> None:
        life, before = self._life, self._status
        status = EngineStatus(
            name=before.name,
            state=life.state,
            since=before.since if life.state is before.state else datetime.now(UTC),
            restarts=life.restarts,
            last_error=f"{life.failure.message} {life.failure.next_step}".strip() if life.failure else "",
            pid=self._child.pid if self._child is not None and life.occupied else None,
        )
        if status == before:
            return
        self._status = status
        _log.info("engine.status", engine=status.name, state=status.state, pid=status.pid)
        for queue in self._subscribers:
            queue.put_nowait(status)

    # The deeds: each a task of its own that ends with a message to the owner.

    def _spawn(self, deed: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(deed)
        self._tasks.add(task)
        task.add_done_callback(self._deed_done)
        return task

    def _deed_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("engine.mistake", engine=self._recipe.name, exc_info=error)

    async def _launch(self) -> None:
        await _done(self._clearing)
        try:
            self._started = await launch(self._recipe, self._note)
        except NotReadyError as error:
            self._child = None
            _log.warning("engine.start_failed", engine=self._recipe.name, detail=error.failure.detail)
            self._post(ev.LaunchFailed(error.failure, random.random()))  # noqa: S311 — jitter
        except Exception as error:  # whatever a recipe's own code does: those who wait must hear of it
            self._child = None
            failure = ev.Failure(message=f"The engine could not be started: {error!r}.", permanent=True)
            self._post(ev.LaunchFailed(failure))
            raise
        else:
            self._post(ev.Launched())

    def _note(self, child: ChildProcess) -> None:
        self._child = child
        self._publish()

    async def _watch(self) -> None:
        """Wait until the child ends by itself or its pulse is gone."""
        started = self._started
        assert started is not None
        exited = asyncio.create_task(started.child.exited.wait())
        silent = asyncio.create_task(self._pulse_lost(started))
        try:
            await asyncio.wait({exited, silent}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            exited.cancel()
            silent.cancel()
        name = self._recipe.name
        if started.child.exited.is_set():
            await started.child.last_words()
            message = f"The engine “{name}” ended unexpectedly ({exit_words(started.child.exit_code)})."
        else:
            message = f"The engine “{name}” no longer answered."
        detail = evidence(started.child)
        _log.warning("engine.failed", engine=name, reason=message, detail=detail)
        failure = ev.Failure(message=message, next_step="It is being restarted.", detail=detail)
        self._post(ev.ChildFailed(failure, random.random()))  # noqa: S311 — jitter

    async def _pulse_lost(self, started: Started) -> None:
        """Probe at each interval, or at once on suspicion; return when two probes in a row got no answer."""
        recipe = started.recipe
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(recipe.probe_interval_seconds):
                    await self._suspected.wait()
            self._suspected.clear()
            # the second chance is for us: a pause of our own loop can make a probe late
            if not await self._probe(started) and not await self._probe(started):
                return
            self._answered.set()

    async def _probe(self, started: Started) -> bool:
        return await answers(started.health_url, started.address.api_key, started.recipe.probe_timeout_seconds)

    async def _end(self) -> None:
        await _cancelled(self._watching, self._launching)
        await _done(self._clearing)
        child, self._child = self._child, None
        try:
            if child is not None:
                await child.end(self._recipe.grace_seconds)
        finally:
            self._post(ev.ChildEnded())

    def _clear(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            self._clearing = self._spawn(child.end(0))

    async def _abandon(self) -> None:
        self._life = Life(state=EngineState.CLOSED)
        self._perform(ev.Refuse(None))
        self._perform(ev.Confirm())
        await _cancelled(self._watching, self._launching)
        if self._child is not None:
            await self._child.end(0)
        self._publish()


async def _cancelled(*tasks: asyncio.Task[None] | None) -> None:
    for task in tasks:
        if task is not None:
            task.cancel()
            await _done(task)


async def _done(task: asyncio.Task[None] | None) -> None:
    if task is not None:  # asyncio.wait, because awaiting a task would hand our own cancellation on to it
        await asyncio.wait({task})
