"""Everything that we change inside Chainlit 2.12, and why. Nowhere else are its internals touched.

`tests/chat/test_overrides.py` compares the replaced functions with the ones that were read when this was written,
and fails when an update of Chainlit changes them.
"""

import re
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakSet

import chainlit as cl
import chainlit.config
import chainlit.server
import chainlit.socket
from chainlit.context import init_ws_context
from chainlit.session import WebsocketSession
from chainlit.user import PersistedUser
from socketio.exceptions import ConnectionRefusedError as RefusedBySocket

from homeward.chat.conversations import Conversations, Purpose
from homeward.chat.exchange import question_modes
from homeward.chat.question import DECISIONS
from homeward.chat.texts import Language, language_of
from homeward.history import Step

KATEX_ON_A_CDN = re.compile(r"https://cdn\.jsdelivr\.net/npm/katex@[\d.]+/dist/katex\.min\.css")
KATEX_OF_OURS = "/public/katex/katex.min.css"
MAX_SOCKET_MESSAGE_BYTES = 8_000_000
"""Chainlit's 1 MB drops the connection when somebody pastes more."""


class SessionViewer:
    """A Chainlit session as a page that looks at a thread; equal for the same session after a reconnect."""

    def __init__(self, session: WebsocketSession) -> None:
        self.session = session
        self.language: Language = language_of(session.language)

    async def emit(self, event: str, data: object) -> None:
        """Send to the session's present socket."""
        await self.session.emit(event, data)  # type: ignore[misc]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SessionViewer) and other.session.id == self.session.id

    def __hash__(self) -> int:
        return hash(self.session.id)


def install(conversations: Conversations) -> None:
    """Replace what must be replaced. Call once, after `import chainlit` and before serving."""
    serve_our_page()
    chainlit.config.config.ui.default_theme = "system"  # its page knows it, its configuration refuses it
    chainlit.server.sio.eio.max_http_buffer_size = MAX_SOCKET_MESSAGE_BYTES
    handlers = SocketHandlers(conversations)
    for event in ("connect", "connection_successful", "disconnect", "client_message", "edit_message", "stop"):
        chainlit.server.sio.on(event, getattr(handlers, event))
    for action in ("continue_answer", "decide", "others", "tab", "try_again", "try_with", "use_answer"):
        cl.action_callback(action)(getattr(handlers, action))


def serve_our_page() -> None:
    """Chainlit's page links fonts and KaTeX's style sheet from CDNs, even where they are not used."""
    original = chainlit.server.get_html_template

    def offline(root_path: str) -> str:
        html = original(root_path)
        html = re.sub(r'<link rel="preconnect"[^>]*/>\s*', "", html)
        html = re.sub(r"<!-- FONT START -->.*?<!-- FONT END -->", "", html, flags=re.DOTALL)
        return KATEX_ON_A_CDN.sub(KATEX_OF_OURS, html)

    chainlit.server.get_html_template = offline


