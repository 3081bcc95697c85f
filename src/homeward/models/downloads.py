"""Downloads from the catalogue: begun only when asked for, watched, cancelled, gone on with, and checked at the end.

The runtime verifies nothing of what it downloads, and a sleep or a crash in the middle can leave files of the right
size that are full of zeros. So what arrived is verified before it comes onto the shelf; what is not whole is
deleted and fetched once more.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from homeward.engines.foundry.offers import Arrived, Offer, Progressed, Stopped
from homeward.models.catalogue import Catalogue
from homeward.models.errors import CatalogueError, CatalogueFellError, ModelError, VerificationCancelledError
from homeward.models.inspect import inspect
from homeward.models.model import Model
from homeward.models.shelf import Shelf
from homeward.models.verify import make_manifest
from homeward.protocol.errors import HomewardError

log = structlog.get_logger(__name__)

_SPEED_SECONDS = 10.0
"""Speed and time left go by what arrived in this time."""

TRIES = 5

Told = Callable[[Model], Awaitable[None]]
State = Literal["downloading", "checking", "done", "cancelled", "failed"]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A download at one instant."""

    variant: str
    alias: str
    title: str
    state: State
    size_bytes: int
    arrived_bytes: int = 0
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    checked: float = 0.0
    """While checking: how much of it, from 0 to 1."""
    repaired: bool = False
    """What arrived at first was not whole, and is being fetched once more."""
    name: str = ""
    """Once done: the name on the shelf."""
    problem: str = ""
    """Where it failed: why, and what to do."""


class Download:
    """One download and what is known of it."""

    def __init__(self, offer: Offer, catalogue: Catalogue, shelf: Shelf, arrived: Told) -> None:
        self.offer = offer
        self.progress = Progress(
            variant=offer.variant,
            alias=offer.alias,
            title=offer.title,
            state="downloading",
            size_bytes=offer.size_bytes,
        )
        self._catalogue = catalogue
        self._shelf = shelf
        self._arrived = arrived
        self._samples: deque[tuple[float, float]] = deque()
        self.task = asyncio.create_task(self._run(), name=f"download {offer.variant}")

    async def _run(self) -> None:
        try:
            model = await asyncio.to_thread(put_on_shelf, self._shelf, await self._whole_model())
            await self._arrived(model)
            self._set(state="done", name=model.name, arrived_bytes=self.offer.size_bytes, seconds_left=None)
        except asyncio.CancelledError:
            self._set(state="cancelled", bytes_per_second=None, seconds_left=None)
            raise
        except HomewardError as error:
            log.warning("download_failed", variant=self.offer.variant, code=error.code, detail=error.detail)
            self._set(state="failed", problem=str(error), bytes_per_second=None, seconds_left=None)
        except Exception:
            log.exception("download_failed", variant=self.offer.variant)
            self._set(state="failed", problem="Something went wrong inside Homeward; the log says more.")

    async def _whole_model(self) -> Model:
        """Fetch, check, and where it is not whole, delete and fetch once more."""
        path = await self._fetch()
        try:
            return await self._checked(path)
        except VerificationCancelledError:
            raise
        except ModelError:
            self._set(state="downloading", repaired=True, arrived_bytes=0)
            await self._catalogue.remove(self.offer.variant)
            return await self._checked(await self._fetch())

    async def _fetch(self) -> Path:
        """Its folder. A fall of the runtime on the way (broken connections can bring it down) is gone on from."""
        for tries_left in reversed(range(TRIES)):
            try:
                return await self._fetch_once()
            except CatalogueFellError as error:
                log.warning("download_fell", variant=self.offer.variant, tries_left=tries_left, detail=error.detail)
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _fetch_once(self) -> Path:
        self._samples.clear()
        async with aclosing(self._catalogue.download(self.offer.variant)) as events:
            async for event in events:
                match event:
                    case Progressed():
                        self._advance(event.percent)
                    case Arrived():
                        return Path(event.path)
                    case Stopped():
                        raise CatalogueError(event.message, next_step="Try again: it goes on where it stopped.")
        raise CatalogueFellError("The download broke off.", next_step="Try again: it goes on where it stopped.")

    def _advance(self, percent: float) -> None:
        now, size = time.monotonic(), self.offer.size_bytes
        arrived = size * percent / 100
        self._samples.append((now, arrived))
        while now - self._samples[0][0] > _SPEED_SECONDS:
            self._samples.popleft()
        since, before = self._samples[0]
        speed = (arrived - before) / (now - since) if now > since else None
        self._set(
            arrived_bytes=round(arrived),
            bytes_per_second=speed,
            seconds_left=(size - arrived) / speed if speed else None,
        )

    async def _checked(self, path: Path) -> Model:
        self._set(state="checking", bytes_per_second=None, seconds_left=None, checked=0.0)
        loop = asyncio.get_running_loop()
        cancelled = False

        def tell(fraction: float) -> None:
            loop.call_soon_threadsafe(lambda: self._set(checked=fraction))

        try:
            return await asyncio.to_thread(checked_model, self.offer, path, tell, lambda: cancelled)
        finally:
            cancelled = True

    def _set(self, **changes: object) -> None:
        self.progress = msgspec.structs.replace(self.progress, **changes)


