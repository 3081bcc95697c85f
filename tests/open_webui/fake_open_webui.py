"""Stands in for Open WebUI: served by uvicorn as it is, answers everything with 200, misbehaves on request.

It runs in an environment of its own, with uvicorn but without Homeward. The file `behaviour` in its DATA_DIR holds
words; `seen.json` there is what it was started with, once it can be ended.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import uvicorn


async def app(scope: dict[str, Any], _receive: object, send: Any) -> None:
    """Well at every path."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def main() -> None:
    """The console script."""
    data = Path(os.environ["DATA_DIR"])
    behaviour = (data / "behaviour").read_text(encoding="utf-8") if (data / "behaviour").exists() else ""
    sys.stdout.write("a line of its log\n")
    sys.stdout.flush()
    if "exit" in behaviour:
        sys.exit(3)
    if "ignore-sigterm" in behaviour:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pids = [os.getpid()]
    if "grandchild" in behaviour:
        pids.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE).pid)
    seen = {"arguments": sys.argv, "environment": dict(os.environ), "pids": pids}
    (data / "seen.part").write_text(json.dumps(seen), encoding="utf-8")
    (data / "seen.part").replace(data / "seen.json")
    while "ignore-sigterm" in behaviour:
        signal.pause()
    port = int(sys.argv[sys.argv.index("--port") + 1])
    uvicorn.run("fake_open_webui:app", host="127.0.0.1", port=port, log_level="critical", lifespan="off")