class SocketHandlers:
    """The page's events, led to our conversations.

    Chainlit's own handlers keep the conversation per connection, in memory, and store it on the side: an answer
    is lost with its connection, stop writes a message of its own and can't end an edit, and a reload in the
    middle of an answer shows nothing.
    """

    def __init__(self, conversations: Conversations) -> None:
        self.conversations = conversations
        self._with_modes: WeakSet[WebsocketSession] = WeakSet()

    async def connect(self, sid: str, environ: dict[str, Any], auth: Any) -> Any:
        """Let in only well-formed ids: Chainlit uses them as a folder's name and as a database key."""
        if not isinstance(auth, dict) or not is_uuid(auth.get("sessionId")):
            raise RefusedBySocket("malformed session id")
        if auth.get("threadId") and not is_uuid(auth["threadId"]):
            raise RefusedBySocket("malformed thread id")
        return await chainlit.socket.connect(sid, environ, auth)

    async def connection_successful(self, sid: str) -> None:
        """A page is there, for the first time or again: show it its thread as it is now."""
        session = WebsocketSession.require(sid)
        context = init_ws_context(session)
        await context.emitter.clear("clear_ask")
        await context.emitter.clear("clear_call_fn")
        thread_id = session.thread_id if session.thread_id_to_resume or session.has_first_interaction else None
        if session not in self._with_modes:  # a page that comes back keeps what was chosen in it
            self._with_modes.add(session)
            await self.conversations.offer_modes(SessionViewer(session), UUID(thread_id) if thread_id else None)
        if thread_id is None:
            await context.emitter.task_end()
        elif await self.conversations.show(SessionViewer(session), UUID(thread_id)):
            session.has_first_interaction = True
        else:
            await context.emitter.task_end()
            await context.emitter.send_resume_thread_error("Thread not found.")

    async def disconnect(self, sid: str) -> None:
        """A page is gone, perhaps for a moment."""
        if session := WebsocketSession.get(sid):
            self.conversations.detach(SessionViewer(session), UUID(session.thread_id))
        await chainlit.socket.disconnect(sid)

    async def client_message(self, sid: str, payload: Any) -> None:
        """A new question."""
        session = WebsocketSession.require(sid)
        init_ws_context(session)
        message = payload["message"]
        first = not session.has_first_interaction
        session.has_first_interaction = True
        question = Step(
            id=UUID(message["id"]),
            thread_id=UUID(session.thread_id),
            kind="user",
            name="You",
            text=str(message["output"]),
            modes=question_modes(message.get("modes")),
        )
        await self.conversations.ask(SessionViewer(session), question, owner(session), first=first)

    async def edit_message(self, sid: str, payload: Any) -> None:
        """A question was changed."""
        session = WebsocketSession.require(sid)
        init_ws_context(session)
        message = payload["message"]
        await self.conversations.edit(
            SessionViewer(session),
            UUID(session.thread_id),
            UUID(message["id"]),
            str(message["output"]),
            owner(session),
        )

    async def stop(self, sid: str) -> None:
        """The stop button."""
        if session := WebsocketSession.get(sid):
            await self.conversations.stop(UUID(session.thread_id))

    async def continue_answer(self, action: cl.Action) -> None:
        """The button under an answer that was cut; its menu names a backend."""
        backend = action.payload.get("backend")
        if (press := pressed(action, "answer")) and (backend is None or self._is_backend(backend)):
            await self.conversations.continue_answer(press.viewer, press.thread_id, press.id, backend)

    async def try_again(self, action: cl.Action) -> None:
        """The button under an answer that failed."""
        if press := pressed(action, "answer"):
            user = owner(press.viewer.session)
            await self.conversations.try_again(press.viewer, press.thread_id, press.id, user)

    async def try_with(self, action: cl.Action) -> None:
        """A backend in the menu under an answer."""
        backend = action.payload.get("backend")
        if (press := pressed(action, "answer")) and self._is_backend(backend):
            await self.conversations.try_with(press.viewer, press.thread_id, press.id, str(backend))

    async def use_answer(self, action: cl.Action) -> None:
        """The button of an answer that stands beside another."""
        if press := pressed(action, "answer"):
            await self.conversations.use(press.viewer, press.thread_id, press.id)

    async def others(self, action: cl.Action) -> list[dict[str, Any]]:
        """What the menus list; given back to the page."""
        purpose: Purpose = "continue" if action.payload.get("purpose") == "continue" else "try"
        if press := pressed(action, "answer"):
            return await self.conversations.others(press.thread_id, press.id, purpose, press.viewer.language)
        return []

    async def tab(self, action: cl.Action) -> bool:
        """What a page says that answers itself; False tells it to stop."""
        press = pressed(action, "id")
        return press is not None and self.conversations.tabs.hear(press.viewer, press.id, action.payload.get("said"))

    async def decide(self, action: cl.Action) -> None:
        """A button of the card that asks before anything leaves."""
        decision = next((each for each in DECISIONS if each == action.payload.get("decision")), None)
        if (press := pressed(action, "asking")) and decision:
            await self.conversations.decide(press.viewer, press.thread_id, press.id, decision)

    def _is_backend(self, name: object) -> bool:
        return isinstance(name, str) and name in self.conversations.completer.backends


class Press(NamedTuple):
    """One of our buttons was pressed."""

    viewer: SessionViewer
    thread_id: UUID
    id: UUID
    """Of what the button belongs to; the client's word."""


def pressed(action: cl.Action, key: str) -> Press | None:
    """The button's page and the id in its payload; None for what our buttons don't send."""
    session, value = cl.context.session, action.payload.get(key)
    if isinstance(session, WebsocketSession) and is_uuid(value):
        return Press(SessionViewer(session), UUID(session.thread_id), UUID(value))
    return None


def owner(session: WebsocketSession) -> UUID:
    """The id of the session's user, who is always stored by the time that a socket is let in."""
    assert isinstance(session.user, PersistedUser)
    return UUID(session.user.id)


def is_uuid(value: object) -> bool:
    """Whether a client's value is a UUID in its usual form."""
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
