"""The policy page's API, with the real rules behind it: what it answers, changes, refuses, and never says."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from homeward.config import load
from homeward.gate import Gate
from homeward.gate.policy import allowed_origins
from homeward.manage.policy_routes import MAX_BYTES, policy_routes
from homeward.manage.routes import model_routes
from homeward.observability.audit import AuditBegun, AuditEnded, AuditNote, append, read
from homeward.observability.audit.lines import encode
from homeward.protocol.place import Place
from tests.manage.fake_manager import FakeManager
from tests.manage.policies import AZURE, LLAMA, OFFICE, Home, home_of
from tests.manage.test_routes import addresses

HERE = "http://127.0.0.1:8080"
CANARY = "canary-7f3a91"
RULE = {"name": "code", "when": {"task": ["code"]}, "use": ["azure", "device"]}
ACTIONS = ["/policy", "/policy/consent", "/policy/explain"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_of(tmp_path, LLAMA, OFFICE, AZURE, text="# mine\n[policy]\nhedge = true\n") as home:
        yield home


@pytest.fixture
def client(home: Home) -> TestClient:
    return client_of(home)


def client_of(home: Home) -> TestClient:
    routes = [*policy_routes(home.governing), *model_routes(FakeManager())]
    gate = Gate(Starlette(routes=routes), origins=allowed_origins("127.0.0.1", 8080), max_body_bytes=8_000_000)
    return TestClient(gate, base_url=HERE)


def draft(client: TestClient, **changes: dict[str, Any]) -> dict[str, Any]:
    """The settings in force, some of them changed."""
    state = client.get("/policy/state").json()
    return {name: {**state[name], **changes.get(name, {})} for name in ("policy", "privacy", "budget")}


def test_the_state_is_what_the_contract_says(client: TestClient, home: Home) -> None:
    answer = client.get("/policy/state")
    assert answer.headers["cache-control"] == "no-store"
    state = answer.json()
    assert state["policy"] == {
        "preset": "local-first", "places": None, "complex_from": "never", "rules": [], "hedge": True,
    }  # fmt: skip
    assert state["privacy"] == {"default": "home", "kinds": {}, "deny": [], "patterns": {}}
    assert state["budget"] == {"month": None, "currency": "USD"}
    assert (state["spent"], state["left"]) == (0, {"requests": 0, "bytes_out": 0})
    assert (state["editable"], state["file"]) == (True, str(home.file))
    assert state["backends"][2] == {
        "name": "azure", "place": "cloud", "host": "my.openai.azure.com", "model": "gpt-4.1-mini", "state": "ready",
        "reason": "", "consented": False, "input_price": 0.4, "output_price": 1.6,
    }  # fmt: skip
    assert state["orders"]["cloud-first"] == ["cloud", "network", "device"]


def test_what_left_this_month_is_counted(client: TestClient, home: Home) -> None:
    """Each request once, all its bytes; what runs or never left is not counted, nor is what left long ago."""
    request = uuid4()
    for begun, bytes_out in [
        (begun_at(request, 1), 1000),
        (begun_at(request, 2), 200),
        (begun_at(uuid4(), 1), 30),
        (begun_at(uuid4(), 1), 0),
        (begun_at(uuid4(), 1), None),
    ]:
        append(home.audit, encode(begun))
        if bytes_out is not None:
            append(home.audit, encode(AuditEnded(request=begun.request, attempt=begun.attempt, bytes_out=bytes_out)))
    old = encode(begun_at(uuid4(), 1)).replace(b'"at":"20', b'"at":"19')
    append(home.audit, old)
    assert client.get("/policy/state").json()["left"] == {"requests": 2, "bytes_out": 1230}


def begun_at(request: Any, attempt: int) -> AuditBegun:
    return AuditBegun(
        request=request, attempt=attempt, place=Place.CLOUD, backend="azure", host="h", model="m", rule="place_order"
    )


def test_what_is_saved_counts_at_once_and_stays(client: TestClient, home: Home) -> None:
    """In the user's file, with the comments; on record; and in the next decision."""
    home.completer.snapshot()
    answer = client.post("/policy", json=draft(client, policy={"preset": "local-only", "rules": [RULE]}))
    assert answer.status_code == 200
    assert answer.json() == client.get("/policy/state").json()
    assert answer.json()["policy"]["preset"] == "local-only"
    text = home.file.read_text()
    assert text.startswith('# mine\n[policy]\nhedge = true\npreset = "local-only"\n')
    assert load(config=home.file, environment={}).policy == home.completer.rules.policy
    assert [(line.about, line.details) for line in read(home.audit) if isinstance(line, AuditNote)] == [
        ("policy_changed", {"tables": "policy"})
    ]
    why = client.post("/policy/explain", json={"prompt": "Hi", "mode": "cloud"}).json()
    assert {
        "backend": "azure",
        "reason": "place_not_allowed",
        "sentence": "Your policy doesn't allow this place.",
    } in why["dropped"]


