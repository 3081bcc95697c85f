"""How an engine with the fake child gets ready, or does not."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from structlog.typing import EventDict

from homeward.engines.engine import EngineState
from homeward.engines.lifecycle import Rules
from homeward.engines.recipe import Recipe
from homeward.engines.restart import RestartPolicy
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.errors import EngineStartError

from .conftest import fake_recipe
from .watching import alive, ask, pid_of, state_of, until

pytestmark = pytest.mark.timeout(60)

EngineOf = Callable[..., SupervisedEngine]

_ONE_FAILURE_IS_ENOUGH = Rules(restart=RestartPolicy(failures=1))


class TestStart:
    async def test_the_first_need_starts_it_and_gives_its_address(self, engine_of: EngineOf) -> None:
        """Nothing runs until it is needed; then there is an address with URL, key and model."""
        engine = engine_of()
        assert state_of(engine) is EngineState.STOPPED
        assert engine.status.pid is None
        address = await engine.ensure_ready()
        assert address.url.startswith("http://127.0.0.1:")
        assert address.url.endswith("/v1")
        assert (address.model, address.context_tokens) == ("fake-model", 1000)
        assert await ask(address, "/anything") == "ok"
        assert state_of(engine) is EngineState.READY

    async def test_concurrent_callers_share_one_start(self, engine_of: EngineOf, tmp_path: Path) -> None:
        """Ten callers at once get the same address from one start."""
        engine = engine_of("--count", str(tmp_path / "starts"))
        addresses = await asyncio.gather(*(engine.ensure_ready() for _ in range(10)))
        assert len({address.url for address in addresses}) == 1
        assert (tmp_path / "starts").read_text() == "x"

    async def test_a_second_need_finds_it_ready(self, engine_of: EngineOf) -> None:
        """Once ready, the address stays the same."""
        engine = engine_of()
        assert await engine.ensure_ready() == await engine.ensure_ready()

    async def test_a_cancelled_caller_does_not_stop_the_start(self, engine_of: EngineOf) -> None:
        """The caller who set off the start leaves; the one who came later gets the engine all the same."""
        engine = engine_of()
        first = asyncio.create_task(engine.ensure_ready())
        await until(engine, lambda status: status.pid is not None)
        second = asyncio.create_task(engine.ensure_ready())
        first.cancel()
        assert (await second).model == "fake-model"
        assert first.cancelled()
        assert engine.status.restarts == 0

    async def test_each_start_has_its_own_key(self, engine_of: EngineOf) -> None:
        """A key that was good for the last child opens nothing on the next."""
        engine = engine_of()
        first = await engine.ensure_ready()
        await engine.stop()
        second = await engine.ensure_ready()
        assert len(first.api_key) >= 32
        assert first.api_key != second.api_key

    async def test_the_key_is_in_no_argument_and_no_variable(self, engine_of: EngineOf) -> None:
        """Other users of the machine can read a process's arguments, and its own children its environment."""
        engine = engine_of()
        key = (await engine.ensure_ready()).api_key
        child = psutil.Process(pid_of(engine))
        assert key not in " ".join(child.cmdline())
        assert key not in str(child.environ())

    async def test_the_child_gets_no_variables_that_it_has_no_use_for(
        self, engine_of: EngineOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Keys and proxies in Homeward's environment stay there, unless the recipe names them."""
        monkeypatch.setenv("API_KEY", "sk-canary-0000")
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
        engine = engine_of(environment=frozenset({"HTTPS_PROXY"}))
        await engine.ensure_ready()
        environment = psutil.Process(pid_of(engine)).environ()
        assert "API_KEY" not in environment
        assert environment["HTTPS_PROXY"] == "http://proxy.invalid"
        assert environment["PATH"] == os.environ["PATH"]

    async def test_preparation_completes_the_recipe(self, engine_of: EngineOf) -> None:
        """What `prepare` returns is what is started and told."""

        def prepare(recipe: Recipe) -> Recipe:
            return fake_recipe(name=recipe.name, context_tokens=77)

        engine = engine_of(prepare=prepare)
        assert (await engine.ensure_ready()).context_tokens == 77


class TestFailingStart:
    async def test_a_child_that_dies_while_starting_fails_at_once(self, engine_of: EngineOf) -> None:
        """No waiting for a deadline: exit code and last lines come with the error."""
        engine = engine_of("--die", "9", start_idle_seconds=1000, start_total_seconds=1000)
        with pytest.raises(EngineStartError, match="exit code 9") as caught:
            await engine.ensure_ready()
        assert "the model is not to my taste" in caught.value.detail
        assert caught.value.retry_after_seconds is not None
        assert caught.value.next_step

    async def test_a_child_that_says_why_is_quoted(self, engine_of: EngineOf) -> None:
        """The child's own sentence is the error's."""
        engine = engine_of("--refuse", "The disk is made of cheese.")
        with pytest.raises(EngineStartError, match=r"The disk is made of cheese\."):
            await engine.ensure_ready()
        assert "cheese" in engine.status.last_error

    async def test_all_who_wait_learn_of_the_failure(self, engine_of: EngineOf) -> None:
        """Each gets an error of its own."""
        engine = engine_of("--die", "1")
        waits = (engine.ensure_ready() for _ in range(3))
        errors = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(error) for error in errors] == [EngineStartError] * 3
        assert len({id(error) for error in errors}) == 3

    async def test_silence_while_starting_is_ended(self, engine_of: EngineOf) -> None:
        """A child that loads without a sign of life is killed."""
        engine = engine_of("--silent", start_idle_seconds=0.3, rules=_ONE_FAILURE_IS_ENOUGH)
        starting = asyncio.create_task(engine.ensure_ready())
        status = await until(engine, lambda status: status.pid is not None)
        with pytest.raises(EngineStartError, match=r"no sign of life for 0\.3 seconds"):
            await starting
        assert status.pid is not None
        assert not alive(status.pid)

    @pytest.mark.parametrize("where", [(), ("--report-progress",)])
    async def test_activity_prolongs_the_wait(self, engine_of: EngineOf, where: tuple[str, ...]) -> None:
        """Lines on stderr, or progress reports, keep a start alive for longer than its idle time."""
        engine = engine_of("--progress", "8", "0.25", *where, start_idle_seconds=1.5)
        assert (await engine.ensure_ready()).model == "fake-model"

    async def test_activity_does_not_prolong_it_for_ever(self, engine_of: EngineOf) -> None:
        """The total holds, however busy the child looks."""
        engine = engine_of("--progress", "1000", "0.05", start_total_seconds=1.0)
        with pytest.raises(EngineStartError, match="not ready after 1 seconds"):
            await engine.ensure_ready()

    async def test_a_child_that_does_not_answer_its_first_probe_is_not_ready(self, engine_of: EngineOf) -> None:
        """`listening` alone is not enough."""
        engine = engine_of("--health-status", "503", rules=_ONE_FAILURE_IS_ENOUGH)
        with pytest.raises(EngineStartError, match="did not answer"):
            await engine.ensure_ready()

    @pytest.mark.parametrize(
        "url",
        ["http://10.0.0.1:80", "https://127.0.0.1:80", "http://127.0.0.1:80/x", "http://[", "file:///etc"],
    )
    async def test_an_address_elsewhere_is_refused(self, engine_of: EngineOf, url: str) -> None:
        """A child cannot send prompts to another machine by naming it."""
        engine = engine_of("--url", url, rules=_ONE_FAILURE_IS_ENOUGH)
        with pytest.raises(EngineStartError, match="not on this machine"):
            await engine.ensure_ready()

    async def test_a_program_that_cannot_be_run(self, engine_of: EngineOf) -> None:
        """A missing program is a start error like others."""
        engine = engine_of(command=("/nonexistent/engine",), rules=_ONE_FAILURE_IS_ENOUGH)
        with pytest.raises(EngineStartError, match="could not be run"):
            await engine.ensure_ready()

    async def test_a_refused_preparation_starts_nothing_and_may_be_tried_again_at_once(
        self, engine_of: EngineOf, tmp_path: Path
    ) -> None:
        """What must change first is outside: no back-off, no retries, and no wait once it has changed."""
        model = tmp_path / "model"

        def prepare(recipe: Recipe) -> Recipe:
            if not model.exists():
                raise EngineStartError("There is no model.", next_step="Get one.")
            return recipe

        engine = engine_of("--count", str(tmp_path / "starts"), prepare=prepare)
        with pytest.raises(EngineStartError, match=r"There is no model\. Get one\.") as caught:
            await engine.ensure_ready()
        assert caught.value.retry_after_seconds is None
        assert state_of(engine) is EngineState.FAILED
        assert not (tmp_path / "starts").exists()
        model.touch()
        await engine.ensure_ready()
        assert engine.status.last_error == ""

    async def test_a_mistake_in_a_recipe_reaches_those_who_wait(
        self, engine_of: EngineOf, log: list[EventDict]
    ) -> None:
        """Whatever its code raises, nobody waits for ever, and the log has the whole story."""

        def prepare(recipe: Recipe) -> Recipe:
            raise KeyError(recipe.name)

        engine = engine_of(prepare=prepare)
        with pytest.raises(EngineStartError, match="KeyError"):
            await engine.ensure_ready()
        assert [entry["event"] for entry in log if entry["log_level"] == "error"] == ["engine.mistake"]
        engine = engine_of(settings={"not": object()})
        with pytest.raises(EngineStartError, match="TypeError"):
            await engine.ensure_ready()

    async def test_the_last_lines_are_harmless(self, engine_of: EngineOf, log: list[EventDict]) -> None:
        """Neither the key nor control characters reach the error or the log."""
        engine = engine_of("--leak")
        with pytest.raises(EngineStartError) as caught:
            await engine.ensure_ready()
        assert "key=[key] end" in caught.value.detail
        assert "\x1b" not in str(log)
        assert {
            "event": "engine.output",
            "engine": "fake",
            "line": "key=[key] end",
            "log_level": "debug",
        } in log

    async def test_what_is_no_report_is_taken_as_output(self, engine_of: EngineOf) -> None:
        """Native code may print on stdout; it confuses nobody."""
        engine = engine_of("--garbage")
        assert (await engine.ensure_ready()).model == "fake-model"
