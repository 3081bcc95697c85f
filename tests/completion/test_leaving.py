"""What may leave this device: nothing that has findings, unless the user said so; and all of it is written down."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from homeward.completion import Answer, Firewall, Said
from homeward.completion.texts import parts_of, with_texts
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.observability.audit import AuditBegun, AuditEnded, transfers
from homeward.observability.audit import read as read_audit
from homeward.privacy import Masked, Part, Report
from homeward.protocol.chat import ChatRequest, Message, Sampling
from homeward.protocol.place import Place
from homeward.routing import Snapshot
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import REQUEST, MakeCompleter, read

MAIL = "jane.roe@example.org"
WITH_MAIL = ChatRequest(messages=(Message("user", f"Write to {MAIL}, please."),))
CLOUD_FIRST = PolicySettings(preset="cloud-first")


def sent_words(upstream: FakeUpstream) -> str:
    return json.dumps([asked.body for asked in upstream.requests])


@pytest.mark.parametrize(
    "request_",
    [
        WITH_MAIL,
        ChatRequest(messages=(Message("system", f"I am {MAIL}."), Message("user", "Hi"))),
        ChatRequest(messages=(Message("user", MAIL), Message("assistant", "Noted."), Message("user", "Thanks!"))),
        ChatRequest(messages=(Message("user", "Hi"),), further=(f"{MAIL}.txt",)),
    ],
    ids=["question", "system prompt", "earlier turn", "file name"],
)
async def test_what_has_findings_stays_home(
    completer_of: MakeCompleter, upstream: FakeUpstream, request_: ChatRequest
) -> None:
    """In whatever part they are, although the cloud comes first; and the receipt says why."""
    completer = completer_of("ok-slow", "ok", cloud=["ok-slow"], policy=CLOUD_FIRST)
    answer = await completer.complete(request_)
    await read(answer)
    assert (answer.receipt.place, answer.receipt.bytes_out) == (Place.DEVICE, 0)
    assert [(each.backend, each.reason) for each in answer.receipt.dropped] == [("ok-slow", "findings")]
    assert answer.receipt.facts is not None
    assert answer.receipt.facts.findings == {"email": 1}
    assert upstream.calls["ok-slow"] == 0
    assert MAIL not in msgspec.json.encode(answer.receipt).decode()


async def test_without_findings_the_policy_decides(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The same two backends, nothing to hide."""
    answer = await completer_of("ok-slow", "ok", cloud=["ok-slow"], policy=CLOUD_FIRST).complete(REQUEST)
    await read(answer)
    assert answer.receipt.place is Place.CLOUD
    assert upstream.calls["ok"] == 0


