"""What the models page and the commands do: everything that the user can ask of the models of this machine."""

import asyncio
import shutil
from collections.abc import Coroutine
from pathlib import Path

import msgspec
import structlog

from homeward.app import views
from homeward.app.answering import Answering, foundry_missing, recipe_of
from homeward.app.views import Check, Measures
from homeward.config import Settings
from homeward.discovery.found import TITLES
from homeward.engines.foundry.offers import Offer, Provider
from homeward.engines.foundry.recipe import catalogue_recipe
from homeward.engines.machine import available_memory_bytes
from homeward.engines.memory import size_words
from homeward.engines.supervisor import SupervisedEngine
from homeward.manage.state import Catalogue as CatalogueView
from homeward.manage.state import State
from homeward.models.catalogue import Catalogue
from homeward.models.downloads import Download, Downloads, choose_offer
from homeward.models.errors import DamagedModelError, ModelError
from homeward.models.inspect import inspect
from homeward.models.model import Model
from homeward.models.verify import make_manifest
from homeward.protocol.errors import HomewardError

log = structlog.get_logger(__name__)

SEARCHED = "services-searched"
"""A file in the data folder, made by the first search for services."""


class Managing:
    """The models of this machine as the user manages them."""

    def __init__(self, answering: Answering, catalogue: Catalogue) -> None:
        self._answering = answering
        self._library = answering.library
        self._settings = answering.settings
        self._catalogue = catalogue
        self._downloads = Downloads(catalogue, self._library.shelf, self._arrived)
        self._offers: tuple[Offer, ...] = ()
        self._providers: tuple[Provider, ...] | None = None
        self._checks: dict[str, Check] = {}
        self._needs: dict[str, int] = {}
        self._ready_to_switch = ""
        self._notice = ""
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what there is -------------------------------------------------------------------------------------

    def state(self) -> State:
        """Everything at this instant."""
        answering, library = self._answering, self._library
        measures = Measures(self._needs, answering.pool.residents())
        self._measure_new_ones()
        found, choice = answering.services.discovery, library.in_use
        return State(
            in_use=views.in_use_view(answering, measures),
            missing=library.missing,
            machine=views.machine_view(self._settings, self._providers),
            models=tuple(
                views.model_view(
                    model, answering.pool.status(model.name), self._checks.get(model.name), measures, choice
                )
                for model in library.models
            ),
            services=tuple(views.service_view(service, choice) for service in found.found) if found else (),
            not_found=views.missing_views(found),
            searching=answering.services.searching,
            searched=found is not None,
            downloads=self._downloads.progress,
            ready_to_switch=self._ready_to_switch,
            notice=self._notice,
        )

    async def catalogue(self) -> CatalogueView:
        """What can be downloaded. Asks the catalogue over the network."""
        if reason := foundry_missing(self._settings):
            return CatalogueView(offers=(), sentence=reason)
        self._offers = await self._catalogue.offers()
        free = available_memory_bytes()
        offers = tuple(views.offer_view(offer, free) for offer in self._offers)
        sentence = "" if offers else "The catalogue could not be reached. Check the network, then look again."
        return CatalogueView(offers=offers, sentence=sentence)

    # -- what the user does --------------------------------------------------------------------------------

    async def use(self, name: str) -> None:
        """Let this model answer."""
        choice = await self._answering.use(name)
        if choice.model == self._ready_to_switch:
            self._ready_to_switch = ""

    async def add(self, path: str) -> str:
        """Put the user's own model on the shelf, and check its files; its name."""
        model = await asyncio.to_thread(inspect, Path(path.strip().strip("\"'")))
        await asyncio.to_thread(self._library.shelf.add, model)
        await asyncio.to_thread(self._library.refresh)
        self._begin_check(model)
        return model.name

    async def remove(self, name: str, *, delete_files: bool) -> None:
        """Take a model off the shelf, after its engine has ended; delete what was downloaded if asked to."""
        model = self._library.get(name)
        if model.source == "starter":
            raise ModelError("The starter model is part of Homeward's installation and stays.")
        await asyncio.to_thread(self._library.shelf.remove, model.name)
        await asyncio.to_thread(self._library.refresh)
        await self._answering.pool.forget(model.name)
        if delete_files and model.source == "catalogue":
            await self._catalogue.remove(model.variant)
            await asyncio.to_thread(shutil.rmtree, model.path, ignore_errors=True)

    async def verify(self, name: str) -> None:
        """Check a model's files, beside everything else."""
        self._begin_check(self._library.get(name))

    async def repair(self, name: str) -> None:
        """Delete a downloaded model's files and fetch them once more."""
        model = self._library.get(name)
        if model.source != "catalogue":
            raise ModelError(f"{name} is your own: Homeward can't fetch it again.", next_step="Copy it here once more.")
        offer = await self._offer(model.variant)
        await self._answering.pool.forget(model.name)
        await self._catalogue.remove(model.variant)
        self._checks[model.name] = Check(done=True, problems=("Its files are being fetched once more.",))
        self._downloads.start(offer)

    async def download(self, variant: str) -> None:
        """Fetch a variant, or the best one of an alias, from the catalogue."""
        await self.begin_download(variant)

    async def begin_download(self, name: str) -> Download:
        """The same; the download, to be watched."""
        if reason := foundry_missing(self._settings):
            raise ModelError(f"{name} can't be downloaded. {reason}")
        offer = await self._offer(name)
        free = views.disk_free_bytes(self._settings.data_dir)
        if offer.size_bytes > free:
            raise ModelError(
                f"{offer.title} needs {size_words(offer.size_bytes)} of disk, but only {size_words(free)} are free.",
                next_step="Make room, or choose another data folder.",
            )
        return self._downloads.start(offer)

    async def cancel(self, variant: str) -> None:
        """End a download; what arrived is kept."""
        await self._downloads.cancel(variant)

    async def dismiss(self, variant: str) -> None:
        """Forget a download that is over."""
        self._downloads.dismiss(variant)

    async def search(self) -> None:
        """Look for services that run on this machine."""
        await self._answering.services.search()
        self._notice = ""

    async def look_at_devices(self) -> None:
        """Ask the runtime for execution providers besides the CPU's."""
        if reason := foundry_missing(self._settings):
            raise ModelError(reason)
        self._providers = await self._catalogue.providers()

    async def later(self) -> None:
        """The user does not want to switch now."""
        self._ready_to_switch = ""
        self._notice = ""

    # -- beside the rest -----------------------------------------------------------------------------------

    async def first_look(self) -> None:
        """Look for the service that the user named, or at the very first start for any; then tell of it."""
        marker = self._settings.data_dir / SEARCHED
        named = bool(self._settings.service.url)
        if not named and (marker.exists() or not self._settings.models.discover):
            return
        discovery = await self._answering.services.search()
        marker.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.touch()
        if named or not discovery.found:
            return
        titles = ", ".join(dict.fromkeys(TITLES[service.kind] for service in discovery.found))
        self._notice = (
            f"{titles} runs on this computer. Its models can answer too; nothing is sent to it unless you choose one."
        )
        log.info("services_found", services=titles)

    async def close(self) -> None:
        """End checks and downloads."""
        for check in self._checks.values():
            check.cancelled = True
        await self._downloads.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin_check(self, model: Model) -> None:
        """Verify, beside everything else; a check that is under way goes on."""
        running = self._checks.get(model.name)
        if running is None or running.done:
            self._checks[model.name] = check = Check()
            self._start(self._check(model, check))

    async def _check(self, model: Model, check: Check) -> None:
        """Verify, and remember what whole files look like."""

        def tell(fraction: float) -> None:
            check.fraction = fraction

        try:
            manifest = await asyncio.to_thread(make_manifest, model, tell, lambda: check.cancelled)
            if model.source != "starter":
                whole = msgspec.structs.replace(model, manifest=manifest)
                await asyncio.to_thread(self._library.shelf.put, whole)
                await asyncio.to_thread(self._library.refresh)
        except DamagedModelError as error:
            check.problems = tuple(problem.sentence for problem in error.problems)
        except HomewardError as error:
            check.problems = (str(error),)
        finally:
            check.done = True

    def _measure_new_ones(self) -> None:
        """Have the memory estimated of models that are new here; that reads their files."""
        for model in self._library.models:
            if model.name not in self._needs:
                self._needs[model.name] = 0
                self._start(self._measure(model))

    async def _measure(self, model: Model) -> None:
        estimate = recipe_of(model, self._settings).memory_bytes
        try:
            self._needs[model.name] = await asyncio.to_thread(estimate) if estimate else 0
        except (HomewardError, OSError) as error:  # its engine says what is wrong with it, once it is asked
            log.info("model_unusable", model=model.name, error=str(error))

    async def _offer(self, name: str) -> Offer:
        if not any(name.casefold() in (offer.variant.casefold(), offer.alias.casefold()) for offer in self._offers):
            self._offers = await self._catalogue.offers()
        return choose_offer(self._offers, name, self._settings.foundry.device)

    async def _arrived(self, model: Model) -> None:
        await asyncio.to_thread(self._library.refresh)
        self._checks.pop(model.name, None)
        choice = self._library.in_use
        if choice is not None and choice.model == model.name:  # it was waited for
            self._answering.begin_loading()
        else:
            self._ready_to_switch = model.name


def catalogue_of(settings: Settings) -> tuple[SupervisedEngine, Catalogue]:
    """The catalogue, and the engine that runs behind it while it is asked; whoever calls this closes it."""
    folder = settings.data_dir / "foundry"
    engine = SupervisedEngine(
        catalogue_recipe(
            folder / "catalogue",
            folder / "models",
            catalog_url=settings.foundry.catalog_url,
            catalog_region=settings.foundry.catalog_region,
        )
    )
    return engine, Catalogue(engine)
