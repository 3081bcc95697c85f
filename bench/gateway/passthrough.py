"""The least that a gateway in Python can do: Starlette and the HTTP client that Homeward uses, and nothing else.

    UPSTREAM=http://127.0.0.1:9001 python -m uvicorn bench.gateway.passthrough:app

It reads from the request whether it is a stream, sends it on as it is, and passes on what comes back: no routing, no
checks, no deadlines of its own, no books.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

_HEADERS = {"content-type": "application/json", "authorization": "Bearer upstream"}


class _Asked(msgspec.Struct):
    stream: bool = False


_decode = msgspec.json.Decoder(_Asked).decode


@asynccontextmanager
async def _session(app: Starlette) -> AsyncIterator[None]:
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    connector = aiohttp.TCPConnector(limit=256)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        app.state.session = session
        app.state.url = os.environ["UPSTREAM"] + "/v1/chat/completions"
        yield


async def _chat(request: Request) -> Response:
    body = await request.body()
    upstream = await request.app.state.session.post(request.app.state.url, data=body, headers=_HEADERS)
    if _decode(body).stream:
        return StreamingResponse(_pieces(upstream), status_code=upstream.status, media_type="text/event-stream")
    return Response(await upstream.read(), status_code=upstream.status, media_type="application/json")


async def _pieces(upstream: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in upstream.content.iter_any():
            yield piece
    finally:
        upstream.release()


async def _ready(_request: Request) -> Response:
    return JSONResponse({"ready": True})


app = Starlette(
    routes=[Route("/v1/chat/completions", _chat, methods=["POST"]), Route("/readyz", _ready)], lifespan=_session
)
