"""One HTTP request to a backend."""

import asyncio
from io import BytesIO

import aiohttp

from homeward.backends.connections import Connections, SendCounter
from homeward.backends.failures import FOREIGN, timed_out, translate, unusable, web_page
from homeward.backends.refusal import refusal
from homeward.backends.row import BackendRow
from homeward.protocol.address import Address

PIECE_BYTES = 65_536
"""A body above this goes out in pieces as the peer takes them, so that it holds up nobody else."""

ANSWER_LIMIT_BYTES = 16_000_000
"""Of a list of models, or of a long prompt's tokens."""


async def send(
    connections: Connections,
    row: BackendRow,
    address: Address,
    path: str,
    *,
    body: bytes | None = None,
    accept: str = "application/json",
    counter: SendCounter | None = None,
) -> aiohttp.ClientResponse:
    """Sends `body` as JSON to what `path` names at the address, or asks without one, and takes the answer's head.

    Raises `BackendUnreachableError` for an address or key that cannot be sent, else the HTTP client's errors.
    """
    headers = {"Accept": accept, **row.headers, **address.key_headers}
    if row.restarts:
        headers["Connection"] = "close"  # llama.cpp ends it behind a streamed answer, though it promises to keep it
    if body is not None:
        headers["Content-Type"] = "application/json"
    fields = "".join((*headers, *headers.values()))
    if not (fields.isascii() and fields.isprintable()):
        raise unusable(row.source)
    try:
        return await connections.session.request(
            "GET" if body is None else "POST",
            address.at(path),
            data=body if body is None or len(body) <= PIECE_BYTES else BytesIO(body),
            headers=headers,
            allow_redirects=False,  # it could carry the words to another place than the policy allowed
            timeout=aiohttp.ClientTimeout(total=None, connect=row.deadlines.connect_seconds),
            trace_request_ctx=counter,
        )
    except aiohttp.ClientConnectorError:
        raise  # one of them, the certificate's, is a ValueError
    except ValueError:
        raise unusable(row.source) from None


async def ask(
    connections: Connections,
    row: BackendRow,
    address: Address,
    path: str,
    *,
    seconds: float,
    body: bytes | None = None,
) -> bytes:
    """The body of a short answer, whole within `seconds`. Raises `BackendError`."""
    try:
        async with asyncio.timeout(seconds):
            response = await send(connections, row, address, path, body=body)
            try:
                answer = await read_up_to(ANSWER_LIMIT_BYTES, response.content)
            finally:
                response.release()
    except TimeoutError:
        raise timed_out(row.source, "reply", seconds) from None
    except FOREIGN as error:
        raise translate(error, row.source) from None
    if response.status != 200:
        raise refusal(response.status, response.headers, answer, source=row.source, answer_tokens=None)
    if response.content_type == "text/html":
        raise web_page(row.source)
    return answer


async def read_up_to(limit_bytes: int, content: aiohttp.StreamReader) -> bytes:
    """The body's first bytes, all of them where there are fewer."""
    body = bytearray()
    while len(body) < limit_bytes and (data := await content.readany()):
        body += data
    return bytes(body[:limit_bytes])
