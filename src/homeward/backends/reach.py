"""Whether a host can be reached at all: its name, its port, its certificate. Nothing is said to it."""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Literal

from homeward.backends.threads import in_thread

Fault = Literal["settings", "network", "service"]
"""Where a mistake is: in the user's settings, between here and there, or there."""

LOOK_UP_SECONDS = 10.0

_OTHER_NAME: tuple[str, str, Fault] = (
    "Its certificate is for another host name.",
    "Check the host name in `url`; in a café or a hotel, sign in to the network first.",
    "settings",
)
_VERIFICATION: dict[int, tuple[str, str, Fault]] = {  # by OpenSSL's numbers
    10: ("Its certificate has expired.", "Check this machine's clock; else its owner has to renew it.", "service"),
    62: _OTHER_NAME,
    64: _OTHER_NAME,  # an IP address in place of a name
}
_UNTRUSTED = (
    "Its certificate is not one that this machine trusts.",
    "Where a proxy of your organisation stands in between, name its certificate file in the variable SSL_CERT_FILE.",
)


class Unreached(Exception):  # noqa: N818 - an outcome
    """Why a host can't be reached."""

    def __init__(self, sentence: str, next_step: str, fault: Fault) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        self.fault = fault


async def look_up(host: str) -> tuple[str, ...]:
    """The addresses that a host's name stands for. Raises `Unreached`."""
    try:
        found = await in_thread(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM), LOOK_UP_SECONDS)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unreached(
                "No host name can be looked up now.", "Check that this machine is connected to the network.", "network"
            ) from None
        raise Unreached(
            f"There is no host called {host}.", "Check the host name in `url`, letter by letter.", "settings"
        ) from None
    except (TimeoutError, UnicodeError):
        raise Unreached(
            f"{host} can't be looked up.", "Check the host name in `url`, and the network.", "network"
        ) from None
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


async def connect(
    host: str, addresses: Sequence[str], port: int, *, tls: ssl.SSLContext | None, seconds: float
) -> None:
    """Open a connection to one of a host's addresses, with TLS where a context is given, and close it.

    All addresses are tried at the same time. Raises `Unreached` where none of them can be reached.
    """
    tries = [asyncio.create_task(_open_and_close(host, address, port, tls)) for address in addresses]
    try:
        async with asyncio.timeout(seconds):
            await _first_that_succeeds(tries)
    except TimeoutError:
        raise Unreached(
            f"Port {port} of {host} does not answer within {seconds:g} s.",
            "Check the network, and whether a firewall or a VPN stands in between.",
            "network",
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise untrusted(error.verify_code) from None
    except (ssl.SSLError, ConnectionResetError, ConnectionAbortedError):
        raise Unreached(
            f"Port {port} of {host} does not speak TLS.",
            "Check the port in `url`, and whether it must begin with http://.",
            "settings",
        ) from None
    except ConnectionRefusedError:
        raise Unreached(
            f"Nothing listens at port {port} of {host}.", "Start the service, or correct the port in `url`.", "service"
        ) from None
    except OSError:
        raise Unreached(
            f"There is no way to {host}.", "Check that this machine is connected to the network.", "network"
        ) from None
    finally:
        for each in tries:
            each.cancel()
        await asyncio.gather(*tries, return_exceptions=True)


async def _first_that_succeeds(tries: Iterable[asyncio.Task[None]]) -> None:
    """Raises the most telling error where none does: rather what a host did than that there is no way to it."""
    errors: list[OSError] = []
    for each in asyncio.as_completed(tries):
        try:
            await each
        except OSError as error:
            errors.append(error)
        else:
            return
    raise next((error for error in errors if isinstance(error, ssl.SSLError | ConnectionError)), errors[-1])


async def _open_and_close(host: str, address: str, port: int, tls: ssl.SSLContext | None) -> None:
    _, writer = await asyncio.open_connection(address, port, ssl=tls, server_hostname=host if tls else None)
    writer.transport.abort()


def untrusted(verify_code: int) -> Unreached:
    """What a certificate that was not accepted means; `verify_code` is OpenSSL's."""
    if verify_code in _VERIFICATION:
        return Unreached(*_VERIFICATION[verify_code])
    return Unreached(*_UNTRUSTED, "network")
