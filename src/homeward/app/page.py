"""The whole Homeward: the gateway, the chat page, and what is managed on pages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from homeward.app.browser_models import browser_models
from homeward.app.compose import Close, Parts, answered, api_routes, gated, opened_history, running, starlette
from homeward.app.governing import Governing
from homeward.app.managing import Managing, catalogue_of
from homeward.browser.routes import browser_routes, built
from homeward.chat.conversations import Conversations
from homeward.config import Settings
from homeward.config.edit import ConfigFile
from homeward.gate.policy import allowed_origins
from homeward.gateway import Sender
from homeward.manage.policy_routes import policy_routes
from homeward.manage.routes import model_routes
from homeward.status import health_routes


@asynccontextmanager
async def assembled_page(
    settings: Settings, file: ConfigFile, parts: Parts, port: int
) -> AsyncIterator[tuple[ASGIApp, Close]]:
    """The app, with everything behind it running; all of it ended in reverse order. `file` is where rules are saved.

    The engine's child is started first: it loads while Chainlit is imported.
    """
    async with AsyncExitStack() as stack:
        answering, completer = await stack.enter_async_context(answered(settings, parts, port))
        history = await stack.enter_async_context(opened_history(settings))
        governing = Governing(settings, completer, answering.consents, file)
        conversations = Conversations(history, completer, settings.chat, governing, in_browser=built())
        catalogue_engine, catalogue = catalogue_of(settings)
        stack.push_async_callback(catalogue_engine.close)
        managing = Managing(answering, catalogue)
        stack.push_async_callback(managing.close)
        await stack.enter_async_context(running(managing.first_look()))
        sender = Sender(completer, history)
        routes = [
            *health_routes(parts.readiness),
            *api_routes(settings, answering, sender, history.responses),
            *model_routes(managing),
            *policy_routes(governing),
            *browser_routes(partial(browser_models, settings)),
        ]

        async def close(seconds: float) -> None:
            await asyncio.gather(sender.close(seconds), conversations.close(seconds))

        yield page(settings, conversations, routes, port), close


def page(settings: Settings, conversations: Conversations, routes: Sequence[BaseRoute], port: int) -> ASGIApp:
    """The gate with everything that is served behind it. Importing the chat takes seconds."""
    from homeward.chat.mount import create_chat_app

    origins = allowed_origins(settings.host, port)
    chat = create_chat_app(conversations, root=settings.data_dir / "page", origins=origins)
    return gated(starlette([*routes, Mount("/", chat)]), settings, origins, port)
