"""Where a backend listens right now."""

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A place that answers OpenAI's protocol, as a value that is used for one request and then asked for anew.

    An engine's port and key are new after each start, so nobody keeps an `Address`.
    """

    url: str
    """Base URL that ends in `/v1`, without a slash behind it."""
    api_key: str = ""
    """Sent as bearer token; empty for none."""
    model: str
    """The name that this backend wants in the `model` field."""
    context_tokens: int | None = None
    """Tokens that prompt and answer share; None where unknown."""

    def __repr__(self) -> str:
        return f"Address(url={self.url!r}, model={self.model!r}, context_tokens={self.context_tokens!r})"
