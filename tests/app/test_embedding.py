"""The embedding model among the others of this machine: which it is, and that it keeps to the pool's rules."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from homeward.app.embedding import ENGINE, embedder, recipe
from homeward.backends import Connections
from homeward.backends.embeddings import EmbeddingBackend
from homeward.config import Settings, load
from homeward.engines import starter
from homeward.engines.engine import EngineState, wait_for
from homeward.engines.llama import embedding_recipe
from homeward.engines.pool import EnginePool
from homeward.engines.recipe import Recipe
from homeward.models.inspect import inspect
from homeward.models.library import Library
from homeward.models.shelf import Shelf
from homeward.protocol.embeddings import EmbeddingsRequest, Vector
from homeward.protocol.errors import ConfigError, EngineStartError, NoBackendError
from tests.engines.conftest import fake_recipe
from tests.engines.toy_embedder import SIZE, toy_embedder
from tests.engines.toys import MakeToy

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]


class Home:
    """A pool in which the embedding model and another one live."""

    def __init__(self, settings: Settings, connections: Connections, *, limit_bytes: int | None = None) -> None:
        self.shelf = Shelf(settings.data_dir)
        self.library = Library(self.shelf)
        self.settings = settings
        self.pool = EnginePool(self._recipe_of, limit_bytes=limit_bytes)
        self.embedder: EmbeddingBackend = embedder(settings, self.pool.lease, connections)

    def _recipe_of(self, name: str) -> Recipe:
        return recipe(self.settings, self.library) if name == ENGINE else fake_recipe()

    async def vectors(self, *texts: str) -> tuple[Vector, ...]:
        return (await self.embedder.embed(EmbeddingsRequest(input=texts))).vectors


@asynccontextmanager
async def home_with(folder: Path, limit_bytes: int | None = None, **variables: object) -> AsyncIterator[Home]:
    environment = {name.upper(): str(value) for name, value in variables.items()}
    settings = load({"data_dir": folder / "data"}, environment={"HOMEWARD_LLAMA_THREADS": "1", **environment})
    async with Connections() as connections:
        home = Home(settings, connections, limit_bytes=limit_bytes)
        yield home
        await home.pool.close()


def likeness(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_the_starter_tells_texts_apart(tmp_path: Path) -> None:
    """With nothing set: what is about the same is more alike than what is not, by far."""
    async with home_with(tmp_path) as home:
        question, answer, other = await home.vectors(
            "How do I reset my password?",
            "To get a new password, open the settings and choose Forgot password.",
            "The recipe needs two eggs, a cup of flour and some butter.",
        )
        assert len(question) == 576
        assert likeness(question, question) == pytest.approx(1, abs=1e-5)
        assert likeness(question, answer) > likeness(question, other) + 0.2
        assert likeness(question, other) < 0.3


async def test_a_file_of_the_users(tmp_path: Path) -> None:
    """By its path; its vectors are left as they are."""
    path = toy_embedder(tmp_path / "mine.gguf")
    async with home_with(tmp_path, homeward_embeddings_model=path) as home:
        embeddings = await home.embedder.embed(EmbeddingsRequest(input="the cat"))
        assert (embeddings.model, len(embeddings.vectors[0])) == ("mine", SIZE)


async def test_a_model_of_the_shelf(tmp_path: Path) -> None:
    """By its name, whatever the case of its letters."""
    model = inspect(toy_embedder(tmp_path / "mine.gguf"))
    async with home_with(tmp_path, homeward_embeddings_model="MINE") as home:
        home.shelf.add(model)
        home.library.refresh()
        embeddings = await home.embedder.embed(EmbeddingsRequest(input="the cat"))
        assert embeddings.model == "mine"


async def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    """Neither by name nor by path; the sentence says what can be named."""
    async with home_with(tmp_path, homeward_embeddings_model="nomic-embed") as home:
        with pytest.raises(EngineStartError, match="homeward models list"):
            await home.vectors("a")
    async with home_with(tmp_path, homeward_embeddings_model=tmp_path / "none.gguf") as home:
        with pytest.raises(EngineStartError, match=r"none\.gguf does not exist"):
            await home.vectors("a")


async def test_an_onnx_model_can_not_embed_here(tmp_path: Path, toy: MakeToy) -> None:
    model = inspect(toy())
    async with home_with(tmp_path, homeward_embeddings_model=model.name) as home:
        home.shelf.add(model)
        home.library.refresh()
        with pytest.raises(EngineStartError, match="is an ONNX model") as caught:
            await home.vectors("a")
        assert "GGUF" in caught.value.next_step


async def test_a_starter_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter.starter_model_path, "__defaults__", ("no_such_package",))
    async with home_with(tmp_path) as home:
        with pytest.raises(EngineStartError, match="pip install"):
            await home.vectors("a")


@pytest.mark.parametrize("table", ["embeddings", "llama"])
async def test_switched_off(tmp_path: Path, table: str) -> None:
    """Says how to switch it on, and starts nothing."""
    async with home_with(tmp_path, **{f"homeward_{table}_enabled": False}) as home:
        with pytest.raises(NoBackendError, match=rf"under \[{table}\]"):
            await home.vectors("a")
        assert home.pool.status(ENGINE) is None


def test_wrong_settings_are_explained() -> None:
    with pytest.raises(ConfigError, match="context_tokens"):
        load(environment={"HOMEWARD_EMBEDDINGS_CONTEXT_TOKENS": "1"})


async def test_it_starts_when_asked_and_ends_after_a_pause(tmp_path: Path) -> None:
    """And starts again with the next request."""
    path = toy_embedder(tmp_path / "mine.gguf")
    async with home_with(
        tmp_path, homeward_embeddings_model=path, homeward_embeddings_idle_unload_seconds=0.05
    ) as home:
        assert home.pool.status(ENGINE) is None
        (first,) = await home.vectors("the cat")
        await wait_for(home.pool.engine(ENGINE), EngineState.STOPPED)
        (again,) = await home.vectors("the cat")
        assert again == first


async def test_it_makes_room_and_takes_it_like_any_model(tmp_path: Path) -> None:
    """With memory for one of them, the other goes; never under a request."""
    path = toy_embedder(tmp_path / "mine.gguf")
    need = embedding_recipe(path, "mine").memory_bytes
    assert need is not None
    async with home_with(tmp_path, limit_bytes=need() + 1_000_000, homeward_embeddings_model=path) as home:
        async with home.pool.lease("other"):
            waiting = asyncio.create_task(home.vectors("the cat"))
            done, _ = await asyncio.wait({waiting}, timeout=0.3)
            assert not done
            assert set(home.pool.residents()) == {"other"}
        await waiting
        assert set(home.pool.residents()) == {ENGINE}
