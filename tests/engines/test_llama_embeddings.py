"""llama.cpp as an engine that turns texts into vectors: with the starter, and with a model made for it."""

import asyncio
import hashlib
import math
import struct
from array import array
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from structlog.typing import EventDict

from homeward.engines.gguf import read_model_file
from homeward.engines.llama import embedding_recipe
from homeward.engines.pooling import AS_THE_FILE_SAYS, MEAN, pooling
from homeward.engines.recipe import Recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.starter_vectors import adjusted, adjustment, pack, unpack
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address
from homeward.protocol.embeddings import unit
from homeward.protocol.errors import EngineStartError

from . import toy_embedder as toy
from .asking import answer, busy_slots, status
from .gguf_files import TINY, gguf
from .watching import pid_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

EXAMPLES = Path(__file__).resolve().parents[2] / "training/tasks"

Supervise = Callable[[Recipe], SupervisedEngine]


@pytest.fixture
def starter() -> Path:
    path = starter_model_path()
    assert path is not None
    return path


async def vectors_of(address: Address, texts: list[str]) -> list[list[float]]:
    body = {"model": address.model, "input": texts, "encoding_format": "base64"}
    answered = await answer(address, "/v1/embeddings", body)
    rows = sorted(answered["data"], key=lambda row: int(row["index"]))
    return [array("f", b64decode(row["embedding"])).tolist() for row in rows]


def likeness(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


async def test_texts_become_vectors_of_length_one(supervise: Supervise, starter: Path) -> None:
    """With the starter, whose file does not say how: 576 numbers for each text, alike for texts that are alike."""
    address = await supervise(embedding_recipe(starter, "starter", context_tokens=256, threads=1)).ensure_ready()
    dog, hound, tax = await vectors_of(
        address,
        ["The dog runs across the field.", "A dog is running over a field.", "Income tax is due at the end of May."],
    )
    assert [len(each) for each in (dog, hound, tax)] == [576] * 3
    assert likeness(dog, dog) == pytest.approx(1, abs=1e-5)
    assert likeness(dog, hound) > likeness(dog, tax)


async def test_the_files_own_pooling_counts(supervise: Supervise, tmp_path: Path) -> None:
    """A BERT, as most embedding models are: files that differ in this one number give different vectors."""
    found = []
    for kind in (toy.MEAN, toy.FIRST):
        path = toy.toy_embedder(tmp_path / f"{kind}.gguf", pooling=kind)
        address = await supervise(embedding_recipe(path, "toy")).ensure_ready()
        cat, same, dog = await vectors_of(address, ["the cat sat", "the cat sat", "the red dog ran"])
        assert len(cat) == toy.SIZE
        assert cat == pytest.approx(same, abs=1e-5)
        assert likeness(cat, dog) < 0.99
        found.append(cat)
    assert likeness(*found) < 0.99


async def test_the_longest_text_is_as_long_as_the_address_says(supervise: Supervise, tmp_path: Path) -> None:
    """Capped at what the model was made for, read in one go; one token more is refused, which counting foretells."""
    path = toy.toy_embedder(tmp_path / "toy.gguf")
    address = await supervise(embedding_recipe(path, "toy", context_tokens=4096)).ensure_ready()
    assert address.context_tokens == toy.CONTEXT
    fitting = " ".join(["cat"] * (toy.CONTEXT - 2))  # one token goes before it, and one behind
    for text, code in ((fitting, 200), (fitting + " cat", 500)):
        counted = await answer(address, "/tokenize", {"content": text, "add_special": True})
        assert (len(counted["tokens"]) > toy.CONTEXT) == (code != 200)
        assert await status(address, "/v1/embeddings", {"input": text}) == code


async def test_the_memory_estimate_holds_for_the_longest_text(supervise: Supervise, starter: Path) -> None:
    """Never less than is used, and at most 1.3 times as much."""
    recipe = embedding_recipe(starter, "starter", context_tokens=256, threads=1)
    engine = supervise(recipe)
    address = await engine.ensure_ready()
    await vectors_of(address, ["sea " * 255])
    assert recipe.memory_bytes is not None
    assert 1.0 <= recipe.memory_bytes() / psutil.Process(pid_of(engine)).memory_info().rss <= 1.3


async def test_a_client_that_leaves_stops_it(supervise: Supervise, starter: Path) -> None:
    """The text that is being read is read to its end; those behind it are not begun."""
    address = await supervise(embedding_recipe(starter, "starter", context_tokens=256, threads=1)).ensure_ready()
    leaving = asyncio.create_task(vectors_of(address, ["sea sky tree " * 20] * 200))
    while not await busy_slots(address):  # noqa: ASYNC110 - the engine tells nobody
        await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    async with asyncio.timeout(10):  # all of them would take a minute
        await vectors_of(address, ["The sea."])
    assert await busy_slots(address) == 0


async def test_its_log_quotes_nobody(supervise: Supervise, tmp_path: Path, log: list[EventDict]) -> None:
    """Not even a text that was too long."""
    engine = supervise(embedding_recipe(toy.toy_embedder(tmp_path / "toy.gguf"), "toy"))
    address = await engine.ensure_ready()
    assert await status(address, "/v1/embeddings", {"input": "canary " * 100}) == 500
    await engine.stop()
    assert "canary" not in str(log)
    assert address.api_key not in str(log)


@pytest.mark.parametrize(
    ("stored", "expected"), [(0, MEAN), (1, AS_THE_FILE_SAYS), (2, AS_THE_FILE_SAYS), (3, AS_THE_FILE_SAYS)]
)
def test_what_a_file_says_of_pooling(tmp_path: Path, stored: int, expected: int) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf({**TINY, "llama.pooling_type": stored}))
    assert pooling(path, read_model_file(path)) == expected


