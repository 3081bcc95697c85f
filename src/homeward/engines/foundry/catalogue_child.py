"""The program that talks to Foundry's catalogue: `python -m homeward.engines.foundry.catalogue_child`.

A process of its own, so that neither a slow network nor a download holds up the one that answers. It runs only
while somebody looks at the catalogue or downloads. Loopback, with a key, for the parent alone:

    GET  /health
    GET  /offers       `Offers`
    GET  /providers    `Providers`
    POST /download     {"variant": …}: a `DownloadEvent` per line; cancelled by leaving
    POST /remove       {"variant": …}
"""

import asyncio
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from homeward.engines.child import attend, note
from homeward.engines.foundry.guarded import guarded, listening
from homeward.engines.foundry.offers import Arrived, DownloadEvent, Offers, Progressed, Providers, Stopped
from homeward.engines.foundry.refusals import RefusalError, invalid

if TYPE_CHECKING:
    from homeward.engines.foundry.catalogue import Catalogue

_ORDERLY_END_SECONDS = 3.0
"""For downloads to write down how far they are; less than the grace that the parent gives."""


class _Variant(msgspec.Struct):
    variant: str


class _Service:
    def __init__(self, catalogue: "Catalogue") -> None:
        self._catalogue = catalogue
        self._downloads: dict[threading.Event, asyncio.Future[None]] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/offers", self._offers),
            web.get("/providers", self._providers),
            web.post("/download", self._download),
            web.post("/remove", self._remove),
        ]

    async def end(self) -> None:
        """Cancel downloads in good order."""
        for cancel in self._downloads:
            cancel.set()
        if self._downloads:
            await asyncio.wait(self._downloads.values(), timeout=_ORDERLY_END_SECONDS)

    async def _offers(self, _request: web.Request) -> web.Response:
        return _json(Offers(offers=tuple(await asyncio.to_thread(self._catalogue.offers))))

    async def _providers(self, _request: web.Request) -> web.Response:
        return _json(Providers(providers=tuple(await asyncio.to_thread(self._catalogue.providers))))

    async def _remove(self, request: web.Request) -> web.Response:
        await asyncio.to_thread(self._catalogue.remove, await _variant(request))
        return web.json_response({})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        variant = await _variant(request)
        response = web.StreamResponse(headers={"content-type": "application/x-ndjson"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[DownloadEvent] = asyncio.Queue()
        cancel = threading.Event()

        def tell(event: DownloadEvent) -> None:
            loop.call_soon_threadsafe(events.put_nowait, event)

        def work() -> None:
            try:
                path = self._catalogue.download(variant, lambda percent: tell(Progressed(percent=percent)), cancel)
                tell(Arrived(path=path))
            except RefusalError as refusal:
                tell(msgspec.convert({"event": "stopped", "code": refusal.code, "message": refusal.message}, Stopped))

        self._downloads[cancel] = working = loop.run_in_executor(None, work)
        working.add_done_callback(lambda _: self._downloads.pop(cancel, None))
        try:
            while True:
                event = await events.get()
                await response.write(msgspec.json.encode(event) + b"\n")
                if not isinstance(event, Progressed):
                    await response.write_eof()
                    return response
        finally:
            cancel.set()
            asyncio.get_running_loop().call_later(_ORDERLY_END_SECONDS, self._insist, cancel)

    def _insist(self, cancel: threading.Event) -> None:
        """End the process where a cancelled download goes on: a silent server holds it, and all others behind it."""
        if cancel in self._downloads:
            note("a download could not be cancelled")
            os._exit(1)


async def _variant(request: web.Request) -> str:
    try:
        return msgspec.json.decode(await request.read(), type=_Variant).variant
    except msgspec.DecodeError:
        raise invalid("`variant` is missing.", "variant") from None


def _json(content: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


async def _serve() -> None:
    parent = attend()
    os.environ.update(CI="true", ORT_TELEMETRY_DISABLED="1")  # why: `child`
    from homeward.engines.foundry.catalogue import Catalogue

    service = _Service(await asyncio.to_thread(Catalogue, parent.settings))
    ending = asyncio.Event()
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    parent.listening(await listening(guarded(service.routes(), str(parent.settings["api_key"]))))
    await ending.wait()
    await service.end()
    os._exit(0)  # the runtime's own end may wait for ever


def main() -> None:
    """Serve until SIGTERM."""
    asyncio.run(_serve())


if __name__ == "__main__":
    main()
