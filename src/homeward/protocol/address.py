"""Where a backend listens right now."""

from typing import Literal

import msgspec

KeyHeader = Literal["Authorization", "api-key"]
"""How a key is sent: as OpenAI's bearer token, or in the header of Azure's own."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A place that answers OpenAI's protocol, as a value that is used for one request and then asked for anew.

    An engine's port and key are new after each start, so nobody keeps an `Address`.
    """

    url: str
    """Base URL, to which `/chat/completions` is added; without a slash behind it."""
    query: str = ""
    """Sent with every request behind a question mark, such as `api-version=2024-10-21`; empty for none."""
    api_key: str = ""
    """Key or token; empty for none."""
    key_header: KeyHeader = "Authorization"
    model: str
    """The name that this backend wants in the `model` field."""
    context_tokens: int | None = None
    """Tokens that prompt and answer share; None where unknown."""

    def at(self, path: str) -> str:
        """The whole address of one of its resources, such as `chat/completions`."""
        return f"{self.url}/{path}?{self.query}" if self.query else f"{self.url}/{path}"

    @property
    def key_headers(self) -> dict[str, str]:
        """The header that proves who asks; none where there is no key."""
        if not self.api_key:
            return {}
        return {self.key_header: f"Bearer {self.api_key}" if self.key_header == "Authorization" else self.api_key}

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, model={self.model!r}, context_tokens={self.context_tokens!r})"
