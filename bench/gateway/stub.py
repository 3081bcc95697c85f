"""An upstream that speaks OpenAI's protocol and answers at once, as cheaply as can be: what is measured is the gateway.

    python -m bench.gateway.stub          prints its port, then serves on it until it is ended

The model that a request names selects what happens, streamed or not where nothing else is said:

| model | what happens |
|---|---|
| `stub` | a whole answer: 562 bytes of JSON, or 66 events (role, 64 words, finish) and [DONE] in one piece |
| `stub-paced` | role and first word at once, then one event every 5 ms |
| `stub-500` | status 500 |
| `stub-hang` | nothing, ever |
| `stub-slow` | the whole answer, four seconds late |
| `stub-cut` | ten words, one every 5 ms, then the connection is closed |
| `stub-error` | ten words in the same way, then an error event, then the end of the body |

With `stream_options.include_usage` a chunk with the usage comes before [DONE]. Requests need a `Content-Length`.
"""

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.gateway.texts import PACE_SECONDS, TAG_LETTERS, WORDS, answer, tag_in

SLOW_SECONDS = 4.0
WORDS_BEFORE_A_FAULT = 10

_ANY_TAG = "-" * TAG_LETTERS
_KIND = {"id": "chatcmpl-0123456789", "created": 1_790_000_000, "model": "stub"}
_USAGE = {"prompt_tokens": 36, "completion_tokens": 64, "total_tokens": 100}


class _Message(msgspec.Struct):
    content: str


class _StreamOptions(msgspec.Struct):
    include_usage: bool = False


class _Asked(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    stream_options: _StreamOptions | None = None

    @property
    def tag(self) -> bytes:
        return tag_in(self.messages[-1].content).encode()

    @property
    def with_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage


_decode = msgspec.json.Decoder(_Asked).decode


def _json_response(status: str, body: object) -> bytes:
    content = msgspec.json.encode(body)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _piece(data: bytes) -> bytes:
    """An event in a chunk of its own, as servers send it."""
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


def _chunk(choices: Sequence[dict[str, Any]], **further: Any) -> bytes:
    return _piece(msgspec.json.encode({**_KIND, "object": "chat.completion.chunk", "choices": choices, **further}))


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    return _chunk([{"index": 0, "delta": delta, "finish_reason": finish}])


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_BEGIN = _STREAM_HEAD + _delta({"role": "assistant", "content": ""}) + _delta({"content": _ANY_TAG})
_MORE = [_delta({"content": " " + word}) for word in WORDS]
_FINISH = _delta({}, "stop")
_END_OF_BODY = b"0\r\n\r\n"
_END = _piece(b"[DONE]") + _END_OF_BODY
_END_WITH_USAGE = _chunk([], usage=_USAGE) + _END
_BEFORE_A_FAULT = _MORE[: WORDS_BEFORE_A_FAULT - 1]
_ERROR = _piece(b'{"error":{"message":"The model fell over.","type":"server_error","code":null}}') + _END_OF_BODY
_REFUSED = _json_response("500 Internal Server Error", {"error": {"message": "Broken.", "type": "server_error"}})
_MODELS = _json_response("200 OK", {"object": "list", "data": [{"id": "stub", "object": "model"}]})
_CHOICE = {"index": 0, "message": {"role": "assistant", "content": answer(_ANY_TAG)}, "finish_reason": "stop"}
_PLAIN = _json_response("200 OK", {**_KIND, "object": "chat.completion", "choices": [_CHOICE], "usage": _USAGE})


class _Template:
    """Bytes with a place for the tag."""

    def __init__(self, content: bytes) -> None:
        self._before, _, self._after = content.partition(_ANY_TAG.encode())

    def of(self, its_tag: bytes) -> bytes:
        return self._before + its_tag + self._after


_plain = _Template(_PLAIN)
_begin = _Template(_BEGIN)
_stream = _Template(b"".join((_BEGIN, *_MORE, _FINISH, _END)))
_stream_with_usage = _Template(b"".join((_BEGIN, *_MORE, _FINISH, _END_WITH_USAGE)))


def _whole(asked: _Asked) -> bytes:
    if not asked.stream:
        return _plain.of(asked.tag)
    return (_stream_with_usage if asked.with_usage else _stream).of(asked.tag)


class Connection(asyncio.Protocol):
    """One connection; requests on it are answered one after the other, as clients ask them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Serve each request that is whole."""
        self._buffer += data
        while (end_of_head := self._buffer.find(b"\r\n\r\n")) >= 0:
            head, begin = self._buffer[:end_of_head].lower(), end_of_head + 4
            end = begin + _content_length(head)
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[begin:end], self._buffer[end:]
            if head.startswith(b"post"):
                self._serve(_decode(body))
            else:
                self._write(_MODELS)

    def _serve(self, asked: _Asked) -> None:
        match asked.model:
            case "stub-paced" if asked.stream:
                self._pace(asked, _MORE)(self._write, _FINISH + (_END_WITH_USAGE if asked.with_usage else _END))
            case "stub-500":
                self._write(_REFUSED)
            case "stub-hang":
                pass
            case "stub-slow":
                asyncio.get_running_loop().call_later(SLOW_SECONDS, self._write, _whole(asked))
            case "stub-cut":
                self._pace(asked, _BEFORE_A_FAULT)(self._transport.close)
            case "stub-error":
                self._pace(asked, _BEFORE_A_FAULT)(self._write, _ERROR)
            case _:
                self._write(_whole(asked))

    def _pace(self, asked: _Asked, pieces: Sequence[bytes]) -> Callable[..., object]:
        """Begin the answer at once, and send the pieces one by one; gives what calls something after them.

        The plan is kept by the clock: what is late does not make the rest late.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._write(_begin.of(asked.tag))
        for number, piece in enumerate(pieces, start=1):
            loop.call_at(began + number * PACE_SECONDS, self._write, piece)
        return functools.partial(loop.call_at, began + (len(pieces) + 1) * PACE_SECONDS)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


async def main() -> None:
    """Serve on a free port of this machine only, and print it."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
