"""`[clouds.NAME]`: whatever answers OpenAI's protocol on another machine, a row each."""

import ipaddress
import re
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from homeward.config.table import Table

CloudKind = Literal["azure", "openai", "compatible"]

PRIVATE_NAMES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Endings of names that no machine of the internet has."""


def _is_a_variable(name: str) -> str:
    if not re.fullmatch(r"([A-Z_][A-Z0-9_]*)?", name):
        raise ValueError("it is the name, in capitals, of the variable that holds the key; the key itself stays there")
    return name


class CloudSettings(Table):
    """`[clouds.NAME]`: one cloud, or one service elsewhere in the network."""

    kind: CloudKind = Field("compatible", description="Azure OpenAI, OpenAI, or anything that speaks its protocol.")
    place: Literal["cloud", "network"] = Field("cloud", description="`network` for a machine of your own.")
    enabled: bool = Field(True, description="Whether it may be asked at all.")
    url: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        "", description="Its base address; for OpenAI it may be left out."
    )
    model: str = Field(min_length=1, description="The model that answers; with Azure, the name of the deployment.")
    api_version: str = Field("", description="Azure's older addresses by deployment; empty: its v1 endpoint.")
    auth: Literal["key", "entra", "none"] = Field("key", description="A key, Microsoft Entra ID, or nothing.")
    api_key_env: Annotated[str, AfterValidator(_is_a_variable)] = Field(
        "", description="The name, in capitals, of the variable that holds the key; empty: HOMEWARD_KEY_NAME."
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="The key itself; better in the variable, or in the keyring of the system."
    )
    context_tokens: int | None = Field(None, ge=256, description="What prompt and answer share; left out: unknown.")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="Newer models of OpenAI know only `max_completion_tokens`."
    )
    input_price: float | None = Field(None, ge=0, description="Price of a million tokens of the prompt.")
    cached_price: float | None = Field(None, ge=0, description="The same, where the cloud had kept it; else as above.")
    output_price: float | None = Field(None, ge=0, description="Price of a million tokens of the answer.")
    at_a_time: int = Field(8, ge=1, le=256, description="Requests that it is given at the same time.")
    connect_seconds: float = Field(5, gt=0, description="How long the connection may take.")
    first_token_seconds: float = Field(60, gt=0, description="How long the first word may take at most.")
    event_seconds: float = Field(30, gt=0, description="How long the next word may take.")
    total_seconds: float = Field(600, gt=0, description="How long a whole answer may take.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.url and self.kind != "openai":
            raise ValueError("its address `url` is missing")
        if self.kind != "azure" and (self.api_version or self.auth == "entra"):
            raise ValueError('`api_version` and `auth = "entra"` are for `kind = "azure"` only')
        if self.url:
            check_address(self.url, with_key=self.auth != "none")
        return self


def check_address(url: str, *, with_key: bool) -> None:
    """Raises ValueError with what is wrong with the base address of a cloud; never with a password in it."""
    if not url.isprintable() or " " in url:
        raise ValueError("its address `url` holds a character that can't be in one")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("its address `url` is none") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("its address `url` must begin with https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("no key or password may stand in its address `url`")
    if parts.query or parts.fragment or parts.path.rstrip("/").endswith(("/completions", "/responses")):
        raise ValueError(f"`url` must be the beginning of its address only; perhaps {beginning(parts)}")
    if with_key and parts.scheme == "http" and not is_private(parts.hostname):
        raise ValueError("its key would go through the internet in the clear: `url` must begin with https://")


def beginning(parts: SplitResult) -> str:
    """What of a whole address of a request is the base address."""
    path = re.sub(r"(/openai/deployments/.*|/(chat/)?completions|/responses)?/*$", "", parts.path)
    return f"{parts.scheme}://{parts.netloc}{path}"


def is_private(host: str) -> bool:
    """Whether a host is this machine or in a network of one's own, as far as its name tells without asking anyone."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_NAMES)
    return not address.is_global
