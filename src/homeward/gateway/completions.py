"""`POST /v1/completions`: OpenAI's older form. The prompt is asked like a chat's one message, by whatever backend."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from homeward.gateway.bodies import decode, json_body
from homeward.gateway.callers import caller_of, restricted
from homeward.gateway.chat import created
from homeward.gateway.chat_answer import Whole, usage_object
from homeward.gateway.chat_request import (
    ChatBody,
    Count,
    Integer,
    Penalty,
    Share,
    Stop,
    StreamOptions,
    Temperature,
    Wishes,
    refuse,
    request_of,
)
from homeward.gateway.names import Names
from homeward.gateway.sending import Sender, Wanted, model_name, sending
from homeward.gateway.serving import send_refusal
from homeward.protocol.chat import Chunk, FinishReason, Usage
from homeward.protocol.errors import HomewardError
from homeward.protocol.receipt import Receipt


class CompletionBody(msgspec.Struct, kw_only=True):
    """What is read of the body; other fields are ignored."""

    model: str = "homeward"
    prompt: str | list[Any]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    echo: bool | None = None
    suffix: str | None = None
    best_of: Integer | None = None
    n: Integer | None = None
    logprobs: Integer | None = None
    max_tokens: Count | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    seed: Integer | None = None
    stop: Stop = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    homeward: Wishes = Wishes()


decoder = msgspec.json.Decoder(CompletionBody)
_decode_chat = msgspec.json.Decoder(ChatBody).decode
_SAME = (
    *("model", "n", "max_tokens", "temperature", "top_p", "seed", "stop", "presence_penalty"),
    *("frequency_penalty", "logit_bias", "homeward"),
)


class TextCompletions:
    """The route."""

    def __init__(self, sender: Sender, names: Names) -> None:
        self._sender = sender
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = decode(await json_body(scope, receive), decoder)
            prompt = prompt_of(body)
            caller = caller_of(scope)
            request = restricted(request_of(chat_body(body, prompt), self._names), caller)
        except HomewardError as error:
            await send_refusal(send, error)
            return
        usage = body.stream_options is not None and body.stream_options.include_usage
        wanted = Wanted(
            form=TextForm(prompt if body.echo else "", usage=usage),
            caller=caller,
            stream=bool(body.stream),
            usage=usage,
            receipt=body.homeward.receipt,
        )
        await self._sender.carry(request, sending(wanted, send), receive)


def prompt_of(body: CompletionBody) -> str:
    """The one prompt. Raises InvalidRequestError: there are more, or what else isn't supported."""
    if body.suffix:
        refuse("suffix", "Homeward can't fill a text in before another one.")
    if body.best_of is not None and body.best_of > 1:
        refuse("best_of", "Homeward gives one answer to one request.")
    if body.logprobs:
        refuse("logprobs", "This older form has no logprobs here: use /v1/chat/completions.")
    prompt = body.prompt[0] if isinstance(body.prompt, list) and len(body.prompt) == 1 else body.prompt
    if not isinstance(prompt, str):
        refuse("prompt", "`prompt` is one text: each model has its own tokens, and one request gets one answer.")
    return prompt


def chat_body(body: CompletionBody, prompt: str) -> ChatBody:
    """The chat that stands for it, checked like any other."""
    fields = {name: value for name in _SAME if (value := getattr(body, name)) is not None}
    return _decode_chat(msgspec.json.encode({**fields, "messages": [{"role": "user", "content": prompt}]}))


class TextForm:
    """A text completion, or the pieces of one."""

    def __init__(self, echo: str, *, usage: bool) -> None:
        self._echo = echo
        self._usage = usage

    def writer(self, receipt: Receipt) -> "TextWriter":
        """For a stream that begins."""
        return TextWriter(head(receipt), self._echo, usage=self._usage)

    def whole(self, said: Whole, receipt: Receipt, usage: Usage | None, extra: Mapping[str, Any]) -> dict[str, Any]:
        """The object for a whole answer."""
        counts = usage_object(usage, extra)
        choice = choice_of(self._echo + said.text, receipt.finish_reason or "stop")
        return {**head(receipt), "choices": [choice], **({"usage": counts} if counts else {})}


class TextWriter:
    """The events of one stream."""

    def __init__(self, head: Mapping[str, Any], echo: str, *, usage: bool) -> None:
        self._head = head
        self._echo = echo
        self._no_usage: dict[str, Any] = {"usage": None} if usage else {}

    def chunks(self, chunks: Iterable[Chunk]) -> bytes:
        """These pieces, as one."""
        text, self._echo = self._echo + "".join([chunk.text for chunk in chunks]), ""
        return self._event({"choices": [choice_of(text, None)], **self._no_usage}) if text else b""

    def end(self, finish_reason: FinishReason) -> bytes:
        """The end of a whole answer."""
        return self._event({"choices": [choice_of(self._echo, finish_reason)], **self._no_usage})

    def usage(self, usage: Usage | None, extra: Mapping[str, Any], homeward: Receipt | None) -> bytes:
        """The counts, and the receipt where it was asked for."""
        more = {"homeward": homeward} if homeward else {}
        return self._event({"choices": [], "usage": usage_object(usage, extra), **more})

    def _event(self, fields: Mapping[str, Any]) -> bytes:
        return b"data: " + msgspec.json.encode({**self._head, **fields}) + b"\n\n"


def head(receipt: Receipt) -> dict[str, Any]:
    """What all parts of one completion share."""
    return {
        "id": f"cmpl-{receipt.id.hex}",
        "object": "text_completion",
        "created": created(receipt),
        "model": model_name(receipt),
    }


def choice_of(text: str, finish_reason: FinishReason | None) -> dict[str, Any]:
    """The only choice."""
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish_reason}
