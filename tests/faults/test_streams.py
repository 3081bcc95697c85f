"""F6 to F12 and F38: what a broken stream of the upstream becomes at the client."""

import tracemalloc

import pytest

from homeward.protocol.errors import HomewardError
from tests.backends.exchange import TEXT, WORDS
from tests.faults.world import World

pytestmark = pytest.mark.timeout(60)

FIRST_WORDS = "".join(WORDS[:2])
MORE_MEMORY_BYTES = 10_000_000
FAILURES_BEFORE_REST = 5


def error_of(error: HomewardError | None) -> tuple[str, int]:
    assert error is not None
    return error.code, error.status


class TestBrokenOff:
    async def test_f06_a_reset_within_an_event(self, world: World) -> None:
        """What was whole is kept, the half event is not shown, the error is last; nobody else goes on with the text."""
        world.add_cloud("half-event-rst")
        world.add_cloud("ok")
        client = await world.ask()
        assert client.text == FIRST_WORDS
        assert client.code == "upstream_disconnected"
        assert client.asked == ["half-event-rst"]
        assert world.cloud.calls["ok"] == 0

    @pytest.mark.parametrize("behaviour", ["half-event-fin", "half-event-chunked-fin", "silent-end"])
    async def test_f07_an_end_that_looks_clean(self, world: World, behaviour: str) -> None:
        """Without a finish reason it is no end, however politely the connection was closed."""
        world.add_cloud(behaviour)
        world.add_cloud("ok")
        client = await world.ask()
        assert client.text == FIRST_WORDS
        assert client.code == "upstream_disconnected"
        assert client.asked == [behaviour]


class TestNotTheProtocol:
    @pytest.mark.parametrize("behaviour", ["malformed-json", "not-an-object"])
    async def test_f08_an_event_that_is_no_json(self, world: World, behaviour: str) -> None:
        """It ends there, and the upstream is let go; five times, and it is left alone."""
        world.add_cloud(behaviour)
        for _ in range(FAILURES_BEFORE_REST):
            client = await world.ask()
            assert client.text == FIRST_WORDS
            assert error_of(client.error) == ("upstream_protocol_error", 502)
            await world.cloud.until(lambda: world.cloud.open_connections == 0)
        assert (await world.ask()).code == "no_backend"
        assert world.cloud.calls[behaviour] == FAILURES_BEFORE_REST

    async def test_f09_a_page_in_place_of_an_answer(self, world: World) -> None:
        """A captive portal's: an error before any text, without a word of the page."""
        world.add_cloud("html-200")
        client = await world.ask()
        assert client.text == ""
        assert error_of(client.error) == ("upstream_protocol_error", 502)
        assert "<" not in f"{client.error} {client.error and client.error.detail}"

    async def test_f09_another_one_may_answer_instead(self, world: World) -> None:
        """Nothing had been said."""
        world.add_cloud("html-200")
        world.add_cloud("ok")
        client = await world.ask()
        assert (client.text, client.asked) == (TEXT, ["html-200", "ok"])

    @pytest.mark.parametrize("behaviour", ["huge-line", "huge-line-late", "huge-json-200"])
    async def test_f11_an_event_without_end(self, world: World, behaviour: str) -> None:
        """32 MB in one line are not kept."""
        world.add_cloud(behaviour)
        tracemalloc.start()
        client = await world.ask()
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert client.code == "upstream_protocol_error"
        assert grown < MORE_MEMORY_BYTES


class TestTooSlow:
    async def test_f10_an_event_that_comes_byte_by_byte(self, world: World) -> None:
        """Every read is in time, the event is not."""
        world.add_cloud("slow-loris", event_seconds=0.3)
        client = await world.ask()
        assert (client.text, error_of(client.error)) == (FIRST_WORDS, ("upstream_timeout", 504))
        assert client.error is not None
        assert "deadline event" in client.error.detail

    async def test_f10_an_answer_that_never_ends(self, world: World) -> None:
        """Every event is in time, the answer is not."""
        world.add_cloud("never-ends", total_seconds=0.5)
        client = await world.ask()
        assert client.text
        assert error_of(client.error) == ("upstream_timeout", 504)
        assert client.error is not None
        assert "deadline total" in client.error.detail

    @pytest.mark.parametrize("behaviour", ["no-headers", "no-first-token-comments", "no-first-token-chunks"])
    async def test_f12_an_answer_that_does_not_begin(self, world: World, behaviour: str) -> None:
        """The first token has a deadline of its own; then the next one is asked."""
        world.add_cloud(behaviour, first_token_seconds=0.3)
        world.add_cloud("ok")
        client = await world.ask()
        assert (client.text, client.asked) == (TEXT, [behaviour, "ok"])
        assert client.answer.receipt.attempts[0].error == "upstream_timeout"

    async def test_f12_and_nobody_else_may(self, world: World) -> None:
        """One call, and the client is told."""
        world.add_cloud("no-headers", first_token_seconds=0.3)
        client = await world.ask()
        assert error_of(client.error) == ("upstream_timeout", 504)
        assert world.cloud.calls["no-headers"] == 1


class TestOddButValid:
    async def test_f38_an_answer_without_text(self, world: World) -> None:
        """It is whole, and what it took is unknown, not nothing."""
        world.add_cloud("zero-tokens", input_price=1.0, output_price=1.0)
        client = await world.ask()
        receipt = client.answer.receipt
        assert (client.text, client.code, receipt.outcome, receipt.finish_reason) == ("", "", "complete", "stop")
        assert (receipt.prompt_tokens, receipt.completion_tokens, receipt.cost) == (None, None, None)
        assert receipt.place == "cloud"

    async def test_f38_a_usage_with_holes(self, world: World) -> None:
        """Half a usage is none."""
        world.add_cloud("usage-null")
        receipt = (await world.ask()).answer.receipt
        assert receipt.outcome == "complete"
        assert (receipt.prompt_tokens, receipt.completion_tokens, receipt.tokens_per_second) == (None, None, None)
