"""A response on its way to the client: in one piece, or as the events that it consists of."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
import structlog
from starlette.types import Send

from homeward.completion import Answer, Ended, Said
from homeward.gateway.refusals import in_envelope, status_of
from homeward.gateway.responses_request import ResponseBody, TextConfig, TextFormat, tools_of
from homeward.gateway.sending import JSON, model_name
from homeward.gateway.serving import HEAD_SECONDS, EventStream, receipt_headers, send_refusal, send_whole
from homeward.protocol.chat import Usage
from homeward.protocol.errors import HistoryError, HomewardError
from homeward.protocol.responses import Item, response_id
from homeward.protocol.responses_output import Event, Output, chunks_of

log = structlog.get_logger(__name__)

CUT_OFF = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Ends that leave an answer incomplete, and OpenAI's words for them here."""

Save = Callable[[dict[str, Any]], Awaitable[None]]
"""Keeps the response as the client gets it, where it is to be kept. Raises HistoryError."""


class Response:
    """One response while it is made: what is said, and the object that tells of it."""

    def __init__(self, body: ResponseBody, answer: Answer, input_items: int, save: Save) -> None:
        self._body = body
        self._answer = answer
        self._save = save
        self._echo = echo_of(body)
        self.output = Output(answer.id.hex, input_items)

    def begin(self) -> list[Event]:
        """The events that it begins with."""
        now = self._object("in_progress", output=())
        return [self.output.event(f"response.{what}", response=now) for what in ("created", "in_progress")]

    async def end(self) -> tuple[list[Event], dict[str, Any]]:
        """The last events of an answer that nothing interrupted, and the whole object; it is kept by then.

        What could not be kept has failed, for the client believes that it can go on from it; it is said all the same.
        """
        cut_off = CUT_OFF.get(self._answer.receipt.finish_reason or "")
        events = self.output.end(whole=cut_off is None)
        status = "completed" if cut_off is None else "incomplete"
        details = {"incomplete_details": {"reason": cut_off}} if cut_off else {}
        now = self._object(status, output=self.output.items(whole=cut_off is None), **details)
        try:
            await self._save(now)
        except HistoryError as error:
            failed = now | {"status": "failed", "error": error_object(error)}
            return events + failure(self.output, failed, error), failed
        return [*events, self.output.event(f"response.{status}", response=now)], now

    async def fail(self, error: HomewardError) -> list[Event]:
        """The last events of one that was interrupted; what is open stays so, for it is not whole."""
        now = self._object("failed", output=self.output.items(whole=False), error=error_object(error))
        try:
            await self._save(now)
        except HistoryError as second:
            log.warning("gateway.failed_response_not_kept", error=str(second))  # the client hears of a failure anyway
        return failure(self.output, now, error)

    def _object(self, status: str, **fields: Any) -> dict[str, Any]:
        receipt = self._answer.receipt
        created = int(receipt.created_at.timestamp())
        is_over = status != "in_progress"
        more = {"homeward": receipt} if is_over and self._body.homeward.receipt else {}
        return {
            "id": response_id(receipt.id.hex),
            "object": "response",
            "created_at": created,
            "completed_at": int(created + receipt.total_seconds) if status == "completed" else None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": model_name(receipt) if receipt.backend else self._body.model or "homeward",
            **self._echo,
            "usage": usage_object(self._answer.usage) if is_over else None,
            **more,
            **fields,
        }


class WholeResponse:
    """A response that is sent in one piece."""

    def __init__(self, response: Response, answer: Answer, send: Send) -> None:
        self._response = response
        self._answer = answer
        self._send = send

    async def run(self) -> None:
        """Put it together and send it."""
        async with aclosing(self._answer.events()) as events:
            async for event in events:
                if isinstance(event, Said):
                    self._response.output.say(event.chunks)
        if self._answer.error is not None:
            await self.fail(self._answer.error)
            return
        _, body = await self._response.end()
        headers = [JSON, *receipt_headers(self._answer.receipt)]
        await send_whole(self._send, 200, headers, msgspec.json.encode(body))

    async def fail(self, error: HomewardError) -> None:
        """Say why there is none."""
        await send_refusal(self._send, error, receipt_headers(self._answer.receipt))


