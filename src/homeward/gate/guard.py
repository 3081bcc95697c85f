"""The layer that asks programs for their key: none of theirs is handed on without it where one is needed."""

import time
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.gate.keys import Ring, key_in
from homeward.gate.limits import Headers, Usage
from homeward.gate.policy import API, is_api
from homeward.gate.refusals import WRONG_KEY, Refusal, lacks_scope, refuse
from homeward.protocol.key_use import NO_KEY_NEEDED, NO_LIMITS, SCOPES, KeyScope, KeyUse

SCOPE_OF: dict[str, KeyScope] = {"models": "models", "receipts": "models", "embeddings": "embeddings"}
"""By what comes behind /v1/; everything else, also what there is not yet, needs `answers`."""

LACKING: dict[KeyScope, Refusal] = {scope: lacks_scope(scope) for scope in SCOPES}


class KeyGuard:
    """Serves the API to whoever has one of the keys; routes find whose it was as `request.state.key`.

    `keys` is asked on each request and must not take long. Without any key, and unless one is `required` all the same,
    every program is served, whatever it sends as a key: OpenAI's clients always send one. A key that has limits is
    counted by its name; one that is refused is not counted.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Callable[[], Ring],
        *,
        required: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app = app
        self.keys = keys
        self.required = required
        self._clock = clock
        self._usages: dict[str, Usage] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http" or not is_api(scope["path"]):
            await self.app(scope, receive, send)
            return
        use = self.use_in(scope)
        path: str = scope["path"]
        if use is None:
            await refuse(WRONG_KEY, path, send)
        elif (needed := scope_of(path)) and needed not in use.scopes:
            await refuse(LACKING[needed], path, send)
        else:
            scope.setdefault("state", {})["key"] = use
            if use.limits == NO_LIMITS:
                await self.app(scope, receive, send)
            else:
                await self.serve_counted(use, scope, receive, send)

    async def serve_counted(self, use: KeyUse, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it, or refuse it where its key has been used up for now."""
        usage = self._usages.setdefault(use.name, Usage(self._clock))
        if (refusal := usage.begin(use.limits)) is not None:
            await refuse(refusal, scope["path"], send)
            return
        try:
            await self.app(scope, receive, telling(usage.headers(use.limits), send))
        finally:
            usage.end()

    def use_in(self, scope: Scope) -> KeyUse | None:
        """Whose key a request brought; None where one is needed, and this is none."""
        ring = self.keys()
        if not (self.required or ring.asks):
            return NO_KEY_NEEDED
        key = key_in(scope["headers"])
        return None if key is None else ring.use_of(key)


def telling(headers: Headers, send: Send) -> Send:
    """`send` that adds these to the answer."""

    def send_telling(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        return send(message)

    return send_telling


def scope_of(path: str) -> KeyScope | None:
    """What a key must allow for this path; None where any key will do."""
    if not path.startswith(API):
        return None
    return SCOPE_OF.get(path[len(API) :].partition("/")[0], "answers")
