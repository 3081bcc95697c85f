"""How well passages are found by their embeddings, beside a search by words and beside chance.

    python -m bench.embeddings [--model /path/to/a/model.gguf]
    python -m bench.embeddings --fit

A question is asked, all passages are put in order, and it counts where the one that answers it stands: first (hit@1),
among the first three (hit@3), and one divided by its place (MRR). The sets stand in `bench/embedding_sets.py`. Nothing
was learned from them, but how the starter's vectors are adjusted was decided with their figures in view.

`--fit` learns the adjustment anew, from examples of this project's own, and writes `starter_vectors.bin`.
"""

import argparse
import asyncio
import hashlib
import json
import math
import re
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from operator import mul
from pathlib import Path

from bench.embedding_sets import KOREAN, Labelled, docs, library
from homeward.backends import Connections
from homeward.backends.embeddings import EmbeddingBackend
from homeward.engines.llama import embedding_recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.starter_vectors import FILE, Adjustment, Header, adjusted, adjustment, pack
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.embeddings import EmbeddingsRequest, Vector, shortened

EXAMPLES = Path(__file__).parent.parent / "training/tasks"
PROMPTS, INSTRUCTIONS, MATERIALS = "prompts.en.jsonl", "instructions.jsonl", "materials.jsonl"
EVERY = 4
"""Of the prompts, each n-th is learned from; a fifth as many gave the same figures."""
DIRECTIONS = 16
"""Taken out of each vector. From 8 to 32 the figures differ by chance only."""
K1, B = 1.2, 0.75

Finder = Callable[[str], list[float]]
"""How well each passage fits a question; more is better."""


async def main() -> None:
    """Print the tables, or fit."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", type=Path, help="a GGUF file to measure instead of the starter")
    options.add_argument("--fit", action="store_true", help="learn the starter's adjustment anew")
    chosen = options.parse_args()
    starter = starter_model_path()
    if starter is None:
        raise SystemExit("The starter model is not installed.")
    async with embedding(chosen.model or starter) as embed:
        if chosen.fit:
            FILE.write_bytes(pack(await fitted(embed, starter)))
        else:
            await measure(embed, is_starter=chosen.model is None)


Embed = Callable[[Sequence[str]], Awaitable[tuple[Vector, ...]]]


@asynccontextmanager
async def embedding(model: Path) -> AsyncIterator[Embed]:
    """What turns texts into vectors as the engine makes them."""
    engine = SupervisedEngine(embedding_recipe(model, model.stem))
    async with Connections() as connections:
        backend = EmbeddingBackend(engine.lease, connections)

        known: dict[tuple[str, ...], tuple[Vector, ...]] = {}

        async def embed(texts: Sequence[str]) -> tuple[Vector, ...]:
            request = EmbeddingsRequest(input=tuple(texts))
            if request.texts not in known:
                known[request.texts] = (await backend.embed(request)).vectors
            return known[request.texts]

        yield embed
        await engine.close()


# Measuring


async def measure(embed: Embed, *, is_starter: bool) -> None:
    """Print a row for each way to search, for each set."""
    for title, labelled in (("library", library()), ("docs", docs()), ("docs, in Korean", docs(KOREAN))):
        print(f"\n{title}: {len(labelled.questions)} questions, {len(labelled.passages)} passages")
        print(f"{'':36} hit@1  hit@3  MRR")
        show_chance(len(labelled.passages))
        show("by words (BM25)", labelled, bm25(labelled.passages))
        began = time.perf_counter()
        passages, questions = await embed(labelled.passages), await embed(labelled.questions)
        seconds = time.perf_counter() - began
        ways: dict[str, Callable[[Vector], Vector]] = {"the model's vectors": lambda vector: vector}
        if is_starter:
            ways |= {"scaled": scaled, f"scaled, {DIRECTIONS} directions taken out": adjusted}
        best = list(ways.values())[-1]
        ways |= {f"… {size} of {len(passages[0])} dimensions": first_of(best, size) for size in (256, 64)}
        for name, change in ways.items():
            asked = dict(zip(labelled.questions, map(change, questions), strict=True))
            show(name, labelled, by_likeness(asked, [change(vector) for vector in passages]))
        print(f"embedded in {seconds:.0f} s")


def first_of(change: Callable[[Vector], Vector], size: int) -> Callable[[Vector], Vector]:
    """The same with fewer dimensions; all of them where there are no more."""
    return lambda vector: shortened(change(vector), min(size, len(vector)))


def scaled(vector: Vector) -> Vector:
    """The first half of the starter's adjustment."""
    whole = adjustment()
    return Adjustment(header=whole.header, means=whole.means, factors=whole.factors, directions=())(vector)


