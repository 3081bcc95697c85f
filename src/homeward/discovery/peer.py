"""Short questions to a service on this machine: GET only, no redirects, no proxy, no name resolution."""

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from homeward.discovery.loopback import Root

BODY_LIMIT_BYTES = 8_000_000
"""The largest list of models that is read; Foundry's whole catalogue has well under one million."""


class NoAnswerError(Exception):
    """There is no answer that can be used; the text is a sentence for the user."""

    def __init__(self, reason: str, *, status: int | None = None, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        """HTTP status of the answer; None where there was no answer."""
        self.timed_out = timed_out


class Peer:
    """A service that may listen at `root`; holds nothing but what its questions need."""

    def __init__(self, session: aiohttp.ClientSession, root: Root, *, seconds: float, api_key: str = "") -> None:
        self.root = root
        self._session = session
        self._seconds = seconds
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def get(self, path: str, *, seconds: float | None = None, accept: Collection[int] = (200,)) -> Any:
        """The JSON value that it answers.

        Args:
            path: below the root, with a slash before it; characters that a path cannot have are escaped already.
            seconds: until the whole answer is here; the peer's own limit if left out.
            accept: HTTP statuses whose body is wanted.

        Raises:
            NoAnswerError: nobody listens, too late, another status, too long, not JSON.
        """
        limit = self._seconds if seconds is None else seconds
        where = self.root.where
        try:
            async with asyncio.timeout(limit):
                status, body = await self._exchange(path, accept)
        except TimeoutError:
            raise NoAnswerError(f"{where} did not answer within {limit:g} s.", timed_out=True) from None
        except aiohttp.ClientConnectorError:
            raise NoAnswerError(f"Nothing listens on {where}.") from None
        except (aiohttp.ClientError, OSError):
            raise NoAnswerError(f"What listens on {where} does not answer in HTTP.") from None
        if status not in accept:
            raise NoAnswerError(self._status_words(status), status=status)
        try:
            return msgspec.json.decode(body)
        except (ValueError, RecursionError):
            reason = f"What answers on {where} does not speak OpenAI's protocol."
            raise NoAnswerError(reason, status=status) from None

    async def peek(self, path: str, *, accept: Collection[int] = (200,)) -> Any:
        """Like `get`, but None for whatever goes wrong."""
        try:
            return await self.get(path, accept=accept)
        except NoAnswerError:
            return None

    async def _exchange(self, path: str, accept: Collection[int]) -> tuple[int, bytes]:
        url = URL(self.root.url + path, encoded=True)
        async with self._session.get(url, headers=self._headers, allow_redirects=False) as response:
            if response.status not in accept:
                response.close()
                return response.status, b""
            body = bytearray()
            async for data in response.content.iter_any():
                body += data
                if len(body) > BODY_LIMIT_BYTES:
                    response.close()
                    reason = f"What answers on {self.root.where} sends more than a list of models."
                    raise NoAnswerError(reason, status=response.status)
            return response.status, bytes(body)

    def _status_words(self, status: int) -> str:
        it = f"What answers on {self.root.where}"
        match status:
            case 401 | 403 if self._headers:
                return f"{it} refused the key (status {status})."
            case 401 | 403:
                return f"{it} needs a key (status {status}). To use it, give its address and key."
            case _ if 300 <= status < 400:
                return f"{it} sends us on to another address, which is not followed (status {status})."
            case _ if status >= 500:
                return f"{it} has a fault of its own (status {status})."
            case _:
                return f"{it} does not speak OpenAI's protocol (status {status})."


@asynccontextmanager
async def opened_session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client for `Peer`s that cannot reach another machine by a name."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, resolver=_LoopbackResolver(), use_dns_cache=False, force_close=True),
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
        # Asked for and taken as it is: a compressed answer could unpack to any size.
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "homeward"},
        auto_decompress=False,
        trust_env=False,
    )
    async with session:
        yield session


class _LoopbackResolver(AbstractResolver):
    """Knows `localhost`, without asking anyone."""

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - aiohttp's signature
    ) -> list[ResolveResult]:
        if host != "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "not a name of this machine")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST)
            for address, kind in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))
        ]

    async def close(self) -> None:
        """Nothing is held."""
