"""`[gateway]`: who may use `/v1` besides the programs of this machine, and how."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from homeward.config.table import Table

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
"""What pages and clients call this machine."""

_HOST = r"([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])"
_HOST_AND_PORT = re.compile(_HOST + r"(:[0-9]{1,5})?")
_USUAL_PORTS = {"http": 80, "https": 443}
_HOW_ORIGINS_ARE_WRITTEN = 'write it as a browser does, like "http://127.0.0.1:8081" or "https://chat.example.org"'


def _is_an_origin(text: str) -> str:
    if text == "*":
        raise ValueError('"*" would let every page of the web in; name each origin, like "http://127.0.0.1:8081"')
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_HOW_ORIGINS_ARE_WRITTEN) from None
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    if parts.scheme not in _USUAL_PORTS or not re.fullmatch(_HOST, host):
        raise ValueError(_HOW_ORIGINS_ARE_WRITTEN)
    if parts.scheme == "http" and host not in LOOPBACK_NAMES:
        raise ValueError("without https, anybody on the way could be that page; http is for pages of this machine only")
    exact = f"{parts.scheme}://{host}" + (f":{port}" if port not in {None, _USUAL_PORTS[parts.scheme]} else "")
    if text != exact:
        raise ValueError(f'write it exactly as a browser does: "{exact}"')
    return text


def _is_a_host(text: str) -> str:
    name = text.lower()
    if not _HOST_AND_PORT.fullmatch(name):
        raise ValueError('write a name or address and, if need be, a port: "host.docker.internal:8080"')
    if re.fullmatch(r"(0\.0\.0\.0|\[::\])(:.*)?", name):
        raise ValueError("this means every address, and is none that a client can ask for; name the machine's own")
    return name


def _can_be_sent(key: object) -> object:
    # Before pydantic's own check, whose message would repeat what was written.
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]*", text):
        raise ValueError("a key is a text of letters, digits and signs, without spaces")
    return key


Origin = Annotated[str, AfterValidator(_is_an_origin)]
Host = Annotated[str, AfterValidator(_is_a_host)]
ModelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class GatewaySettings(Table):
    """`[gateway]`: OpenAI's protocol for other programs."""

    api_key: Annotated[SecretStr, BeforeValidator(_can_be_sent)] = Field(
        SecretStr(""),
        description="One more key, with all scopes; better as the variable HOMEWARD_GATEWAY_API_KEY.",
    )
    origins: tuple[Origin, ...] = Field(
        (), description='Web pages that may use /v1, each by its exact origin, like "http://127.0.0.1:8081".'
    )
    hosts: tuple[Host, ...] = Field(
        (), description='More names that clients may call this machine by, like "host.docker.internal:8080".'
    )
    aliases: dict[ModelName, ModelName] = Field(
        {}, description='Other names for models, like `"gpt-4o-mini" = "SmolLM2-135M-Instruct"`.'
    )
    workers: int = Field(
        1, ge=1, le=64, description="Processes that share the work of `homeward gateway`; `homeward up` is always one."
    )
    requests_per_minute: int | None = Field(
        None, ge=1, description="How many requests each key may send in a minute, unless it has a limit of its own."
    )
    at_once: int | None = Field(
        None, ge=1, description="How many requests of each key may run at once, unless it has a limit of its own."
    )
    max_body_mb: int = Field(20, ge=1, le=1000, description="Largest request under /v1, in megabytes.")
