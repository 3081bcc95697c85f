"""The chat as one ASGI app."""

import logging
from collections.abc import Iterable
from pathlib import Path

from starlette.types import ASGIApp

from homeward.chat import app_root
from homeward.chat.conversations import Conversations


def create_chat_app(conversations: Conversations, *, root: Path, origins: Iterable[str]) -> ASGIApp:
    """Lay out Chainlit's folder, import it (2 s; blocks), change it, and give back its app.

    Once per process: Chainlit keeps its configuration in modules.
    """
    app_root.prepare(root, origins)
    import chainlit as cl
    from chainlit.server import app

    from homeward.chat import overrides
    from homeward.chat.data_layer import HistoryDataLayer
    from homeward.chat.said import STARTERS
    from homeward.chat.sign_in import LOCAL_USER, SignInLocalUser
    from homeward.chat.texts import language_of

    logging.getLogger("chainlit").setLevel(logging.WARNING)

    @cl.data_layer
    def data_layer() -> HistoryDataLayer:
        return HistoryDataLayer(conversations.history, conversations)

    @cl.header_auth_callback
    async def local_user(_headers: object) -> cl.User:
        return cl.User(identifier=LOCAL_USER, display_name="You")

    @cl.set_starters
    async def starters(_user: object, language: str | None) -> list[cl.Starter]:
        return [cl.Starter(label=label, message=message) for label, message in STARTERS[language_of(language)]]

    @cl.on_chat_resume
    async def threads_can_be_resumed(_thread: object) -> None:
        """Never called (`overrides` resumes); Chainlit's page asks only whether it is there."""

    overrides.install(conversations)
    return SignInLocalUser(app)
