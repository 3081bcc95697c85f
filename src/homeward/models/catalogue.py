"""Foundry's catalogue as the running program asks it: through a child that lives only while it is asked.

Nothing here happens unasked: each call is something that the user wanted to see or to have.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import aiohttp
import msgspec

from homeward.engines.engine import Engine
from homeward.engines.foundry.offers import DownloadEvent, Offer, Offers, Progressed, Provider, Providers
from homeward.models.errors import CatalogueError, CatalogueFellError
from homeward.protocol.address import Address

_ANSWER_SECONDS = 120.0
"""For a list; without network the SDK gives up by itself after some seconds."""

_EVENTS = msgspec.json.Decoder(DownloadEvent)


class _Problem(msgspec.Struct):
    message: str


class _Envelope(msgspec.Struct):
    error: _Problem


class Catalogue:
    """What can be downloaded."""

    def __init__(self, engine: Engine) -> None:
        """`engine` runs `catalogue_recipe`."""
        self._engine = engine
        self._downloading = 0

    async def offers(self) -> tuple[Offer, ...]:
        """All variants of language models; empty where the catalogue can't be reached and never was.

        Raises:
            CatalogueError, EngineError: it could not be asked.
        """
        offers = msgspec.json.decode(await self._ask("GET", "/offers"), type=Offers).offers
        if not offers and not self._downloading:
            await self._engine.stop()  # the SDK asks the network once per process: the next look needs a new one
        return offers

    async def providers(self) -> tuple[Provider, ...]:
        """Execution providers of this machine besides the CPU's. Raises like `offers`."""
        return msgspec.json.decode(await self._ask("GET", "/providers"), type=Providers).providers

    async def remove(self, variant: str) -> None:
        """Delete the files of a downloaded variant. Raises like `offers`."""
        await self._ask("POST", "/remove", {"variant": variant})

    async def download(self, variant: str) -> AsyncGenerator[DownloadEvent, None]:
        """What a download tells, last `Arrived` or `Stopped`; closed early, it is cancelled and can go on later.

        Raises:
            CatalogueFellError: the child fell; what has arrived is kept as well as can be.
            EngineError: it did not start.
        """
        self._downloading += 1
        try:
            async with self._answer("POST", "/download", {"variant": variant}, seconds=None) as response:
                async for line in response.content:
                    event = _EVENTS.decode(line)
                    yield event
                    if not isinstance(event, Progressed):
                        return
        finally:
            self._downloading -= 1

    async def _ask(self, method: str, path: str, body: object = None) -> bytes:
        async with self._answer(method, path, body, seconds=_ANSWER_SECONDS) as response:
            return await response.read()

    @contextlib.asynccontextmanager
    async def _answer(
        self, method: str, path: str, body: object, *, seconds: float | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self._engine.lease() as address:
            try:
                async with _session(address, seconds) as session, session.request(method, path, json=body) as response:
                    if response.status != 200:
                        raise CatalogueError(_problem(await response.read()), next_step="Try again.")
                    yield response
            except (aiohttp.ClientError, TimeoutError) as error:
                await self._engine.examine()
                raise CatalogueFellError(
                    "The part that talks to the catalogue stopped.", next_step="Try again.", detail=repr(error)
                ) from error


def _session(address: Address, seconds: float | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        address.url,
        headers={"Authorization": f"Bearer {address.api_key}"},
        timeout=aiohttp.ClientTimeout(total=seconds),
        trust_env=False,
    )


def _problem(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Envelope).error.message
    except msgspec.DecodeError:
        return "The catalogue could not be asked."
