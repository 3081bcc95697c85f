"""`GET /healthz` and `GET /readyz`, for people, scripts and supervisors.

Neither asks a model: a probe must not cost an answer.
"""

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Readiness(msgspec.Struct, frozen=True):
    """Whether a model can answer; the parts say which one and why not."""

    ready: bool
    reason: str = ""
    parts: dict[str, str] = {}


def health_routes(readiness: Callable[[], Readiness]) -> list[Route]:
    """The two routes; `readiness` is asked on each call and must not block."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        now = readiness()
        headers = {} if now.ready else {"retry-after": "2"}
        content = {"status": "ready" if now.ready else "not ready", "reason": now.reason, "parts": now.parts}
        return JSONResponse(content, status_code=200 if now.ready else 503, headers=headers)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
