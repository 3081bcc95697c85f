"""F37 and F39: what must not leave this device doesn't, whatever breaks; and no request takes everything down."""

import asyncio
import contextlib
from collections.abc import Iterator
from unittest.mock import patch

import msgspec
import pytest

from homeward.backends import credentials
from homeward.config import PolicySettings, PrivacySettings
from homeward.privacy import Report, Scanner
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import EngineStartError
from homeward.protocol.place import Place
from homeward.routing import Attempt, BackendView
from tests.backends.exchange import TEXT
from tests.completion.conftest import view_of
from tests.faults.behaviours import NEW_KEY
from tests.faults.world import FOUND, KEY, PROMPT, World

pytestmark = pytest.mark.timeout(60)

HOME_IS_DOWN = [
    "status-500",
    "status-503",
    "429-after-20",
    "rst-before-headers",
    "fin-before-headers",
    "html-200",
    "no-headers",
    "no-first-token-silence",
    "half-event-rst",
    "stall-after-token",
    "nobody there",
    "engine failed",
    "resting",
    "gone",
]
"""Ways in which a device does not answer; the last two are known before it is asked."""


class FailedEngine(contextlib.nullcontext[Address]):
    """An engine that does not get ready."""

    def __init__(self, _model: str) -> None:
        super().__init__(Address(url="", model=""))

    async def __aenter__(self) -> Address:
        raise EngineStartError("The engine did not start.", retry_after_seconds=30)


def bring_home_down(world: World, way: str) -> None:
    """A device that fails in this way, before a cloud that is well and that the user has agreed to."""
    locate = FailedEngine if way == "engine failed" else None
    backend = world.add_device(way, first_token_seconds=0.3, event_seconds=0.3, locate=locate)
    world.add_cloud("ok")
    if way == "nobody there":
        nowhere = Address(url="http://127.0.0.1:9/v1", model="ok")
        backend.locate = lambda _model: contextlib.nullcontext(nowhere)

    def views() -> Iterator[BackendView]:
        for each in world.backends.values():
            view = view_of(each)
            if each is backend and way == "resting":
                view = msgspec.structs.replace(view, state="resting", rests_seconds=20.0, reason="It failed lately.")
            if each is backend and way == "gone":
                view = msgspec.structs.replace(view, state="failed", reason="There is no model.")
            yield view

    world.views = views


def nothing_left(world: World) -> None:
    """Not one byte and not one connection; and no line in the log of what left."""
    assert world.cloud.connections == 0
    assert world.cloud.requests == []
    assert not world.audit_path.exists()
    assert all(client.answer.receipt.bytes_out == 0 for client in world.clients)


