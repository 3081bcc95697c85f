"""How Foundry Local is started on one model folder, in a child of its own."""

import importlib.util
import sys
from pathlib import Path

import msgspec

from homeward.engines.genai import GenAiFolder, read_genai_folder
from homeward.engines.lifecycle import Rules
from homeward.engines.machine import available_memory_bytes
from homeward.engines.memory import size_words
from homeward.engines.recipe import Recipe
from homeward.protocol.errors import EngineStartError

_SLOWEST_READ = 30_000_000
"""Bytes per second of a slow disk. The runtime loads in silence: the folder's size tells how long to wait."""

_GPU_VARIABLES = frozenset({"FOUNDRY_LOCAL_CUDA_EP_LIBRARY", "FOUNDRY_LOCAL_WEBGPU_EP_LIBRARY"})

_NETWORK_VARIABLES = frozenset(
    {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
"""For the one child that has business on the network."""


def foundry_recipe(
    model_folder: Path,
    name: str,
    *,
    state_folder: Path,
    context_tokens: int = 8192,
    parallel: int = 2,
    idle_unload_seconds: float = 0.0,
) -> Recipe:
    """A recipe for Foundry Local on one model folder. Looks at nothing yet: that happens before each start.

    Args:
        model_folder: a folder with `genai_config.json`, the user's own or one that came from the catalogue.
        name: what requests call the model.
        state_folder: for the runtime's own files; emptied at each start, so of no other use.
        context_tokens: what prompt and answer of one request share; capped at what the model can.
        parallel: requests that are answered at the same time; they share the processor, so each is slower.
        idle_unload_seconds: unused for this long, the model is unloaded; 0 never.
    """
    preparation = _Preparation(model_folder, context_tokens, parallel)
    return Recipe(
        name="foundry",
        command=(sys.executable, "-P", "-m", "homeward.engines.foundry.child"),
        settings={
            "model_folder": str(model_folder),
            "model": name,
            "state_folder": str(state_folder),
            "context_tokens": context_tokens,
            "parallel": parallel,
            "calls_tools": False,
            "execution_providers": (),
        },
        model=name,
        context_tokens=context_tokens,
        prepare=preparation,
        memory_bytes=preparation.memory_bytes,
        environment=_GPU_VARIABLES,
        rules=Rules(idle_seconds=idle_unload_seconds),
    )


def catalogue_recipe(
    state_folder: Path, models_folder: Path, *, catalog_url: str = "", catalog_region: str = ""
) -> Recipe:
    """A recipe for the process that talks to Foundry's catalogue; it ends when nobody has asked for a while.

    Args:
        state_folder: for the runtime's own files.
        models_folder: where downloaded models come.
        catalog_url: another catalogue than Microsoft's; empty for theirs.
        catalog_region: the region that the catalogue is asked in; empty for the nearest.
    """
    return Recipe(
        name="catalogue",
        command=(sys.executable, "-P", "-m", "homeward.engines.foundry.catalogue_child"),
        settings={
            "state_folder": str(state_folder),
            "models_folder": str(models_folder),
            "catalog_url": catalog_url,
            "catalog_region": catalog_region,
        },
        model="",
        prepare=_require_runtime,
        environment=_NETWORK_VARIABLES,
        api_path="",
        rules=Rules(idle_seconds=60.0),
    )


def _require_runtime(recipe: Recipe) -> Recipe:
    if not installed():
        raise EngineStartError(
            "Foundry Local is not installed.", next_step="Install it with: pip install foundry-local-sdk"
        )
    return recipe


def installed() -> bool:
    """Whether the runtime is there; it has no build for some systems."""
    return importlib.util.find_spec("foundry_local_sdk") is not None


class _Preparation(msgspec.Struct, frozen=True):
    """The look at the folder and the free memory before each start."""

    model_folder: Path
    context_tokens: int
    parallel: int

    def __call__(self, recipe: Recipe) -> Recipe:
        _require_runtime(recipe)
        folder = read_genai_folder(self.model_folder)
        if folder.missing_files:
            raise EngineStartError(
                f"The model folder {self.model_folder.name} is not whole: {folder.missing_files[0]} is missing.",
                next_step="Copy or download it once more.",
                detail=str(self.model_folder),
            )
        context_tokens, need, free = self._context(folder), self._need(folder), available_memory_bytes()
        if need > free:
            raise EngineStartError(
                f"The model needs about {size_words(need)} of memory, but only {size_words(free)} are free.",
                next_step="Close other programs, or choose a smaller model.",
                detail=f"{self.model_folder}: {context_tokens} tokens, {self.parallel} in parallel",
            )
        patience = recipe.start_idle_seconds + folder.size_bytes / _SLOWEST_READ
        return msgspec.structs.replace(
            recipe,
            settings={
                **recipe.settings,
                "context_tokens": context_tokens,
                "calls_tools": folder.calls_tools,
                "execution_providers": [name for name in folder.providers if folder.device != "cpu"],
            },
            context_tokens=context_tokens,
            start_idle_seconds=patience,
            start_total_seconds=max(recipe.start_total_seconds, 2 * patience),
        )

    def memory_bytes(self) -> int:
        """What the child will need."""
        return self._need(read_genai_folder(self.model_folder))

    def _context(self, folder: GenAiFolder) -> int:
        return min(self.context_tokens, folder.context_tokens or self.context_tokens)

    def _need(self, folder: GenAiFolder) -> int:
        return folder.memory_bytes(self._context(folder), self.parallel)
