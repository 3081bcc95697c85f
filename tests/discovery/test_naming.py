"""From names that people use to ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.discovery import FoundService, Kind, ModelNotFound, ServiceModel, resolve_model


def service(
    *models: ServiceModel | str, kind: Kind = "foundry-server", elsewhere: tuple[str, ...] = ()
) -> FoundService:
    listed = tuple(ServiceModel(id=model) if isinstance(model, str) else model for model in models)
    return FoundService(kind=kind, url="http://127.0.0.1:1/v1", models=listed, elsewhere=elsewhere, source="a test")


def variant(model_id: str, alias: str = "", *, loaded: bool | None = False) -> ServiceModel:
    return ServiceModel(id=model_id, alias=alias, loaded=loaded)


CATALOGUE = service(
    "Phi-4-generic-cpu:1",
    "Phi-4-mini-instruct-generic-cpu:5",
    "Phi-4-mini-reasoning-generic-cpu:3",
    "Phi-3-mini-128k-instruct-generic-cpu:2",
    "Phi-3-mini-4k-instruct-generic-cpu:2",
    "qwen2.5-0.5b-instruct-generic-cpu:4",
    "qwen2.5-coder-0.5b-instruct-generic-cpu:4",
    "mistralai-Mistral-7B-Instruct-v0-2-generic-cpu:2",
    "gpt-oss-20b-generic-cpu:1",
)


@pytest.mark.parametrize(
    ("wanted", "model_id"),
    [
        ("phi-4-mini", "Phi-4-mini-instruct-generic-cpu:5"),
        ("Phi-4-Mini", "Phi-4-mini-instruct-generic-cpu:5"),
        (" phi-4-mini\n", "Phi-4-mini-instruct-generic-cpu:5"),
        ("phi-4-mini-instruct", "Phi-4-mini-instruct-generic-cpu:5"),
        ("phi-4-mini-instruct-generic-cpu", "Phi-4-mini-instruct-generic-cpu:5"),
        ("phi-4-mini-instruct-generic-cpu:5", "Phi-4-mini-instruct-generic-cpu:5"),
        ("phi-4-mini-reasoning", "Phi-4-mini-reasoning-generic-cpu:3"),
        ("phi-4", "Phi-4-generic-cpu:1"),
        ("phi-3-mini-4k", "Phi-3-mini-4k-instruct-generic-cpu:2"),
        ("qwen2.5-0.5b", "qwen2.5-0.5b-instruct-generic-cpu:4"),
        ("qwen2.5-coder", "qwen2.5-coder-0.5b-instruct-generic-cpu:4"),
        ("mistralai-mistral-7b-instruct-v0.2", "mistralai-Mistral-7B-Instruct-v0-2-generic-cpu:2"),
        ("gpt-oss-20b", "gpt-oss-20b-generic-cpu:1"),
    ],
)
def test_names_by_foundrys_rule(wanted: str, model_id: str) -> None:
    """Of a service that tells no aliases."""
    assert resolve_model(CATALOGUE, wanted) == model_id


@pytest.mark.parametrize("wanted", ["phi", "phi-3", "phi-3-mini", "qwen2.5"])
def test_a_name_of_several_models_is_not_decided(wanted: str) -> None:
    """Those that it could be are named, and no others."""
    outcome = resolve_model(CATALOGUE, wanted)
    assert isinstance(outcome, ModelNotFound)
    assert outcome.reason == f"“{wanted}” can mean several models of Foundry Local."
    assert all(model_id.lower().startswith(wanted) for model_id in outcome.candidates)
    assert len(outcome.candidates) > 1


@pytest.mark.parametrize(
    "wanted", ["phi-4-min", "hi-4-mini", "mini", "phi-4-mini-instruct-generic-cpu:4", "llama", "", " ", "-", ":"]
)
def test_a_part_of_a_word_is_no_name(wanted: str) -> None:
    """Nor another version, nor nothing."""
    outcome = resolve_model(CATALOGUE, wanted)
    assert isinstance(outcome, ModelNotFound)
    assert len(outcome.candidates) == len(CATALOGUE.models)


@pytest.mark.parametrize("wanted", ["", " ", "-", ":"])
def test_nothing_is_no_name_even_of_the_only_model(wanted: str) -> None:
    """An empty setting is not a choice."""
    assert isinstance(resolve_model(service("a"), wanted), ModelNotFound)


def test_aliases_that_the_service_tells_are_all_that_counts() -> None:
    """`phi-4-mini` is not `phi-4-mini-reasoning`, though it begins like it."""
    told = service(
        variant("Phi-4-mini-reasoning-generic-cpu:3", "phi-4-mini-reasoning"),
        variant("deepseek-r1-distill-qwen-7b-generic-cpu:3", "deepseek-r1-7b"),
    )
    assert resolve_model(told, "DeepSeek-R1-7B") == "deepseek-r1-distill-qwen-7b-generic-cpu:3"
    assert resolve_model(told, "phi-4-mini-reasoning") == "Phi-4-mini-reasoning-generic-cpu:3"
    outcome = resolve_model(told, "phi-4-mini")
    assert isinstance(outcome, ModelNotFound)
    assert outcome.reason == "There is no model “phi-4-mini” in Foundry Local."


CPU4 = "Phi-4-mini-instruct-generic-cpu:4"
CPU5 = "Phi-4-mini-instruct-generic-cpu:5"
GPU = "Phi-4-mini-instruct-generic-gpu:5"
CUDA = "Phi-4-mini-instruct-cuda-gpu:4"
NPU = "phi-4-mini-instruct-vitis-npu:2"


@pytest.mark.parametrize("alias", ["", "phi-4-mini"])
@pytest.mark.parametrize(
    ("models", "loaded", "best"),
    [
        ((CPU4, CPU5), None, CPU5),
        ((CPU5, CPU4), CPU4, CPU4),
        ((CPU5, GPU), None, GPU),
        ((CPU5, GPU, CUDA), None, CUDA),
        ((CPU5, GPU, CUDA, NPU), None, NPU),
        ((NPU, CUDA, GPU, CPU5, CPU4), CPU4, CPU4),
        (
            ("Phi-4-mini-instruct-generic-cpu:9", "Phi-4-mini-instruct-generic-cpu:10"),
            None,
            "Phi-4-mini-instruct-generic-cpu:10",
        ),
    ],
)
def test_of_several_variants_one_is_best(alias: str, models: tuple[str, ...], loaded: str | None, best: str) -> None:
    """Loaded, then NPU, a maker's GPU, any GPU, CPU, then the newest, by number."""
    for order in (models, models[::-1]):
        there = service(*(variant(model, alias, loaded=model == loaded) for model in order))
        assert resolve_model(there, "phi-4-mini") == best


