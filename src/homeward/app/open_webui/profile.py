"""How Open WebUI is wired to Homeward: environment variables, and nothing else.

Its names and what they do were checked with Open WebUI 0.12.4. Open WebUI keeps no settings of its own
(`ENABLE_PERSISTENT_CONFIG`), so what stands here holds at every start.
"""

import json
from urllib.parse import urlsplit

import msgspec

LOOPBACK_NAMES = ("127.0.0.1", "localhost")
"""What a browser may call this machine. Open WebUI listens on the first one."""
CLIENT_HEADER = "X-Homeward-Client"
CLIENT = "open-webui"
POLICY_MODEL = "homeward"
"""Homeward's policy decides who answers."""
TASK_MODEL = "homeward:device"
EMBEDDING_MODEL = "homeward:embedding"


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """What a profile depends on."""

    gateway: str
    """Homeward's URL, without a path, as Open WebUI's server reaches it."""
    page_gateway: str
    """The same as the user's browser reaches it."""
    key: str = msgspec.field(default="")
    """For Homeward's API; empty where it wants none."""
    port: int
    """Where the user's browser finds Open WebUI, on this machine."""
    titles: bool = False
    """Let the model write titles, tags and follow-up questions as well."""


def profile(wiring: Wiring) -> dict[str, str]:
    """The environment variables. Two of them, `SECRETS`, hold the key."""
    api = f"{wiring.gateway}/v1"
    further_calls = str(wiring.titles)
    return {
        "ENABLE_PERSISTENT_CONFIG": "False",
        # who may use it: whoever sits at this machine, and no other page
        "WEBUI_AUTH": "False",
        "CORS_ALLOW_ORIGIN": ";".join(origins(wiring.port)),
        "CONTENT_SECURITY_POLICY": content_security_policy(wiring),
        "PERMISSIONS_POLICY": "camera=(),geolocation=(),microphone=()",
        # nothing from elsewhere, and no word to anybody
        "OFFLINE_MODE": "True",
        "ENABLE_OLLAMA_API": "False",
        "ENABLE_COMMUNITY_SHARING": "False",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "true",
        "SCARF_NO_ANALYTICS": "true",
        # the log holds no prompts
        "GLOBAL_LOG_LEVEL": "WARNING",
        # answers
        "OPENAI_API_BASE_URL": api,
        "OPENAI_API_KEY": wiring.key,
        "OPENAI_API_CONFIGS": json.dumps({"0": connection()}),
        "DEFAULT_MODELS": POLICY_MODEL,
        "ENABLE_DIRECT_CONNECTIONS": "True",
        # one prompt is one call
        "ENABLE_TITLE_GENERATION": further_calls,
        "ENABLE_TAGS_GENERATION": further_calls,
        "ENABLE_FOLLOW_UP_GENERATION": further_calls,
        "ENABLE_AUTOCOMPLETE_GENERATION": "False",
        "ENABLE_RETRIEVAL_QUERY_GENERATION": "False",
        "TASK_MODEL": TASK_MODEL,
        # files
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": EMBEDDING_MODEL,
        "RAG_EMBEDDING_BATCH_SIZE": "16",
        "RAG_EMBEDDING_CONCURRENT_REQUESTS": "1",
        "RAG_OPENAI_API_BASE_URL": api,
        "RAG_OPENAI_API_KEY": wiring.key,
    }


SECRETS = frozenset({"OPENAI_API_KEY", "RAG_OPENAI_API_KEY"})


def connection() -> dict[str, object]:
    """How Open WebUI asks Homeward: `local` lets it obey TASK_MODEL, the headers say what a call is for."""
    headers = {
        "X-Task": "{{TASK}}",
        "X-Chat": "{{CHAT_ID}}",
        "X-Msg": "{{MESSAGE_ID}}",
        CLIENT_HEADER: CLIENT,
    }
    return {"enable": True, "connection_type": "local", "headers": headers}


def origins(port: int) -> list[str]:
    """Under which its page is opened; the first is the one that is announced."""
    return [f"http://{name}:{port}" for name in LOOPBACK_NAMES]


def content_security_policy(wiring: Wiring) -> str:
    """Its page loads from itself and calls itself and Homeward alone.

    So no image in an answer carries words away, and, without 'unsafe-eval', no event of a stream runs as a script.
    'wasm-unsafe-eval' and workers are for Python code that the user runs in the page.
    """
    hosts = [urlsplit(origin).netloc for origin in origins(wiring.port)]
    sockets = " ".join(f"ws://{host}" for host in hosts)
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' {sockets} {wiring.page_gateway} data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )
