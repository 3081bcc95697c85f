"""The single local user: signed in with the page itself, without a login page.

With header authentication alone, Chainlit's page answers its own 401 by loading `/login` twice and loses what was
typed meanwhile; a cookie that comes with the first page makes that one load.
"""

import chainlit as cl
from chainlit.auth import create_jwt
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.chat.app_root import SIGN_IN_SECONDS

LOCAL_USER = "local"


class SignInLocalUser:
    """Gives each page that is loaded the local user's cookie. Whoever passes the gate is that user."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the cookie to answers to page loads; an old one is renewed by that."""
        if not loads_a_page(scope):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                token = create_jwt(cl.User(identifier=LOCAL_USER, display_name="You"))
                cookie = f"access_token={token}; HttpOnly; SameSite=strict; Path=/; Max-Age={SIGN_IN_SECONDS}"
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def loads_a_page(scope: Scope) -> bool:
    """Whether a browser opens a page (not a script, an image or an API call)."""
    return (
        scope["type"] == "http" and scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")
    )