def show(name: str, labelled: Labelled, find: Finder) -> None:
    """Ask all questions, and print a row."""
    places = []
    for question, answer in zip(labelled.questions, labelled.answers, strict=True):
        fits = find(question)
        places.append(sum(fit >= fits[answer] for fit in fits))  # ties count against it
    print_row(name, places)


def print_row(name: str, places: Sequence[float]) -> None:
    """One row, from the places that the right passages had."""
    count = len(places)
    first, three = (sum(place <= most for place in places) / count for most in (1, 3))
    print(f"{name:36} {first:5.2f}  {three:5.2f}  {sum(1 / place for place in places) / count:.3f}")


def show_chance(passages: int) -> None:
    """What a random order finds on average."""
    print_row("chance", range(1, passages + 1))


def by_likeness(asked: dict[str, Vector], passages: Sequence[Vector]) -> Finder:
    """By the cosine of the vectors, which all have length 1."""
    return lambda question: [sum(map(mul, asked[question], passage)) for passage in passages]


def bm25(passages: Sequence[str]) -> Finder:
    """By the words that question and passage share, rare ones first (Robertson and Zaragoza, 2009)."""
    counted = [Counter(words(passage)) for passage in passages]
    lengths = [counts.total() for counts in counted]
    mean = sum(lengths) / len(lengths)
    holding = Counter(word for counts in counted for word in counts)

    def fit(asked: list[str], counts: Counter[str], length: int) -> float:
        score = 0.0
        for word in asked:
            rarity = math.log(1 + (len(passages) - holding[word] + 0.5) / (holding[word] + 0.5))
            score += rarity * counts[word] * (K1 + 1) / (counts[word] + K1 * (1 - B + B * length / mean))
        return score

    def find(question: str) -> list[float]:
        asked = words(question)
        return [fit(asked, counts, length) for counts, length in zip(counted, lengths, strict=True)]

    return find


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"\w+", text.lower())


# Fitting


async def fitted(embed: Embed, starter: Path) -> Adjustment:
    """The adjustment that the examples ask for; it has no labels to learn from, so nothing of the sets can leak in."""
    import numpy as np

    vectors = np.array([vector.tolist() for vector in await embed(examples())])
    means, deviations = vectors.mean(axis=0), vectors.std(axis=0)
    _, _, directions = np.linalg.svd((vectors - means) / deviations, full_matrices=False)
    header = Header(
        dimensions=vectors.shape[1],
        model=digest(starter),
        inputs={name: digest(EXAMPLES / name) for name in (PROMPTS, INSTRUCTIONS, MATERIALS)},
    )
    return Adjustment(
        header=header,
        means=array("f", means),
        factors=array("f", 1 / deviations),
        directions=tuple(array("f", direction) for direction in directions[:DIRECTIONS]),
    )


def examples() -> list[str]:
    """Texts of all kinds in English: what people ask, and what they paste."""
    prompts = [row["text"] for row in rows(PROMPTS)][::EVERY]
    return [
        *prompts,
        *(row["instruction"] for row in rows(INSTRUCTIONS) if row["language"] == "en"),
        *(row["text"] for row in rows(MATERIALS) if row["language"] == "en"),
    ]


def rows(name: str) -> list[dict[str, str]]:
    """Of one of our own files."""
    return [json.loads(line) for line in (EXAMPLES / name).read_bytes().splitlines()]


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    asyncio.run(main())
