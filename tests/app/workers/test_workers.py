"""A gateway with two workers: what must be one is one, and a worker that dies takes nothing with it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from homeward.observability.audit import FILE, read, transfers
from tests.app.workers.gateways import QUEUED, Client, gateway, runs, until
from tests.app.workers.upstream import Upstream, serving

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="there are no workers there")

WAITING = 32
"""So many may stand in line for a cloud."""
FAILURES = 5
"""As many in a row, and it rests."""


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with serving() as upstream:
        yield upstream


def is_budget(answer: tuple[int, str]) -> bool:
    return answer[0] == 503 and "budget" in answer[1]


async def test_one_line_stands_before_a_cloud(upstream: Upstream, tmp_path: Path) -> None:
    """Who asks at another worker waits for its turn, and is told so."""
    async with gateway(tmp_path, upstream=upstream.url, at_a_time=1) as served:
        first, second = await served.two()
        answering = asyncio.create_task(first.ask())
        asked = await upstream.asked()
        waiting = await second.open(QUEUED, stream=True)
        await waiting.until("1 in line")
        asked.finish()
        assert (await answering)[0] == 200
        asked = await upstream.asked()
        asked.say("Once")
        asked.finish()
        assert (await waiting.rest()).endswith("data: [DONE]\n\n")
        assert upstream.most == 1


async def test_a_line_is_full_for_all(upstream: Upstream, tmp_path: Path) -> None:
    """Its bound counts the requests of both workers; who leaves makes room."""
    async with gateway(tmp_path, upstream=upstream.url, at_a_time=1) as served:
        answering = asyncio.create_task((await served.client()).ask())
        asked = await upstream.asked()
        standing = [await served.client() for _ in range(WAITING)]
        for client in standing:
            await (await client.open(QUEUED, stream=True)).until("in line")
        assert {client.worker for client in standing} == {child.pid for child in served.children()}
        for refused in await served.two():
            status, text = await refused.ask()
            assert (status, json.loads(text)["error"]["code"]) == (429, "queue_full")
        await standing[0].close()
        last = await (await served.client()).open(QUEUED, stream=True)
        while "queue_full" in await last.until("\n\n"):  # until it is known that one has left
            last = await (await served.client()).open(QUEUED, stream=True)
        asked.finish()
        assert (await answering)[0] == 200


async def test_failures_at_both_workers_count_together(upstream: Upstream, tmp_path: Path) -> None:
    """After five in a row neither asks any more."""
    async with gateway(tmp_path, upstream=upstream.url) as served:
        clients = await served.two()

        async def fails(client: Client) -> None:
            asking = asyncio.create_task(client.ask())
            (await upstream.asked()).fail()
            assert (await asking)[0] == 502

        for number in range(FAILURES):
            await fails(clients[number % 2])

        async def rests(client: Client) -> bool:
            """Asks; what has slipped through meanwhile fails like the others."""
            asking = asyncio.create_task(client.ask())
            slipped = asyncio.create_task(upstream.asked())
            await asyncio.wait({asking, slipped}, return_when=asyncio.FIRST_COMPLETED)
            if slipped.done():
                slipped.result().fail()
            slipped.cancel()
            return (await asking)[0] == 503

        for client in clients:
            await until(lambda client=client: rests(client))  # type: ignore[misc]
        calls = upstream.calls
        for client in clients:
            assert (await client.ask())[0] == 503
        assert upstream.calls == calls


async def test_a_budget_is_not_passed_together(upstream: Upstream, tmp_path: Path) -> None:
    """Two at once, where one more may be sent: one is, the other is refused."""
    async with gateway(tmp_path, upstream=upstream.url, budget="month = 15.0") as served:
        asking = [asyncio.create_task(client.ask(max_tokens=10)) for client in await served.two()]
        asked = await upstream.asked()
        done, _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert [is_budget(task.result()) for task in done] == [True]
        asked.finish()
        assert sorted(status for status, _ in await asyncio.gather(*asking)) == [200, 503]
        assert upstream.calls == 1


async def test_what_one_worker_spent_counts_for_the_other(upstream: Upstream, tmp_path: Path) -> None:
    """Nine tokens were paid, and ten more are too many."""
    async with gateway(tmp_path, upstream=upstream.url, budget="month = 15.0") as served:
        first, second = await served.two()
        asking = asyncio.create_task(first.ask(max_tokens=10))
        (await upstream.asked()).finish()
        assert (await asking)[0] == 200
        assert is_budget(await second.ask(max_tokens=10))
        assert upstream.calls == 1
        [transfer] = transfers(read(served.data / FILE))
        assert transfer.ended is not None
        assert transfer.ended.cost == 9


async def test_a_worker_that_is_killed_gives_its_turn_back(upstream: Upstream, tmp_path: Path) -> None:
    """Its client loses the connection, the next one in line goes on, and another worker takes its place."""
    async with gateway(tmp_path, upstream=upstream.url, at_a_time=1) as served:
        first, second = await served.two()
        holding = asyncio.create_task(first.open(stream=True))
        asked = await upstream.asked()
        asked.say("Once")
        reply = await holding
        await reply.until("Once")
        waiting = await second.open(QUEUED, stream=True)
        await waiting.until("1 in line")
        psutil.Process(first.worker).kill()
        with pytest.raises(aiohttp.ClientPayloadError):
            await reply.rest()
        await asked.left.wait()
        asked = await upstream.asked()
        asked.say("Twice")
        asked.finish()
        assert "Twice" in await waiting.rest()

        async def replaced() -> bool:
            return len({(await served.client()).worker, (await served.client()).worker}) == 2

        await until(replaced)
        assert not psutil.pid_exists(first.worker) or not runs(psutil.Process(first.worker))


async def test_what_a_dead_worker_reserved_counts_as_the_most(upstream: Upstream, tmp_path: Path) -> None:
    """Nobody can tell what it did cost."""
    async with gateway(tmp_path, upstream=upstream.url, budget="month = 15.0") as served:
        first, second = await served.two()
        asking = asyncio.create_task(first.ask(max_tokens=10))
        asked = await upstream.asked()
        psutil.Process(first.worker).kill()
        with pytest.raises(aiohttp.ClientError):
            await asking
        await asked.left.wait()
        assert is_budget(await second.ask(max_tokens=10))


@pytest.mark.parametrize("everyone", [False, True])
async def test_a_signal_lets_answers_finish(upstream: Upstream, tmp_path: Path, *, everyone: bool) -> None:
    """At every worker, also where a terminal or a supervisor signals all processes; then all of them end."""
    async with gateway(tmp_path, upstream=upstream.url) as served:
        workers = served.children()
        opening = [asyncio.create_task(client.open(stream=True)) for client in await served.two()]
        asked = [await upstream.asked() for _ in opening]
        for each in asked:
            each.say("Once")
        replies = [await each for each in opening]
        for worker in workers if everyone else ():
            worker.send_signal(signal.SIGINT)
        served.signal(signal.SIGINT if everyone else signal.SIGTERM)
        await served.line("Homeward is shutting down")
        for each in asked:
            each.say(" more")
            each.finish()
        for reply in replies:
            assert (await reply.rest()).endswith("data: [DONE]\n\n")
        assert await served.process.wait() == 0
        assert not any(map(runs, workers))


async def test_the_second_signal_ends_at_once(upstream: Upstream, tmp_path: Path) -> None:
    """The answer says that it is not whole."""
    async with gateway(tmp_path, upstream=upstream.url) as served:
        opening = asyncio.create_task((await served.client()).open(stream=True))
        (await upstream.asked()).say("Once")
        reply = await opening
        await reply.until("Once")
        served.signal(signal.SIGTERM)
        await served.line("Homeward is shutting down")
        served.signal(signal.SIGTERM)
        rest = await reply.rest()
        assert "broken_off" in rest
        assert "[DONE]" not in rest
        assert await served.process.wait() == 0


async def test_a_worker_that_is_told_to_end_finishes_its_answers(upstream: Upstream, tmp_path: Path) -> None:
    """It gets no new connections meanwhile, and another one takes its place."""
    async with gateway(tmp_path, upstream=upstream.url) as served:
        first, second = await served.two()
        opening = asyncio.create_task(first.open(stream=True))
        asked = await upstream.asked()
        asked.say("Once")
        reply = await opening
        psutil.Process(first.worker).send_signal(signal.SIGTERM)

        async def all_go_to_the_other_one() -> bool:
            return {(await served.client()).worker for _ in range(3)} == {second.worker}

        await until(all_go_to_the_other_one)
        asked.finish()
        assert (await reply.rest()).endswith("data: [DONE]\n\n")

        async def replaced() -> bool:
            return len({(await served.client()).worker for _ in range(2)}) == 2

        await until(replaced)


async def test_workers_end_with_their_keeper(upstream: Upstream, tmp_path: Path) -> None:
    """However it ends."""
    async with gateway(tmp_path, upstream=upstream.url) as served:
        workers = served.children()
        assert len(workers) == 2
        served.signal(signal.SIGKILL)
        await served.process.wait()
        await until(lambda: not any(map(runs, workers)))


@pytest.mark.parametrize("history", [False, True])
async def test_a_receipt_can_be_had_from_every_worker(upstream: Upstream, tmp_path: Path, *, history: bool) -> None:
    """Also right after the answer, which another one gave."""
    async with gateway(tmp_path, upstream=upstream.url, history=history) as served:
        first, second = await served.two()
        opening = asyncio.create_task(first.open())
        (await upstream.asked()).finish()
        reply = await opening
        await reply.rest()

        async def found() -> bool:
            status, text = await second.get(f"/v1/receipts/{reply.headers['x-request-id']}")
            return status == 200 and json.loads(text)["outcome"] == "complete"

        await until(found)
        assert (await second.get("/v1/receipts/00000000-0000-0000-0000-000000000000"))[0] == 404


async def test_two_workers_have_one_engine(tmp_path: Path) -> None:
    """Both are ready when it is, both answer with it, and list its model."""
    async with gateway(tmp_path, HOMEWARD_LLAMA_THREADS="1", HOMEWARD_LLAMA_CONTEXT_TOKENS="2048") as served:
        clients = await served.two()
        for status, _ in await asyncio.gather(*(client.ask(max_tokens=2) for client in clients)):
            assert status == 200
        for client in clients:
            assert (await client.get("/readyz"))[0] == 200
            assert "SmolLM2" in (await client.get("/v1/models"))[1]
        [engine] = served.children("homeward.engines.llama_child")
        engine.kill()
        for client in clients:  # it stands up again, and both wait for it
            assert (await client.ask(max_tokens=2))[0] == 200
        assert len(served.children("homeward.engines.llama_child")) == 1
