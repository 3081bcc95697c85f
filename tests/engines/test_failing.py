"""What an engine does when its fake child crashes, hangs, or never gets ready."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from structlog.typing import EventDict

from homeward.engines.engine import EngineState, wait_for
from homeward.engines.lifecycle import Rules
from homeward.engines.restart import RestartPolicy
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.errors import EngineStartError

from .watching import alive, ask, new_child, pid_of, until

pytestmark = pytest.mark.timeout(60)

EngineOf = Callable[..., SupervisedEngine]

_ONE_FAILURE_IS_ENOUGH = Rules(restart=RestartPolicy(failures=1))


class TestFailure:
    async def test_a_crash_is_noticed_and_cured_without_a_request(
        self, engine_of: EngineOf, log: list[EventDict]
    ) -> None:
        """The child exits; the state says so, the log has its last line, and a new child comes by itself."""
        engine = engine_of()
        address = await engine.ensure_ready()
        pid = pid_of(engine)
        with pytest.raises(aiohttp.ClientError):
            await ask(address, "/crash")
        status = await until(engine, lambda status: bool(status.last_error))
        assert "exit code 7" in status.last_error
        assert status.pid is None
        assert await new_child(engine, pid) != pid
        assert engine.status.restarts == 1
        assert engine.status.last_error == ""
        [failure] = [entry for entry in log if entry["event"] == "engine.failed"]
        assert "about to crash" in failure["detail"]

    async def test_a_need_during_the_back_off_waits_for_the_restart(self, engine_of: EngineOf) -> None:
        """After a SIGKILL the next request works, a little later."""
        engine = engine_of()
        old = await engine.ensure_ready()
        os.kill(pid_of(engine), signal.SIGKILL)
        await wait_for(engine, EngineState.STARTING)
        new = await engine.ensure_ready()
        assert new.url != old.url
        assert await ask(new, "/anything") == "ok"

    async def test_a_stopped_process_is_found_out_on_suspicion(self, engine_of: EngineOf) -> None:
        """It accepts connections and never answers (F3); it is killed, and SIGCONT comes too late."""
        engine = engine_of(probe_timeout_seconds=0.2)
        await engine.ensure_ready()
        pid = pid_of(engine)
        os.kill(pid, signal.SIGSTOP)
        engine.suspect()
        status = await until(engine, lambda status: bool(status.last_error))
        assert "no longer answered" in status.last_error
        await new_child(engine, pid)
        assert not alive(pid)

    async def test_a_hanging_child_is_found_out_by_its_pulse(self, engine_of: EngineOf) -> None:
        """Nobody asks for it and nobody suspects it."""
        engine = engine_of(probe_interval_seconds=0.1, probe_timeout_seconds=0.5)
        address = await engine.ensure_ready()
        pid = pid_of(engine)
        await ask(address, "/mute")
        await new_child(engine, pid)
        assert not alive(pid)

    async def test_a_groundless_suspicion_changes_nothing(self, engine_of: EngineOf) -> None:
        """A child that answers its probe stays, also while it starts or is stopped."""
        engine = engine_of()
        engine.suspect()
        await engine.ensure_ready()
        pid = pid_of(engine)
        engine.suspect()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await wait_for(engine, EngineState.STARTING)
        assert pid_of(engine) == pid

    async def test_endless_output_does_no_harm(self, engine_of: EngineOf, log: list[EventDict]) -> None:
        """A child that prints without end works and stops like another; the log takes some lines only."""
        engine = engine_of("--chatter")
        address = await engine.ensure_ready()
        assert await ask(address, "/anything") == "ok"
        await engine.stop()
        assert len([entry for entry in log if entry["event"] == "engine.output"]) < 500


class TestGivingUp:
    async def test_five_failed_starts_are_enough(self, engine_of: EngineOf, tmp_path: Path) -> None:
        """An engine that always exits is tried five times; then requests learn when to come back."""
        count = tmp_path / "starts"
        engine = engine_of("--die", "1", "--count", str(count))
        with pytest.raises(EngineStartError):
            await engine.ensure_ready()
        status = await wait_for(engine, EngineState.FAILED)
        assert count.read_text() == "xxxxx"
        assert "exit code 1" in status.last_error
        with pytest.raises(EngineStartError, match="failed 5 times") as caught:
            await engine.ensure_ready()
        assert 50 < (caught.value.retry_after_seconds or 0) <= 60
        assert "the model is not to my taste" in caught.value.detail
        assert count.read_text() == "xxxxx"

    async def test_a_start_that_succeeds_in_time_is_ready(self, engine_of: EngineOf, tmp_path: Path) -> None:
        """The first caller learns of the failure at once; the engine gets ready without another word."""
        engine = engine_of("--die", "1", "--die-until", "2", "--count", str(tmp_path / "starts"))
        with pytest.raises(EngineStartError):
            await engine.ensure_ready()
        status = await wait_for(engine, EngineState.READY)
        assert status.restarts == 2

    async def test_after_the_cool_down_it_is_tried_once_more(self, engine_of: EngineOf, tmp_path: Path) -> None:
        """Once, not five times, and only when somebody needs it."""
        policy = RestartPolicy(failures=2, first_delay_seconds=0.01, cool_down_seconds=0.1)
        count = tmp_path / "starts"
        engine = engine_of("--die", "1", "--count", str(count), rules=Rules(restart=policy))
        with pytest.raises(EngineStartError):
            await engine.ensure_ready()
        await wait_for(engine, EngineState.FAILED)
        with pytest.raises(EngineStartError) as caught:
            await engine.ensure_ready()
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(caught.value.retry_after_seconds or 0, over.set)
        await over.wait()
        with pytest.raises(EngineStartError):
            await engine.ensure_ready()
        await wait_for(engine, EngineState.FAILED)
        assert count.read_text() == "xxx"

    async def test_a_stop_forgets_the_failures(self, engine_of: EngineOf, tmp_path: Path) -> None:
        """Stop and start is how a user says: try again now."""
        count = str(tmp_path / "starts")
        engine = engine_of("--die", "1", "--die-until", "1", "--count", count, rules=_ONE_FAILURE_IS_ENOUGH)
        with pytest.raises(EngineStartError):
            await engine.ensure_ready()
        await wait_for(engine, EngineState.FAILED)
        await engine.stop()
        assert (await engine.ensure_ready()).model == "fake-model"
