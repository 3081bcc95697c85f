"""The embedding model of this machine: which it is, and the engine that runs it among the others in the pool."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from homeward.backends import Connections, Locate
from homeward.backends.embeddings import EmbeddingBackend
from homeward.config import Settings
from homeward.config.embeddings import STARTER
from homeward.engines.llama import embedding_recipe
from homeward.engines.recipe import Recipe
from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path
from homeward.engines.starter_vectors import adjusted
from homeward.models.library import Library
from homeward.protocol.address import Address
from homeward.protocol.errors import EngineStartError, NoBackendError

ENGINE = "homeward/embedding"
"""Its name in the pool of engines. No model on the shelf can be called so: names have no slash."""


def embedder(settings: Settings, locate: Locate, connections: Connections) -> EmbeddingBackend:
    """What makes embeddings. `locate` gives the address of an engine by its name in the pool, and starts it."""

    def lease() -> AbstractAsyncContextManager[Address]:
        return locate(ENGINE)

    adjust = adjusted if settings.embeddings.model == STARTER else None
    return EmbeddingBackend(lease, connections, adjust=adjust)


def recipe(settings: Settings, library: Library) -> Recipe:
    """How the engine is run that is called `ENGINE`.

    Raises:
        NoBackendError: embeddings or all GGUF models are switched off.
        EngineStartError: there is no such model, or it is none for llama.cpp.
    """
    for table, enabled in (("embeddings", settings.embeddings.enabled), ("llama", settings.llama.enabled)):
        if not enabled:
            raise NoBackendError(
                "Embeddings are switched off.", next_step=f"Set `enabled = true` under [{table}] in homeward.toml."
            )
    path, name = _model(settings.embeddings.model, library)
    return embedding_recipe(
        path,
        name,
        context_tokens=settings.embeddings.context_tokens,
        threads=settings.llama.threads,
        idle_unload_seconds=settings.embeddings.idle_unload_seconds,
    )


def _model(wanted: str, library: Library) -> tuple[Path, str]:
    """A model's file and name, by what the settings say."""
    if wanted == STARTER:
        path = starter_model_path()
        if path is None:
            raise EngineStartError("The starter model is not installed.", next_step=HOW_TO_GET_IT)
        return path, path.stem
    if (model := library.find(wanted)) is not None:
        if model.engine != "llama":
            raise EngineStartError(
                f"{model.name} is an ONNX model, which can't make embeddings here.", next_step="Name a GGUF file."
            )
        return model.path, model.name
    path = Path(wanted).expanduser()
    if not path.is_absolute():
        raise EngineStartError(
            f"There is no model called {wanted} on this machine.",
            next_step="Under [embeddings] in homeward.toml, name one of `homeward models list`, or the full path of a "
            "GGUF file.",
        )
    return path, path.stem
