"""Errors in OpenAI's envelope, and what the runtime's own errors become.

The runtime's messages begin with a C++ file, line and signature and may quote the prompt's template; none of
that leaves the child. Codes as in `FoundryLocalException.error_code` (foundry-local-sdk 2.2): 1 not
implemented, 2 internal, 3 invalid argument, 4 invalid usage, 5 cancelled, 6 network.
"""

import re
from typing import Any

_OVER_BUDGET = re.compile(r"\((\d+) input \+ (\d+) output\).{0,80}maximum context length of (\d+)")
_BAD_CALL = re.compile(r"invalid tool call|tool '[^']*': instance")

INVALID_ARGUMENT = 3
INVALID_USAGE = 4


class RefusalError(Exception):
    """A request that is not answered; the fields are those of OpenAI's error object."""

    def __init__(self, status: int, message: str, *, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        """OpenAI's error envelope."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def invalid(message: str, param: str | None = None) -> RefusalError:
    """The caller's mistake, in this parameter."""
    return RefusalError(400, message, code="invalid_value", param=param)


def unsupported(param: str, why: str) -> RefusalError:
    """A parameter that would change the answer, and that the runtime has no means for."""
    return RefusalError(400, f"`{param}` is not supported: {why}.", code="unsupported_parameter", param=param)


def cancelled() -> RefusalError:
    """Whoever asked has left; nobody reads this."""
    return RefusalError(499, "The request was cancelled.", code="cancelled")


def too_long(prompt_tokens: int, answer_tokens: int, context_tokens: int) -> RefusalError:
    """Prompt and answer do not fit the window; in OpenAI's words, which clients know how to read."""
    message = (
        f"This model's maximum context length is {context_tokens} tokens. However, you requested "
        f"{prompt_tokens + answer_tokens} tokens ({prompt_tokens} in the messages, {answer_tokens} in the completion)."
    )
    return RefusalError(400, message, code="context_length_exceeded", param="messages")


def runtime_refusal(error_code: int | None, words: str = "") -> RefusalError:
    """What an error of the runtime becomes. Its words are read for what they mean, and go nowhere."""
    if match := _OVER_BUDGET.search(words):  # it asked the model once more by itself, with a longer prompt
        return too_long(*map(int, match.groups()))
    if _BAD_CALL.search(words):
        return RefusalError(502, "The model wrote a tool call that is not valid. Try again.", code="invalid_tool_call")
    if error_code in (INVALID_ARGUMENT, INVALID_USAGE):
        message = "The model's runtime did not accept this request; its log on this machine says why."
        return RefusalError(400, message, code="invalid_request")
    return RefusalError(500, "The model's runtime failed while it answered.", code="runtime_failed")


def place_in_source(message: str) -> str:
    """Where in the runtime's source an error arose (`chat_session.cc:1298`); its words may quote a prompt."""
    match = re.match(r"\s*(\w+\.(?:cc|cpp|h):\d+)", message)
    return match[1] if match else "an unknown place"
