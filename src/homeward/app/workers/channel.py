"""One end of the connection between a worker and its keeper.

Messages go in frames: the length in four bytes, then a MessagePack array of all messages that were sent in one turn of
the event loop, which so cost one system call.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from homeward.app.workers.messages import Message

LENGTH_BYTES = 4

In = TypeVar("In", bound=Message)
Out = TypeVar("Out", bound=Message)


class Channel(asyncio.Protocol, Generic[In, Out]):
    """Sends and hears messages, in order. For one event loop."""

    def __init__(self, hears: Any, hear: Callable[[In], None], gone: Callable[[], None]) -> None:
        """`hears` is the union of the messages that may come, `hear` is called with each.

        `gone` is called once, when the other process is gone or this end was closed.
        """
        self._hear = hear
        self._gone = gone
        self._open = True
        self._hearing = False
        self._decoder: msgspec.msgpack.Decoder[Sequence[In]] = msgspec.msgpack.Decoder(list[hears])
        self._encoder = msgspec.msgpack.Encoder()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[Out] = []
        self._received = bytearray()

    async def open(self, end: socket.socket) -> None:
        """Talk over this socket, which belongs to the channel from now on."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=end)

    def send(self, message: Out) -> None:
        """Send one; returns at once. What is sent to a process that is gone is dropped."""
        if not self._unsent and not self._hearing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(message)

    def close(self) -> None:
        """Send what was said, and end it."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        messages, self._unsent = self._unsent, []
        if messages and self._transport is not None and self._open:
            frame = self._encoder.encode(messages)
            self._transport.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Hear each whole frame; what is said to it meanwhile goes back at once."""
        self._received += data
        self._hearing = True
        start = 0
        while len(self._received) - start >= LENGTH_BYTES:
            begin = start + LENGTH_BYTES
            end = begin + int.from_bytes(self._received[start:begin], "big")
            if len(self._received) < end:
                break
            messages = self._decoder.decode(bytes(self._received[begin:end]))
            start = end
            for message in messages:
                self._hear(message)
        del self._received[:start]
        self._hearing = False
        self._flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        """The other process is gone, or we closed it."""
        self._open = False
        self._gone()
