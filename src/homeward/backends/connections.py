"""The HTTP client that all backends share, set up so that nothing happens behind a request's back."""

import asyncio
import ssl
from functools import partial
from types import SimpleNamespace, TracebackType
from typing import Protocol, Self

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from homeward.protocol.errors import OverloadedError

READ_BUFFER_BYTES = 32 * 1024
"""aiohttp stops reading from the socket at twice this, so that the upstream feels a slow consumer."""

KEEP_ALIVE_SECONDS = 4.0
"""Common servers drop an idle connection after 5 s; reused in that very moment it would lose a request, and
a request is never sent twice."""


class SendCounter(Protocol):
    """Who wants to know what of a request went out; passed as `trace_request_ctx`."""

    def sending(self, head_bytes: int) -> None:
        """The connection stands, and a head of so many bytes goes out, then the body."""


class Connections:
    """Open from `__aenter__` to `__aexit__`; made once, by whoever composes the program."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        """`tls` says whom to trust; by default whom the system trusts, and the file that `SSL_CERT_FILE` names."""
        self.tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._connector: _Connector | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """Raises `OverloadedError` when not open, which is when the program starts or stops."""
        if self._session is None:
            raise OverloadedError("Homeward is shutting down.", next_step="Start it again.")
        return self._session

    async def __aenter__(self) -> Self:
        self._connector = _Connector(self.tls)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Asked for and taken as it is: a compressed answer could unpack to any size.
            headers={"Accept-Encoding": "identity", "User-Agent": "homeward"},
            auto_decompress=False,
            trust_env=False,
            read_bufsize=READ_BUFFER_BYTES,
            trace_configs=[_count_what_is_sent()],
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cuts what is still running: whoever waits for an answer gets `BackendDisconnectedError`."""
        session, self._session = self._session, None
        if session is not None and self._connector is not None:
            await self._connector.cut()
            await session.close()


class _Connector(aiohttp.TCPConnector):
    """Gives a request up at once, where a plain close would wait until the peer has taken all of it."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        # No limit: how many requests run at once is decided before they come here.
        super().__init__(ssl=tls or True, limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS)
        self._lent: set[Connection] = set()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        self._lent.add(connection)
        connection.add_callback(partial(self._returned, connection))
        return connection

    def _returned(self, connection: Connection) -> None:
        """Called when a connection is closed or handed back, before either is done."""
        self._lent.discard(connection)
        transport, protocol = connection.transport, connection.protocol
        if transport is None or protocol is None:
            return
        if protocol.should_close or transport.get_write_buffer_size():
            transport.abort()

    async def cut(self) -> None:
        """Aborts what is lent. Closing the session alone would leave its readers waiting for ever."""
        ends = []
        for connection in self._lent:
            transport, protocol = connection.transport, connection.protocol
            if transport is not None and protocol is not None:
                ends.append(protocol.closed)
                transport.abort()
        await asyncio.gather(*filter(None, ends), return_exceptions=True)


def _count_what_is_sent() -> aiohttp.TraceConfig:
    async def on_headers(
        session: aiohttp.ClientSession,  # noqa: ARG001 - aiohttp's signature
        context: SimpleNamespace,
        params: aiohttp.TraceRequestHeadersSentParams,
    ) -> None:
        counter: SendCounter | None = context.trace_request_ctx
        if counter is not None:
            # "POST /path HTTP/1.1\r\n", "name: value\r\n" each, "\r\n"
            line = len(params.method) + len(params.url.raw_path_qs) + 12
            headers = params.headers
            fields = len("".join((*headers, *headers.values())).encode()) + 4 * len(headers)
            counter.sending(line + fields + 2)

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(on_headers)
    return tracing
