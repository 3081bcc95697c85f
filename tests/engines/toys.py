"""Toy models for the real Foundry Local runtime, made once per test run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tools.make_toy_onnx import write_model

MakeToy = Callable[..., Path]


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> MakeToy:
    """The folder of a toy model with these traits (`write_model`'s); the same traits give the same folder."""
    made: dict[str, Path] = {}

    def make(**traits: object) -> Path:
        key = repr(sorted(traits.items()))
        if key not in made:
            made[key] = write_model(tmp_path_factory.mktemp("toy") / "model", **traits)  # type: ignore[arg-type]
        return made[key]

    return make
