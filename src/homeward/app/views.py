"""The models of this machine as the models page shows them: values out of values."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
import psutil  # type: ignore[import-untyped, unused-ignore]

from homeward.app.answering import Answering, foundry_missing
from homeward.app.rows import FOUNDRY, LLAMA
from homeward.config import Settings
from homeward.discovery import Discovery, FoundService
from homeward.discovery.found import TITLES
from homeward.engines.engine import EngineState, EngineStatus
from homeward.engines.foundry.offers import Offer, Provider
from homeward.engines.machine import available_memory_bytes, physical_cores
from homeward.engines.memory import size_words
from homeward.manage.state import (
    EngineView,
    InUse,
    Machine,
    MissingView,
    ModelView,
    OfferView,
    ProviderView,
    ServiceModelView,
    ServiceView,
)
from homeward.models.library import Choice
from homeward.models.model import Model

FOUNDRY_PRIVACY = (
    "Homeward switches the runtime's telemetry off: it opens no connection while it answers. The catalogue is asked "
    "only when you look at it or download; Microsoft then sees this computer's address, never a word of a chat."
)
LLAMA_PRIVACY = "It opens no connection to anybody."

_Activity = Literal["idle", "loading", "ready", "failed"]

_ACTIVITIES: Mapping[EngineState, _Activity] = {
    EngineState.STOPPED: "idle",
    EngineState.STARTING: "loading",
    EngineState.READY: "ready",
    EngineState.STOPPING: "idle",
    EngineState.FAILED: "failed",
    EngineState.CLOSED: "idle",
}


class Check(msgspec.Struct):
    """A verification of a model's files, as far as it is."""

    fraction: float = 0.0
    done: bool = False
    problems: tuple[str, ...] = ()
    cancelled: bool = False

    @property
    def word(self) -> Literal["checking", "whole", "damaged"]:
        """Its result."""
        if not self.done:
            return "checking"
        return "damaged" if self.problems else "whole"


class Measures(msgspec.Struct, frozen=True):
    """Bytes of memory, by model."""

    needed: Mapping[str, int]
    """Estimates; 0 or missing where unknown."""
    held: Mapping[str, int]
    """What the processes hold that run now."""


def in_use_view(answering: Answering, measures: Measures) -> InUse | None:
    """What answers."""
    choice = answering.library.in_use
    if choice is None:
        return None
    if choice.backend not in (LLAMA, FOUNDRY):
        return InUse(backend=choice.backend, model=choice.model, state="service")
    status = answering.status(choice)
    reason = answering.why_not(choice)
    activity = activity_of(status)
    return InUse(
        backend=choice.backend,
        model=choice.model,
        state="failed" if reason else "stopped" if activity == "idle" else activity,
        sentence=reason or (status.last_error if status else ""),
        memory_bytes=measures.held.get(choice.model, 0),
        expected_bytes=measures.needed.get(choice.model, 0),
    )


def model_view(
    model: Model, status: EngineStatus | None, check: Check | None, measures: Measures, choice: Choice | None
) -> ModelView:
    """A model on this machine."""
    need, held = measures.needed.get(model.name, 0), measures.held.get(model.name, 0)
    fits, sentence = fit(need, available_memory_bytes() + held)
    return ModelView(
        name=model.name,
        title=model.name,
        engine=model.engine,
        source=model.source,
        path=str(model.path),
        size_bytes=model.size_bytes,
        context_tokens=model.context_tokens,
        license=model.license,
        device=model.device,
        calls_tools=model.calls_tools,
        memory_bytes=need,
        fits=fits,
        fits_sentence=sentence,
        state=activity_of(status),
        held_bytes=held,
        sentence=status.last_error if status else "",
        in_use=choice == Choice(model.engine, model.name),
        removable="no" if model.source == "starter" else "files" if model.source == "catalogue" else "list",
        check=check.word if check else "whole" if model.manifest else "never",
        checked=check.fraction if check else 0.0,
        problems=check.problems if check else (),
    )


def activity_of(status: EngineStatus | None) -> _Activity:
    """What an engine does, in the page's words; None where nobody has asked for it yet."""
    return _ACTIVITIES[status.state] if status else "idle"


def service_view(service: FoundService, choice: Choice | None) -> ServiceView:
    """A service and its models."""
    return ServiceView(
        kind=service.kind,
        title=TITLES[service.kind],
        url=service.url,
        version=service.version,
        models=tuple(
            ServiceModelView(
                name=f"{service.kind}/{model.id}",
                id=model.id,
                loaded=model.loaded,
                context_tokens=model.context_tokens,
                in_use=choice == Choice(service.kind, model.id),
            )
            for model in service.models
        ),
    )


def missing_views(discovery: Discovery | None) -> tuple[MissingView, ...]:
    """Why other services were not found."""
    if discovery is None:
        return ()
    return tuple(MissingView(title=TITLES[each.kind], reason=each.reason) for each in discovery.missing)


def machine_view(settings: Settings, providers: tuple[Provider, ...] | None) -> Machine:
    """This computer."""
    foundry = foundry_missing(settings)
    llama = "" if settings.llama.enabled else "llama.cpp is switched off in homeward.toml."
    engines = (
        EngineView(name="llama", title="llama.cpp", available=not llama, sentence=llama, privacy=LLAMA_PRIVACY),
        EngineView(
            name="foundry", title="Foundry Local", available=not foundry, sentence=foundry, privacy=FOUNDRY_PRIVACY
        ),
    )
    views = tuple(ProviderView(name=each.name, registered=each.registered) for each in providers or ())
    return Machine(
        memory_bytes=int(psutil.virtual_memory().total),
        free_bytes=available_memory_bytes(),
        disk_free_bytes=disk_free_bytes(settings.data_dir),
        cores=physical_cores(),
        engines=engines,
        providers=None if providers is None else views,
    )


def disk_free_bytes(folder: Path) -> int:
    """Where the folder is, or will be made."""
    return shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free


def offer_view(offer: Offer, free_bytes: int) -> OfferView:
    """An offer, with what this machine makes of it."""
    need = memory_of_download(offer.size_bytes)
    fits, sentence = fit(need, free_bytes)
    return OfferView(
        variant=offer.variant,
        alias=offer.alias,
        title=offer.title,
        publisher=offer.publisher,
        license=offer.license,
        device=offer.device,
        provider=offer.provider,
        size_bytes=offer.size_bytes,
        context_tokens=offer.context_tokens,
        calls_tools=offer.calls_tools,
        downloaded=offer.downloaded,
        memory_bytes=need,
        fits=fits,
        fits_sentence=sentence,
    )


def memory_of_download(size_bytes: int) -> int:
    """A rough estimate for a model whose files are not here yet: its weights, a fifth for contexts, the runtime."""
    return size_bytes + size_bytes // 5 + 300_000_000


def fit(need_bytes: int, free_bytes: int) -> tuple[bool, str]:
    """Whether so much memory is there, and the sentence about it."""
    verdict = "Fits" if need_bytes <= free_bytes else "Does not fit now"
    return need_bytes <= free_bytes, f"{verdict}: needs about {size_words(need_bytes)}, {size_words(free_bytes)} free."
