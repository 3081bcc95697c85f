"""How an accepted connection gets from the keeper to a worker: its descriptor goes through a socket of their own.

The keeper accepts all connections and deals them out in turn. Workers that all accepted from one socket would share
badly: asyncio takes all that wait in one go, so whoever wakes up first gets a whole burst.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BYTE = b"c"
"""A descriptor travels with at least one byte."""


class NotTakenError(Exception):
    """The worker is gone, or has so many connections on the way that the socket is full."""


def hand(connection: socket.socket, way: socket.socket) -> None:
    """Give a connection to the process at the other end; ours is closed. Raises NotTakenError, and keeps it open."""
    assert sys.platform != "win32"
    try:
        socket.send_fds(way, [BYTE], [connection.fileno()])
    except OSError as error:
        raise NotTakenError from error
    connection.close()


@contextmanager
def receiving(way: socket.socket, take: Callable[[socket.socket], None]) -> Iterator[None]:
    """Call `take` with each connection that is given to this process meanwhile."""
    assert sys.platform != "win32"
    loop = asyncio.get_running_loop()

    def arrived() -> None:
        try:
            _, descriptors, _, _ = socket.recv_fds(way, len(BYTE), 1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            descriptors = []
        if not descriptors:  # the keeper is gone
            loop.remove_reader(way)
        for descriptor in descriptors:
            take(connection_of(descriptor))

    way.setblocking(False)
    loop.add_reader(way, arrived)
    try:
        yield
    finally:
        loop.remove_reader(way)


def connection_of(descriptor: int) -> socket.socket:
    """The socket of a connection. Named as TCP, or asyncio leaves Nagle on where the system does not tell."""
    os.set_inheritable(descriptor, False)
    found = socket.socket(fileno=descriptor)
    connection = socket.socket(found.family, found.type, socket.IPPROTO_TCP, fileno=found.detach())
    connection.setblocking(False)
    return connection
