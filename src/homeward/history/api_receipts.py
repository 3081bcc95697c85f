"""Receipts of answers to other programs, which are in no conversation.

A request does not wait for its receipt to be written: receipts are noted, and written together a moment later.
"""

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection, delete

from homeward.history.incoming import storable
from homeward.history.responses import Run
from homeward.history.tables import api_receipts, insert_unless_there
from homeward.protocol.errors import HistoryError
from homeward.protocol.receipt import Receipt

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.1
"""How long receipts are gathered before they are written."""
MOST_UNWRITTEN = 10_000
"""Kept in memory while the database fails; the oldest go first."""


class ApiReceipts:
    """Receipts that are written a moment after they were noted."""

    def __init__(self, write: Run) -> None:
        self.lost = 0
        """How many could not be written in time."""
        self._write = write
        self._unwritten: dict[UUID, Receipt] = {}
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    def keep(self, receipt: Receipt) -> None:
        """Note one; it can be read at once, and is on disk a moment later."""
        if self._closed:
            self._lose(1)
            return
        self._unwritten[receipt.id] = storable(receipt)
        if len(self._unwritten) > MOST_UNWRITTEN:
            del self._unwritten[next(iter(self._unwritten))]
            self._lose(1)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_soon())

    def unwritten(self, receipt_id: UUID) -> Receipt | None:
        """One that is not on disk yet."""
        return self._unwritten.get(receipt_id)

    async def close(self) -> None:
        """Write what is left; what can't be written is counted and logged. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait({self._writing})
        if not await self._write_all():
            self._lose(len(self._unwritten))

    async def delete_before(self, moment: datetime) -> int:
        """Delete older ones; how many there were."""
        gone = delete(api_receipts).where(api_receipts.c.created_at < moment)
        return await self._write(lambda connection: connection.execute(gone).rowcount)

    def _lose(self, number: int) -> None:
        self.lost += number
        log.error("history.receipts_lost", number=number)

    async def _write_soon(self) -> None:
        """After a pause, and again after another one for as long as any are left."""
        pause = PAUSE_SECONDS
        while self._unwritten:
            await asyncio.sleep(pause)
            pause = PAUSE_SECONDS if await self._write_all() else min(2 * pause, 60)
        self._writing = None

    async def _write_all(self) -> bool:
        """Write what is there now; whether that went well."""
        batch = tuple(self._unwritten.values())
        if not batch:
            return True
        try:
            await self._write(lambda connection: _insert(connection, batch))
        except HistoryError as error:
            log.warning("history.receipts_late", number=len(batch), error=str(error))
            return False
        for receipt in batch:
            self._unwritten.pop(receipt.id, None)
        return True


def _insert(connection: Connection, batch: tuple[Receipt, ...]) -> None:
    for receipt in batch:
        values = {"id": receipt.id, "created_at": receipt.created_at, "data": msgspec.to_builtins(receipt)}
        insert_unless_there(connection, api_receipts, values)
