"""Binding the port, and saying who has it if it is taken."""

import errno
import socket
import sys

import psutil

from homeward.gate.policy import is_loopback
from homeward.protocol.errors import ConfigError


def listening_socket(host: str, port: int, *, has_key: bool = False) -> socket.socket:
    """A bound socket; its real port is in `getsockname()` where `port` is 0.

    Raises ConfigError: taken (by whom, and a free one), not allowed, no such address, or open to other machines
    without a key that programs there need.
    """
    if not is_loopback(host) and not has_key:
        raise ConfigError(
            f"The page has no login yet, so without a key Homeward does not listen on {host}, "
            "where others could reach it.",
            next_step="Make a key with `homeward keys add NAME`, or use --host 127.0.0.1.",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio leaves Nagle on: 40 ms
    if sys.platform != "win32":  # there it would let two programs share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host.strip("[]"), port))
    except OSError as error:
        sock.close()
        raise explain(error, host, port) from error
    return sock


def explain(error: OSError, host: str, port: int) -> ConfigError:
    """Why the port can't be had, and the command that works."""
    if error.errno == errno.EADDRINUSE:
        return ConfigError(f"Port {port} is taken{holder(port)}.", next_step=another(host))
    if error.errno == errno.EACCES:
        return ConfigError(f"The system does not allow you to listen on port {port}.", next_step=another(host))
    return ConfigError(f"Can't listen on {host}, port {port}: {error.strerror}.", next_step="Use --host 127.0.0.1.")


def another(host: str) -> str:
    """The command that works."""
    return f"Start with a free one: homeward up --port {free_port(host)}"


def holder(port: int) -> str:
    """Name and id of the process that listens there; empty where the system doesn't tell."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                if connection.pid is None:
                    return ""
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""


def free_port(host: str) -> int:
    """A port that was free a moment ago."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host.strip("[]"), 0))
        return int(probe.getsockname()[1])
