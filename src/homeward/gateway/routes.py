"""What is served under `/v1`."""

from typing import Protocol
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from homeward.protocol.errors import HomewardError
from homeward.protocol.receipt import Receipt


class Receipts(Protocol):
    """Where receipts are kept."""

    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id. Raises HomewardError."""
        ...


def gateway_routes(receipts: Receipts) -> list[BaseRoute]:
    """The routes, the last of which says what there is not."""

    async def receipt(request: Request) -> Response:
        receipt_id = request.path_params["receipt_id"]
        try:
            found = await receipts.get_receipt(receipt_id) if is_uuid(receipt_id) else None
        except HomewardError as error:
            return refusal(error.status, str(error), error.code)
        if found is None:
            return refusal(404, "There is no receipt with this id.", "not_found")
        return Response(msgspec.json.encode(found), media_type="application/json")

    return [
        Route("/v1/receipts/{receipt_id}", receipt, methods=["GET"]),
        Route("/v1/{path:path}", no_api, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


async def no_api(_request: Request) -> Response:
    """OpenAI's envelope, so that a client says something sensible until there is more."""
    return refusal(
        404, "This version of Homeward has no such API; it has the chat page, and /v1/receipts/ID.", "not_found"
    )


def refusal(status: int, message: str, code: str) -> Response:
    """An error in OpenAI's envelope."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": code}
    return JSONResponse({"error": error}, status_code=status)


def is_uuid(text: str) -> bool:
    """Whether a receipt can have this id."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
