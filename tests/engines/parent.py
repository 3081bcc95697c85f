"""A program that starts an engine, prints `child PID` and waits to be killed.

Without arguments the fake engine; with a model file the real one.
"""

import asyncio
import sys
from pathlib import Path

from homeward.engines.llama import llama_recipe
from homeward.engines.recipe import Recipe
from homeward.engines.supervisor import SupervisedEngine

_FAKE_ENGINE = Path(__file__).with_name("fake_engine.py")


def _recipe(arguments: list[str]) -> Recipe:
    if arguments:
        return llama_recipe(Path(arguments[0]), "model", context_tokens=512)
    return Recipe(name="fake", model="fake", command=(sys.executable, str(_FAKE_ENGINE)))


async def main() -> None:
    engine = SupervisedEngine(_recipe(sys.argv[1:]))
    await engine.ensure_ready()
    sys.stdout.write(f"child {engine.status.pid}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
