"""What is served under `/v1`."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from homeward.gateway.chat import ChatCompletions
from homeward.gateway.completions import TextCompletions
from homeward.gateway.models import ModelList
from homeward.gateway.names import Names
from homeward.gateway.refusals import refusal, refused
from homeward.gateway.sending import Receipts, Sender
from homeward.gateway.serving import JSON_TYPE
from homeward.protocol.errors import HomewardError

ANSWER_IDS = ("chatcmpl-", "cmpl-", "resp_")
"""What stands before the digits of a receipt's id in that of its answer."""
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


def gateway_routes(
    sender: Sender, names: Names, receipts: Receipts, further: Sequence[BaseRoute] = ()
) -> list[BaseRoute]:
    """The routes, those with the most requests first; the last one says what there is not.

    Args:
        sender: answers.
        names: what can be asked for by name.
        receipts: where those of the answers are kept.
        further: more of them.
    """
    listed = ModelList(names)
    return [
        Route("/v1/chat/completions", ChatCompletions(sender, names), methods=["POST"]),
        Route("/v1/completions", TextCompletions(sender, names), methods=["POST"]),
        Route("/v1/models", listed.every, methods=["GET"]),
        Route("/v1/models/{model:path}", listed.one, methods=["GET"]),
        receipt_route(receipts),
        *further,
        Route("/v1/{path:path}", no_such_api, methods=METHODS),
    ]


def receipt_route(receipts: Receipts) -> BaseRoute:
    """`GET /v1/receipts/{id}`."""

    async def receipt(request: Request) -> Response:
        receipt_id = receipt_id_of(request.path_params["receipt_id"])
        try:
            found = await receipts.get_receipt(receipt_id) if receipt_id else None
        except HomewardError as error:
            return refused(error)
        if found is None:
            return refusal(404, "There is no receipt with this id.", "not_found")
        return Response(msgspec.json.encode(found), media_type=JSON_TYPE)

    return Route("/v1/receipts/{receipt_id}", receipt, methods=["GET"])


async def internal_error(request: Request, _error: Exception) -> Response:
    """What a fault of ours looks like from outside; the log has more."""
    if not request.url.path.startswith("/v1/"):
        return Response("Internal Server Error", status_code=500, media_type="text/plain")
    return refusal(500, "Something went wrong inside Homeward; its log says more. Try again.", "internal_error")


async def no_such_api(request: Request) -> Response:
    """OpenAI's envelope, so that a client says something sensible."""
    return refusal(404, f"Homeward has no {request.method} {request.url.path[:100]}.", "not_found")


def receipt_id_of(text: str) -> str:
    """A receipt's id, from itself or from the id of the answer that it belongs to; empty where it can be none."""
    digits = text[len(prefix) :] if (prefix := next(filter(text.startswith, ANSWER_IDS), "")) else text
    try:
        return str(UUID(digits))
    except ValueError:
        return ""
