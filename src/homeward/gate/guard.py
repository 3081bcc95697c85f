"""The layer that asks programs for their key: none of theirs is handed on without it where one is needed."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from homeward.gate.keys import Ring, key_in
from homeward.gate.policy import API, is_api
from homeward.gate.refusals import WRONG_KEY, Refusal, lacks_scope, refuse
from homeward.protocol.key_use import NO_KEY_NEEDED, SCOPES, KeyScope, KeyUse

SCOPE_OF: dict[str, KeyScope] = {"models": "models", "receipts": "models", "embeddings": "embeddings"}
"""By what comes behind /v1/; everything else, also what there is not yet, needs `answers`."""

LACKING: dict[KeyScope, Refusal] = {scope: lacks_scope(scope) for scope in SCOPES}


class KeyGuard:
    """Serves the API to whoever has one of the keys; routes find whose it was as `request.state.key`.

    `keys` is asked on each request and must not take long. Without any key, and unless one is `required` all the same,
    every program is served, whatever it sends as a key: OpenAI's clients always send one.
    """

    def __init__(self, app: ASGIApp, keys: Callable[[], Ring], *, required: bool) -> None:
        self.app = app
        self.keys = keys
        self.required = required

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
            await self.app(scope, receive, send)

    def use_in(self, scope: Scope) -> KeyUse | None:
        """Whose key a request brought; None where one is needed, and this is none."""
        ring = self.keys()
        if not (self.required or ring.asks):
            return NO_KEY_NEEDED
        key = key_in(scope["headers"])
        return None if key is None else ring.use_of(key)


def scope_of(path: str) -> KeyScope | None:
    """What a key must allow for this path; None where any key will do."""
    if not path.startswith(API):
        return None
    return SCOPE_OF.get(path[len(API) :].partition("/")[0], "answers")
