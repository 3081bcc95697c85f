"""The models page and its API over HTTP.

    GET   /models                  the page
    GET   /models/assets/{file}    what belongs to it
    GET   /models/state            State
    GET   /models/catalogue        Catalogue; asks the network, so for this program's own page only
    POST  /models/{action}         a JSON object; the new State

Errors are those of `http`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from homeward.manage.assets import ADDRESS, MODELS_PAGE, Assets
from homeward.manage.http import Body, ForeignError, body_of, json, told
from homeward.manage.manager import Manager

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern=r"^[^\x00]+$")]


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


def model_routes(manager: Manager) -> list[BaseRoute]:
    """All routes. Reads the page's files."""
    assets = Assets()

    async def page(_request: Request) -> Response:
        return assets.page(MODELS_PAGE)

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
