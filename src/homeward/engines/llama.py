"""llama.cpp as an engine: the recipe for running one GGUF model in a child of its own."""

import sys
from pathlib import Path

import msgspec

from homeward.engines.gguf import ModelFile, part_paths, read_model_file
from homeward.engines.lifecycle import Rules
from homeward.engines.machine import available_memory_bytes, physical_cores
from homeward.engines.memory import MemoryNeed, check_fits, memory_need
from homeward.engines.recipe import Recipe
from homeward.protocol.errors import EngineStartError

_SLOWEST_READ = 30_000_000
"""Bytes per second of a slow disk. llama.cpp loads in silence: the file's size tells how long to wait."""


_BATCH_TOKENS = 128
"""How much of a prompt is read in one go. Until that is done, no other slot gets on and nobody who left is
noticed. llama.cpp's 2048 would be 20 seconds of silence for the others on two cores; 128 costs about 5 % of
the speed."""


def llama_recipe(
    model_path: Path,
    name: str,
    *,
    context_tokens: int = 4096,
    slots: int = 2,
    threads: int | None = None,
    prompt_cache_mib: int = 256,
    idle_unload_seconds: float = 0.0,
) -> Recipe:
    """A recipe for llama.cpp on one model file. Looks at nothing yet: that happens before each start.

    Args:
        model_path: a GGUF file; of a model in several parts the first.
        name: what requests call the model.
        context_tokens: what prompt and answer of one request share; capped at what the model was trained for.
        slots: requests that are answered at the same time; each has its own context.
        threads: for computing; by default all physical cores but one. The threads wait for each other at each step, so
            a core that something else uses too (Homeward, the browser) holds up all: with 2 threads on 2 busy cores
            8 to 12 tokens a second were measured, with 1 thread 31 to 35.
        prompt_cache_mib: memory for the contexts of conversations that have lost their slot; 0 for none.
        idle_unload_seconds: unused for this long, the model is unloaded; 0 never.
    """
    preparation = _Preparation(model_path, context_tokens, slots, prompt_cache_mib)
    return Recipe(
        name="llama",
        # -P: a file of the user's that happens to be called xllamacpp.py must not be run
        command=(sys.executable, "-P", "-m", "homeward.engines.llama_child"),
        settings={
            "model_path": str(model_path),
            "model": name,
            "slots": slots,
            "context_tokens": context_tokens,
            "threads": threads or max(1, physical_cores() - 1),
            "batch_tokens": _BATCH_TOKENS,
            "prompt_cache_mib": prompt_cache_mib,
        },
        model=name,
        context_tokens=context_tokens,
        prepare=preparation,
        memory_bytes=preparation.memory_bytes,
        rules=Rules(idle_seconds=idle_unload_seconds),
    )


class _Preparation(msgspec.Struct, frozen=True):
    """The look at the model file and the free memory before each start."""

    model_path: Path
    context_tokens: int
    slots: int
    prompt_cache_mib: int

    def __call__(self, recipe: Recipe) -> Recipe:
        model = read_model_file(self.model_path)
        _check_kind(self.model_path, model)
        need = self._need(model)
        context_tokens = self._context(model)
        check_fits(need, available_memory_bytes(), context_tokens=context_tokens, slots=self.slots)
        patience = recipe.start_idle_seconds + need.weights / _SLOWEST_READ
        return msgspec.structs.replace(
            recipe,
            settings={**recipe.settings, "context_tokens": context_tokens},
            context_tokens=context_tokens,
            start_idle_seconds=patience,
            start_total_seconds=max(recipe.start_total_seconds, 2 * patience),
        )

    def memory_bytes(self) -> int:
        """What the child will need."""
        return self._need(read_model_file(self.model_path)).total

    def _context(self, model: ModelFile) -> int:
        return min(self.context_tokens, model.context_length or self.context_tokens)

    def _need(self, model: ModelFile) -> MemoryNeed:
        return memory_need(
            model,
            weights_bytes=sum(path.stat().st_size for path in part_paths(self.model_path, model)),
            context_tokens=self._context(model),
            slots=self.slots,
            batch_tokens=_BATCH_TOKENS,
            cache_bytes=self.prompt_cache_mib << 20,
        )


def _check_kind(path: Path, model: ModelFile) -> None:
    if model.architecture == "clip" or model.kind not in ("model", "merge", "finetune", "base"):
        what = "an image reader" if model.architecture == "clip" else f"of the kind “{model.kind}”"
        raise EngineStartError(
            f"The file {path.name} is {what}, not a language model.",
            next_step="Name the model itself.",
            detail=str(path),
        )
