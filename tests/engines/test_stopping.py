"""How an engine with the fake child is ended: on demand, for idleness, for good, and with its parent."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from homeward.engines.engine import EngineState, wait_for
from homeward.engines.lifecycle import Rules
from homeward.engines.restart import RestartPolicy
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.errors import EngineClosedError, EngineStartError

from .conftest import fake_recipe
from .watching import alive, ask, gone, new_child, orphan_of, pid_of, state_of, until

pytestmark = pytest.mark.timeout(60)

EngineOf = Callable[..., SupervisedEngine]

_ONE_FAILURE_IS_ENOUGH = Rules(restart=RestartPolicy(failures=1))


class TestStop:
    async def test_stop_and_close_are_idempotent(self, engine_of: EngineOf) -> None:
        """Stopping what is stopped and closing what is closed returns at once."""
        engine = engine_of()
        await engine.stop()
        await engine.ensure_ready()
        await asyncio.gather(engine.stop(), engine.stop())
        assert state_of(engine) is EngineState.STOPPED
        await asyncio.gather(engine.close(), engine.close())
        await engine.stop()
        await engine.close()
        assert state_of(engine) is EngineState.CLOSED

    async def test_a_stopped_engine_starts_again(self, engine_of: EngineOf) -> None:
        """A stop is not for good, and no restart either."""
        engine = engine_of()
        await engine.ensure_ready()
        pid = pid_of(engine)
        await engine.stop()
        assert not alive(pid)
        await engine.ensure_ready()
        assert pid_of(engine) != pid
        assert engine.status.restarts == 0

    async def test_stop_during_start_aborts_it(self, engine_of: EngineOf) -> None:
        """The child goes, and who waited for it is told."""
        engine = engine_of("--silent")
        waiting = asyncio.create_task(engine.ensure_ready())
        status = await until(engine, lambda status: status.pid is not None)
        await engine.stop()
        with pytest.raises(EngineStartError, match="stopped before it was ready"):
            await waiting
        assert status.pid is not None
        assert not alive(status.pid)

    async def test_a_need_during_stop_waits_and_then_starts(self, engine_of: EngineOf) -> None:
        """The old child is gone before the new one comes."""
        engine = engine_of()
        await engine.ensure_ready()
        old = pid_of(engine)
        stopping = asyncio.create_task(engine.stop())
        await wait_for(engine, EngineState.STOPPING)
        await engine.ensure_ready()
        assert not alive(old)
        assert alive(pid_of(engine))
        await stopping

    async def test_after_close_everything_is_refused(self, engine_of: EngineOf) -> None:
        """Those who wait, those who come later, and the states that will never come."""
        engine = engine_of("--silent")
        waiting = asyncio.create_task(engine.ensure_ready())
        coming = asyncio.create_task(wait_for(engine, EngineState.READY))
        status = await until(engine, lambda status: status.pid is not None)
        await engine.close()
        for refused in (waiting, coming, engine.ensure_ready(), engine.lease().__aenter__()):
            with pytest.raises(EngineClosedError):
                await refused
        engine.suspect()
        assert status.pid is not None
        assert not alive(status.pid)

    async def test_close_of_an_engine_that_never_ran(self, engine_of: EngineOf) -> None:
        """Nothing to end."""
        engine = engine_of()
        await engine.close()
        assert state_of(engine) is EngineState.CLOSED

    async def test_a_child_is_asked_before_it_is_killed(self, engine_of: EngineOf) -> None:
        """A well-behaved child ends on SIGTERM, long before its grace is over."""
        engine = engine_of(grace_seconds=1000)
        await engine.ensure_ready()
        await engine.stop()
        assert state_of(engine) is EngineState.STOPPED

    async def test_a_child_that_ignores_sigterm_gets_its_full_grace_and_dies(self, engine_of: EngineOf) -> None:
        """SIGKILL follows SIGTERM, not sooner than promised."""
        engine = engine_of("--ignore-term", grace_seconds=0.7)
        await engine.ensure_ready()
        pid, began = pid_of(engine), asyncio.get_running_loop().time()
        await engine.stop()
        assert asyncio.get_running_loop().time() - began >= 0.7
        assert not alive(pid)

    async def test_no_grandchild_survives(self, engine_of: EngineOf) -> None:
        """A grandchild that ignores SIGTERM and holds the pipes open neither survives nor blocks the stop."""
        engine = engine_of("--fork")
        offspring = int(await ask(await engine.ensure_ready(), "/offspring"))
        assert alive(offspring)
        await engine.stop()
        await gone(offspring)
        assert not alive(offspring)

    async def test_a_forking_wrapper_takes_its_engine_along(self, engine_of: EngineOf) -> None:
        """The program that was started is a shell; the engine is its child, and stubborn."""
        command = f'"{sys.executable}" "{fake_recipe().command[1]}" --ignore-term; true'
        engine = engine_of(command=("/bin/sh", "-c", command))
        await engine.ensure_ready()
        [wrapped] = psutil.Process(pid_of(engine)).children()
        await engine.stop()
        await gone(wrapped.pid)
        assert not alive(wrapped.pid)

    async def test_a_grandchild_of_a_crashed_child_goes_too(self, engine_of: EngineOf) -> None:
        """The child died by itself; what it started is ended before the next one starts."""
        engine = engine_of("--fork")
        offspring = int(await ask(await engine.ensure_ready(), "/offspring"))
        pid = pid_of(engine)
        os.kill(pid, signal.SIGKILL)
        await new_child(engine, pid)
        await gone(offspring)
        assert not alive(offspring)

    async def test_nothing_stays_open(self, engine_of: EngineOf) -> None:
        """After a stop Homeward has as many open files as before the start."""
        engine = engine_of()
        await engine.ensure_ready()
        await engine.stop()
        before = psutil.Process().num_fds()
        await engine.ensure_ready()
        await engine.stop()
        assert psutil.Process().num_fds() == before

    async def test_a_cancelled_stop_goes_on(self, engine_of: EngineOf) -> None:
        """Who asked for the stop may leave; the child goes all the same."""
        engine = engine_of("--ignore-term", grace_seconds=0.3)
        await engine.ensure_ready()
        pid = pid_of(engine)
        stopping = asyncio.create_task(engine.stop())
        await wait_for(engine, EngineState.STOPPING)
        stopping.cancel()
        await wait_for(engine, EngineState.STOPPED)
        assert not alive(pid)


class TestLease:
    async def test_stop_waits_for_leases(self, engine_of: EngineOf) -> None:
        """A request that runs may finish; new ones wait for the next child."""
        engine = engine_of()
        async with AsyncExitStack() as users:
            address = await users.enter_async_context(engine.lease())
            old = pid_of(engine)
            stopping = asyncio.create_task(engine.stop())
            await wait_for(engine, EngineState.STOPPING)
            assert await ask(address, "/anything") == "ok"
            later = asyncio.create_task(engine.ensure_ready())
        await stopping
        assert (await later).url != address.url
        assert pid_of(engine) != old

    async def test_a_stop_does_not_wait_for_ever(self, engine_of: EngineOf) -> None:
        """Behind the deadline the child goes, lease or not."""
        engine = engine_of(rules=Rules(drain_seconds=0.2))
        async with engine.lease():
            pid = pid_of(engine)
            await engine.stop()
            assert not alive(pid)
            assert state_of(engine) is EngineState.STOPPED

    async def test_close_does_not_wait_for_leases(self, engine_of: EngineOf) -> None:
        """At the program's end whoever still streams has had their time."""
        engine = engine_of(rules=Rules(drain_seconds=1000))
        async with engine.lease():
            await engine.close()
            assert state_of(engine) is EngineState.CLOSED

    async def test_a_crash_ends_a_stop_that_waits_for_leases(self, engine_of: EngineOf) -> None:
        """There is nothing left to wait for."""
        engine = engine_of(rules=Rules(drain_seconds=1000))
        async with engine.lease():
            stopping = asyncio.create_task(engine.stop())
            await wait_for(engine, EngineState.STOPPING)
            os.kill(pid_of(engine), signal.SIGKILL)
            await stopping

    @pytest.mark.parametrize("ready", [False, True])
    async def test_a_caller_that_leaves_at_any_moment_holds_no_lease(self, engine_of: EngineOf, ready: bool) -> None:
        """Before it is answered, after, and between the answer and its learning of it: the stop need not wait."""
        engine = engine_of(rules=Rules(drain_seconds=1000))

        async def use() -> None:
            async with engine.lease():
                await asyncio.Event().wait()

        if ready:
            await engine.ensure_ready()
        for turns in range(12):
            user = asyncio.create_task(use())
            for _ in range(turns):
                await asyncio.sleep(0)  # one turn of the event loop
            user.cancel()
            await asyncio.wait({user})
        await engine.ensure_ready()
        await engine.stop()