class Downloads:
    """All downloads of this run, the finished ones too until they are dismissed."""

    def __init__(self, catalogue: Catalogue, shelf: Shelf, arrived: Told) -> None:
        """`arrived` is told of each model that is whole and on the shelf, before its download counts as done."""
        self._catalogue = catalogue
        self._shelf = shelf
        self._arrived = arrived
        self._downloads: dict[str, Download] = {}

    @property
    def progress(self) -> tuple[Progress, ...]:
        """Each download at this instant, the oldest first."""
        return tuple(download.progress for download in self._downloads.values())

    def start(self, offer: Offer) -> Download:
        """Begin, or go on with, the download of an offer; one that is under way is given back as it is."""
        download = self._downloads.get(offer.variant)
        if download is None or download.task.done():
            download = self._downloads[offer.variant] = Download(offer, self._catalogue, self._shelf, self._arrived)
        return download

    async def cancel(self, variant: str) -> None:
        """End a download; what arrived is kept."""
        if download := self._downloads.get(variant):
            download.task.cancel()
            await asyncio.wait({download.task})

    def dismiss(self, variant: str) -> None:
        """Forget a download that is over."""
        if (download := self._downloads.get(variant)) and download.task.done():
            del self._downloads[variant]

    async def close(self) -> None:
        """End all downloads."""
        await asyncio.gather(*(self.cancel(variant) for variant in tuple(self._downloads)))


def choose_offer(offers: tuple[Offer, ...], name: str, device: str = "auto") -> Offer:
    """The offer that a name means: an exact variant, or of an alias' variants the one for the device.

    `auto` takes the catalogue's first: it offers only what this machine can run, the fastest first. Raises
    ModelError: there is none.
    """
    key = name.casefold()
    exact = [offer for offer in offers if offer.variant.casefold() == key]
    variants = exact or [offer for offer in offers if offer.alias.casefold() == key]
    fitting = [offer for offer in variants if exact or device in ("auto", offer.device)]
    if fitting:
        return fitting[0]
    if variants:
        devices = ", ".join(sorted({offer.device for offer in variants}))
        raise ModelError(
            f"The catalogue has {name} for {devices}, not for {device}.", next_step="Choose another device."
        )
    raise ModelError(
        f"The catalogue has no model {name}.",
        next_step="See `homeward models list --catalogue`."
        if offers
        else "It may not be reachable: check the network.",
    )


def checked_model(offer: Offer, path: Path, progress: Callable[[float], None], cancelled: Callable[[], bool]) -> Model:
    """What arrived, as a model with its manifest. Blocks. Raises ModelError, DamagedModelError."""
    model = msgspec.structs.replace(
        inspect(path),
        name=offer.alias,
        source="catalogue",
        license=offer.license,
        alias=offer.alias,
        variant=offer.variant,
        task=offer.task,
        added_at=datetime.now(UTC),
    )
    return msgspec.structs.replace(model, manifest=make_manifest(model, progress, cancelled))


def put_on_shelf(shelf: Shelf, model: Model) -> Model:
    """Add a model, or replace an older download of the same; where its name is taken, under its exact id. Blocks."""
    known = shelf.read().find(model.name)
    if known is not None and known.alias == model.alias:
        shelf.put(model)
        return model
    if known is not None:
        model = msgspec.structs.replace(model, name=model.variant)
    shelf.add(model)
    return model
