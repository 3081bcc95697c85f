"""Chainlit's working folder: its configuration, texts and public files, laid out before it is imported.

Chainlit reads all of this at import and from fixed places, so it is written anew at each start; nothing in the
folder is the user's.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SESSION_SECONDS = 600
"""How long a closed page's session is kept for its return."""
SIGN_IN_SECONDS = 15 * 24 * 3600

CONFIG = """\
[project]
session_timeout = {session_seconds}
user_session_timeout = {sign_in_seconds}
allow_origins = {origins}
transports = ["websocket"]
user_env = []
persist_user_env = false

[features]
unsafe_allow_html = false
latex = true
user_message_markdown = false
edit_message = true
allow_thread_sharing = false
favorites = false

[features.spontaneous_file_upload]
enabled = false

[features.mcp]
enabled = false

[UI]
name = "Homeward"
description = "Private, local-first chat"
cot = "tool_call"
confirm_new_chat = false
custom_css = "/public/homeward.css"
custom_js = "/public/homeward.js"
custom_meta_url = "/"
custom_meta_image_url = "/favicon"
default_avatar_file_url = "/public/favicon.svg"

[meta]
generated_by = "2.12.0"
"""

FOREIGN_SETTINGS = (
    # Read by Chainlit on its own; none of them is meant for us when it stands in a user's environment.
    "DATABASE_URL",
    "LITERAL_API_KEY",
    "DISCORD_BOT_TOKEN",
    "SLACK_BOT_TOKEN",
    "TEAMS_APP_ID",
    "CHAINLIT_CUSTOM_AUTH",
    "CHAINLIT_ROOT_PATH",
    "CHAINLIT_PARENT_ROOT_PATH",
    "CHAINLIT_URL",
    "CHAINLIT_COOKIE_SAMESITE",
    "CHAINLIT_AUTH_COOKIE_NAME",
    "CHAINLIT_AUTH_COOKIE_PATH",
)


def prepare(root: Path, origins: Iterable[str]) -> None:
    """Write the folder and point Chainlit to it. Call once, before `import chainlit`."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.rmtree(root / "public", ignore_errors=True)
    shutil.copytree(HERE / "public", root / "public")
    settings = root / ".chainlit"
    (settings / "translations").mkdir(parents=True, exist_ok=True)
    config = CONFIG.format(
        origins=json.dumps(sorted(origins)), session_seconds=SESSION_SECONDS, sign_in_seconds=SIGN_IN_SECONDS
    )
    (settings / "config.toml").write_text(config, encoding="utf-8")
    for language in ("en-US", "ko"):
        write_translation(settings / "translations" / f"{language}.json", language)
    write_help(root)
    for name in FOREIGN_SETTINGS:
        os.environ.pop(name, None)
    os.environ["CHAINLIT_APP_ROOT"] = str(root)
    os.environ["CHAINLIT_ENV_FILE"] = str(root / ".env")  # otherwise `.env` of the working folder is read
    os.environ["CHAINLIT_AUTH_SECRET"] = auth_secret(root / "auth-secret")


def write_translation(target: Path, language: str) -> None:
    """Chainlit's own texts of a language with ours on top, so that new texts of theirs are never missing."""
    spec = find_spec("chainlit")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    shipped = Path(spec.submodule_search_locations[0]) / "translations" / f"{language}.json"
    theirs = json.loads(shipped.read_text(encoding="utf-8"))
    ours = json.loads((HERE / "translations" / f"{language}.json").read_text(encoding="utf-8"))
    text = json.dumps(laid_over(theirs, ours), ensure_ascii=False, indent=1)
    target.write_text(text, encoding="utf-8")


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` replaces what it names in `below`, table by table."""
    result = dict(below)
    for key, value in above.items():
        inner = result.get(key)
        if isinstance(inner, Mapping) and isinstance(value, Mapping):
            result[key] = laid_over(inner, value)
        else:
            result[key] = value
    return result


def write_help(root: Path) -> None:
    """The help dialog, under each name that Chainlit looks for."""
    english = (HERE / "help" / "en.md").read_text(encoding="utf-8")
    korean = (HERE / "help" / "ko.md").read_text(encoding="utf-8")
    for suffix, text in (("", english), ("_en", english), ("_en-US", english), ("_ko", korean), ("_ko-KR", korean)):
        (root / f"chainlit{suffix}.md").write_text(text, encoding="utf-8")


def auth_secret(file: Path) -> str:
    """The key that signs the page's cookie: made at the first start, readable by this user only."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_hex(32))
    return file.read_text(encoding="ascii").strip()
