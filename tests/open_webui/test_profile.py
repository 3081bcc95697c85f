"""What Open WebUI is told, as values."""

import json
from typing import Any

import pytest

from homeward.app.open_webui.profile import SECRETS, Wiring, origins, profile

URL = "http://127.0.0.1:8080"


def wired(**more: Any) -> dict[str, str]:
    return profile(Wiring(**{"gateway": URL, "page_gateway": URL, "port": 8081, **more}))


def directives(policy: str) -> dict[str, set[str]]:
    """A content security policy taken apart."""
    parted = (directive.split() for directive in policy.split(";"))
    return {name: set(sources) for name, *sources in parted}


def test_answers_and_embeddings_come_from_homeward_alone() -> None:
    """Never from an address that Open WebUI falls back to."""
    settings = wired()
    assert settings["OPENAI_API_BASE_URL"] == settings["RAG_OPENAI_API_BASE_URL"] == f"{URL}/v1"
    assert settings["ENABLE_OLLAMA_API"] == "False"
    assert settings["RAG_EMBEDDING_ENGINE"] == "openai"


def test_each_call_says_what_it_is_for() -> None:
    """By headers that Open WebUI fills in; on a `local` connection, or TASK_MODEL would not be obeyed."""
    connection = json.loads(wired()["OPENAI_API_CONFIGS"])["0"]
    assert connection["connection_type"] == "local"
    assert connection["headers"] == {
        "X-Task": "{{TASK}}",
        "X-Chat": "{{CHAT_ID}}",
        "X-Msg": "{{MESSAGE_ID}}",
        "X-Homeward-Client": "open-webui",
    }


@pytest.mark.parametrize("titles", [False, True])
def test_one_prompt_is_one_call_unless_titles_are_asked_for(titles: bool) -> None:
    """Those stay on the device; nothing ever holds up a chat."""
    settings = wired(titles=titles)
    for task in ("TITLE", "TAGS", "FOLLOW_UP"):
        assert settings[f"ENABLE_{task}_GENERATION"] == str(titles)
    assert settings["ENABLE_RETRIEVAL_QUERY_GENERATION"] == "False"
    assert settings["TASK_MODEL"] == "homeward:device"


def test_settings_hold_at_every_start() -> None:
    """Without this, Open WebUI would go by what it saw at its first one: another port, another key."""
    assert wired()["ENABLE_PERSISTENT_CONFIG"] == "False"


def test_only_its_own_pages_may_use_it() -> None:
    """It has no login, so no other page may call it, under either name of this machine."""
    settings = wired(port=9000)
    assert settings["WEBUI_AUTH"] == "False"
    assert settings["CORS_ALLOW_ORIGIN"] == "http://127.0.0.1:9000;http://localhost:9000"
    assert origins(9000)[0] == "http://127.0.0.1:9000"


def test_its_page_reaches_itself_and_homeward_alone() -> None:
    """No image in an answer carries words away, no event of a stream runs as a script."""
    rules = directives(wired(page_gateway="http://127.0.0.1:8080")["CONTENT_SECURITY_POLICY"])
    assert rules["connect-src"] == {
        "'self'", "ws://127.0.0.1:8081", "ws://localhost:8081", "http://127.0.0.1:8080", "data:", "blob:"
    }  # fmt: skip
    allowed_anywhere = {"'self'", "'none'", "'unsafe-inline'", "'wasm-unsafe-eval'", "data:", "blob:"}
    for name in rules.keys() - {"connect-src"}:
        assert rules[name] <= allowed_anywhere
    assert "'unsafe-eval'" not in rules["script-src"]


def test_the_key_stands_where_secrets_are_expected_and_nowhere_else() -> None:
    """So that whoever shows or stores settings can leave it out."""
    settings = wired(key="hw-secret")
    assert {name for name, value in settings.items() if "hw-secret" in value} == SECRETS
