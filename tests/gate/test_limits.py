"""How often a key may be used, and for how many requests at once (S22)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from homeward.gate import KeyGuard
from homeward.gate.keys import Key, Ring, digest_of, ring_of
from homeward.gate.limits import MINUTE, Usage
from homeward.protocol.key_use import NO_LIMITS, KeyLimits

EDITOR, NOTES = "hw-" + "e" * 43, "hw-" + "n" * 43
PATH = "/v1/chat/completions"


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def key(name: str, text: str, **limits: int) -> Key:
    return Key(
        name=name,
        digest=digest_of(text),
        scopes=("answers", "models"),
        created_at=datetime.now(UTC),
        limits=KeyLimits(**limits),
    )


def guarded(ring: Ring, clock: Clock, app: ASGIApp | None = None) -> Callable[..., Any]:
    """Asks an app behind the guard, in this loop."""

    async def answer(_request: Request) -> Response:
        return PlainTextResponse("It is so.")

    paths = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    guard = KeyGuard(app or paths, lambda: ring, required=False, clock=clock)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://127.0.0.1")

    async def ask(text: str = EDITOR, path: str = PATH) -> httpx.Response:
        return await client.post(path, headers={"authorization": f"Bearer {text}"})

    return ask


async def test_so_many_in_a_minute_and_no_more() -> None:
    """The next one is told when; as soon as that is, it is served."""
    clock = Clock()
    ask = guarded(ring_of([key("editor", EDITOR, requests_per_minute=3)]), clock)
    for step in range(3):
        clock.now = 1000.0 + 10 * step
        answer = await ask()
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-limit-requests"] == "3"
        assert answer.headers["x-ratelimit-remaining-requests"] == str(2 - step)
        assert answer.headers["x-ratelimit-reset-requests"] == "60.000s"
    clock.now = 1020.5
    refused = await ask()
    assert refused.status_code == 429
    error = refused.json()["error"]
    assert (error["code"], error["type"], error["param"]) == ("rate_limit_exceeded", "rate_limit_error", None)
    assert "3 per minute" in error["message"]
    assert refused.headers["retry-after"] == "40"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    clock.now += 39.4
    assert (await ask()).status_code == 429
    clock.now += 0.1
    assert (await ask()).status_code == 200
    assert (await ask()).status_code == 429


async def test_keys_are_counted_each_for_itself() -> None:
    """One that is used up says nothing about another, and one without limits is told of none."""
    ring = ring_of([key("editor", EDITOR, requests_per_minute=1), key("notes", NOTES)])
    ask = guarded(ring, Clock())
    assert [(await ask()).status_code for _ in range(2)] == [200, 429]
    for _ in range(5):
        answer = await ask(NOTES)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_what_is_refused_anyway_is_not_counted() -> None:
    """Nor is what is no business of a key's."""
    ask = guarded(ring_of([key("editor", EDITOR, requests_per_minute=1)]), Clock())
    assert (await ask("hw-wrong")).status_code == 401
    assert (await ask(path="/v1/embeddings")).status_code == 403
    for path in ("/healthz", "/readyz", "/status"):
        assert (await ask(path=path)).status_code == 200
    assert (await ask()).status_code == 200
    for path in ("/healthz", "/readyz"):
        assert (await ask(path=path)).status_code == 200


class Slow:
    """An app whose answers end when the test says so."""

    def __init__(self) -> None:
        self.running = 0
        self.more = asyncio.Condition()
        self.ends = asyncio.Event()
        self.fails = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with self.more:
            self.running += 1
            self.more.notify_all()
        await self.ends.wait()
        self.running -= 1
        if self.fails:
            raise ValueError("It fell.")
        await PlainTextResponse("It is so.")(scope, receive, send)


@asynccontextmanager
async def two_running(slow: Slow) -> AsyncIterator[tuple[Callable[..., Any], list["asyncio.Task[Any]"]]]:
    """Two requests of a key that may have two."""
    ask = guarded(ring_of([key("editor", EDITOR, at_once=2)]), Clock(), slow)
    tasks = [asyncio.create_task(ask()) for _ in range(2)]
    async with slow.more:
        await slow.more.wait_for(lambda: slow.running == 2)
    yield ask, tasks
    slow.ends.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_so_many_at_once_and_no_more() -> None:
    """As soon as one has ended, there is room."""
    slow = Slow()
    async with two_running(slow) as (ask, tasks):
        refused = await ask()
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limit_exceeded"
        assert "2 at once" in refused.json()["error"]["message"]
        assert int(refused.headers["retry-after"]) >= 1
        slow.ends.set()
        assert [each.status_code for each in await asyncio.gather(*tasks)] == [200, 200]
        assert (await ask()).status_code == 200


@pytest.mark.parametrize("way", ["fails", "leaves"])
async def test_one_that_ends_badly_has_ended(way: str) -> None:
    """Else a key would be shut for ever."""
    slow = Slow()
    async with two_running(slow) as (ask, tasks):
        if way == "fails":
            slow.fails = True
            slow.ends.set()
        else:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        slow.fails = False
        slow.ends.set()
        assert (await ask()).status_code == 200


async def test_limits_that_change_count_at_once() -> None:
    """What has been used stays used."""
    rings = [ring_of([key("editor", EDITOR, requests_per_minute=most)]) for most in (5, 5, 5, 2, 4)]
    ask_with = KeyGuard(
        Starlette(routes=[Route(PATH, answered, methods=["POST"])]), lambda: rings.pop(0), required=True
    )
    client = httpx.AsyncClient(transport=httpx.ASGITransport(ask_with), base_url="http://127.0.0.1")
    headers = {"authorization": f"Bearer {EDITOR}"}
    statuses = [(await client.post(PATH, headers=headers)).status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 200]


async def answered(_request: Request) -> Response:
    return PlainTextResponse("It is so.")


STEPS = st.integers(0, 40 * 64).map(lambda step: step / 64)  # sums of them are exact


@given(st.integers(1, 5), st.lists(STEPS, max_size=60))
def test_no_sixty_seconds_hold_more(most: int, steps: list[float]) -> None:
    """However they come; and who waits as long as he is told is served."""
    clock = Clock()
    usage = Usage(clock)
    limits = KeyLimits(requests_per_minute=most)
    served: list[float] = []
    for step in steps:
        clock.now += step
        refusal = usage.begin(limits)
        if refusal is None:
            usage.end()
            served.append(clock.now)
            continue
        seconds = int(dict(refusal.headers)[b"retry-after"])
        assert 1 <= seconds <= MINUTE
        clock.now += seconds
        assert usage.begin(limits) is None
        usage.end()
        served.append(clock.now)
    for first, last in zip(served, served[most:], strict=False):
        assert last - first >= MINUTE


def test_a_key_without_limits_takes_the_usual_ones() -> None:
    """Each for itself."""
    usual = KeyLimits(requests_per_minute=60, at_once=4)
    ring = ring_of([key("one", EDITOR, at_once=1), key("two", NOTES)], usual)
    assert [use.limits for _, use in ring.known] == [KeyLimits(requests_per_minute=60, at_once=1), usual]
    assert [use.limits for _, use in ring_of([key("two", NOTES)]).known] == [NO_LIMITS]
