"""Everything that can go wrong, as one tree.

    HomewardError
    ├── InvalidRequestError           the caller asked for what cannot be done
    │   ├── ContextLengthError        prompt and answer do not fit the model's window
    │   ├── UnknownModelError         no model is called like this
    │   ├── ImagesError               whoever may answer can't see images
    │   └── NobodyAllowedError        what the request itself wishes leaves nobody
    ├── NotAllowedError               the user's policy, privacy, consents or budget leave nobody
    ├── ConfigError                   a setting is wrong: which one, where it stands, what it may be
    ├── OverloadedError               all places are taken, or shutting down: try again later
    │   └── QueueFullError            as many requests wait as may wait
    ├── NoBackendError                whoever may be asked can't answer now
    ├── RestingError                  a backend failed lately or asked to be left alone
    │   └── BusyError                 it said that it is busy, or that its quota is used up
    ├── FindingsError                 personal data or a secret could not be replaced before it would have left
    ├── BrokenOffError                we ended an answer ourselves: shutdown, nobody looks
    ├── PageError                     the page that was to answer itself can't, or is gone
    ├── HistoryError                  the conversation could not be stored or read
    ├── AuditError                    the audit log can't be written, so nothing may leave this machine
    ├── BackendError                  the other side of a connection
    │   ├── BackendKeyError           there is no key or sign-in for it, so it was not asked
    │   ├── BackendUnreachableError   nobody listens, or the name does not resolve
    │   ├── BackendTimeoutError       a deadline passed: headers, first token, event or total
    │   ├── BackendDisconnectedError  the stream ended before the answer did
    │   ├── BackendProtocolError      what came is not OpenAI's protocol
    │   └── BackendStatusError        an HTTP status other than 200
    └── EngineError                   a child process of ours
        ├── EngineStartError          it did not get ready: exit code, last log lines
        └── EngineClosedError         it was shut down for good

Foreign errors are translated once, where they come in (`raise … from`). `str(error)` is a plain sentence for
the user; `next_step` says what to do about it; `detail` is for the log only and may hold paths or output.
No error holds a prompt, an answer or a key.
"""

from typing import ClassVar, Literal

Blame = Literal["caller", "ours", "backend", "engine"]


class HomewardError(Exception):
    """The root: a sentence, whose fault it is, and the next step."""

    code: ClassVar[str] = "internal_error"
    """Stable name for programs and translations."""
    status: ClassVar[int] = 500
    """HTTP status that the gateway gives it."""
    blame: ClassVar[Blame] = "ours"

    def __init__(
        self, message: str, *, next_step: str = "", detail: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class InvalidRequestError(HomewardError):
    """The caller asked for something that no backend could do."""

    code = "invalid_request"
    status = 400
    blame = "caller"

    def __init__(
        self,
        message: str,
        *,
        param: str = "",
        next_step: str = "",
        detail: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, detail=detail, retry_after_seconds=retry_after_seconds)
        self.param = param
        """The field that is to blame, by its path as in `messages[0].content`; empty where it is not one alone."""


class ContextLengthError(InvalidRequestError):
    """The last message alone, with the system prompt, is longer than the model's window.

    Both numbers are None where a backend refused the prompt without saying how long it is.
    """

    code = "context_length_exceeded"

    def __init__(self, *, prompt_tokens: int | None, available_tokens: int | None) -> None:
        counted = prompt_tokens is not None and available_tokens is not None
        super().__init__(
            f"The message is {prompt_tokens} tokens long, but this model has room for {available_tokens}."
            if counted
            else "This model has no room for the conversation and the answer asked for.",
            next_step="Shorten it, or choose a model with a larger context window.",
        )
        self.prompt_tokens = prompt_tokens
        self.available_tokens = available_tokens


class UnknownModelError(InvalidRequestError):
    """A client named a model that there is not."""

    code = "model_not_found"
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no model called `{name[:100]}` here.",
            param="model",
            next_step="GET /v1/models lists what there is; `homeward` leaves the choice to your policy.",
        )


