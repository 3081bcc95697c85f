"""An HTTP application on loopback that answers its parent alone: one key, and errors in OpenAI's envelope."""

import hmac
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from homeward.engines.foundry.refusals import RefusalError

_LONGEST_BODY = 16 << 20


def guarded(
    routes: Iterable[web.RouteDef], api_key: str, healthy: Callable[[], bool] = lambda: True
) -> web.Application:
    """The routes and `GET /health` behind the key; a `RefusalError` becomes its status and its error object."""

    @web.middleware
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(key.encode(), api_key.encode()):
            return _refused(RefusalError(401, "The key is wrong or missing.", code="invalid_api_key"))
        try:
            return await handler(request)
        except RefusalError as refusal:
            return _refused(refusal)
        except web.HTTPException as error:
            return _refused(RefusalError(error.status, error.reason, code="http_error"))

    async def health(_request: web.Request) -> web.Response:
        well = healthy()
        return web.json_response({"status": "ok" if well else "stuck"}, status=200 if well else 503)

    app = web.Application(client_max_size=_LONGEST_BODY, middlewares=[guard])
    app.add_routes([web.get("/health", health), *routes])
    return app


async def listening(app: web.Application) -> str:
    """Serve on a free loopback port for as long as the process lives; the base URL."""
    # handler_cancellation: a client that leaves ends its handler, and that ends what was done for it
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


def _refused(refusal: RefusalError) -> web.Response:
    headers = {"retry-after": "1"} if refusal.status == 429 else {}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)