class TestHomeOnly:
    @pytest.mark.parametrize("mode", ["auto", "cloud"])
    @pytest.mark.parametrize("way", HOME_IS_DOWN)
    async def test_f39_findings_stay_home_when_home_is_down(self, world: World, way: str, mode: str) -> None:
        """An error, and nothing for the cloud; though it is well, agreed to, and asked for."""
        bring_home_down(world, way)
        client = await world.ask(FOUND, mode=mode)
        assert client.error is not None
        assert client.error.status in {502, 503, 504}
        nothing_left(world)

    @pytest.mark.parametrize("way", HOME_IS_DOWN)
    async def test_f39_local_only_means_that(self, world: World, way: str) -> None:
        """The words are harmless; the policy keeps them here."""
        world.policy = PolicySettings(preset="local-only")
        bring_home_down(world, way)
        client = await world.ask(PROMPT, mode="cloud")
        assert client.error is not None
        assert client.error.status in {502, 503, 504}
        nothing_left(world)

    @pytest.mark.parametrize("way", ["engine failed", "gone"])
    async def test_f39_with_home_gone_for_good_it_is_503(self, world: World, way: str) -> None:
        """A sentence that says why the cloud was not asked, or why home could not."""
        bring_home_down(world, way)
        client = await world.ask(FOUND)
        assert client.error is not None
        assert client.error.status == 503
        nothing_left(world)

    @pytest.mark.parametrize("way", HOME_IS_DOWN)
    async def test_f39_a_conversation_that_stays_home(self, world: World, way: str) -> None:
        """An earlier turn held findings; this one is harmless."""
        bring_home_down(world, way)
        await world.ask(stays_home=True, mode="cloud")
        nothing_left(world)

    async def test_f39_the_cloud_chosen_by_name_is_not_asked_either(self, world: World) -> None:
        """Whatever the user clicked: findings first."""
        bring_home_down(world, "status-500")
        client = await world.ask(FOUND, backend="ok")
        assert client.code == "not_allowed"
        nothing_left(world)

    async def test_f39_hedging_asks_nobody_outside(self, world: World) -> None:
        """The device is late, and the next one would be the cloud."""
        world.policy = PolicySettings(places=("device", "cloud"), hedge=True)
        bring_home_down(world, "no-headers")
        assert (await world.ask(FOUND)).code == "upstream_timeout"
        nothing_left(world)

    @pytest.mark.parametrize("found", ["system", "earlier turn", "answer", "file name"])
    async def test_f39_wherever_it_stands(self, world: World, found: str) -> None:
        """Each part of the request is looked at."""
        bring_home_down(world, "status-500")
        messages = {
            "system": (Message("system", FOUND), Message("user", PROMPT)),
            "earlier turn": (Message("user", FOUND), Message("assistant", "Yes."), Message("user", PROMPT)),
            "answer": (Message("user", "Hi"), Message("assistant", FOUND), Message("user", PROMPT)),
        }.get(found, (Message("user", PROMPT),))
        further = (FOUND,) if found == "file name" else ()
        answer = await world.completer.complete(ChatRequest(messages=messages, further=further))
        await world.client(answer).read()
        nothing_left(world)

    @pytest.mark.parametrize("failure", ["raises", "hangs", "sees a part"])
    async def test_f39_a_detector_that_fails(self, world: World, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What could not be looked at may hold anything."""
        bring_home_down(world, "status-500")
        find = Scanner.find
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def broken(self: Scanner, parts: object) -> Report:
            if failure == "raises":
                raise RuntimeError(PROMPT)
            if failure == "hangs":
                asyncio.run_coroutine_threadsafe(done.wait(), loop).result(60)
            report = find(self, parts)  # type: ignore[arg-type]
            return Report(tuple(msgspec.structs.replace(part, complete=False) for part in report.parts))

        monkeypatch.setattr(Scanner, "find", broken)
        monkeypatch.setattr("homeward.completion.firewall.SECONDS", 0.2)
        monkeypatch.setattr("homeward.completion.firewall.AT_ONCE_CHARACTERS", 0)
        client = await world.ask()
        done.set()
        assert client.error is not None
        assert client.answer.receipt.facts is not None
        assert not client.answer.receipt.facts.checked
        nothing_left(world)

    async def test_f39_a_plan_with_a_mistake_is_not_carried_out(self, world: World) -> None:
        """The last door: a plan that names a cloud for what stays home, or calls a cloud a device."""
        bring_home_down(world, "status-500")
        for place in (Place.CLOUD, Place.DEVICE):
            prepared = await world.completer.prepare(ChatRequest(messages=(Message("user", FOUND),)))
            wrong = msgspec.structs.replace(
                prepared.plan, attempts=(Attempt(backend="ok", place=place, reason="mistake"),)
            )
            answer = world.completer.begin(msgspec.structs.replace(prepared, plan=wrong))
            client = await world.client(answer).read()
            assert client.code == "no_backend"
        nothing_left(world)

    async def test_f39_masks_that_fail_send_nothing(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was to be replaced is still there at the second look."""
        world.privacy = PrivacySettings(kinds={"email": "mask"})
        world.add_cloud("ok")
        monkeypatch.setattr("homeward.completion.firewall.mask", lambda parts, *_: Unmasked(parts))
        assert (await world.ask(FOUND)).code == "findings"
        nothing_left(world)

    async def test_f39_a_log_that_cannot_be_written_sends_nothing(self, world: World) -> None:
        """What is not on record must not leave."""
        world.add_cloud("ok")
        world.audit_path.mkdir()
        assert (await world.ask()).code == "audit_unavailable"
        assert world.cloud.connections == 0
        world.audit_path.rmdir()


class Unmasked(msgspec.Struct):
    """What a mask that does nothing gives."""

    parts: object
    originals: dict[str, str] = {}


class TestKeys:
    async def test_f39_no_key_and_nothing_is_sent(self, world: World) -> None:
        """There is none to send it with."""
        world.add_device("status-500")
        world.add_cloud("ok", key="")
        with patch.object(credentials, "read_key", return_value=""):
            client = await world.ask()
        assert (client.code, client.asked) == ("upstream_key_missing", ["status-500", "ok"])
        assert world.cloud.connections == 0

    async def test_f39_a_key_that_was_rotated(self, world: World) -> None:
        """Refused once, during a failover; the new one is read when the rest is over. Neither is told to anybody."""
        world.add_device("status-500")
        backend = world.add_cloud("wants-the-new-key", key="")
        with patch.object(credentials, "read_key", side_effect=[KEY, NEW_KEY]):
            first = await world.ask()
            assert first.error is not None
            assert (first.code, first.error.status) == ("upstream_status", 502)
            assert len(world.cloud.requests) == 1
            assert (await world.ask()).asked == ["status-500"] * 2
            assert len(world.cloud.requests) == 1
            world.clock.jump(backend.health.rests_seconds())
            assert (await world.ask()).text == TEXT
        assert f"Bearer {NEW_KEY}" in world.cloud.requests[-1].head

    async def test_f39_findings_with_a_rotated_key(self, world: World) -> None:
        """The key is not even tried."""
        world.add_device("status-500")
        world.add_cloud("wants-the-new-key")
        await world.ask(FOUND)
        nothing_left(world)


class TestFatalRequest:
    async def test_f37_an_engine_is_asked_twice_at_most(self, world: World) -> None:
        """It may have been the request's doing."""
        world.add_device("rst-before-headers", restarts=True)
        client = await world.ask()
        assert (client.code, client.asked) == ("engine_error", ["rst-before-headers"] * 2)
        assert world.home.calls["rst-before-headers"] == 2

    async def test_f37_the_last_healthy_one_is_spared(self, world: World) -> None:
        """Two engines fell under it: the third one is not tried, wherever it is."""
        world.add_device("rst-before-headers", "one", restarts=True)
        world.add_device("rst-before-headers", "two", restarts=True)
        world.add_device("ok", "last", restarts=True)
        world.add_cloud("ok")
        client = await world.ask()
        assert (client.code, client.asked) == ("engine_error", ["one", "two"])
        assert world.home.calls["ok"] == 0
        assert world.cloud.connections == 0

    async def test_f37_what_comes_after_it_is_served(self, world: World) -> None:
        """The next request finds the engine standing again."""
        behaviours = iter(["rst-before-headers", "rst-before-headers", "ok"])

        def locate(_model: str) -> contextlib.AbstractAsyncContextManager[Address]:
            return contextlib.nullcontext(Address(url=world.home.base_url, model=next(behaviours)))

        world.add_device("engine", locate=locate, restarts=True)
        assert (await world.ask()).code == "engine_error"
        assert (await world.ask()).text == TEXT
