"""The command with the real Open WebUI, as its user starts and ends it."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from homeward.app.open_webui.install import Home, wanted_mark
from tests.e2e.server import traced


class OpenWebui:
    """The command, running on a data folder whose Homeward is somewhere else."""

    def __init__(self, data_dir: Path, port: int, *options: str, homeward: str = "") -> None:
        self.home = Home(data_dir / "open-webui")
        self.url = f"http://127.0.0.1:{port}"
        self.home.root.mkdir(parents=True, exist_ok=True)
        if ready := os.environ.get("OPEN_WEBUI_ENVIRONMENT"):
            self.home.environment.symlink_to(ready)
            self.home.mark.write_text(wanted_mark(), encoding="utf-8")
        if homeward:
            said = json.dumps({"url": homeward, "pid": os.getpid()})
            (data_dir / "homeward.address").write_text(said, encoding="utf-8")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOMEWARD_")}
        self.process = subprocess.Popen(
            [*traced(), sys.executable, "-m", "homeward", "open-webui", "--no-open", "--port", str(port),
             "--data-dir", str(data_dir), *options],
            env=inherited,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip

    def wait_until_ready(self) -> "OpenWebui":
        said = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Ready"):
                return self
        raise RuntimeError("".join(said))

    def make_calm(self) -> "OpenWebui":
        """Its user's settings for all models: always the likeliest word, and an end."""
        token = self.post("/api/v1/auths/signin", {"email": "", "password": ""})["token"]
        params = {"temperature": 0, "max_tokens": 300}
        self.post("/api/v1/users/user/settings/update", {"ui": {"params": params}}, token)
        return self

    def post(self, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        connection.request("POST", path, json.dumps(body), headers)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def end(self) -> None:
        """As its user does."""
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=120)[0]
        assert self.process.returncode == 0, said

    def close(self) -> None:
        """Whatever state it is in; what it started ends with it."""
        self.process.kill()
        self.process.communicate()