def test_only_what_changed_is_written(client: TestClient, home: Home) -> None:
    """Another table that the user changed in an editor meanwhile stays as it is there."""
    body = draft(client, privacy={"kinds": {"email": "mask"}})
    home.file.write_text("[policy]\nhedge = true\n\n[budget]\nmonth = 3\n")
    assert client.post("/policy", json=body).status_code == 200
    assert home.file.read_text() == '[policy]\nhedge = true\n\n[budget]\nmonth = 3\n\n[privacy]\nkinds.email = "mask"\n'


def test_nothing_changed_is_nothing_written(client: TestClient, home: Home) -> None:
    before = home.file.stat()
    assert client.post("/policy", json=draft(client)).status_code == 200
    assert home.file.stat() == before
    assert not home.audit.exists()


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"policy": {"preset": "mine"}}, ["policy", "preset"], "This is not possible here."),
        ({"policy": {"places": []}}, ["policy", "places"], "Something is missing here."),
        ({"policy": {"rules": [{**RULE, "name": ""}]}}, ["policy", "rules", 0, "name"], "Something is missing here."),
        ({"policy": {"rules": [{**RULE, "name": "x" * 61}]}}, ["policy", "rules", 0, "name"], "This is too long."),
        ({"policy": {"rules": [{**RULE, "name": "mode"}]}}, ["policy", "rules", 0, "name"],
         "Receipts use this name where no rule decided."),
        ({"policy": {"rules": [{**RULE, "use": []}]}}, ["policy", "rules", 0, "use"], "Something is missing here."),
        ({"policy": {"rules": [RULE, {**RULE, "name": "other", "use": ["nobody"]}]}}, ["policy", "rules", 1],
         "nobody is neither a place nor a backend."),
        ({"policy": {"rules": [{**RULE, "when": {"hours": "10:00-10:00"}}]}}, ["policy", "rules", 0, "when", "hours"],
         "It ends when it begins; leave it out for the whole day."),
        ({"policy": {"rules": [{**RULE, "when": {"spent_over": -1}}]}}, ["policy", "rules", 0, "when", "spent_over"],
         "This can't be less than 0."),
        ({"privacy": {"kinds": {"emial": "ask"}}}, ["privacy", "kinds", "emial"],
         "There is no kind of finding called emial."),
        ({"privacy": {"deny": ["fine", " "]}}, ["privacy", "deny", 1], "A word of the deny-list is empty."),
        ({"privacy": {"patterns": {"fine": "x", "bad": "("}}}, ["privacy", "patterns", "bad"],
         "The pattern bad can't be used"),
        ({"privacy": {"patterns": {"BAD": "x"}}}, ["privacy", "patterns", "BAD"], "The name of a pattern may have"),
        ({"budget": {"month": -1}}, ["budget", "month"], "This can't be less than 0."),
        ({"budget": {"currency": ""}}, ["budget", "currency"], "Something is missing here."),
        ({"budget": {"montth": 1}}, ["budget", "montth"], "This is not possible here."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_field_by_field(
    client: TestClient, home: Home, changes: dict[str, Any], path: list[str | int], message: str
) -> None:
    """And nothing is changed: neither the file nor the rules in force."""
    text, rules = home.file.read_text(), home.completer.rules
    answer = client.post("/policy", json=draft(client, **changes))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["message"], error["next_step"]) == ("This can't be saved yet.", "Correct what is marked.")
    assert [problem["path"] for problem in error["fields"]] == [path]
    assert error["fields"][0]["message"].startswith(message)
    assert (home.file.read_text(), home.completer.rules) == (text, rules)
    assert not home.audit.exists()


