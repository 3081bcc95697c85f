"""What other programs leave in the history: responses, and receipts of answers that are in no conversation."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import uuid4

import msgspec
import pytest
import pytest_asyncio
from sqlalchemy import Connection, delete, func, select

from homeward.history import History, RefusedError
from homeward.history import api_receipts as later
from homeward.history import responses as stored
from homeward.history.tables import api_receipts, responses
from homeward.protocol.errors import HistoryError
from homeward.protocol.responses import StoredResponse

from .saying import OpenHistory, receipt

T = TypeVar("T")
NOW = datetime.now(UTC)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_left(history: History) -> None:
    """The tables of these tests begin empty."""
    await history._write(lambda connection: [connection.execute(delete(table)) for table in (responses, api_receipts)])


def response(name: str, after: str | None = None, **fields: Any) -> StoredResponse:
    values: dict[str, Any] = {
        "id": name,
        "previous_id": after,
        "created_at": NOW,
        "input": [{"type": "message", "text": f"Größe 😀 {name}"}],
        "body": {"id": name, "output": [], "temperature": 0.5, "error": None},
    }
    return StoredResponse(**(values | fields))


async def save(history: History, *all_of_them: StoredResponse) -> None:
    for each in all_of_them:
        await history.responses.save(each)


async def ids_before(history: History, name: str, owner: str = "") -> list[str] | None:
    found = await history.responses.conversation(name, owner)
    return None if found is None else [each.id for each in found]


async def test_a_response_comes_back_as_it_was(history: History) -> None:
    whole = response("resp_1", after="resp_0", owner="laptop", stays_home=True)
    await save(history, whole)
    assert await history.responses.get("resp_1", "laptop") == whole
    await save(history, response("resp_1", owner="laptop", body={"another": 1}))
    assert await history.responses.get("resp_1", "laptop") == whole, "a second time changes nothing"


async def test_another_owner_sees_nothing_of_it(history: History) -> None:
    await save(history, response("a", owner="ann"), response("b", after="a", owner="bob"))
    assert await history.responses.get("a", "bob") is None
    assert await history.responses.get_all(["a", "b"], "bob") == {"b": response("b", after="a", owner="bob")}
    assert not await history.responses.delete("a", "bob")
    assert await ids_before(history, "a", "bob") is None
    assert await ids_before(history, "b", "bob") is None, "nobody goes on from what somebody else said"
    assert await ids_before(history, "a", "ann") == ["a"]


async def test_a_conversation_is_in_order_and_has_no_other_branch(history: History) -> None:
    await save(history, response("a"), response("b", "a"), response("c", "b"), response("other", "a"), response("d"))
    assert await ids_before(history, "c") == ["a", "b", "c"]
    assert await ids_before(history, "other") == ["a", "other"]
    assert await ids_before(history, "nowhere") is None


async def test_a_conversation_with_a_gap_is_none(history: History) -> None:
    """What was said there would be missing without a word."""
    await save(history, response("a"), response("b", "a"), response("c", "b"))
    assert await history.responses.delete("b", "")
    assert not await history.responses.delete("b", "")
    assert await ids_before(history, "c") is None
    assert await ids_before(history, "a") == ["a"]


async def test_responses_that_name_each_other_end(history: History) -> None:
    await save(history, response("a", "b"), response("b", "a"))
    with pytest.raises(RefusedError, match="too long"):
        await history.responses.conversation("a", "")


async def test_too_many_or_too_long_is_refused(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    await save(history, response("0"), *(response(str(n), str(n - 1)) for n in range(1, 5)))
    monkeypatch.setattr(stored, "MOST_RESPONSES", 4)
    assert await ids_before(history, "3") == ["0", "1", "2", "3"]
    with pytest.raises(RefusedError, match="too long"):
        await history.responses.conversation("4", "")
    with pytest.raises(RefusedError, match="too long"):
        await history.responses.get_all(["0", "1", "2", "3", "4"], "")
    size = await history._read(lambda connection: connection.execute(select(func.max(responses.c.bytes))).scalar_one())
    monkeypatch.setattr(stored, "MOST_BYTES", 2 * size)
    assert await ids_before(history, "1") == ["0", "1"]
    with pytest.raises(RefusedError, match="too long"):
        await history.responses.conversation("2", "")


async def test_what_a_database_cannot_hold_is_replaced(history: History) -> None:
    await save(history, response("a", input=[{"text": "x\x00y\ud800"}]))
    found = await history.responses.get("a", "")
    assert found
    assert found.input == [{"text": "x\ufffdy\ufffd"}]
    assert await history.responses.get("a\x00", "") is None


async def test_a_conversation_is_kept_for_as_long_as_its_newest_response(history: History) -> None:
    def old(days: int) -> datetime:
        return NOW - timedelta(days=days)

    await save(
        history,
        response("a", created_at=old(40)),
        response("b", "a", created_at=old(1)),
        response("c", created_at=old(50)),
        response("d", "c", created_at=old(40)),
        response("e", "d", created_at=old(31)),
    )
    history.keep(receipt(created_at=old(31)))
    kept = receipt(created_at=old(29))
    history.keep(kept)
    await on_disk(history, 2)
    await history.delete_old(30)
    assert set(await history.responses.get_all(list("abcde"), "")) == {"a", "b"}
    assert await receipts_on_disk(history) == 1
    assert await history.get_receipt(kept.id) == kept


async def receipts_on_disk(history: History) -> int:
    def count(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(api_receipts)).scalar_one()

    return await history._read(count)


async def on_disk(history: History, number: int) -> None:
    async with asyncio.timeout(10):
        while await receipts_on_disk(history) < number:
            pass  # each look is a visit to the database


async def test_a_receipt_is_found_at_once_and_then_on_disk(history: History, open_history: OpenHistory) -> None:
    one, two = receipt(), receipt()
    history.keep(one)
    history.keep(two)
    assert await receipts_on_disk(history) == 0, "nobody waits for the disk"
    assert await history.get_receipt(one.id) == one
    await on_disk(history, 2)
    assert await history.get_receipt(str(two.id)) == two
    assert await (await open_history()).get_receipt(one.id) == one
    assert await history.get_receipt(uuid4()) is None


async def test_receipts_are_written_before_the_history_closes(history: History, open_history: OpenHistory) -> None:
    another, kept = await open_history(), receipt()
    another.keep(kept)
    await another.close()
    assert await history.get_receipt(kept.id) == kept
    another.keep(receipt())
    assert another._api_receipts.lost == 1, "what comes later is counted"


class Disk:
    """A database that fails for so many writes."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.tries = 0
        self.written = asyncio.Event()

    async def write(self) -> Any:
        self.tries += 1
        if self.tries <= self.failures:
            raise HistoryError("The disk is full.")
        self.written.set()


