"""What Open WebUI is sent beyond OpenAI's protocol, and what its tasks may not do."""

import asyncio
from typing import Any

import pytest

from homeward.backends import Line
from homeward.config import PolicySettings
from tests.backends.exchange import TEXT
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import Gateway, gateway_over
from tests.gateway.test_chat import events_of

CHAT = {"X-Homeward-Client": "open-webui", "X-Task": ""}
CLOUD_FIRST = PolicySettings(preset="cloud-first")


def lines(text: str) -> list[tuple[str, bool]]:
    """The status lines above an answer."""
    said = [event["event"] for event in events_of(text) if event != "[DONE]" and "event" in event]
    assert all(set(event) == {"type", "data"} and event["type"] == "status" for event in said)
    return [(event["data"]["description"], event["data"]["done"]) for event in said]


async def test_who_answers_stands_above_the_answer(gateway: Gateway) -> None:
    """And the receipt in the tooltip of its counts."""
    gateway.headers = CHAT
    text = await gateway.stream(stream_options={"include_usage": True})
    assert lines(text)[-1] == (
        "This device: ok (ok). No rule matched, so the order of places in your policy counts.",
        True,
    )
    usage = events_of(text)[-2]["usage"]
    assert (usage["place"], usage["backend"], usage["bytes_that_left_this_machine"]) == ("device", "ok", 0)
    assert usage["receipt"] == str(gateway.receipt.id)
    assert usage["total_tokens"]


async def test_other_clients_see_none_of_it(gateway: Gateway) -> None:
    """Strict ones may break on it."""
    text = await gateway.stream(stream_options={"include_usage": True})
    assert lines(text) == []
    assert set(events_of(text)[-2]["usage"]) == {
        *("prompt_tokens", "completion_tokens", "total_tokens"),
        *("prompt_tokens_details", "completion_tokens_details"),
    }


@pytest.mark.parametrize(
    ("headers", "messages"),
    [
        ({"X-Homeward-Client": "open-webui", "X-Task": "title_generation"}, None),
        ({"X-Task": "tags_generation"}, None),
        ({"X-Homeward-Client": "open-webui"}, [{"role": "user", "content": "### Task:\nMake a title."}]),
    ],
)
async def test_its_tasks_never_leave_the_device(
    completer_of: MakeCompleter, upstream: FakeUpstream, headers: dict[str, str], messages: list[Any] | None
) -> None:
    """Whatever model they name, and whatever the policy says; without any line of status."""
    async with gateway_over(completer_of("ok", "ok-slow", cloud=["ok-slow"], policy=CLOUD_FIRST)) as gateway:
        gateway.headers = headers
        more: Any = {"messages": messages} if messages else {}
        status, body, _ = await gateway.post(**more)
        assert (status, body["choices"][0]["message"]["content"]) == (200, TEXT)
        assert upstream.requests[-1].body["max_tokens"] == 300
        await gateway.post(max_tokens=50, **more)
        assert upstream.requests[-1].body["max_tokens"] == 50
        status, body, _ = await gateway.post(model="ok-slow/ok-slow", **more)
        assert (status, body["error"]["code"]) == (400, "nobody_allowed")
        assert upstream.calls["ok-slow"] == 0


async def test_a_task_waits_until_nobody_else_does(completer_of: MakeCompleter) -> None:
    """Lowest priority: in line behind a chat that came later."""
    completer = completer_of("ok-slow", at_a_time=1)
    line = completer.backends["ok-slow"].line
    assert isinstance(line, Line)
    first, task, chat = line.turn(), line.turn(background=True), line.turn()
    assert (line.ahead_of(task), line.ahead_of(chat)) == (1, 0)
    first.end()
    assert (chat.has_come, task.has_come) == (True, False)
    chat.end()
    assert task.has_come
    task.end()


async def test_a_line_is_told_of(completer_of: MakeCompleter) -> None:
    """While it waits; it is done before the answer begins."""
    async with gateway_over(completer_of("ok", at_a_time=1)) as gateway:
        turn = gateway.completer.backends["ok"].line.turn()
        gateway.headers = CHAT
        answer = await gateway.http.post(
            f"{gateway.url}/chat/completions",
            json={"messages": [{"role": "user", "content": "x"}], "stream": True},
            headers=CHAT,
        )
        first = await answer.content.readuntil(b"\n\n")
        assert lines(first.decode()) == [("1 in line for ok", False)]
        turn.end()
        rest = (await answer.read()).decode()
        assert [done for _, done in lines(rest)][-1]
        assert events_of(rest)[-1] == "[DONE]"


async def test_waiting_that_ends_in_an_error_ends(completer_of: MakeCompleter) -> None:
    """Its line says so; it would go on shimmering."""
    async with gateway_over(completer_of("status-500", at_a_time=1)) as gateway:
        line = gateway.completer.backends["status-500"].line
        assert isinstance(line, Line)
        turn = line.turn()
        gateway.headers = CHAT
        asking = asyncio.create_task(gateway.stream())
        while not line.length:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        turn.end()
        text = await asking
    assert lines(text)[-1] == ("No answer", True)
    assert "error" in events_of(text)[-1]


async def test_a_conversation_that_is_too_long_is_trimmed_and_says_so(completer_of: MakeCompleter) -> None:
    """Its user would only see an error otherwise."""
    turns = [{"role": role, "content": "word " * 200} for role in ("user", "assistant") * 3]
    async with gateway_over(completer_of("ok", context_tokens=800)) as gateway:
        gateway.headers = CHAT
        text = await gateway.stream(messages=[*turns, {"role": "user", "content": "Go on."}])
    assert "older messages did not fit" in lines(text)[-1][0]
