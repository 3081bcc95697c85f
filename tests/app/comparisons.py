"""Backends that answer as they are told, and what was measured of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import uuid4

import msgspec

from homeward.app.comparing.measure import Candidate, Measured, measure
from homeward.app.comparing.prompts import Prompt
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord, Receipt

HOME = Candidate(name="llama", place=Place.DEVICE, model="smol", context_tokens=4096)
LAB = Candidate(name="lab", place=Place.NETWORK, model="qwen", host="lab.example", consented=True)
CLOUD = Candidate(
    name="azure",
    place=Place.CLOUD,
    model="gpt",
    host="a.example",
    context_tokens=128_000,
    input_price=1.0,
    output_price=10.0,
)
PROMPTS = (
    Prompt(text="Write code.", task="code", title="First"),
    Prompt(text="시를 써 주세요.", task="creative", title="Second"),
)


def receipt(candidate: Candidate, **more: object) -> Receipt:
    """Of a whole answer of this backend."""
    away = candidate.place in (Place.NETWORK, Place.CLOUD)
    fields: dict[str, object] = {
        "id": uuid4(),
        "created_at": datetime.now(UTC),
        "outcome": "complete",
        "place": candidate.place,
        "backend": candidate.name,
        "model": candidate.model,
        "attempts": (AttemptRecord(backend=candidate.name, place=candidate.place),),
        "first_token_seconds": 0.5,
        "total_seconds": 2.0,
        "completion_tokens": 30,
        "tokens_per_second": 20.0,
        "bytes_out": 100 if away else 0,
        "cost": 0.001 if candidate.input_price is not None else None,
        **more,
    }
    return msgspec.convert(fields, Receipt, from_attributes=True)


class Answers:
    """A `Comparable` whose answers were written down before."""

    def __init__(self, *candidates: Candidate, receipts: Iterable[Receipt] = ()) -> None:
        """These receipts first, then usual ones."""
        self.candidates = candidates
        self.asked: list[tuple[str, str, int]] = []
        self.agreed: set[str] = set()
        self._receipts = iter(receipts)

    def agree(self, names: Iterable[str]) -> None:
        self.agreed |= set(names)

    async def ask(self, prompt: str, backend: str, max_tokens: int) -> Receipt:
        self.asked.append((prompt, backend, max_tokens))
        candidate = next(each for each in self.candidates if each.name == backend)
        return next(self._receipts, None) or receipt(candidate)


async def measured_with(candidate: Candidate, *receipts: Receipt, repeat: int = 1) -> Measured:
    """Both prompts, answered with these receipts, the warm-up's first."""
    answers = Answers(candidate, receipts=receipts)
    return await measure(candidate, PROMPTS, answers.ask, repeat=repeat, max_tokens=64, show=lambda *_: None)
