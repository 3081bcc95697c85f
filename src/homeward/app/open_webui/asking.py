"""What this command asks over HTTP, on this machine only: is it there, does it let us in."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlsplit

from homeward.app.instance import ADDRESS
from homeward.protocol.errors import ConfigError

ANSWER_SECONDS = 10


def status_of(url: str, path: str, key: str = "") -> int:
    """The HTTP status of a GET; 0 where nobody answers. No proxy is asked, whatever the environment says."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def running_homeward(data_dir: Path) -> str:
    """The URL of the Homeward that runs on this data folder; empty where none does."""
    try:
        url = str(json.loads((data_dir / ADDRESS).read_text(encoding="utf-8"))["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return url if status_of(url, "/healthz") == 200 else ""  # the word of one that was killed stays behind


def check_access(url: str, key: str) -> None:
    """Raises ConfigError: Homeward's API wants a key, or there is no API."""
    status = status_of(url, "/v1/models", key)
    if status in (401, 403):
        raise ConfigError(
            f"Homeward at {url} wants a key from other programs{', and this one is not right' if key else ''}.",
            next_step="Make one with: homeward keys add open-webui. Then set HOMEWARD_GATEWAY_API_KEY to it here.",
        )
    if status != 200:
        raise ConfigError(
            f"Homeward at {url} does not list its models for other programs (status {status}).",
            next_step="Stop it, start it again, and then this command.",
        )
