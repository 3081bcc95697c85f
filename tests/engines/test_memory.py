"""What a model will need, and the refusal of what does not fit. Measured: see `test_llama_engine`."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.engines.gguf import ModelFile
from homeward.engines.memory import MemoryNeed, check_fits, memory_need
from homeward.protocol.errors import EngineStartError

# Llama 3.1 8B with 4-bit weights: 128 KiB of context per token, as its documentation says.
LLAMA_8B = ModelFile(
    architecture="llama",
    layers=32,
    heads=32,
    kv_heads=(8,) * 32,
    embedding_length=4096,
    feed_forward_length=14336,
    key_length=128,
    value_length=128,
    context_length=131072,
    vocabulary=128256,
)
WEIGHTS = 4_900_000_000


def _need(context_tokens: int = 4096, slots: int = 2, **changes: object) -> MemoryNeed:
    model = msgspec.structs.replace(LLAMA_8B, **changes)
    return memory_need(model, weights_bytes=WEIGHTS, context_tokens=context_tokens, slots=slots, batch_tokens=128)


def test_a_known_model() -> None:
    """2 slots of 4096 tokens of 128 KiB each are 1 GiB."""
    need = _need()
    assert need.context == 1 << 30
    assert need.weights == WEIGHTS
    assert 20_000_000 < need.working < 100_000_000
    assert 50_000_000 < need.runtime < 150_000_000
    assert need.total == need.weights + need.context + need.working + need.runtime


def test_only_layers_with_attention_need_context() -> None:
    """In a mixed model a layer without KV heads costs nothing per token."""
    assert _need(kv_heads=(8, 0) * 16).context == (1 << 30) // 2


@given(
    tokens=st.integers(1, 200_000),
    more=st.integers(0, 100_000),
    slots=st.integers(1, 16),
    further=st.integers(0, 8),
)
def test_more_never_needs_less(tokens: int, more: int, slots: int, further: int) -> None:
    """More tokens or more slots, more memory."""
    assert _need(tokens, slots).total <= _need(tokens + more, slots + further).total


@given(st.integers(0, 20_000_000_000), st.integers(256, 32768), st.integers(1, 8))
def test_what_is_advised_fits(available: int, context_tokens: int, slots: int) -> None:
    """Refused is exactly what does not fit, and whoever follows the advice is not refused again."""
    advice = _advice(available, context_tokens, slots)
    assert (advice is None) == (_need(context_tokens, slots).total <= available)
    words = (advice or "").rstrip(".").split()
    if "slots" in words:
        assert _advice(available, context_tokens, int(words[-1])) is None
    elif "context" in words:
        assert _advice(available, int(words[-2]), 1) is None
    else:
        assert advice is None or "smaller model" in advice


def _advice(available: int, context_tokens: int, slots: int) -> str | None:
    try:
        check_fits(_need(context_tokens, slots), available, context_tokens=context_tokens, slots=slots)
    except EngineStartError as error:
        return error.next_step
    return None


def test_the_refusal_has_the_numbers() -> None:
    """What it needs, for what, and what there is."""
    with pytest.raises(EngineStartError) as caught:
        check_fits(_need(), 5_600_000_000, context_tokens=4096, slots=2)
    assert "6.1 GB of memory" in caught.value.message
    assert "4.9 GB for its weights" in caught.value.message
    assert "1.1 GB for 2 slots of 4096 tokens" in caught.value.message
    assert "only 5.6 GB are free" in caught.value.message
    assert caught.value.next_step == "Close other programs, or lower the slots to 1."
