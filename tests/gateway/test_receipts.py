"""Receipts for programs."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from homeward.protocol.errors import HistoryError
from homeward.protocol.receipt import FactsRecord, Receipt
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import Gateway, gateway_over

KNOWN, BROKEN, UNKNOWN = (UUID(int=number) for number in (1, 2, 3))
RECEIPT = Receipt(
    id=KNOWN,
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
    outcome="complete",
    bytes_out=12,
    facts=FactsRecord(findings={"email": 1}),
)


@pytest.fixture
async def gateway(completer_of: MakeCompleter, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """One that keeps one receipt, and has a history that fails for another."""
    async with gateway_over(completer_of("ok")) as gateway:

        async def get_receipt(receipt_id: str) -> Receipt | None:
            if UUID(receipt_id) == BROKEN:
                raise HistoryError("The history can't be read.", next_step="Look at the disk.")
            return RECEIPT if UUID(receipt_id) == KNOWN else None

        monkeypatch.setattr(gateway.kept, "get_receipt", get_receipt)
        yield gateway


@pytest.mark.parametrize(
    "name", [str(KNOWN), KNOWN.hex, f"chatcmpl-{KNOWN.hex}", f"cmpl-{KNOWN.hex}", f"resp_{KNOWN.hex}"]
)
async def test_a_receipt_is_given_whole(gateway: Gateway, name: str) -> None:
    """All that the page knows of it, by its own id or by that of its answer, and it can be read back."""
    async with gateway.http.get(f"{gateway.url}/receipts/{name}") as answer:
        assert answer.status == 200
        assert msgspec.json.decode(await answer.read(), type=Receipt) == RECEIPT


@pytest.mark.parametrize("name", [str(UNKNOWN), "none", "%00", "x" * 5000])
async def test_what_is_not_there_is_a_404(gateway: Gateway, name: str) -> None:
    """In OpenAI's envelope."""
    async with gateway.http.get(f"{gateway.url}/receipts/{name}") as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (404, "not_found")


async def test_a_history_that_fails_says_so(gateway: Gateway) -> None:
    """With the next step, and the status that it has."""
    async with gateway.http.get(f"{gateway.url}/receipts/{BROKEN}") as answer:
        assert answer.status == 503
        assert (await answer.json())["error"]["message"] == "The history can't be read. Look at the disk."


@pytest.mark.parametrize("path", ["audio/speech", "assistants", "files"])
async def test_what_does_not_exist_says_so(gateway: Gateway, path: str) -> None:
    """Whatever the method."""
    for method in ("GET", "POST", "DELETE"):
        async with gateway.http.request(method, f"{gateway.url}/{path}") as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["message"] == f"Homeward has no {method} /v1/{path}."
