"""Receipts for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from homeward.gateway import gateway_routes
from homeward.protocol.errors import HistoryError
from homeward.protocol.receipt import FactsRecord, Receipt

KNOWN, BROKEN = uuid4(), uuid4()
RECEIPT = Receipt(
    id=KNOWN,
    created_at=datetime(2026, 11, 22, tzinfo=UTC),
    outcome="complete",
    bytes_out=12,
    facts=FactsRecord(findings={"email": 1}),
)


class Kept:
    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        if UUID(receipt_id) == BROKEN:
            raise HistoryError("The history can't be read.", next_step="Look at the disk.")
        return RECEIPT if UUID(receipt_id) == KNOWN else None


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=gateway_routes(Kept()))) as client:
        yield client


def test_a_receipt_is_given_whole(client: TestClient) -> None:
    """All that the page knows of it, and it can be read back."""
    answer = client.get(f"/v1/receipts/{KNOWN}")
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=Receipt) == RECEIPT


@pytest.mark.parametrize("name", [str(uuid4()), "none", "%00", "{" + str(KNOWN) + "}"])
def test_what_is_not_there_is_a_404(client: TestClient, name: str) -> None:
    """In OpenAI's envelope."""
    answer = client.get(f"/v1/receipts/{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_history_that_fails_says_so(client: TestClient) -> None:
    """With the next step, and the status that it has."""
    answer = client.get(f"/v1/receipts/{BROKEN}")
    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "The history can't be read. Look at the disk."


@pytest.mark.parametrize("path", ["/v1/models", "/v1/chat/completions"])
def test_what_does_not_exist_yet_says_so(client: TestClient, path: str) -> None:
    """Whatever the method."""
    assert client.post(path, json={}).json()["error"]["type"] == "invalid_request_error"