class TestIdleUnload:
    async def test_an_unused_engine_is_unloaded(self, engine_of: EngineOf) -> None:
        """After its idle time the child goes, and the next need starts another."""
        engine = engine_of(rules=Rules(idle_seconds=0.2))
        await engine.ensure_ready()
        pid = pid_of(engine)
        await wait_for(engine, EngineState.STOPPED)
        assert not alive(pid)
        await engine.ensure_ready()
        assert engine.status.restarts == 0

    async def test_it_is_not_unloaded_in_use(self, engine_of: EngineOf) -> None:
        """The idle time begins when the last lease ends."""
        engine = engine_of(rules=Rules(idle_seconds=0.2))
        states: list[EngineState] = []

        async def watch() -> None:
            async for status in engine.changes():
                states.append(status.state)  # noqa: PERF401 — endless

        async with engine.lease(), asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.6):
                    await wait_for(engine, EngineState.STOPPING)
            watching.cancel()
        assert set(states) == {EngineState.READY}
        await wait_for(engine, EngineState.STOPPED)

    async def test_zero_disables_it(self, engine_of: EngineOf) -> None:
        """By default an engine stays."""
        engine = engine_of()
        await engine.ensure_ready()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await wait_for(engine, EngineState.STOPPING)


class TestOrphans:
    async def test_the_parents_sigkill_leaves_no_orphan(self) -> None:
        """Homeward is killed outright; its engine and the engine's own child go with it."""
        child = await orphan_of()
        await gone(child)
        assert not alive(child)

    async def test_the_end_of_stdin_ends_the_child_and_its_group(self) -> None:
        """The way that works on every system: no signal, only the pipe closes."""
        recipe = fake_recipe("--fork")
        child = await asyncio.create_subprocess_exec(
            *recipe.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b'{"api_key": "k"}\n')
        await child.stdout.readline()
        [offspring] = psutil.Process(child.pid).children()
        child.stdin.close()
        await child.wait()
        await gone(offspring.pid)
        assert child.returncode == -signal.SIGKILL
        assert not alive(offspring.pid)

    async def test_a_shutting_down_loop_takes_the_child_along(self) -> None:
        """`asyncio.run` cancels all tasks at its end; a forgotten engine does not stay behind."""
        pids: list[int] = []

        async def forgetful() -> None:
            engine = SupervisedEngine(fake_recipe())
            await engine.ensure_ready()
            pids.append(pid_of(engine))

        def run() -> bool:
            asyncio.run(forgetful())
            return alive(pids[0])  # asked in the same thread: its end would kill the child too

        assert not await asyncio.to_thread(run)
