"""`[embeddings]`: vectors of texts for other programs, made on this machine."""

from typing import Annotated

from pydantic import Field, StringConstraints

from homeward.config.table import Table

STARTER = "starter"
"""The word for the model that Homeward comes with."""


class EmbeddingsSettings(Table):
    """`[embeddings]`: which model makes them, and what it may take."""

    enabled: bool = Field(True, description="Answer /v1/embeddings, always on this machine.")
    model: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        STARTER,
        description="An embedding model: the full path of a GGUF file, or its name on the list of models; "
        "`starter` makes do with the small chat model that Homeward comes with.",
    )
    context_tokens: int = Field(
        2048, ge=64, le=131_072, description="The longest text. Memory is set aside for one of this length."
    )
    idle_unload_seconds: float = Field(
        600, ge=0, description="Give the model's memory back after so long without a request; 0 keeps it."
    )