class StreamedResponse:
    """A response that is sent as it comes. Its head waits for the first words, so that an error can be a status."""

    def __init__(self, response: Response, answer: Answer, send: Send) -> None:
        self._response = response
        self._answer = answer
        self._send = send
        self._stream = EventStream(send)
        self._begun = False

    async def run(self) -> None:
        """To its end: the whole object, or an error."""
        self._stream.beat_after(HEAD_SECONDS, lambda: receipt_headers(self._answer.receipt))
        try:
            async with aclosing(self._answer.events()) as events:
                async for event in events:
                    match event:
                        case Said():
                            begin = await self._begin()
                            await self._stream.write(encoded([*begin, *self._response.output.say(event.chunks)]))
                        case Ended(error=None):
                            begin = await self._begin()
                            end, _ = await self._response.end()
                            await self._stream.end(encoded([*begin, *end]))
                        case Ended(error=error) if error is not None:
                            await self.fail(error)
        finally:
            self._stream.close()

    async def _begin(self) -> list[Event]:
        """The first events, once."""
        if self._begun:
            return []
        self._begun = True
        if not self._stream.begun:
            await self._stream.begin(receipt_headers(self._answer.receipt))
        return self._response.begin()

    async def fail(self, error: HomewardError) -> None:
        """Say why there is no answer, or no more of it."""
        if self._stream.begun:
            begin = await self._begin()
            await self._stream.end(encoded([*begin, *await self._response.fail(error)]))
        else:
            await send_refusal(self._send, error, receipt_headers(self._answer.receipt))


def failure(output: Output, response: dict[str, Any], error: HomewardError) -> list[Event]:
    """The end of a stream that failed.

    OpenAI's clients raise at an event that has an `error`; the fields that are documented stand beside it.
    """
    said = in_envelope(error).error
    flat = {"code": said.code, "message": said.message, "param": said.param}
    return [output.event("response.failed", response=response), output.event("error", **flat, error=said)]


def replayed(response: dict[str, Any], items: Iterable[Item], input_items: int) -> list[Event]:
    """The events of a stored response. Each text comes in one piece, so they are fewer than they were."""
    output = Output(response["id"].removeprefix(response_id("")), input_items)
    nothing_yet: dict[str, Any] = {
        "status": "in_progress",
        "output": [],
        "usage": None,
        "completed_at": None,
        "error": None,
    }
    begun = response | nothing_yet | {"incomplete_details": None}
    events = [output.event(f"response.{what}", response=begun) for what in ("created", "in_progress")]
    events += output.say(chunks_of(items))
    status = response["status"]
    if status != "failed":
        events += output.end(whole=status == "completed")
    return [*events, output.event(f"response.{status}", response=response)]


def encoded(events: Iterable[Event]) -> bytes:
    """As they go out."""
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n" for event in events
    )


def echo_of(body: ResponseBody) -> dict[str, Any]:
    """What of the request stands in its response."""
    text = body.text or TextConfig()
    return {
        "instructions": body.instructions,
        "previous_response_id": body.previous_response_id,
        "store": body.is_stored,
        "background": False,
        "max_output_tokens": body.max_output_tokens,
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_logprobs": body.top_logprobs or 0,
        "tools": tools_of(body),
        "tool_choice": body.tool_choice or "auto",
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "text": {"format": text.format or TextFormat(), "verbosity": text.verbosity or "medium"},
        "reasoning": {"effort": body.reasoning.effort if body.reasoning else None, "summary": None},
        "truncation": body.truncation or "disabled",
        "metadata": body.metadata or {},
        "service_tier": "default",
        "user": body.user,
        "safety_identifier": body.safety_identifier,
        "prompt_cache_key": body.prompt_cache_key,
    }


def usage_object(usage: Usage | None) -> dict[str, Any] | None:
    """OpenAI's counts; None where the backend did not count."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def error_object(error: HomewardError) -> dict[str, Any]:
    """Why a response failed. OpenAI's list of codes is short, so ours stands as the type."""
    status = status_of(error)
    code = "rate_limit_exceeded" if status == 429 else "invalid_prompt" if status < 500 else "server_error"
    return {"code": code, "message": str(error), "type": error.code}
