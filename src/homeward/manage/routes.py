"""The models page and its API over HTTP.

    GET   /models                  the page
    GET   /models/assets/{file}    what belongs to it
    GET   /models/state            State
    GET   /models/catalogue        Catalogue; asks the network, so for this program's own page only
    POST  /models/{action}         a JSON object; the new State

Errors: {"error": {"message", "next_step", "code"}}. Foreign pages are the gate's business; that actions take JSON
only, which no form can send without asking first, is a second lock.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from homeward.manage.assets import ADDRESS, Assets
from homeward.manage.manager import Manager
from homeward.protocol.errors import HomewardError, InvalidRequestError

log = structlog.get_logger(__name__)

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]
Handler = Callable[[Request], Awaitable[Response]]


class NotJsonError(InvalidRequestError):
    """A body that is not declared as JSON."""

    status = 415


class ForeignError(InvalidRequestError):
    """A request that does not come from this program's page."""

    status = 403


class Nothing(msgspec.Struct):
    """A body without content."""


class Named(msgspec.Struct):
    """A model on this machine."""

    name: Text


class Removal(msgspec.Struct):
    """A model to be removed."""

    name: Text
    delete_files: bool


class Place(msgspec.Struct):
    """A file or folder, as the user typed it."""

    path: Text


class Offered(msgspec.Struct):
    """A variant of the catalogue."""

    variant: Text


Body = TypeVar("Body", bound=msgspec.Struct)


def model_routes(manager: Manager) -> list[BaseRoute]:
    """All routes. Reads the page's files."""
    assets = Assets()

    async def page(_request: Request) -> Response:
        return assets.page()

    async def asset(request: Request) -> Response:
        return assets.asset(request.path_params["file"], request.query_params.get("v", ""))

    async def state(_request: Request) -> Response:
        return json(manager.state())

    async def catalogue(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise ForeignError("The catalogue is asked from the models page only.", next_step="Open /models.")
        return json(await manager.catalogue())

    def action(name: str, body_type: type[Body], act: Callable[[Body], Awaitable[object]]) -> BaseRoute:
        async def done(request: Request) -> Response:
            await act(await body_of(request, body_type))
            return json(manager.state())

        return Route(f"/models/{name}", told(done), methods=["POST"])

    return [
        Route("/models", page),
        Route(ADDRESS + "{file}", asset),
        Route("/models/state", told(state)),
        Route("/models/catalogue", told(catalogue)),
        action("use", Named, lambda body: manager.use(body.name)),
        action("add", Place, lambda body: manager.add(body.path)),
        action("remove", Removal, lambda body: manager.remove(body.name, delete_files=body.delete_files)),
        action("verify", Named, lambda body: manager.verify(body.name)),
        action("repair", Named, lambda body: manager.repair(body.name)),
        action("download", Offered, lambda body: manager.download(body.variant)),
        action("cancel", Offered, lambda body: manager.cancel(body.variant)),
        action("dismiss", Offered, lambda body: manager.dismiss(body.variant)),
        action("search", Nothing, lambda _: manager.search()),
        action("devices", Nothing, lambda _: manager.look_at_devices()),
        action("later", Nothing, lambda _: manager.later()),
    ]


def told(handler: Handler) -> Handler:
    """The handler, whose errors become answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except HomewardError as error:
            log.info("models.refused", path=request.url.path, code=error.code, detail=error.detail)
            content = {"message": error.message, "next_step": error.next_step, "code": error.code}
            return json({"error": content}, error.status)

    return answer


async def body_of(request: Request, body_type: type[Body]) -> Body:
    """The body of an action. Raises InvalidRequestError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise NotJsonError("The body must be JSON.", next_step="Send it with content-type: application/json.")
    try:
        return msgspec.json.decode(await request.body(), type=body_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fields = ", ".join(f'"{field.name}"' for field in msgspec.structs.fields(body_type))
        wanted = f"Send a JSON object with {fields}." if fields else "Send an empty JSON object."
        raise InvalidRequestError("This request is not understood.", next_step=wanted, detail=str(error)) from error


def json(content: object, status: int = 200) -> Response:
    """An answer that nobody keeps."""
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )
