"""`POST /v1/chat/completions`."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from homeward.gateway.bodies import decode, json_body
from homeward.gateway.callers import caller_of, restricted
from homeward.gateway.chat_answer import ChunkWriter, Whole, usage_object
from homeward.gateway.chat_request import ChatBody, decoder, request_of
from homeward.gateway.names import Names
from homeward.gateway.sending import Sender, Wanted, model_name, sending
from homeward.gateway.serving import send_refusal
from homeward.protocol.chat import Usage
from homeward.protocol.errors import HomewardError
from homeward.protocol.receipt import Receipt


class ChatCompletions:
    """The route, as an ASGI app of its own: it is where most requests go."""

    def __init__(self, sender: Sender, names: Names) -> None:
        self._sender = sender
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = decode(await json_body(scope, receive), decoder)
            caller = caller_of(scope)
            request = restricted(request_of(body, self._names), caller)
        except HomewardError as error:
            await send_refusal(send, error)
            return
        wanted = Wanted(
            form=ChatForm(body),
            caller=caller,
            stream=bool(body.stream),
            usage=body.stream_options is not None and body.stream_options.include_usage,
            receipt=body.homeward.receipt,
        )
        await self._sender.carry(request, sending(wanted, send), receive)


class ChatForm:
    """A chat completion, or the chunks of one."""

    def __init__(self, body: ChatBody) -> None:
        self._usage = body.stream_options is not None and body.stream_options.include_usage

    def writer(self, receipt: Receipt) -> ChunkWriter:
        """For a stream that begins."""
        return ChunkWriter(chat_id(receipt), created(receipt), model_name(receipt), usage=self._usage)

    def whole(self, said: Whole, receipt: Receipt, usage: Usage | None, extra: Mapping[str, Any]) -> dict[str, Any]:
        """The object for a whole answer."""
        choice = {
            "index": 0,
            "message": said.message,
            "logprobs": said.logprobs,
            "finish_reason": receipt.finish_reason or "stop",
        }
        counts = usage_object(usage, extra)
        return {
            "id": chat_id(receipt),
            "object": "chat.completion",
            "created": created(receipt),
            "model": model_name(receipt),
            "choices": [choice],
            **({"usage": counts} if counts else {}),
        }


def chat_id(receipt: Receipt) -> str:
    """A completion's id; its receipt is found by the digits of it."""
    return f"chatcmpl-{receipt.id.hex}"


def created(receipt: Receipt) -> int:
    """Seconds since 1970."""
    return int(receipt.created_at.timestamp())
