"""From an `Answer` to the bytes of a response, whatever form the client asked for."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any, Protocol

import msgspec
import structlog
from starlette.types import Receive, Send

from homeward.completion import Answer, Completer, Ended, Prepared, Said, Waiting
from homeward.gateway import open_webui
from homeward.gateway.callers import Caller
from homeward.gateway.chat_answer import Whole
from homeward.gateway.refusals import error_event
from homeward.gateway.serving import (
    HEAD_SECONDS,
    EventStream,
    Headers,
    receipt_headers,
    send_refusal,
    send_whole,
    while_client_stays,
)
from homeward.protocol.chat import ChatRequest, Chunk, FinishReason, Usage
from homeward.protocol.errors import BrokenOffError, HomewardError, OverloadedError
from homeward.protocol.receipt import Receipt

log = structlog.get_logger(__name__)

JSON = (b"content-type", b"application/json")
DONE = b"data: [DONE]\n\n"


class Receipts(Protocol):
    """Where receipts are kept."""

    def keep(self, receipt: Receipt) -> None:
        """Keep one; returns at once."""
        ...

    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id. Raises HomewardError."""
        ...


class Writer(Protocol):
    """The events of one stream."""

    def chunks(self, chunks: Iterable[Chunk]) -> bytes:
        """These pieces."""
        ...

    def end(self, finish_reason: FinishReason) -> bytes:
        """The end of a whole answer."""
        ...

    def usage(self, usage: Usage | None, extra: Mapping[str, Any], homeward: Receipt | None) -> bytes:
        """The counts behind it, and the receipt where it was asked for."""
        ...


class Form(Protocol):
    """One of OpenAI's ways to send an answer."""

    def writer(self, receipt: Receipt) -> Writer:
        """For a stream that begins."""
        ...

    def whole(self, said: Whole, receipt: Receipt, usage: Usage | None, extra: Mapping[str, Any]) -> dict[str, Any]:
        """The object for a whole answer."""
        ...


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the client asked for around the answer."""

    form: Form
    caller: Caller
    stream: bool
    usage: bool
    """Whether a stream ends with the counts."""
    receipt: bool
    """Whether the receipt comes with them."""


class Sending(Protocol):
    """What carries one answer to its client."""

    async def run(self) -> None:
        """To its end."""
        ...

    async def fail(self, error: HomewardError) -> None:
        """Say why there is no answer, or no more of it."""
        ...


class Sender:
    """Has requests answered for as long as their clients are there, and keeps the receipts."""

    def __init__(self, completer: Completer, receipts: Receipts) -> None:
        self._completer = completer
        self.receipts = receipts
        self.running: set[asyncio.Task[None]] = set()
        """The answers that are being sent."""
        self._ended: set[asyncio.Task[None]] = set()
        self._draining = False

    async def carry(self, request: ChatRequest, begin: Callable[[Prepared, Answer], Sending], receive: Receive) -> None:
        """One answer: `begin` says how it is sent."""
        working = asyncio.current_task()
        assert working
        self.running.add(working)
        try:
            async with while_client_stays(receive):
                prepared = await self._completer.prepare(request, thorough=False)
                answer = self._completer.begin(prepared)
                await self._sent(answer, begin(prepared, answer), working)
        finally:
            self.running.discard(working)
            self._ended.discard(working)

    async def _sent(self, answer: Answer, response: Sending, working: "asyncio.Task[None]") -> None:
        try:
            await self._said(answer, response, working)
        except BrokenOffError as error:  # it would not read that either
            log.warning("client_cut_off", receipt=str(answer.id), message=error.message)
            answer.interrupt(error)
        finally:
            self.receipts.keep(answer.receipt)

    async def _said(self, answer: Answer, response: Sending, working: "asyncio.Task[None]") -> None:
        """Raises BrokenOffError: the client reads nothing."""
        try:
            if self._draining:
                error = OverloadedError("Homeward is shutting down.", retry_after_seconds=5.0)
                answer.interrupt(error)
                await response.fail(error)
            else:
                await response.run()
        except asyncio.CancelledError:
            if working not in self._ended:
                raise
            working.uncancel()
            broken_off = BrokenOffError("shutdown", "Homeward was shut down before this answer was whole.")
            answer.interrupt(broken_off)
            await response.fail(broken_off)

    async def close(self, seconds: float) -> None:
        """Take no more requests; let answers finish for so long, then end them with an error that says so."""
        self._draining = True
        if self.running:
            await asyncio.wait(self.running, timeout=seconds)
        while self.running:
            for task in self.running - self._ended:
                self._ended.add(task)
                task.cancel()
            await asyncio.wait(self.running)


def sending(wanted: Wanted, send: Send) -> Callable[[Prepared, Answer], Sending]:
    """How an answer is sent that was asked for like this."""
    kind = Streamed if wanted.stream else InOnePiece
    return lambda _, answer: kind(answer, wanted, send)


class InOnePiece:
    """One answer, sent once it is whole."""

    def __init__(self, answer: Answer, wanted: Wanted, send: Send) -> None:
        self._answer = answer
        self._wanted = wanted
        self._send = send

    async def run(self) -> None:
        """Put it together and send it."""
        said = Whole()
        async with aclosing(self._answer.events()) as events:
            async for event in events:
                if isinstance(event, Said):
                    said.add(event.chunks)
        if self._answer.error is not None:
            await self.fail(self._answer.error)
            return
        receipt = self._answer.receipt
        extra = extra_usage(receipt, self._wanted.caller)
        body = self._wanted.form.whole(said, receipt, self._answer.usage, extra)
        if self._wanted.receipt:
            body["homeward"] = receipt
        await send_whole(self._send, 200, [JSON, *receipt_headers(receipt)], msgspec.json.encode(body))

    async def fail(self, error: HomewardError) -> None:
        """Say why there is none."""
        await send_refusal(self._send, error, receipt_headers(self._answer.receipt))


class Streamed:
    """One answer, sent as it comes."""

    def __init__(self, answer: Answer, wanted: Wanted, send: Send) -> None:
        self._answer = answer
        self._wanted = wanted
        self._send = send
        self._stream = EventStream(send)
        self._writer: Writer | None = None

    async def run(self) -> None:
        """To its end: the counts and `[DONE]`, or an error and none."""
        self._stream.beat_after(HEAD_SECONDS, self._headers)
        try:
            async with aclosing(self._answer.events()) as events:
                async for event in events:
                    match event:
                        case Said():
                            await self._say(event)
                        case Waiting():
                            await self._wait(event)
                        case Ended():
                            await self._end(event.error)
        finally:
            self._stream.close()

    async def _wait(self, event: Waiting) -> None:
        """Open WebUI shows why; for others the head waits, so that it can be true, and an error can be a status."""
        if not self._wanted.caller.reads_events:
            return
        if not self._stream.begun:
            if event.phase == "reading":  # nothing was waited for that is worth a line
                return
            await self._stream.begin(self._headers())
        await self._stream.write(open_webui.waiting(event))

    async def _say(self, event: Said) -> None:
        data = b""
        if self._writer is None:
            receipt = self._answer.receipt
            self._writer = self._wanted.form.writer(receipt)
            if not self._stream.begun:
                await self._stream.begin(receipt_headers(receipt))
            if self._wanted.caller.reads_events:
                data = open_webui.answering(receipt)
        await self._stream.write(data + self._writer.chunks(event.chunks))

    async def _end(self, error: HomewardError | None) -> None:
        if error is not None:
            await self.fail(error)
            return
        receipt = self._answer.receipt
        if not self._stream.begun:
            await self._stream.begin(receipt_headers(receipt))
        writer = self._writer or self._wanted.form.writer(receipt)
        data = writer.end(receipt.finish_reason or "stop")
        if self._wanted.usage or self._wanted.receipt:
            extra = extra_usage(receipt, self._wanted.caller)
            data += writer.usage(self._answer.usage, extra, receipt if self._wanted.receipt else None)
        await self._stream.end(data + DONE)

    async def fail(self, error: HomewardError) -> None:
        """Say why there is no answer, or no more of it."""
        if self._stream.begun:
            before = open_webui.no_answer() if self._wanted.caller.reads_events and not self._writer else b""
            await self._stream.end(before + error_event(error))
        else:
            await send_refusal(self._send, error, self._headers())

    def _headers(self) -> Headers:
        return receipt_headers(self._answer.receipt)


def extra_usage(receipt: Receipt, caller: Caller) -> Mapping[str, Any]:
    """What Open WebUI shows beside the counts."""
    return open_webui.figures(receipt) if caller.is_open_webui else {}


def model_name(receipt: Receipt) -> str:
    """Who answered, in a form that can be asked for again."""
    return f"{receipt.backend}/{receipt.model}"