def over(disk: Disk) -> later.ApiReceipts:
    def write(work: object) -> Awaitable[T]:
        return cast("Awaitable[T]", disk.write())

    return later.ApiReceipts(write)


async def test_receipts_wait_for_a_disk_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "PAUSE_SECONDS", 0.001)
    disk, kept = Disk(failures=3), receipt()
    receipts = over(disk)
    receipts.keep(kept)
    await asyncio.wait_for(disk.written.wait(), 5)
    await receipts.close()
    assert (disk.tries, receipts.unwritten(kept.id), receipts.lost) == (4, None, 0)


async def test_receipts_that_cannot_be_written_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "MOST_UNWRITTEN", 2)
    receipts, many = over(Disk(failures=1000)), [receipt() for _ in range(3)]
    for each in many:
        receipts.keep(each)
    assert receipts.unwritten(many[0].id) is None
    assert receipts.unwritten(many[2].id) == msgspec.convert(msgspec.to_builtins(many[2]), type(many[2]))
    assert receipts.lost == 1
    await receipts.close()
    assert receipts.lost == 3


async def test_old_things_are_deleted_once_the_program_runs(history: History) -> None:
    """And an error of the database is not its end."""
    await save(history, response("old", created_at=NOW - timedelta(days=31)))
    deleting = asyncio.create_task(history.keep_deleting_old(30))
    async with asyncio.timeout(10):
        while await history.responses.get("old", ""):
            pass
    assert not deleting.done()
    deleting.cancel()
    await asyncio.wait({deleting})
