"""The workers as their keeper sees them: started, given connections, replaced when they die, ended."""

import asyncio
import contextlib
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from random import Random

import structlog

from homeward.app.serve import CLOSE_SECONDS, first_of
from homeward.app.workers.channel import Channel
from homeward.app.workers.handover import NotTakenError, hand
from homeward.app.workers.holdings import Holdings
from homeward.app.workers.messages import Drain, EndNow, FromKeeper, FromWorker, Start
from homeward.app.workers.shared import Shared
from homeward.engines.restart import Again, RestartPolicy, after_failure, count_failure
from homeward.protocol.errors import HomewardError

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-P", "-m", "homeward.app.workers")
POLICY = RestartPolicy(steady_seconds=10)
START_SECONDS = 60.0
"""A worker that can't serve after so long is ended."""
EXIT_SECONDS = 5.0
"""How long a process may take to end that has nothing left to do."""
BACKLOG = 2048
PAUSE_SECONDS = 0.05
"""Where no worker takes a connection, or none can be accepted, until the next try."""


class Worker:
    """One worker process, from its start to its end."""

    def __init__(self, shared: Shared, serves: Callable[["Worker", bool], None]) -> None:
        """`serves` is called when it can be given connections, and when it no longer can."""
        self.way, self._its_way = socket.socketpair()
        """Where its connections go."""
        self.way.setblocking(False)
        self._shared = shared
        self._serves = serves
        self._gone = asyncio.Event()
        self._up = asyncio.Event()
        self._holdings = Holdings(shared, self.tell, self._serving)
        self._channel: Channel[FromWorker, FromKeeper] = Channel(FromWorker, self._holdings.hear, self._gone.set)

    @property
    def is_gone(self) -> bool:
        """Whether it can't be talked to any more."""
        return self._gone.is_set()

    def tell(self, message: FromKeeper) -> None:
        """Say something to it."""
        self._channel.send(message)

    async def live(self, start: Start) -> None:
        """Start it, and return when it has ended, however that was; what it held is free then."""
        ours, its_end = socket.socketpair()
        with its_end, self._its_way:
            descriptors = its_end.fileno(), self._its_way.fileno()
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *map(str, descriptors), pass_fds=descriptors, stdin=asyncio.subprocess.DEVNULL
            )
        try:
            await self._channel.open(ours)
            self.tell(start)
            for message in self._shared.now():
                self.tell(message)
            self._shared.listeners.add(self.tell)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    await first_of(self._up.wait(), self._gone.wait())
            if self._up.is_set():
                await self._gone.wait()
        finally:
            self._gone.set()
            self._shared.listeners.discard(self.tell)
            self._serving(False)
            self.way.close()
            self._channel.close()
            await self._holdings.end()
            await ended(process)
        log.info("worker.ended", pid=process.pid, status=process.returncode)

    def _serving(self, serving: bool) -> None:
        if serving:
            self._up.set()
        self._serves(self, serving)


async def ended(process: asyncio.subprocess.Process) -> None:
    """Return when it has ended; it is killed if it doesn't."""
    try:
        async with asyncio.timeout(EXIT_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Crew:
    """All workers of one gateway: so many places, each with one worker after the other.

    Connections are dealt out to them in turn.
    """

    def __init__(self, shared: Shared, start: Start, listening: socket.socket, size: int) -> None:
        """Each of `size` workers hears `start` first; clients come in at `listening`, which is bound."""
        self.listens = asyncio.Event()
        """Set once clients can come in: when all workers have been up at the same time."""
        self._shared = shared
        self._start = start
        self._listening = listening
        self._size = size
        self._serving: deque[Worker] = deque()
        """The next connection goes to the first one."""
        self._some_serve = asyncio.Event()
        self._all_serve = asyncio.Event()
        self._stopping = asyncio.Event()
        self._random = Random()  # noqa: S311 - jitter, not a secret

    async def work(self, stopping: asyncio.Event, hurry: asyncio.Event, drain_seconds: float) -> None:
        """Have them work until `stopping` is set; then let running answers finish for so long, or until `hurry` is set.

        Raises HomewardError: they end again and again.
        """
        dealing = asyncio.create_task(self._deal())
        stop = asyncio.create_task(stopping.wait())
        places = [asyncio.create_task(self._filled()) for _ in range(self._size)]
        try:
            await asyncio.wait({stop, dealing, *places}, return_when=asyncio.FIRST_COMPLETED)
            self._stopping.set()
            self._shared.end(Drain())
            patience = asyncio.sleep(drain_seconds + CLOSE_SECONDS + EXIT_SECONDS)
            await first_of(asyncio.wait(places), hurry.wait(), patience)
            self._shared.end(EndNow())
            await first_of(asyncio.wait(places), asyncio.sleep(CLOSE_SECONDS + EXIT_SECONDS))
        finally:
            dealing.cancel()
            stop.cancel()
            for place in places:
                place.cancel()
            await asyncio.wait({dealing, *places})
        for task in (dealing, *places):
            if not task.cancelled():
                task.result()

    async def _filled(self) -> None:
        """One place, with one worker after the other."""
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            await Worker(self._shared, self._serves).live(self._start)
            if self._stopping.is_set():
                return
            failures = count_failure(failures, time.monotonic() - began, POLICY)
            verdict = after_failure(failures, self._random.random(), POLICY)
            if not isinstance(verdict, Again):
                raise HomewardError(
                    "Homeward's workers end again and again, so it ended too.",
                    next_step="What they said stands above; `homeward gateway --workers 1` does without them.",
                )
            log.warning("worker.replaced", failures=failures, delay_seconds=round(verdict.delay_seconds, 1))
            await first_of(self._stopping.wait(), asyncio.sleep(verdict.delay_seconds))

    def _serves(self, worker: Worker, serves: bool) -> None:
        if serves:
            self._serving.append(worker)
        elif worker in self._serving and (worker.is_gone or not self._stopping.is_set()):
            self._serving.remove(worker)  # else all are ending, and say so themselves to who comes still
        if len(self._serving) == self._size:
            self._all_serve.set()
        if self._serving:
            self._some_serve.set()
        else:
            self._some_serve.clear()

    async def _deal(self) -> None:
        """Accept connections for ever, once all are up: else the first one would get all that come at the start."""
        await self._all_serve.wait()
        self._listening.setblocking(False)
        self._listening.listen(BACKLOG)
        self.listens.set()
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listening)
            except OSError as error:  # as when there are too many open files
                log.warning("connection.not_accepted", reason=error.strerror)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            with connection:
                await self._hand(connection)

    async def _hand(self, connection: socket.socket) -> None:
        while True:
            await self._some_serve.wait()
            for worker in list(self._serving):
                self._serving.rotate(-1)
                with contextlib.suppress(NotTakenError):
                    hand(connection, worker.way)
                    return
            await asyncio.sleep(PAUSE_SECONDS)
