"""The walk through a plan, and what its receipt says."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from homeward.completion import Ended, Said
from homeward.protocol.chat import ChatRequest, ImagePart, ImageUrl, Message, Sampling, TextPart
from homeward.protocol.errors import (
    BusyError,
    ContextLengthError,
    HomewardError,
    ImagesError,
    NoBackendError,
    NobodyAllowedError,
    NotAllowedError,
)
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.completion.conftest import REQUEST, MakeCompleter, read

PICTURE = ImagePart(ImageUrl("data:image/png;base64,iVBORw0KGgo="))
WITH_PICTURE = ChatRequest(messages=(Message("user", (TextPart("What is this?"), PICTURE)),))


async def test_an_answer_is_whole_and_its_receipt_true(completer_of: MakeCompleter) -> None:
    """Text, one last event, and every figure of the receipt."""
    answer = await completer_of("ok").complete(REQUEST)
    text, events = await read(answer)
    assert text == TEXT
    assert [event for event in events if isinstance(event, Ended)] == [events[-1]] == [Ended()]
    receipt = answer.receipt
    assert (receipt.outcome, receipt.place, receipt.backend, receipt.model) == ("complete", Place.DEVICE, "ok", "ok")
    assert (receipt.prompt_tokens, receipt.completion_tokens, receipt.finish_reason) == (7, 9, "stop")
    assert (receipt.reason, receipt.error, receipt.bytes_out) == ("place_order", "", 0)
    assert receipt.first_token_seconds is not None
    assert 0 < receipt.first_token_seconds <= receipt.total_seconds
    assert [(each.backend, each.error) for each in receipt.attempts] == [("ok", "")]


@pytest.mark.parametrize("first", ["status-500", "html-200", "rst-before-headers", "malformed-json", "no-headers"])
async def test_before_the_first_token_the_next_one_takes_over(
    completer_of: MakeCompleter, upstream: FakeUpstream, first: str
) -> None:
    """Each is asked once, and the receipt names both."""
    answer = await completer_of(first, "ok").complete(REQUEST)
    text, _ = await read(answer)
    if first == "malformed-json":  # it had said something: no second voice
        assert answer.receipt.outcome == "interrupted"
        assert upstream.calls["ok"] == 0
        return
    assert text == TEXT
    assert answer.receipt.outcome == "complete"
    assert [each.backend for each in answer.receipt.attempts] == [first, "ok"]
    assert answer.receipt.attempts[0].error.startswith("upstream_")
    assert upstream.calls[first] == upstream.calls["ok"] == 1


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("half-event-rst", "upstream_disconnected"),
        ("half-event-fin", "upstream_disconnected"),
        ("silent-end", "upstream_disconnected"),
        ("stall-after-token", "upstream_timeout"),
        ("error-data", "upstream_disconnected"),
    ],
)
async def test_after_the_first_token_an_error_interrupts(
    completer_of: MakeCompleter, upstream: FakeUpstream, behaviour: str, code: str
) -> None:
    """The text so far is kept, the next backend is never asked, and the last event says why."""
    answer = await completer_of(behaviour, "ok").complete(REQUEST)
    text, events = await read(answer)
    assert text
    assert TEXT.startswith(text)
    assert isinstance(events[-1], Ended)
    assert events[-1].error is not None
    assert events[-1].error.code == code
    assert (answer.receipt.outcome, answer.receipt.error) == ("interrupted", code)
    assert upstream.calls["ok"] == 0


async def test_when_all_fail_the_last_error_is_told(completer_of: MakeCompleter) -> None:
    """The answer failed, nothing was made anywhere, and both attempts stand in the receipt."""
    answer = await completer_of("status-500", "status-401").complete(REQUEST)
    text, _ = await read(answer)
    assert text == ""
    assert answer.receipt.outcome == "failed"
    assert answer.receipt.place is None
    assert [each.backend for each in answer.receipt.attempts] == ["status-500", "status-401"]


async def test_a_request_that_is_wrong_is_not_tried_elsewhere(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """Too long for one is told at once."""
    for behaviour in ("context-length", "status-400", "status-422"):
        answer = await completer_of(behaviour, "ok").complete(REQUEST)
        await read(answer)
        assert answer.receipt.outcome == "failed"
        assert len(answer.receipt.attempts) == 1
    assert upstream.calls["ok"] == 0


async def test_who_cannot_see_images_hands_on_to_who_may(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """That one model can't see says nothing about another, and nothing about its health."""
    completer = completer_of("cant-see-llama", "ok")
    answer = await completer.complete(WITH_PICTURE)
    text, _ = await read(answer)
    assert text == TEXT
    assert [each.error for each in answer.receipt.attempts] == ["images_not_supported", ""]
    alone = completer_of("cant-see-llama")
    for _ in range(9):  # more than it takes to be left alone
        answer = await alone.complete(WITH_PICTURE)
        await read(answer)
        assert isinstance(answer.error, ImagesError)
    assert upstream.calls["cant-see-llama"] == 10


