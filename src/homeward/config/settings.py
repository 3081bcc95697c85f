"""Every setting, its default and its bounds.

A field's description is its documentation: `homeward config show` and the docs print it.
"""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, SecretStr

from homeward.config.clouds import CloudSettings
from homeward.config.embeddings import EmbeddingsSettings
from homeward.config.gateway import GatewaySettings
from homeward.config.history import HistorySettings
from homeward.config.policy import BudgetSettings, PolicySettings, PrivacySettings
from homeward.config.table import Table

PREFIX = "HOMEWARD_"
"""Before the name of a setting that a variable holds."""

Port = Annotated[int, Field(ge=0, le=65_535)]
Seconds = Annotated[float, Field(gt=0)]


def default_data_dir() -> Path:
    """The folder that the system sets aside for an application's data of this user."""
    return Path(platformdirs.user_data_dir("homeward", appauthor=False))


class LlamaSettings(Table):
    """`[llama]`: the engine that runs GGUF files."""

    enabled: bool = Field(True, description="Run GGUF models on this machine.")
    model: Path | Literal["starter"] = Field(
        "starter", description="A GGUF file, or `starter` for the small model that Homeward comes with."
    )
    context_tokens: int = Field(
        4096, ge=256, le=1_048_576, description="Tokens that one conversation and its answer share."
    )
    slots: int = Field(2, ge=1, le=64, description="Answers that are made at the same time.")
    threads: int | None = Field(
        None, ge=1, le=1024, description="Processor threads; left out: as many as there are physical cores."
    )
    idle_unload_seconds: float = Field(
        0, ge=0, description="Give the model's memory back after so long without a request; 0 keeps it."
    )


class FoundrySettings(Table):
    """`[foundry]`: the engine that runs ONNX models, Microsoft Foundry Local."""

    enabled: bool = Field(True, description="Run ONNX models on this machine with Foundry Local.")
    device: Literal["auto", "cpu", "gpu", "npu"] = Field(
        "auto",
        description="Which variants of a model are offered first; `auto`: the fastest that this machine can run.",
    )
    context_tokens: int = Field(
        8192, ge=256, le=1_048_576, description="Tokens that one conversation and its answer share."
    )
    parallel: int = Field(2, ge=1, le=16, description="Answers that are made at the same time.")
    idle_unload_seconds: float = Field(
        1800, ge=0, description="Give a model's memory back after so long without a request; 0 keeps it."
    )
    catalog_url: str = Field("", description="Another catalogue than Microsoft's, by its full address.")
    catalog_region: str = Field("", description="The region that the catalogue is asked in; empty: the nearest.")


class ModelsSettings(Table):
    """`[models]`: which model answers, and how much memory all of them may hold."""

    use: str = Field("", description="The model that answers, by name or alias; empty: the one chosen on the page.")
    memory_gb: float = Field(0, ge=0, description="Memory that all models together may hold; 0: what is free.")
    discover: bool = Field(
        True, description="At the first start, look for model services that run on this machine already."
    )


class ServiceSettings(Table):
    """`[service]`: a model service that runs on this machine already."""

    url: str = Field("", description="Its address, for instance http://127.0.0.1:11434.")
    api_key: SecretStr = Field(
        SecretStr(""), description="Its key, where it wants one; better as the variable HOMEWARD_SERVICE_API_KEY."
    )


class ChatSettings(Table):
    """`[chat]`: how answers are asked for on the page."""

    system_prompt: str = Field(
        "You are a helpful assistant. Answer clearly and briefly.",
        description="Stands before every conversation and is never trimmed; empty for none.",
    )
    max_tokens: int = Field(1024, ge=1, description="Longest answer; a longer one offers Continue.")
    temperature: float = Field(0.7, ge=0, le=2, description="0 always takes the likeliest word.")
    top_p: float = Field(0.95, gt=0, le=1, description="Take words from this share of likelihood only.")
    first_token_seconds: Seconds = Field(120, description="How long the first word may take.")
    event_seconds: Seconds = Field(30, description="How long the next word may take.")
    total_seconds: Seconds = Field(1800, description="How long a whole answer may take.")
    unattended_seconds: Seconds = Field(300, description="How long an answer goes on after its last page was closed.")


class Settings(Table):
    """The whole of `homeward.toml`."""

    host: str = Field("127.0.0.1", description="Address to listen on; only this machine by default.")
    port: Port = Field(8080, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(default_factory=default_data_dir, description="Conversations, logs, settings.")
    open: bool = Field(True, description="Open the page in the browser once it is ready.")
    watch: bool = Field(False, description="Start again when Homeward's own source files change.")
    debug: bool = Field(False, description="Say more in the log; never prompts or answers.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written.")
    database_url: str = Field("", description="SQLAlchemy URL of the history; empty: `history.db` in the data folder.")
    drain_seconds: Seconds = Field(30, description="How long running answers may finish after SIGTERM.")
    models: ModelsSettings = ModelsSettings()
    llama: LlamaSettings = LlamaSettings()
    foundry: FoundrySettings = FoundrySettings()
    service: ServiceSettings = ServiceSettings()
    clouds: dict[str, CloudSettings] = Field({}, description="What may answer on other machines, by name.")
    policy: PolicySettings = PolicySettings()
    privacy: PrivacySettings = PrivacySettings()
    budget: BudgetSettings = BudgetSettings()
    gateway: GatewaySettings = GatewaySettings()
    embeddings: EmbeddingsSettings = EmbeddingsSettings()
    history: HistorySettings = HistorySettings()
    chat: ChatSettings = ChatSettings()
