"""What the pages' APIs have in common: JSON in, JSON out, errors as sentences.

Errors: {"error": {"message", "next_step", "code"}}, and "fields" where a form was filled in wrongly. Foreign pages are
the gate's business; that bodies must be JSON, which no form can send without asking first, is a second lock.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from homeward.protocol.errors import ConfigError, HomewardError, InvalidRequestError

log = structlog.get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
Body = TypeVar("Body", bound=msgspec.Struct)


class NotJsonError(InvalidRequestError):
    """A body that is not declared as JSON."""

    status = 415


class TooLargeError(InvalidRequestError):
    """A body that nobody typed."""

    status = 413


class ForeignError(InvalidRequestError):
    """A request that does not come from this program's page."""

    status = 403


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one value of a form."""

    path: tuple[str | int, ...]
    """Where it stands, from the outside in."""
    message: str


class FieldsError(ConfigError):
    """Values that can't be saved as they are."""

    status = 400

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("This can't be saved yet.", next_step="Correct what is marked.")
        self.problems = problems


def told(handler: Handler) -> Handler:
    """The handler, whose errors become answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except HomewardError as error:
            log.info("page.refused", path=request.url.path, code=error.code, detail=error.detail)
            content: dict[str, object] = {"message": error.message, "next_step": error.next_step, "code": error.code}
            if isinstance(error, FieldsError):
                content["fields"] = error.problems
            return json({"error": content}, error.status)

    return answer


async def body_of(request: Request, body_type: type[Body], *, max_bytes: int | None = None) -> Body:
    """The body of an action. Raises InvalidRequestError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise NotJsonError("The body must be JSON.", next_step="Send it with content-type: application/json.")
    body = await request.body()
    if max_bytes is not None and len(body) > max_bytes:
        raise TooLargeError("This is too much at once.", next_step="Make it shorter.")
    try:
        return msgspec.json.decode(body, type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # whose text may hold what was sent
        fields = ", ".join(f'"{field.name}"' for field in msgspec.structs.fields(body_type))
        wanted = f"Send a JSON object with {fields}." if fields else "Send an empty JSON object."
        raise InvalidRequestError(
            "This request is not understood.", next_step=wanted, detail=type(error).__name__
        ) from None


def json(content: object, status: int = 200) -> Response:
    """An answer that nobody keeps."""
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )
