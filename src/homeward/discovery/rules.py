"""Which ports are asked, and how long everything may take."""

from typing import Final

import msgspec

OLLAMA_PORT: Final = 11434


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The ports stand for 127.0.0.1; nothing but these is asked without a trace that leads there."""

    ollama_port: int = OLLAMA_PORT
    """Unless `OLLAMA_HOST` names a place on this machine."""
    lm_studio_port: int = 1234
    llama_server_port: int = 8080
    """Homeward's own default as well: it knows itself."""
    vllm_port: int = 8000
    answer_seconds: float = 2.0
    """For an answer of a service."""
    catalogue_seconds: float = 10.0
    """For the first list of models of a Foundry service: offline, it takes 4 s."""
    command_seconds: float = 15.0
    """For the `foundry` command, each time."""


DEFAULT_RULES: Final = Rules()
