"""`/v1/responses`: answers that a program can read again, delete, and go on from.

A response belongs to the API key that asked for it; to every other key it is not there.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from homeward.completion import Answer, Prepared
from homeward.completion.window import estimate, tool_tokens
from homeward.gateway.bodies import decode, json_body
from homeward.gateway.callers import Caller, caller_of, restricted
from homeward.gateway.chat_request import refuse
from homeward.gateway.names import Names
from homeward.gateway.refusals import refused
from homeward.gateway.responses_answer import Response, StreamedResponse, WholeResponse, encoded, replayed
from homeward.gateway.responses_request import ResponseBody, check, decoder, items_of, request_of
from homeward.gateway.responses_store import (
    NothingKept,
    ResponseStore,
    conversation_before,
    resolved,
    responses_named,
    said_in,
)
from homeward.gateway.sending import Sender, Sending
from homeward.gateway.serving import JSON_TYPE, send_refusal
from homeward.protocol.chat import ChatRequest
from homeward.protocol.errors import HomewardError, InvalidRequestError
from homeward.protocol.responses import Item, StoredResponse, stored_form

MOST_LISTED = 100
"""Input items on one page."""


class NoSuchResponseError(InvalidRequestError):
    """A response that is not there."""

    code = "not_found"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is no response with this id.", param="response_id")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request with all that belongs to it."""

    body: ResponseBody
    caller: Caller
    before: tuple[Item, ...]
    """The conversation that it goes on from."""
    new: tuple[Item, ...]
    """What is new with it; references are resolved."""
    stays_home: bool
    """Whether what came before it must not leave this device."""


class CreateResponse:
    """`POST /v1/responses`."""

    def __init__(self, sender: Sender, names: Names, store: ResponseStore) -> None:
        self._sender = sender
        self._names = names
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            asked = await read_request(Request(scope, receive), self._store)
            request = restricted(chat_request(asked, self._names), asked.caller)
        except HomewardError as error:
            await send_refusal(send, error)
            return

        def begin(prepared: Prepared, answer: Answer) -> Sending:
            save = saving(asked, answer, self._store, stays_home=prepared.known.stays_home)
            response = Response(asked.body, answer, len(asked.new), save)
            return (StreamedResponse if asked.body.stream else WholeResponse)(response, answer, send)

        await self._sender.carry(request, begin, receive)


async def read_request(request: Request, store: ResponseStore) -> Asked:
    """The request, checked, with the conversation before it. Raises HomewardError."""
    body = decode(await json_body(request.scope, request.receive), decoder)
    check(body)
    if isinstance(store, NothingKept):
        body.store = False  # and so its response says
    caller = caller_of(request.scope)
    given = items_of(body.input)
    before = await conversation_before(body.previous_response_id, store, caller.key.name)
    referred = await responses_named(given, store, caller.key.name)
    return Asked(
        body=body,
        caller=caller,
        before=tuple(item for each in before for item in said_in(each)),
        new=resolved(given, referred),
        stays_home=any(each.stays_home for each in (*before, *referred.values())),
    )


def chat_request(asked: Asked, names: Names) -> ChatRequest:
    """The request for its answer. Raises InvalidRequestError."""
    return request_of(asked.body, (*asked.before, *asked.new), names, stays_home=asked.stays_home)


def saving(
    asked: Asked, answer: Answer, store: ResponseStore, *, stays_home: bool
) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """What keeps the response, where it is to be kept."""

    async def save(response: dict[str, Any]) -> None:
        if not asked.body.is_stored:
            return
        receipt = answer.receipt
        await store.save(
            StoredResponse(
                id=response["id"],
                owner=asked.caller.key.name,
                previous_id=asked.body.previous_response_id,
                created_at=receipt.created_at,
                stays_home=stays_home,
                input=msgspec.to_builtins(stored_form(asked.new, receipt.id.hex)),
                body=msgspec.to_builtins(response),
            )
        )

    return save


# Stored responses


