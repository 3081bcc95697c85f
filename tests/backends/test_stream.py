"""Answers, whole and broken: what the consumer gets, and what is left behind."""

import asyncio
import tracemalloc

import pytest

from homeward.backends import Deadlines
from homeward.protocol.chat import Chunk, Usage
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
)
from tests.backends.asking import BRISK, EARLY, KEY, PROMPT, REQUEST, MakeBackend, Outcome, collect
from tests.backends.exchange import TEXT, WORDS
from tests.backends.fake_upstream import FakeUpstream

FIRST_WORDS = "".join(WORDS[:2])


async def assert_nothing_left(outcome: Outcome, upstream: FakeUpstream) -> None:
    """Invariants I2 and I5: every connection is closed, and the error tells nobody's secrets."""
    await upstream.until(lambda: upstream.running == 0 and upstream.open_connections == 0)
    error = outcome.error
    assert error is not None
    told = f"{error} {error.detail} {error!r}"
    assert not any(secret in told for secret in ("canary", "MARKER", PROMPT, KEY, "127.0.0.1"))
    assert error.__cause__ is None
    assert "'fake'" in error.message
    assert error.next_step


async def test_ok(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """Text in pieces, then the finish reason, then the usage; one request."""
    outcome = await collect(backend_for("ok"))
    assert outcome.error is None
    assert [chunk.text for chunk in outcome.chunks[:-2]] == list(WORDS)
    assert outcome.chunks[-2:] == [
        Chunk(finish_reason="stop"),
        Chunk(usage=Usage(prompt_tokens=7, completion_tokens=9)),
    ]
    assert upstream.calls == {"ok": 1}


@pytest.mark.parametrize(
    ("model", "chunks"),
    [
        ("zero-tokens", [Chunk(finish_reason="stop")]),
        ("usage-null", [Chunk(text=TEXT), Chunk(finish_reason="stop")]),
        ("split-bytes", [Chunk(text="Größe 😀"), Chunk(finish_reason="stop")]),
        ("line-separators", [Chunk(text="one\u2028two\u0085three"), Chunk(finish_reason="stop")]),
        (
            "azure",
            [
                Chunk(text=WORDS[0]),
                Chunk(text=WORDS[1]),
                Chunk(finish_reason="stop"),
                Chunk(usage=Usage(prompt_tokens=7, completion_tokens=9, cached_tokens=3)),
            ],
        ),
        (
            "thinking-reasoning",
            [Chunk(reasoning="Hm."), Chunk(text="Yes."), Chunk(finish_reason="stop")],
        ),
        (
            "thinking-reasoning_content",
            [Chunk(reasoning="Hm."), Chunk(text="Yes."), Chunk(finish_reason="stop")],
        ),
        (
            "json-200",
            [Chunk(text=TEXT, finish_reason="stop", usage=Usage(prompt_tokens=7, completion_tokens=9))],
        ),
        ("finish-length", [Chunk(text=WORDS[0]), Chunk(text=WORDS[1]), Chunk(finish_reason="length")]),
        ("finish-eos", [Chunk(text=WORDS[0]), Chunk(text=WORDS[1]), Chunk(finish_reason="stop")]),
    ],
)
async def test_dialects(backend_for: MakeBackend, model: str, chunks: list[Chunk]) -> None:
    """Whole answers as different servers send them; F38: no text and no usage are fine."""
    outcome = await collect(backend_for(model))
    assert outcome.error is None
    assert outcome.chunks == chunks


@pytest.mark.parametrize("model", ["no-done", "no-done-rst", "no-done-stall"])
async def test_finished_without_an_end(upstream: FakeUpstream, backend_for: MakeBackend, model: str) -> None:
    """An answer that is finished is whole, even if [DONE] does not come and the connection breaks."""
    outcome = await collect(backend_for(model, deadlines=BRISK))
    assert outcome.error is None
    assert outcome.text == FIRST_WORDS
    assert outcome.chunks[-1].finish_reason == "stop"
    await upstream.quiet()


@pytest.mark.parametrize(
    ("model", "kind", "text"),
    [
        # F6, F7
        ("half-event-rst", BackendDisconnectedError, FIRST_WORDS),
        ("half-event-fin", BackendDisconnectedError, FIRST_WORDS),
        ("half-event-chunked-fin", BackendDisconnectedError, FIRST_WORDS),
        ("silent-end", BackendDisconnectedError, FIRST_WORDS),
        ("done-without-finish", BackendDisconnectedError, FIRST_WORDS),
        ("finish-abort", BackendDisconnectedError, FIRST_WORDS),
        ("error-data", BackendDisconnectedError, FIRST_WORDS),
        ("error-data-done", BackendDisconnectedError, FIRST_WORDS),
        ("error-event", BackendDisconnectedError, FIRST_WORDS),
        ("error-text", BackendDisconnectedError, FIRST_WORDS),
        ("error-bare", BackendDisconnectedError, FIRST_WORDS),
        ("error-before", BackendDisconnectedError, ""),
        ("error-429", BackendStatusError, FIRST_WORDS),
        ("rst-before-headers", BackendDisconnectedError, ""),
        ("fin-before-headers", BackendDisconnectedError, ""),
        ("json-200-half", BackendDisconnectedError, ""),
        ("json-200-error", BackendDisconnectedError, ""),
        # F8, F9, F11
        ("malformed-json", BackendProtocolError, FIRST_WORDS),
        ("not-an-object", BackendProtocolError, FIRST_WORDS),
        ("html-200", BackendProtocolError, ""),
        ("json-200-strange", BackendProtocolError, ""),
        ("gzip", BackendProtocolError, ""),
        ("not-http", BackendProtocolError, ""),
        ("huge-line", BackendProtocolError, ""),
        ("huge-line-late", BackendProtocolError, FIRST_WORDS),
        ("huge-json-200", BackendProtocolError, ""),
    ],
)
async def test_broken(
    upstream: FakeUpstream, backend_for: MakeBackend, model: str, kind: type[BackendError], text: str
) -> None:
    """What came before is delivered, the half event is not, the error is of the right kind, nothing leaks."""
    outcome = await collect(backend_for(model))
    assert type(outcome.error) is kind
    assert outcome.text == text
    assert upstream.calls == {model: 1}
    await assert_nothing_left(outcome, upstream)


BEGIN = "deadline first token, 0.3 s"
GO_ON = "deadline event, 0.3 s"


@pytest.mark.parametrize(
    ("model", "deadlines", "detail", "text"),
    [
        ("no-headers", EARLY, BEGIN, ""),
        ("no-first-token-silence", EARLY, BEGIN, ""),
        ("no-first-token-comments", EARLY, BEGIN, ""),
        ("no-first-token-chunks", EARLY, BEGIN, ""),
        ("json-200-slow", EARLY, BEGIN, ""),
        ("stall-after-token", BRISK, GO_ON, FIRST_WORDS),
        ("stall-after-token-comments", BRISK, GO_ON, FIRST_WORDS),
        ("slow-loris", BRISK, GO_ON, FIRST_WORDS),
        ("no-headers", Deadlines(total_seconds=0.2), "deadline total, 0.2 s", ""),
        ("no-first-token-chunks", Deadlines(total_seconds=0.2), "deadline total, 0.2 s", ""),
        ("never-ends", Deadlines(total_seconds=0.5), "deadline total, 0.5 s", " and"),
    ],
)
async def test_deadlines(
    upstream: FakeUpstream, backend_for: MakeBackend, model: str, deadlines: Deadlines, detail: str, text: str
) -> None:
    """F10, F12: the deadline that passed is named; comments, empty chunks and single bytes do not prolong it."""
    outcome = await collect(backend_for(model, deadlines=deadlines))
    assert isinstance(outcome.error, BackendTimeoutError)
    assert outcome.error.detail == detail
    assert outcome.text.startswith(text)
    assert upstream.calls == {model: 1}
    await assert_nothing_left(outcome, upstream)


async def test_the_consumers_time_does_not_count(backend_for: MakeBackend) -> None:
    """The event deadline runs while the consumer waits, not while it works."""
    text = ""
    async with backend_for("ok-slow", deadlines=BRISK).open_stream(REQUEST) as stream:
        async for chunk in stream:
            text += chunk.text
            if text == WORDS[0]:
                await asyncio.sleep(0.5)
    assert text == TEXT * 4


async def test_huge_line_needs_no_memory(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """F11: 32 MB without a line end cost less than 10 MB, the upstream's own buffers included."""
    tracemalloc.start()
    try:
        outcome = await collect(backend_for("huge-line"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome.error, BackendProtocolError)
    assert peak < 10_000_000
    await upstream.quiet()


async def test_many_at_once(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """Good and bad answers side by side do not disturb each other, and nothing waits for a free place."""
    good, slow, bad = (
        [collect(backend_for(model)) for _ in range(40)] for model in ("ok", "ok-slow", "half-event-rst")
    )
    outcomes = await asyncio.gather(*good, *slow, *bad)
    assert [outcome.text for outcome in outcomes[:40]] == [TEXT] * 40
    assert [outcome.text for outcome in outcomes[40:80]] == [TEXT * 4] * 40
    assert all(isinstance(outcome.error, BackendDisconnectedError) for outcome in outcomes[80:])
    await upstream.quiet()


async def test_connections_are_used_again(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """An answer read to its end leaves its connection for the next one."""
    for _ in range(5):
        assert (await collect(backend_for("ok"))).text == TEXT
    assert upstream.connections == 1


async def test_nothing_is_remembered(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """No cookie comes back; the key, the model and the stream are asked for as they should be."""
    await collect(backend_for("ok"))
    await collect(backend_for("ok"))
    for asked in upstream.requests:
        assert asked.path == "/v1/chat/completions"
        assert "\r\ncookie:" not in asked.head.lower()
        assert f"\r\nAuthorization: Bearer {KEY}\r\n" in asked.head
        assert "\r\nAccept-Encoding: identity\r\n" in asked.head
        assert asked.body["stream"] is True
        assert asked.body["stream_options"] == {"include_usage": True}
        assert asked.body["messages"] == [{"role": "user", "content": PROMPT}]


async def test_a_deadline_for_this_request_alone(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """It stands in for the row's, and the error names it."""
    backend = backend_for("no-headers")
    with pytest.raises(BackendTimeoutError, match=r"begin its answer within 0\.1 s"):
        async with backend.open_stream(REQUEST, first_token_seconds=0.1) as stream:
            await anext(stream)
    await upstream.quiet()
