"""Addresses on this machine, and nothing else.

An address is taken apart, checked and put together anew: what is asked later is what was checked here, however
another parser would have read the original.
"""

import ipaddress
import re

import msgspec

_URL = re.compile(
    r"(?P<scheme>[A-Za-z]+)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~-]*)*)"
)
_SHAPE = "An address of a service looks like http://127.0.0.1:11434/v1."


class Root(msgspec.Struct, frozen=True):
    """Where a service listens on this machine; the paths of its interfaces follow."""

    host: str
    """`localhost` or a loopback address, as it stands in a URL."""
    port: int
    prefix: str = ""
    """Path in front of `/v1`: empty, or with a slash before it and none behind."""

    @property
    def url(self) -> str:
        """Without a slash behind."""
        return f"http://{self.host}:{self.port}{self.prefix}"

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"


class Refused(msgspec.Struct, frozen=True):
    """An address that is not used, and a sentence that says why."""

    reason: str


def loopback_root(url: str) -> Root | Refused:
    """The root that a URL means, with or without `/v1` and slashes behind.

    Only `localhost`, 127.0.0.0/8 and ::1 are this machine; so are 0.0.0.0 and ::, by which servers say that
    they listen everywhere. No name is ever resolved. User names, queries and fragments are refused.
    """
    match = _URL.fullmatch(url.strip())
    if match is None:
        return Refused(f"The address is not understood. {_SHAPE}")
    host = this_machine(match["host"])
    if host is None:
        return Refused(
            f"Only services on this machine are used this way, and {match['host']} is another one. "
            'Give it a row of its own in homeward.toml: [clouds.NAME], with place = "network" if it is yours.'
        )
    if match["scheme"].lower() != "http":
        return Refused(f"A service on this machine is asked without encryption. {_SHAPE}")
    port = int(match["port"] or 80)
    if not 0 < port < 65_536:
        return Refused(f"There is no port {port}. {_SHAPE}")
    segments = [segment for segment in match["path"].split("/") if segment]
    if {".", ".."}.intersection(segments):
        return Refused(f"The address is not understood. {_SHAPE}")
    if segments[-1:] == ["v1"]:
        segments.pop()
    return Root(host, port, "".join(f"/{segment}" for segment in segments))


def this_machine(host: str) -> str | None:
    """The host as it is asked for, if it is this machine; None for every other, and for what isn't a host."""
    if host.lower() == "localhost":
        return "localhost"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
    if address.version == 4:
        if address.is_unspecified:
            return "127.0.0.1"
        return str(address) if address.is_loopback else None
    # Only ::1 itself: whether an IPv4-mapped address counts as loopback depends on Python's version.
    return "[::1]" if address in (ipaddress.IPv6Address("::1"), ipaddress.IPv6Address("::")) else None