@pytest.mark.parametrize("fault", ["raises", "incomplete", "hangs"])
async def test_what_cannot_be_looked_at_stays_home(
    completer_of: MakeCompleter, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A detector that fails, gives up or hangs is no reason to send anything."""
    completer = completer_of("ok-slow", "ok", cloud=["ok-slow"], policy=CLOUD_FIRST)
    released = asyncio.Event()

    def find(parts: tuple[Part, ...], *_: object) -> Report:
        if fault == "raises":
            raise MemoryError
        if fault == "hangs":
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return Firewall(PrivacySettings())._scanner.find(parts, steps=1)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(completer.rules.firewall._scanner, "find", find)
    monkeypatch.setattr("homeward.completion.firewall.SECONDS", 0.05)
    monkeypatch.setattr("homeward.completion.firewall.AT_ONCE_CHARACTERS", 0)
    answer = await completer.complete(REQUEST)
    released.set()
    await read(answer)
    assert answer.receipt.place is Place.DEVICE
    assert answer.receipt.facts is not None
    assert not answer.receipt.facts.checked
    assert upstream.calls["ok-slow"] == 0


async def test_a_text_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a conversation that grows, only what is new; and what was found is found again."""
    firewall, looked = Firewall(PrivacySettings()), list[str]()
    find = firewall._scanner.find

    def watched(parts: tuple[Part, ...]) -> Report:
        looked.extend(part.text for part in parts)
        return find(parts)

    monkeypatch.setattr(firewall._scanner, "find", watched)
    first = await firewall.inspect(WITH_MAIL)
    longer = msgspec.structs.replace(REQUEST, messages=(*REQUEST.messages, *WITH_MAIL.messages, *REQUEST.messages))
    second = await firewall.inspect(longer)
    assert looked == [WITH_MAIL.messages[0].content, REQUEST.messages[0].content]
    assert first.report.parts[0].findings == second.report.parts[1].findings != ()
    assert second.report.parts[0].findings == second.report.parts[2].findings == ()
    assert second.report.complete


async def test_what_could_not_be_looked_at_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is not remembered as "nothing found"."""
    firewall = Firewall(PrivacySettings())
    find = firewall._scanner.find
    monkeypatch.setattr(firewall._scanner, "find", lambda parts: find(parts, steps=1))
    assert not (await firewall.inspect(WITH_MAIL)).report.complete
    monkeypatch.setattr(firewall._scanner, "find", find)
    assert (await firewall.inspect(WITH_MAIL)).report.counts == {"email": 1}


async def test_a_conversation_that_stays_home_does_so_without_findings(completer_of: MakeCompleter) -> None:
    """Whatever made it stay may have been edited away since."""
    completer = completer_of("ok-slow", cloud=["ok-slow"], policy=CLOUD_FIRST)
    answer = await completer.complete(msgspec.structs.replace(REQUEST, stays_home=True))
    await read(answer)
    assert answer.receipt.error == "nobody_allowed"
    assert [each.reason for each in answer.receipt.dropped] == ["thread_stays_home"]


# Masks


async def masked(completer_of: MakeCompleter, request: ChatRequest) -> Answer:
    privacy = PrivacySettings(kinds={"email": "mask"})
    return await completer_of("echo", cloud=["echo"], policy=CLOUD_FIRST, privacy=privacy).complete(request)


async def test_placeholders_go_out_and_the_words_come_back(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The cloud sees none of it; the user reads what they wrote, however the answer was cut into chunks."""
    answer = await masked(completer_of, WITH_MAIL)
    text, _ = await read(answer)
    assert text == WITH_MAIL.messages[0].content
    assert MAIL not in sent_words(upstream)
    assert "[EMAIL_1]" in sent_words(upstream)
    assert (answer.receipt.masked, answer.receipt.place) == (1, Place.CLOUD)


async def test_what_could_not_be_replaced_is_not_sent(
    completer_of: MakeCompleter, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts with placeholders are looked at once more."""
    monkeypatch.setattr("homeward.completion.firewall.mask", lambda parts, *_: Masked(tuple(parts), {}))
    answer = await masked(completer_of, WITH_MAIL)
    await read(answer)
    assert answer.receipt.error == "findings"
    assert upstream.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "My password is hunter2! Is hunter2! a good one?",
        "My PIN is 4821. Why is 4821 a bad choice?",
        "password: Tr0ub4dor&3 and so on",
    ],
)
async def test_a_secret_is_replaced_wherever_it_stands(
    completer_of: MakeCompleter, upstream: FakeUpstream, text: str
) -> None:
    """Also where the word that gave it away is missing, and to its last sign."""
    privacy = PrivacySettings(default="mask")
    completer = completer_of("echo", cloud=["echo"], policy=CLOUD_FIRST, privacy=privacy)
    answer = await completer.complete(ChatRequest(messages=(Message("user", text),)))
    assert (await read(answer))[0] == text
    assert not any(secret in sent_words(upstream) for secret in ("hunter2", "4821", "Tr0ub4dor", "&3"))


async def test_a_secret_that_came_back_in_an_answer_does_not_go_out_again(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """The stored answer has the words themselves; the next turn sends it."""
    turns = (Message("user", "My password is hunter2!"), Message("assistant", "Do not use hunter2! again."))
    privacy = PrivacySettings(default="mask")
    completer = completer_of("echo", cloud=["echo"], policy=CLOUD_FIRST, privacy=privacy)
    await read(await completer.complete(ChatRequest(messages=(*turns, Message("user", "Why?")))))
    assert upstream.calls["echo"] == 1
    assert "hunter2" not in sent_words(upstream)


async def test_an_answer_cut_inside_a_secret_is_not_continued_elsewhere(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """What is left of it is not a finding any more, and gives away most of it."""
    cut = (*WITH_MAIL.messages, Message("assistant", f"Dear {MAIL[:12]}"))
    answer = await masked(completer_of, ChatRequest(messages=cut))
    await read(answer)
    assert answer.receipt.error == "findings"
    assert upstream.requests == []


async def test_on_this_device_nothing_is_masked(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """A model at home reads the words themselves."""
    privacy = PrivacySettings(kinds={"email": "mask"})
    await read(await completer_of("ok", privacy=privacy).complete(WITH_MAIL))
    assert MAIL in sent_words(upstream)


# What is written down


async def test_every_byte_that_leaves_is_on_record(
    completer_of: MakeCompleter, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """The other side's count, the receipt's and the audit log's are the same, byte for byte, failures included."""
    completer = completer_of("status-500", "rst-before-headers", "ok", place=Place.CLOUD, policy=CLOUD_FIRST)
    answer = await completer.complete(REQUEST)
    await read(answer)
    entries = transfers(read_audit(tmp_path / "audit.jsonl"))
    on_record = [each.ended.bytes_out if each.ended else None for each in entries]
    assert on_record == [asked.raw_bytes for asked in upstream.requests]
    assert [each.bytes_out for each in answer.receipt.attempts] == on_record
    assert [each.begun.backend for each in entries] == ["status-500", "rst-before-headers", "ok"]
    assert answer.receipt.bytes_out == sum(each.raw_bytes for each in upstream.requests)
    assert "Tell me a story" not in (tmp_path / "audit.jsonl").read_text()


async def test_it_is_on_record_before_it_leaves(
    completer_of: MakeCompleter, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """Where it can't be written down, it is not sent."""
    (tmp_path / "audit.jsonl").mkdir()
    answer = await completer_of("ok", place=Place.CLOUD, policy=CLOUD_FIRST).complete(REQUEST)
    await read(answer)
    assert answer.receipt.error == "audit_unavailable"
    assert upstream.requests == []


async def test_what_stays_home_is_not_on_record(completer_of: MakeCompleter, tmp_path: Path) -> None:
    """The log is about what leaves."""
    await read(await completer_of("ok").complete(REQUEST))
    assert not (tmp_path / "audit.jsonl").exists()


async def test_one_that_was_stopped_is_on_record_too(
    completer_of: MakeCompleter, upstream: FakeUpstream, tmp_path: Path
) -> None:
    """With what had left by then."""
    answer = await completer_of("never-ends", place=Place.CLOUD, policy=CLOUD_FIRST).complete(REQUEST)
    events = answer.events()
    async for event in events:
        if isinstance(event, Said):
            break
    await events.aclose()
    begun, ended = [each for each in read_audit(tmp_path / "audit.jsonl") if isinstance(each, AuditBegun | AuditEnded)]
    assert isinstance(begun, AuditBegun)
    assert isinstance(ended, AuditEnded)
    assert (ended.bytes_out, ended.error) == (upstream.requests[0].raw_bytes, "stopped")


# What changes while a request is on its way


async def test_a_consent_that_is_withdrawn_counts_at_once(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Also for an attempt that an earlier plan has, as after a first one that failed."""
    completer = completer_of("status-500", "ok", cloud=["ok"])
    answer = await completer.complete(REQUEST)
    before = completer.snapshot
    completer.snapshot = lambda *_: Snapshot(
        tuple(msgspec.structs.replace(view, consented=False) for view in before().backends)
    )
    await read(answer)
    assert [each.error for each in answer.receipt.attempts] == ["upstream_status", "no_backend"]
    assert upstream.calls["ok"] == 0


async def test_so_do_places_that_are_taken_away(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The rules of this moment, not those of the plan."""
    completer = completer_of("status-500", "ok", cloud=["ok"])
    answer = await completer.complete(REQUEST)
    completer.rules = msgspec.structs.replace(completer.rules, policy=PolicySettings(preset="local-only"))
    await read(answer)
    assert upstream.calls["ok"] == 0


# The budget


@pytest.mark.parametrize(("behaviour", "share"), [("status-401", 0), ("ok", 9 / 1000), ("stall-after-token", 1)])
async def test_what_is_charged(completer_of: MakeCompleter, behaviour: str, share: float) -> None:
    """Nothing for a refusal, the usage of a whole answer, and the most it can have been where that is not known."""
    request = msgspec.structs.replace(REQUEST, sampling=msgspec.structs.replace(REQUEST.sampling, max_tokens=1000))
    prices = {"input_price": 0.0, "output_price": 10.0}
    completer = completer_of(behaviour, place=Place.CLOUD, policy=CLOUD_FIRST, **prices)
    await read(await completer.complete(request))
    assert completer.books.spend.month() == pytest.approx(share * 0.01)


async def test_the_budget_is_a_hard_stop(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Once it is spent no cloud is asked; requests at the same time don't pass it together."""
    budget = BudgetSettings(month=0.02)
    request = msgspec.structs.replace(REQUEST, sampling=msgspec.structs.replace(REQUEST.sampling, max_tokens=1000))
    prices = {"input_price": 0.0, "output_price": 10.0}  # a cent for the answer at most
    completer = completer_of("ok", place=Place.CLOUD, policy=CLOUD_FIRST, budget=budget, **prices)
    answers = [await completer.complete(request) for _ in range(4)]
    await asyncio.gather(*(read(answer) for answer in answers))
    assert upstream.calls["ok"] == 2
    assert sorted(answer.receipt.outcome for answer in answers) == ["complete", "complete", "failed", "failed"]
    spent = sum(answer.receipt.cost or 0 for answer in answers)
    assert spent == pytest.approx(2 * 9 * 10 / 1_000_000)
    assert completer.books.spend.month() == pytest.approx(spent)


async def test_without_a_price_there_is_no_budget_to_keep(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """So such a cloud isn't asked where there is a budget."""
    completer = completer_of("ok", place=Place.CLOUD, policy=CLOUD_FIRST, budget=BudgetSettings(month=5))
    answer = await completer.complete(REQUEST)
    await read(answer)
    assert [each.reason for each in answer.receipt.dropped] == ["price_unknown"]
    assert upstream.requests == []


def test_every_text_of_a_request_is_a_part() -> None:
    """None is forgotten, and no part's name holds what the user wrote."""
    messages = (Message("system", "a"), Message("user", "b"))
    request = ChatRequest(messages=messages, further=("c",), sampling=Sampling(stop=("d",)))
    named = [(part.name, part.text) for part in parts_of(request)]
    assert named == [("messages[0]", "a"), ("messages[1]", "b"), ("further[0]", "c"), ("stop[0]", "d")]
    assert with_texts(request, parts_of(request)) == request
    others = with_texts(request, [Part("", text) for text in "wxyz"])
    assert ([each.content for each in others.messages], others.further) == (["w", "x"], ("y",))
    assert others.sampling.stop == ("z",)