class StoredResponses:
    """What can be done with responses once they are made."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store

    async def get(self, request: Request) -> HttpResponse:
        """`GET /v1/responses/{id}`; as events where these are asked for."""
        asked = request.query_params
        stored = await self._found(request)
        if asked.get("stream") != "true":
            return json_response(stored.body)
        if asked.get("starting_after", "0") != "0":
            refuse("starting_after", "The events of a stored response have other numbers: read it from its beginning.")
        events = replayed(stored.body, said_in(stored)[len(stored.input) :], len(stored.input))
        return HttpResponse(encoded(events["starting_after" in asked :]), media_type="text/event-stream")

    async def delete(self, request: Request) -> HttpResponse:
        """`DELETE /v1/responses/{id}`; what goes on from it can't be gone on from any more."""
        response_id = request.path_params["response_id"]
        if not await self._store.delete(response_id, caller_of(request.scope).key.name):
            raise NoSuchResponseError
        return json_response({"id": response_id, "object": "response", "deleted": True})

    async def input_items(self, request: Request) -> HttpResponse:
        """`GET /v1/responses/{id}/input_items`: what was new with its request, a page at a time."""
        asked = request.query_params
        stored = await self._found(request)
        return json_response(page_of(stored.input, asked.get("order"), asked.get("after"), asked.get("limit")))

    async def cancel(self, request: Request) -> HttpResponse:
        """`POST /v1/responses/{id}/cancel`."""
        await self._found(request)
        refuse("response_id", "Only a response that is made in the background can be cancelled, and Homeward has none.")

    async def _found(self, request: Request) -> StoredResponse:
        owner = caller_of(request.scope).key.name
        found = await self._store.get(request.path_params["response_id"], owner)
        if found is None:
            raise NoSuchResponseError
        return found


def page_of(items: Sequence[dict[str, Any]], order: str | None, after: str | None, limit: str | None) -> dict[str, Any]:
    """One page of a list, the newest item first unless `order` is `asc`; a limit out of range counts as the nearest."""
    if order not in (None, "asc", "desc"):
        refuse("order", "`order` is `asc` or `desc`.")
    if limit is not None and not (limit.isascii() and limit.isdigit()):
        refuse("limit", f"`limit` is a number from 1 to {MOST_LISTED}.")
    ordered = list(items) if order == "asc" else list(reversed(items))
    ids = [item["id"] for item in ordered]
    if after is not None and after not in ids:
        refuse("after", "There is no item with this id in the list.")
    start = 0 if after is None else ids.index(after) + 1
    size = min(max(int((limit or "20")[:9]), 1), MOST_LISTED)
    page = ordered[start : start + size]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": start + size < len(ordered),
    }


class CountTokens:
    """`POST /v1/responses/input_tokens`."""

    def __init__(self, names: Names, store: ResponseStore) -> None:
        self._names = names
        self._store = store

    async def __call__(self, request: Request) -> HttpResponse:
        """An estimate, rather too high than too low: which model will answer is decided only when it is asked."""
        asked = await read_request(request, self._store)
        wanted = chat_request(asked, self._names)
        tokens = await estimate(wanted.messages) + tool_tokens(wanted.sampling)
        return json_response({"object": "response.input_tokens", "input_tokens": tokens, "estimated": True})


def json_response(value: object) -> HttpResponse:
    """A value as it goes out."""
    return HttpResponse(msgspec.json.encode(value), media_type=JSON_TYPE)


Endpoint = Callable[[Request], Awaitable[HttpResponse]]


def answering_errors(endpoint: Endpoint) -> Endpoint:
    """The endpoint, its errors in OpenAI's envelope."""

    async def guarded(request: Request) -> HttpResponse:
        try:
            return await endpoint(request)
        except HomewardError as error:
            return refused(error)

    return guarded


def responses_routes(sender: Sender, names: Names, store: ResponseStore) -> list[BaseRoute]:
    """All of them."""
    stored = StoredResponses(store)

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(f"/v1/responses{path}", answering_errors(endpoint), methods=[method])

    return [
        Route("/v1/responses", CreateResponse(sender, names, store), methods=["POST"]),
        route("/input_tokens", CountTokens(names, store), "POST"),
        route("/{response_id}", stored.get, "GET"),
        route("/{response_id}", stored.delete, "DELETE"),
        route("/{response_id}/input_items", stored.input_items, "GET"),
        route("/{response_id}/cancel", stored.cancel, "POST"),
    ]