def test_a_pattern_and_its_kind_are_saved_together(client: TestClient, home: Home) -> None:
    body = draft(client, privacy={"patterns": {"badge": r"B-\d{6}"}, "kinds": {"custom:badge": "mask"}})
    assert client.post("/policy", json=body).status_code == 200
    why = client.post("/policy/explain", json={"prompt": "I am B-123456."}).json()
    assert (why["facts"]["findings"], why["facts"]["may_leave"]) == ({"custom:badge": 1}, "mask")
    assert any("badge" in sentence for sentence in why["sentences"])


def test_settings_that_come_from_elsewhere_are_not_changed(tmp_path: Path) -> None:
    """The page can tell before anybody tries."""
    reason = "The environment variable HOMEWARD_POLICY_PRESET goes before what would be saved."
    with home_of(tmp_path, LLAMA, AZURE, locked=reason) as home:
        client = client_of(home)
        state = client.get("/policy/state").json()
        assert (state["editable"], state["locked"]) == (False, reason)
        answer = client.post("/policy", json=draft(client, policy={"hedge": True}))
        assert answer.json()["error"]["message"] == reason
        assert not home.file.exists()


def test_a_file_that_cannot_be_written_changes_nothing(
    client: TestClient, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    rules = home.completer.rules
    answer = client.post("/policy", json=draft(client, policy={"preset": "cloud-first"}))
    assert "can't be written" in answer.json()["error"]["message"]
    assert answer.json()["error"]["next_step"]
    assert home.completer.rules is rules
    assert client.get("/policy/state").json()["policy"]["preset"] == "local-first"


def test_no_change_without_a_record(client: TestClient, home: Home) -> None:
    """What decides about leaving is on record before it counts."""
    home.audit.mkdir()
    text = home.file.read_text()
    body = dict(zip(("policy", "privacy", "budget"), tables_of(home), strict=True))
    body["policy"]["preset"] = "cloud-first"
    answer = client.post("/policy", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "audit_unavailable")
    assert home.file.read_text() == text
    assert home.completer.rules.policy.preset == "local-first"


def tables_of(home: Home) -> list[dict[str, Any]]:
    settings = load(config=home.file, environment={})
    return [table.model_dump(mode="json") for table in (settings.policy, settings.privacy, settings.budget)]


def test_why_a_prompt_would_go_where(client: TestClient) -> None:
    """In both languages; the sentences are those of the receipts."""
    asked = {"prompt": "Mail ada@example.com a poem about the sea.", "mode": "auto"}
    why = client.post("/policy/explain", json=asked).json()
    assert [attempt["backend"] for attempt in why["attempts"]] == ["llama"]
    assert why["rule"] == "place_order"
    assert {each["backend"]: each["reason"] for each in why["dropped"]} == {"office": "findings", "azure": "findings"}
    assert why["question"] is None
    assert why["facts"]["findings"] == {"email": 1}
    assert "Found in it: e-mail address. So it stays on this device." in why["sentences"]
    korean = client.post("/policy/explain", json={**asked, "language": "ko"}).json()
    assert "발견된 것: 이메일 주소. 그래서 이 기기에서만 처리합니다." in korean["sentences"]


def test_explaining_asks_nobody_and_keeps_nothing(client: TestClient, home: Home) -> None:
    """No file, no line in the log, no cost: and the text is in no answer."""
    before = {path: path.stat() for path in home.folder.rglob("*")}
    with capture_logs() as logs:
        answer = client.post("/policy/explain", json={"prompt": f"{CANARY} and ada@example.com", "mode": "cloud"})
    assert answer.status_code == 200
    assert CANARY not in answer.text
    assert CANARY not in str(logs)
    assert {path: path.stat() for path in home.folder.rglob("*")} == before
    assert home.completer.books.spend.month() == 0


@pytest.mark.parametrize("prompt", [1, None, "", ["x"]])
def test_a_prompt_that_is_none_is_not_repeated(client: TestClient, prompt: object) -> None:
    with capture_logs() as logs:
        answer = client.post("/policy/explain", json={"prompt": prompt, "mode": CANARY})
    assert answer.status_code == 400
    assert CANARY not in answer.text + str(logs)


def test_a_wrong_setting_is_not_repeated(client: TestClient) -> None:
    """Words that the user keeps to himself are in no log."""
    with capture_logs() as logs:
        answer = client.post("/policy", json=draft(client, privacy={"deny": [CANARY, ""], "kinds": {"email": CANARY}}))
    assert answer.status_code == 400
    assert CANARY not in answer.text + str(logs)


def test_consent_is_given_and_withdrawn(client: TestClient, home: Home) -> None:
    """It counts for the next decision, and is on record."""

    def dropped() -> dict[str, str]:
        why = client.post("/policy/explain", json={"prompt": "Hi", "mode": "cloud"}).json()
        return {each["backend"]: each["reason"] for each in why["dropped"]}

    assert dropped()["azure"] == "no_consent"
    answer = client.post("/policy/consent", json={"backend": "azure", "given": True})
    assert [each["consented"] for each in answer.json()["backends"]] == [False, False, True]
    assert "azure" not in dropped()
    client.post("/policy/consent", json={"backend": "azure", "given": False})
    assert dropped()["azure"] == "no_consent"
    notes = [line.details["given"] for line in read(home.audit) if isinstance(line, AuditNote)]
    assert notes == [True, False]


@pytest.mark.parametrize("backend", ["llama", "nobody"])
def test_only_what_is_elsewhere_needs_consent(client: TestClient, backend: str) -> None:
    answer = client.post("/policy/consent", json={"backend": backend, "given": True})
    assert answer.status_code == 400
    assert answer.json()["error"]["next_step"]


def test_the_words_are_those_of_the_program(client: TestClient) -> None:
    english = client.get("/policy/words").json()
    korean = client.get("/policy/words?language=ko").json()
    assert english["kinds"]["email"] == "e-mail address"
    assert korean["kinds"]["email"] == "이메일 주소"
    assert len(english["not_seen"]) == len(korean["not_seen"]) > 0
    assert english.keys() == korean.keys()
    assert list(english["choices"]) == ["home", "ask", "mask", "allow"]


@pytest.mark.parametrize("address", ACTIONS)
@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{", b"{}", b"[" * 20_000, b'{"policy": "\xff"}', b"NaN"])
def test_a_body_that_is_not_understood_is_refused(client: TestClient, address: str, content: bytes) -> None:
    answer = client.post(address, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "This request is not understood."


@pytest.mark.parametrize(
    "content",
    [
        b'{"policy": [], "privacy": {}, "budget": {}}',
        b'{"policy": {"preset": "\\ud800"}, "privacy": {}, "budget": {}}',
        b'{"policy": {}, "privacy": {}, "budget": {"month": 1e999}}',
        b'{"policy": {}, "privacy": {}, "budget": {"month": -' + b"9" * 500 + b"}}",
    ],
)
def test_tables_that_are_none_are_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/policy", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("address", ACTIONS)
def test_only_json_of_a_sensible_size_is_taken(client: TestClient, address: str) -> None:
    answer = client.post(address, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    large = b'{"prompt": "' + b"x" * MAX_BYTES + b'"}'
    assert client.post(address, content=large, headers={"content-type": "application/json"}).status_code == 413


@pytest.mark.parametrize("address", [*ACTIONS, "/policy/state", "/policy/words"])
def test_foreign_pages_are_kept_out(client: TestClient, address: str) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}):
        assert client.post(address, json={}, headers=headers).status_code == 403
        assert client.get(address, headers=headers).status_code == 403


def test_actions_are_not_reached_by_get(client: TestClient) -> None:
    for address in ("/policy/consent", "/policy/explain"):
        assert client.get(address).status_code == 405


def test_the_page_and_its_files_fit_together(client: TestClient) -> None:
    """They are among those of the models page, under one version."""
    page = client.get("/policy")
    assert (page.headers["content-type"], page.headers["cache-control"]) == ("text/html; charset=utf-8", "no-store")
    seen: set[str] = set()
    waiting = addresses(page.text)
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code == 200, address
        waiting |= addresses(answer.text) - seen
    assert any("policy-rules.js" in address for address in seen)
    assert len({address.partition("?v=")[2] for address in seen}) == 1
