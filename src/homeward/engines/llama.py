"""llama.cpp as an engine: the recipe for running one GGUF model in a child of its own."""

import sys
from pathlib import Path

import msgspec

from homeward.engines.gguf import ModelFile, part_paths, read_model_file
from homeward.engines.lifecycle import Rules
from homeward.engines.machine import available_memory_bytes, physical_cores
from homeward.engines.memory import MemoryNeed, check_fits, memory_need
from homeward.engines.pooling import pooling
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
    return _recipe(
        _Preparation(model_path=model_path, context_tokens=context_tokens, slots=slots, cache_mib=prompt_cache_mib),
        name,
        threads=threads,
        idle_unload_seconds=idle_unload_seconds,
    )


def embedding_recipe(
    model_path: Path,
    name: str,
    *,
    context_tokens: int = 2048,
    threads: int | None = None,
    idle_unload_seconds: float = 0.0,
) -> Recipe:
    """A recipe for llama.cpp that turns texts into vectors of length 1 and does nothing else.

    How the tokens' vectors become one is the model file's matter; a file that says nothing of it, as those of chat
    models, gets their mean. The API has no `/v1` before it, so `/tokenize` is in reach. Arguments as for
    `llama_recipe`; texts are read one at a time.

    Args:
        model_path: a GGUF file, made for embeddings or not.
        name: what requests call the model.
        context_tokens: the longest text; capped at what the model was trained for. Each is read in one go, so memory
            grows with it.
        threads: for computing.
        idle_unload_seconds: unused for this long, the model is unloaded; 0 never.
    """
    preparation = _Preparation(model_path=model_path, context_tokens=context_tokens, embeds=True)
    recipe = _recipe(preparation, name, threads=threads, idle_unload_seconds=idle_unload_seconds)
    return msgspec.structs.replace(recipe, api_path="")


def _recipe(preparation: "_Preparation", name: str, *, threads: int | None, idle_unload_seconds: float) -> Recipe:
    return Recipe(
        name="llama",
        # -P: a file of the user's that happens to be called xllamacpp.py must not be run
        command=(sys.executable, "-P", "-m", "homeward.engines.llama_child"),
        settings={
            "model_path": str(preparation.model_path),
            "model": name,
            "slots": preparation.slots,
            "threads": threads or max(1, physical_cores() - 1),
            "prompt_cache_mib": preparation.cache_mib,
        },
        model=name,
        context_tokens=preparation.context_tokens,
        prepare=preparation,
        memory_bytes=preparation.memory_bytes,
        rules=Rules(idle_seconds=idle_unload_seconds),
    )


class _Preparation(msgspec.Struct, frozen=True, kw_only=True):
    """The look at the model file and the free memory before each start."""

    model_path: Path
    context_tokens: int
    slots: int = 1
    cache_mib: int = 0
    embeds: bool = False

    def __call__(self, recipe: Recipe) -> Recipe:
        model = read_model_file(self.model_path)
        _check_kind(self.model_path, model)
        need = self._need(model)
        context_tokens = self._context(model)
        check_fits(need, available_memory_bytes(), context_tokens=context_tokens, slots=self.slots)
        patience = recipe.start_idle_seconds + need.weights / _SLOWEST_READ
        return msgspec.structs.replace(
            recipe,
            settings={
                **recipe.settings,
                "context_tokens": context_tokens,
                "batch_tokens": self._batch(model),
                "pooling": pooling(self.model_path, model) if self.embeds else None,
            },
            context_tokens=context_tokens,
            start_idle_seconds=patience,
            start_total_seconds=max(recipe.start_total_seconds, 2 * patience),
        )

    def memory_bytes(self) -> int:
        """What the child will need."""
        return self._need(read_model_file(self.model_path)).total

    def _context(self, model: ModelFile) -> int:
        return min(self.context_tokens, model.context_length or self.context_tokens)

    def _batch(self, model: ModelFile) -> int:
        """A text that is embedded must be read in one go: llama.cpp refuses it otherwise."""
        return self._context(model) if self.embeds else _BATCH_TOKENS

    def _need(self, model: ModelFile) -> MemoryNeed:
        need = memory_need(
            model,
            weights_bytes=sum(path.stat().st_size for path in part_paths(self.model_path, model)),
            context_tokens=self._context(model),
            slots=self.slots,
            batch_tokens=self._batch(model),
            cache_bytes=self.cache_mib << 20,
        )
        if not self.embeds:
            return need
        # what the next token would be, for each token, computed and copied though nobody reads it
        results = 2 * 4 * self._batch(model) * model.vocabulary
        return msgspec.structs.replace(need, working=need.working + results)


def _check_kind(path: Path, model: ModelFile) -> None:
    if model.architecture == "clip" or model.kind not in ("model", "merge", "finetune", "base"):
        what = "an image reader" if model.architecture == "clip" else f"of the kind “{model.kind}”"
        raise EngineStartError(
            f"The file {path.name} is {what}, not a language model.",
            next_step="Name the model itself.",
            detail=str(path),
        )
