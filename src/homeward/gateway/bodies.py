"""Bodies of requests: JSON, declared as such, and never the cause of a fault of ours, whatever stands in them.

That JSON must be declared keeps web forms out, which need nobody's leave to be sent to any address.
"""

import re
from typing import TypeVar

import msgspec
from starlette.types import Receive, Scope

from homeward.protocol.errors import InvalidRequestError

MOST_LEVELS = 64
"""Of objects and arrays within each other. What is read must also be written again, which takes more of the stack."""

_T = TypeVar("_T")
_AT = re.compile(r" - at (`key` in )?`\$\.?(?P<path>.*)`$")
_LACKS = "Object missing required field `"


class MediaTypeError(InvalidRequestError):
    """A body that is not declared as JSON."""

    code = "unsupported_media_type"
    status = 415


async def json_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a request, declared as JSON.

    Raises MediaTypeError where it is declared otherwise, InvalidRequestError where it is empty or broken off.
    """
    declared: bytes = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    if declared.partition(b";")[0].strip().lower() != b"application/json":
        raise MediaTypeError("The body must be JSON.", next_step="Send it with content-type: application/json.")
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # nobody is there to be answered, but nothing went wrong here either
            raise InvalidRequestError("The request was broken off before its end.")
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    body = b"".join(pieces)
    if not body:
        raise InvalidRequestError("The body is empty.", next_step="Send a JSON object.")
    return body


def decode(body: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """What a body says. Raises InvalidRequestError, which names the field but never repeats what was sent."""
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look into texts that it skips
        value = decoder.decode(body)
    except msgspec.ValidationError as error:
        raise wrong_value(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequestError("The body is not valid JSON in UTF-8.", detail=type(error).__name__) from None
    except RecursionError:
        raise too_deep() from None
    if body.count(b"{") + body.count(b"[") > MOST_LEVELS and is_deeper(value, MOST_LEVELS):
        raise too_deep()
    return value


def wrong_value(said: str) -> InvalidRequestError:
    """What msgspec says of a value, in our words and with the field's path."""
    at = _AT.search(said)
    what, param = (said[: at.start()], at["path"]) if at else (said, "")
    if what.startswith(_LACKS):
        missing = what.removeprefix(_LACKS).rstrip("`")
        param = f"{param}.{missing}" if param else missing
        return InvalidRequestError(f"`{param}` is missing.", param=param)
    name = f"`{param}`" if param else "The body"
    if what.startswith("Expected "):  # then it speaks of kinds alone
        return InvalidRequestError(f"{name} is wrong: {what[0].lower()}{what[1:]}.", param=param)
    if "out of range" in what:
        return InvalidRequestError(f"{name} is a number out of range.", param=param)
    return InvalidRequestError(f"{name} has a value that is not known here.", param=param)


def too_deep() -> InvalidRequestError:
    """More brackets than anybody needs."""
    return InvalidRequestError(f"The body has more than {MOST_LEVELS} levels of objects and arrays within each other.")


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and arrays stand within each other on more levels than these."""
    inner: object
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, msgspec.Struct):
        inner = msgspec.structs.astuple(value)
    elif isinstance(value, (list, tuple)):
        inner = value
    else:
        return False
    return levels == 0 or any(is_deeper(each, levels - 1) for each in inner)
