"""A port is ours, or the message says whose it is."""

import os
import socket

import pytest

from homeward.app.listen import listening_socket
from homeward.protocol.errors import ConfigError


def test_port_0_takes_a_free_one() -> None:
    """The socket says which."""
    with listening_socket("127.0.0.1", 0) as sock:
        assert sock.getsockname()[1] > 0


def test_a_taken_port_names_this_process_and_a_free_port() -> None:
    """The next step is a command that works."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            listening_socket("127.0.0.1", port)
    message = str(caught.value)
    assert f"Port {port} is taken by " in message
    assert f"(process {os.getpid()})" in message
    other = int(message.rsplit("--port ", 1)[1])
    with listening_socket("127.0.0.1", other):
        assert other != port


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_others_are_not_let_in(host: str) -> None:
    """There is no login, so nothing but loopback is listened on."""
    with pytest.raises(ConfigError, match="no login yet"):
        listening_socket(host, 0)


def test_ipv6_loopback_works_where_the_machine_has_it() -> None:
    """`--host ::1`."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        with pytest.raises(ConfigError, match="Can't listen"):
            listening_socket("::1", 0)
    else:
        listening_socket("::1", 0).close()


def test_small_answers_are_not_held_back() -> None:
    """Nothing waits for 40 ms: asyncio switches Nagle's algorithm off only for sockets that say that they are TCP."""
    with listening_socket("127.0.0.1", 0) as sock:
        assert sock.proto == socket.IPPROTO_TCP
