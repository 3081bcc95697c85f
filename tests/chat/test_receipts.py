"""A receipt in words: why there, how each attempt went, what it cost."""

from datetime import UTC, datetime
from uuid import uuid4

import msgspec
import pytest

from homeward.chat.receipts import Look, answer_views, attempt_sentence, why
from homeward.chat.said import ENDINGS, KOREAN_ERRORS
from homeward.chat.texts import money
from homeward.history import Step
from homeward.protocol import errors
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord, DroppedRecord, FactsRecord, Receipt

LOOK = Look("en", "USD", several=True)
HOME = AttemptRecord(backend="llama", place=Place.DEVICE, model="small", seconds=1.26)
AWAY = AttemptRecord(
    backend="azure", place=Place.CLOUD, model="gpt", error="upstream_timeout", seconds=30, bytes_out=1234, cost=0.5
)
RECEIPT = Receipt(
    id=uuid4(),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    outcome="complete",
    place=Place.DEVICE,
    backend="llama",
    model="small",
    reason="place_order",
    facts=FactsRecord(task="code", complexity="hard", tokens=1200, findings={"phone": 2}, may_leave="home"),
    attempts=(AWAY, HOME),
    dropped=(DroppedRecord(backend="openai", reason="no_consent"),),
)


def test_the_decision_in_sentences() -> None:
    """Facts, rule, who was asked, who was not and why: in the words of the routing."""
    assert [*why(RECEIPT, "en")] == [
        "What it is about: code.",
        "How difficult it looks: hard.",
        "Its length: about 1,200 tokens.",
        "Found in it: phone number (2). So it stays on this device.",
        "No rule matched, so the order of places in your policy counts.",
        (
            "Asked in this order, the next one only while no word has come: "
            "azure (the cloud, gpt), llama (this device, small)."
        ),
        "Not asked: openai. You have not agreed yet that anything is sent there.",
    ]
    assert "요청의 종류: 코드." in [*why(RECEIPT, "ko")]


def test_receipts_of_other_versions_are_shown_as_far_as_they_are_understood() -> None:
    """The rule at least."""
    rule = ["No rule matched, so the order of places in your policy counts."]
    assert [*why(msgspec.structs.replace(RECEIPT, facts=None), "en")] == rule
    unknown = msgspec.structs.replace(RECEIPT, dropped=(DroppedRecord(backend="x", reason="a_new_reason"),))
    assert [*why(unknown, "en")] == rule
    assert [*why(msgspec.structs.replace(RECEIPT, facts=None, reason=""), "en")] == []


def test_each_attempt_says_how_it_went_and_what_left() -> None:
    """Error, seconds, bytes and cost of each."""
    assert attempt_sentence(AWAY, RECEIPT, LOOK) == (
        "azure (the cloud, gpt): did not answer in time, 30.0 s, 1,234 bytes left this machine, 0.5000 USD"
    )
    assert attempt_sentence(HOME, RECEIPT, LOOK) == "llama (this device, small): answered, 1.3 s"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"outcome": "stopped"}, "stopped by you"),
        ({"outcome": "interrupted"}, "broken off"),
        ({"backend": "azure"}, "ended, because another one was faster"),
    ],
)
def test_an_attempt_without_an_error_has_not_always_answered(changes: dict[str, str], expected: str) -> None:
    """It may have been ended, by the user, by us, or because another one was faster."""
    receipt = msgspec.structs.replace(RECEIPT, **changes)
    assert expected in attempt_sentence(HOME, receipt, LOOK)


def test_every_error_has_words_in_both_languages() -> None:
    """Those that end an attempt or an answer."""
    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")}
    never_of_an_answer = {"config_error", "backend_error", "broken_off", "model_not_found"}
    assert codes - never_of_an_answer - KOREAN_ERRORS.keys() == set()
    never_of_an_attempt = never_of_an_answer | {
        *("history_unavailable", "internal_error"),
        *("nobody_allowed", "not_allowed"),  # nobody is asked
    }
    assert codes - never_of_an_attempt - ENDINGS.keys() == set()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0.00 USD"), (0.00002, "< 0.0001 USD"), (0.0123, "0.0123 USD"), (1234.5, "1,234.50 USD")],
)
def test_money(amount: float, shown: str) -> None:
    """Small amounts are the usual ones."""
    assert money(amount, "USD") == shown


def test_what_is_offered() -> None:
    """Another backend only where there is one; nothing but its use for an answer that stands beside another."""

    def offered(kind: str, *, several: bool = True, outcome: str = "complete") -> list[list[str]]:
        step = Step(id=uuid4(), thread_id=uuid4(), kind=kind, text="Half", status="complete")
        receipt = msgspec.structs.replace(RECEIPT, outcome=outcome)
        views = answer_views(step, (receipt,), msgspec.structs.replace(LOOK, several=several))
        return [view["props"]["offers"] for view in views if view["name"] == "Receipt"]

    assert offered("assistant") == [["try_with"]]
    assert offered("assistant", several=False) == [[]]
    assert offered("assistant", several=False, outcome="stopped") == [["continue_answer", "try_again"]]
    assert offered("alternative", outcome="stopped") == [[]]