@pytest.mark.parametrize(
    ("kind", "wanted", "model_id"),
    [
        ("ollama", "llama3.2", "llama3.2:latest"),
        ("ollama", "llama3.2:latest", "llama3.2:latest"),
        ("ollama", "qwen3:8b", "qwen3:8b"),
        ("ollama", "gemma3", "gemma3:4b"),
        ("lm-studio", "qwen3-8b", "qwen/qwen3-8b"),
        ("lm-studio", "qwen/qwen3-8b", "qwen/qwen3-8b"),
        ("vllm", "qwen/qwen3-8b", "Qwen/Qwen3-8B"),
        ("llama-server", "SmolLM2-135M-Instruct", "/models/SmolLM2-135M-Instruct.Q4_1.gguf"),
    ],
)
def test_other_services_names(kind: Kind, wanted: str, model_id: str) -> None:
    """Tags, publishers, files."""
    offered: dict[Kind, tuple[str, ...]] = {
        "ollama": ("llama3.2:latest", "llama3.2:1b", "qwen3:8b", "qwen3:4b", "gemma3:4b"),
        "lm-studio": ("qwen/qwen3-8b", "gemma-3-4b-it"),
        "vllm": ("Qwen/Qwen3-8B", "zig-lora"),
        "llama-server": ("/models/SmolLM2-135M-Instruct.Q4_1.gguf",),
    }
    assert resolve_model(service(*offered[kind], kind=kind), wanted) == model_id


def test_an_ollama_model_without_the_latest_tag_is_not_guessed() -> None:
    """Its sizes are different models."""
    outcome = resolve_model(service("qwen3:8b", "qwen3:4b", kind="ollama"), "qwen3")
    assert isinstance(outcome, ModelNotFound)
    assert outcome.candidates == ("qwen3:8b", "qwen3:4b")


def test_a_model_that_runs_elsewhere_is_refused_with_the_reason() -> None:
    """The user asked for this machine; a word about where it would go."""
    ollama = service("qwen3:8b", kind="ollama", elsewhere=("gpt-oss:120b-cloud",))
    outcome = resolve_model(ollama, "gpt-oss:120b-cloud")
    assert isinstance(outcome, ModelNotFound)
    assert "does not run on this machine" in outcome.reason
    assert outcome.candidates == ("qwen3:8b",)


def test_a_service_without_models_says_so() -> None:
    """It is not the name that is wrong."""
    outcome = resolve_model(service(), "phi-4-mini")
    assert isinstance(outcome, ModelNotFound)
    assert outcome.reason == "There is no model in Foundry Local yet."


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30) | st.sampled_from(
    [CPU4, CPU5, CUDA, "a:1", "a/b"]
)


@given(ids=st.lists(NAMES, unique=True, max_size=8), wanted=NAMES)
def test_an_outcome_is_always_one_of_its_ids_or_a_reason(ids: list[str], wanted: str) -> None:
    """And an exact id always means itself, if it isn't made of white space or borders only."""
    there = service(*ids)
    outcome = resolve_model(there, wanted)
    assert outcome in ids if isinstance(outcome, str) else set(outcome.candidates) <= set(ids)
    for model_id in ids:
        if model_id == model_id.strip() and any(letter.isalnum() for letter in model_id):
            assert resolve_model(there, model_id) == model_id