def test_a_file_that_says_nothing_of_pooling_gets_the_mean(tmp_path: Path) -> None:
    """Also where another architecture's key stands in it, and where the file ends with the key."""
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf({**TINY, "other.pooling_type": 3}))
    model = read_model_file(path)
    assert pooling(path, model) == MEAN
    key = b"llama.pooling_type"
    path.write_bytes(struct.pack("<Q", len(key)) + key)
    assert pooling(path, model) == MEAN


async def test_a_model_that_ranks_is_refused(supervise: Supervise, tmp_path: Path) -> None:
    path = tmp_path / "ranker.gguf"
    path.write_bytes(gguf({**TINY, "llama.pooling_type": 4}))
    with pytest.raises(EngineStartError, match="ranks texts") as caught:
        await supervise(embedding_recipe(path, "ranker")).ensure_ready()
    assert caught.value.next_step


def test_the_starters_adjustment_belongs_to_this_file_and_these_examples(starter: Path) -> None:
    """As many numbers as it has; after a change of either: `python -m bench.embeddings --fit`."""
    found = adjustment()
    assert found.header.model == hashlib.sha256(starter.read_bytes()).hexdigest()
    assert found.header.dimensions == read_model_file(starter).embedding_length
    for name, digest in found.header.inputs.items():
        assert digest == hashlib.sha256((EXAMPLES / name).read_bytes()).hexdigest(), name
    assert unpack(pack(found)) == found


@pytest.mark.parametrize("seed", range(5))
def test_an_adjusted_vector_has_length_one_and_nothing_of_the_directions(seed: int) -> None:
    random = Random(seed)
    found = adjusted(unit([random.gauss(0, 1) for _ in range(576)]))
    assert math.hypot(*found) == pytest.approx(1, abs=1e-5)
    for direction in adjustment().directions:
        assert likeness(found.tolist(), direction.tolist()) == pytest.approx(0, abs=1e-5)


def test_the_mean_says_nothing() -> None:
    """What is in every vector is taken off; a vector of another model is not taken."""
    found = adjustment()
    once, twice = (
        array("f", (mean + number for mean, number in zip(found.means, numbers, strict=True)))
        for numbers in ([0.01] * 576, [0.02] * 576)
    )
    assert adjusted(once).tolist() == pytest.approx(adjusted(twice).tolist(), abs=1e-4)
    with pytest.raises(ValueError, match="argument"):
        adjusted(once[:-1])