async def test_an_empty_plan_says_why(completer_of: MakeCompleter) -> None:
    """Each dropped backend with its reason, and the next step."""
    view = BackendView(name="llama", place=Place.DEVICE, state="failed", reason="There is no model file.")
    completer = completer_of()
    completer.snapshot = lambda *_: Snapshot((view,))
    answer = await completer.complete(REQUEST)
    _, events = await read(answer)
    assert isinstance(events[-1], Ended)
    assert "There is no model file." in str(events[-1].error)
    assert [(each.backend, each.reason) for each in answer.receipt.dropped] == [("llama", "failed")]


def view(name: str, place: Place = Place.DEVICE, **fields: Any) -> BackendView:
    return BackendView(name=name, place=place, model="m", consented=True, **fields)


BUSY: dict[str, Any] = {"state": "resting", "rests_seconds": 7.0, "reason": "It is busy.", "busy": True}


@pytest.mark.parametrize(
    ("request_", "views", "kind", "said"),
    [
        (WITH_PICTURE, [view("llama", sees_images=False)], ImagesError, "llama/m: Its model can't see images."),
        (
            REQUEST,
            [view("azure", Place.NETWORK, context_tokens=1)],
            ContextLengthError,
            "no room for the conversation",
        ),
        (replace(REQUEST, places=()), [view("llama")], NobodyAllowedError, "llama/m: The request, or the key"),
        (REQUEST, [view("b", Place.BROWSER)], NotAllowedError, "b/m: You chose another one."),
        (REQUEST, [view("azure", Place.CLOUD, **BUSY)], BusyError, "azure/m: It is busy."),
        (REQUEST, [view("llama", state="failed", reason="No file.")], NoBackendError, "llama/m: No file."),
    ],
)
async def test_what_an_empty_plan_ends_in(
    completer_of: MakeCompleter,
    request_: ChatRequest,
    views: list[BackendView],
    kind: type[HomewardError],
    said: str,
) -> None:
    """Whose fault it is, so that clients know whether to try again; each one that was not asked is named."""
    completer = completer_of()
    completer.snapshot = lambda *_: Snapshot(tuple(views))
    answer = await completer.complete(request_)
    await read(answer)
    assert type(answer.error) is kind
    assert said in answer.error.message
    assert answer.error.next_step
    assert answer.error.retry_after_seconds == (7.0 if kind is BusyError else None)


async def test_closing_the_events_stops_the_generation(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The upstream sees that its client left, and the receipt says that it was stopped."""
    answer = await completer_of("never-ends").complete(REQUEST)
    async with aclosing(answer.events()) as events:
        async for event in events:
            if isinstance(event, Said):
                break
    await upstream.quiet()
    assert upstream.clients_left_early == 1
    assert answer.receipt.outcome == "stopped"


async def test_cancelling_the_reader_stops_the_generation(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """A cancellation is never taken for a failure."""
    answer = await completer_of("never-ends", "ok").complete(REQUEST)
    spoken = asyncio.Event()

    async def reader() -> None:
        async for event in answer.events():
            if isinstance(event, Said):
                spoken.set()

    task = asyncio.create_task(reader())
    await spoken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.quiet()
    assert answer.receipt.outcome == "stopped"
    assert upstream.calls["ok"] == 0


async def test_bytes_that_leave_the_machine_are_counted(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Exactly as many as the other side received, and none for this device."""
    cloud = await completer_of("ok", place=Place.CLOUD).complete(REQUEST)
    await read(cloud)
    assert cloud.receipt.bytes_out == upstream.requests[-1].raw_bytes
    home = await completer_of("ok").complete(REQUEST)
    await read(home)
    assert home.receipt.bytes_out == 0


async def test_oldest_turns_are_left_out_and_counted(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The receipt says how many, and the answer's limit leaves room."""
    turns = [Message("user" if number % 2 == 0 else "assistant", "word " * 40) for number in range(21)]
    request = ChatRequest(messages=(Message("system", "Be brief."), *turns), sampling=Sampling(max_tokens=500))
    answer = await completer_of("ok", context_tokens=1000).complete(request)
    await read(answer)
    sent = upstream.requests[-1].body["messages"]
    assert sent[0] == {"role": "system", "content": "Be brief."}
    assert sent[-1]["content"] == turns[-1].content
    assert answer.receipt.left_out_messages == len(request.messages) - len(sent) > 0
    assert upstream.requests[-1].body["max_tokens"] <= 500


async def test_a_message_that_never_fits_is_the_callers_error(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """Nothing is sent."""
    answer = await completer_of("ok", context_tokens=300).complete(
        ChatRequest(messages=(Message("user", "word " * 2000),))
    )
    await read(answer)
    assert answer.receipt.error == "context_length_exceeded"
    assert upstream.requests == []
