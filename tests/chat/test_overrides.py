"""What we replace inside Chainlit is still what we read when we replaced it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from homeward.chat.app_root import write_translation

READ = {
    "chainlit.server.get_html_template": "6f3813b6e4c5",
    "chainlit.socket.connect": "00ce35b669ef",
    "chainlit.socket.connection_successful": "00c5f4f4d62c",
    "chainlit.socket.disconnect": "524e4a646154",
    "chainlit.socket.message": "b45c65c60901",
    "chainlit.socket.edit_message": "ba23f62f2a50",
    "chainlit.socket.stop": "3556ade0facf",
    "chainlit.socket.process_message": "7002f6fd6cad",
    "chainlit.session.WebsocketSession": "9636fc8fd01f",
    "chainlit.server.call_action": "1db36f6a1d29",
    "chainlit.mode.Mode": "8961b7c88b2b",
    "chainlit.mode.ModeOption": "48b6d10ef2f6",
    "chainlit.utils.mount_chainlit": "0cf59a9d3aab",
    "chainlit.data.base.BaseDataLayer": "603c1085c6ab",
    "frontend/dist/index.html": "a33385f3aad9",
}
"""First characters of the SHA-256 of each source. After an update of Chainlit: read what changed, see whether
`homeward.chat.overrides` still fits, run the browser tests, then correct the value here."""

SCRIPT = """
import hashlib, importlib, inspect, json, sys
from pathlib import Path
import chainlit.server
found = {}
for name in json.loads(sys.argv[1]):
    if name.endswith(".html"):
        source = (Path(chainlit.__file__).parent / name).read_text(encoding="utf-8")
        source = __import__("re").sub(r"index-[\\w-]+[.]", "index.", source)
    else:
        module, _, attribute = name.rpartition(".")
        source = inspect.getsource(getattr(importlib.import_module(module), attribute))
    found[name] = hashlib.sha256(source.encode()).hexdigest()[:12]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same of the installed Chainlit, in a process of its own: importing it writes files."""
    environment = {**os.environ, "CHAINLIT_APP_ROOT": str(tmp_path_factory.mktemp("chainlit"))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, json.dumps(list(READ))],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", list(READ))
def test_upstream_is_as_we_read_it(now: dict[str, str], name: str) -> None:
    """A change is to be looked at before it is taken."""
    assert now[name] == READ[name]


@pytest.mark.parametrize(("language", "placeholder"), [("en-US", "Ask anything"), ("ko", "무엇이든 물어보세요")])
def test_translations_have_every_text_of_chainlits(tmp_path: Path, language: str, placeholder: str) -> None:
    """Ours are laid over theirs, so a text that is new there is never missing here."""
    write_translation(tmp_path / "texts.json", language)
    texts = json.loads((tmp_path / "texts.json").read_text(encoding="utf-8"))
    assert {"common", "chat", "threadHistory", "navigation"} <= set(texts)
    assert texts["chat"]["input"]["placeholder"] == placeholder