class ImagesError(InvalidRequestError):
    """There are images in the request, and whoever may answer it can't see them; another model may."""

    code = "images_not_supported"

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(
            message,
            param="messages",
            next_step="Leave the images out, or choose a model that sees them.",
            detail=detail,
        )


class NobodyAllowedError(InvalidRequestError):
    """What the request itself wishes leaves nobody to answer it; without that, somebody would."""

    code = "nobody_allowed"


class NotAllowedError(HomewardError):
    """The user's policy, privacy settings, consents or budget leave nobody to answer it."""

    code = "not_allowed"
    status = 403
    blame = "caller"


class ConfigError(HomewardError):
    """A setting is wrong; the message names it, where it stands, and what it may be."""

    code = "config_error"
    blame = "caller"


class OverloadedError(HomewardError):
    """All places are taken, or the program is shutting down."""

    code = "overloaded"
    status = 503


class QueueFullError(OverloadedError):
    """As many requests wait as may wait."""

    code = "queue_full"
    status = 429


class NoBackendError(HomewardError):
    """No backend that may be asked works now."""

    code = "no_backend"
    status = 503


class RestingError(HomewardError):
    """The backend is left alone for a while."""

    code = "backend_resting"
    status = 503


class BusyError(RestingError):
    """It said that it is busy, or that its quota is used up."""

    code = "backend_busy"
    status = 429


class FindingsError(HomewardError):
    """Something that must not leave this device as it is could not be replaced; nothing was sent."""

    code = "findings"
    status = 503


class BrokenOffError(HomewardError):
    """We ended an answer ourselves before it was whole."""

    code = "broken_off"
    status = 503

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        """A word for why, stable for translations."""


class PageError(HomewardError):
    """The page that was to answer with its own model can't, was told not to, or is gone."""

    code = "tab_failed"
    status = 503
    blame = "caller"

    def __init__(self, cause: str, message: str, *, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.cause = cause
        """A word for why, stable for translations."""


class HistoryError(HomewardError):
    """The conversation could not be stored or read."""

    code = "history_unavailable"
    status = 503


class AuditError(HomewardError):
    """The audit log can't be written or read; what is not in it must not leave this machine."""

    code = "audit_unavailable"
    status = 503


class BackendError(HomewardError):
    """The other side of a connection failed."""

    code = "backend_error"
    status = 502
    blame = "backend"


class BackendKeyError(BackendError):
    """There is no key or sign-in for it, so it was not asked."""

    code = "upstream_key_missing"


class BackendUnreachableError(BackendError):
    """Nobody listens there, or the name does not resolve."""

    code = "upstream_unreachable"

    def __init__(self, message: str, *, next_step: str = "", detail: str = "", name_resolves: bool = True) -> None:
        super().__init__(message, next_step=next_step, detail=detail)
        self.name_resolves = name_resolves
        """False where the host's name is not known, so that another try at once is of no use."""


class BackendTimeoutError(BackendError):
    """A deadline passed."""

    code = "upstream_timeout"
    status = 504


class BackendDisconnectedError(BackendError):
    """The stream ended before the answer did."""

    code = "upstream_disconnected"


class BackendProtocolError(BackendError):
    """What came is not OpenAI's protocol."""

    code = "upstream_protocol_error"


class BackendStatusError(BackendError):
    """The backend answered with an HTTP status other than 200."""

    code = "upstream_status"

    def __init__(
        self,
        message: str,
        *,
        upstream_status: int,
        next_step: str = "",
        detail: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message, next_step=next_step, detail=detail, retry_after_seconds=retry_after_seconds)
        self.upstream_status = upstream_status


class EngineError(HomewardError):
    """A child process of ours failed."""

    code = "engine_error"
    status = 503
    blame = "engine"


class EngineStartError(EngineError):
    """The engine did not get ready."""

    code = "engine_start_failed"


class EngineClosedError(EngineError):
    """The engine was shut down for good; nothing can start it again."""

    code = "engine_closed"
