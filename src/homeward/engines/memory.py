"""How much memory a model will need, before any of it is used: pure arithmetic on the file's header.

    weights    the files' sizes: llama.cpp maps them into memory and touches every page
    context    2 bytes (f16) x tokens of all slots x sum over the layers of KV heads x (key + value length)
               source: llama.cpp src/llama-kv-cache.cpp, where each layer gets tensors of n_embd_k_gqa and
               n_embd_v_gqa by KV size; the size per slot is rounded up to 256 (src/llama-context.cpp)
    working    the compute graph for one batch: 4 bytes x batch x (8 x embedding + 2 x feed-forward), the
               attention mask 2 bytes x batch x tokens of a slot, the results 4 bytes x slots x vocabulary;
               plus a quarter. The factors are measured, not derived: they reproduce the "compute buffer
               size" that llama.cpp logs for Llama-like models with flash attention
    runtime    interpreter, library and tokenizer: 48 MB and 256 bytes per token of the vocabulary (measured)
    cache      the prompt cache's upper bound

Models with a sliding window or with recurrent layers need less for the context than this. Compared with the
measured memory of the starter model in `tests/engines/test_llama_engine.py`.
"""

import msgspec

from homeward.engines.gguf import ModelFile
from homeward.protocol.errors import EngineStartError

_F16_BYTES = 2
_SMALLEST_CONTEXT = 512


class MemoryNeed(msgspec.Struct, frozen=True, kw_only=True):
    """An estimate, in bytes."""

    weights: int
    context: int
    working: int
    runtime: int
    cache: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.context + self.working + self.runtime + self.cache


def memory_need(
    model: ModelFile,
    *,
    weights_bytes: int,
    context_tokens: int,
    slots: int,
    batch_tokens: int,
    cache_bytes: int = 0,
) -> MemoryNeed:
    """Estimate what a model needs with so many slots of so many tokens each."""
    padded = -(-context_tokens // 256) * 256
    per_token = sum(model.kv_heads) * (model.key_length + model.value_length) * _F16_BYTES
    graph = 4 * batch_tokens * (8 * model.embedding_length + 2 * model.feed_forward_length)
    mask = 2 * batch_tokens * padded
    results = 4 * slots * model.vocabulary
    return MemoryNeed(
        weights=weights_bytes,
        context=per_token * padded * slots,
        working=(graph + mask + results) * 5 // 4,
        runtime=48_000_000 + 256 * model.vocabulary,
        cache=cache_bytes,
    )


def check_fits(need: MemoryNeed, available_bytes: int, *, context_tokens: int, slots: int) -> None:
    """Refuse a model that would not fit, with the numbers and what would.

    Raises:
        EngineStartError: it does not fit.
    """
    if need.total <= available_bytes:
        return
    raise EngineStartError(
        f"The model needs about {size_words(need.total)} of memory ({size_words(need.weights)} for its weights, "
        f"{size_words(need.context)} for {slots} slots of {context_tokens} tokens), but only "
        f"{size_words(available_bytes)} are free.",
        next_step=_way_out(need, available_bytes, context_tokens=context_tokens, slots=slots),
        detail=f"{need!r}, available={available_bytes}",
    )


def _way_out(need: MemoryNeed, available_bytes: int, *, context_tokens: int, slots: int) -> str:
    left = available_bytes - (need.total - need.context)
    per_slot_token = need.context / (slots * context_tokens)
    fitting_slots = int(left / (per_slot_token * context_tokens)) if per_slot_token else 0
    if 1 <= fitting_slots < slots:
        return f"Close other programs, or lower the slots to {fitting_slots}."
    fitting_tokens = int(left / per_slot_token) // 256 * 256 if per_slot_token else 0
    if fitting_tokens >= _SMALLEST_CONTEXT:
        slot = "1 slot and " if slots > 1 else ""
        return f"Close other programs, or lower the context to {slot}{fitting_tokens} tokens."
    return "Close other programs, or choose a smaller model."


def size_words(count: int) -> str:
    """A number of bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
