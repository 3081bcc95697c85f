"""Chainlit's data layer on our history: only a translation of shapes; what is stored and how is the history's.

Chainlit calls it without awaiting and takes an error for granted to be logged; our own conversations therefore
store on their own (`conversations`), and this layer serves the page's lists, renames, deletions and thumbs.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import chainlit as cl
from chainlit.data.base import BaseDataLayer
from chainlit.data.utils import queue_until_user_message
from chainlit.element import Element as ChainlitElement
from chainlit.element import ElementDict
from chainlit.step import StepDict
from chainlit.types import (
    Feedback as ChainlitFeedback,
)
from chainlit.types import (
    PageInfo,
    PaginatedResponse,
    Pagination,
    ThreadDict,
    ThreadFilter,
)

from homeward.chat.conversations import Conversations
from homeward.chat.sign_in import LOCAL_USER
from homeward.chat.views import KINDS, step_view, timestamp
from homeward.history import Element, History, RefusedError, Step, ThreadSummary, User, as_id

ROLE_OF = {view: kind for kind, view in KINDS.items()}
STEP_FIELDS = frozenset(step_view(Step(id=UUID(int=0), thread_id=UUID(int=0), kind="run"), "en")) - {"feedback"}


class HistoryDataLayer(BaseDataLayer):
    """What Chainlit asks of a data layer. Raises HistoryError, never swallows it."""

    def __init__(self, history: History, conversations: Conversations) -> None:
        self.history = history
        self.conversations = conversations

    async def get_user(self, identifier: str) -> cl.PersistedUser | None:
        """Asked with every request of the page."""
        user = await self.history.get_user(identifier)
        return persisted(user) if user else None

    async def create_user(self, user: cl.User) -> cl.PersistedUser | None:
        """Called once, at the first visit."""
        return persisted(await self.history.ensure_user(user.identifier, user.display_name))

    async def get_thread_author(self, thread_id: str) -> str:
        """The owner's identifier; empty (which Chainlit makes a 404) for an unknown thread or a malformed id."""
        try:
            return await self.history.thread_owner(thread_id) or ""
        except RefusedError:
            return ""

    async def get_thread(self, thread_id: str) -> ThreadDict | None:
        """The whole thread; None if there is none."""
        try:
            thread = await self.history.get_thread(thread_id)
        except RefusedError:
            return None
        return self.conversations.view(thread, "en") if thread else None  # type: ignore[return-value]

    async def list_threads(self, pagination: Pagination, filters: ThreadFilter) -> PaginatedResponse[ThreadDict]:
        """One page of the sidebar or of a search, without steps."""
        if not filters.userId:
            return PaginatedResponse(pageInfo=PageInfo(False, None, None), data=[])
        page = await self.history.list_threads(
            filters.userId,
            first=pagination.first,
            cursor=pagination.cursor,
            search=filters.search or "",
            feedback=filters.feedback,
        )
        return PaginatedResponse(
            pageInfo=PageInfo(page.next_cursor is not None, None, page.next_cursor),
            data=[summary_view(thread) for thread in page.threads],  # type: ignore[misc]
        )

    async def update_thread(
        self,
        thread_id: str,
        name: str | None = None,
        user_id: str | None = None,
        metadata: dict[str, Any] | None = None,  # noqa: ARG002 - see below
        tags: list[str] | None = None,
    ) -> None:
        """A rename; and, at each lost connection, the session's state, which is of no use to us."""
        if name is not None or user_id is not None or tags is not None:
            await self.history.update_thread(thread_id, name=name, user_id=user_id, tags=tags)

    async def delete_thread(self, thread_id: str) -> None:
        """For good; an answer that is being written in it ends first."""
        await self.conversations.forget(as_id(thread_id))
        await self.history.delete_thread(thread_id)

    @queue_until_user_message()
    async def create_step(self, step_dict: StepDict) -> None:
        """Steps that Chainlit itself creates (our own are stored by `conversations`)."""
        await self.history.save_step(step_of(step_dict))

    @queue_until_user_message()
    async def update_step(self, step_dict: StepDict) -> None:
        """The same, changed."""
        await self.history.save_step(step_of(step_dict))

    @queue_until_user_message()
    async def delete_step(self, step_id: str) -> None:
        """Of the thread that the session shows."""
        await self.history.delete_step(cl.context.session.thread_id, step_id)

    @queue_until_user_message()
    async def create_element(self, element: ChainlitElement) -> None:
        """The element's row; receipts are not stored here, they are drawn from the history's receipts."""
        await self.history.save_element(element_of(element.to_dict()))

    async def get_element(self, thread_id: str, element_id: str) -> ElementDict | None:
        """One element's row."""
        element = await self.history.get_element(thread_id, element_id)
        return element_view_of(element) if element else None

    @queue_until_user_message()
    async def delete_element(self, element_id: str, thread_id: str | None = None) -> None:
        """Of the thread named, or the one that the session shows."""
        await self.history.delete_element(thread_id or cl.context.session.thread_id, element_id)

    async def upsert_feedback(self, feedback: ChainlitFeedback) -> str:
        """A thumb; refused for a step of somebody else's thread."""
        user = await self.history.get_user(LOCAL_USER)
        stored = await self.history.save_feedback(
            feedback.forId, feedback.value, feedback.comment, user_id=user.id if user else None
        )
        return str(stored)

    async def delete_feedback(self, feedback_id: str) -> bool:
        """Take a thumb back."""
        user = await self.history.get_user(LOCAL_USER)
        return await self.history.delete_feedback(feedback_id, user_id=user.id if user else None)

    async def get_favorite_steps(self, user_id: str) -> list[StepDict]:
        """Not offered on the page (`features.favorites`), but stored."""
        return [step_view(step, "en") for step in await self.history.favorite_steps(user_id)]  # type: ignore[misc]

    async def build_debug_url(self) -> str:
        """There is no debugger to link to."""
        return ""

    async def close(self) -> None:
        """The history is closed by whoever opened it."""


def persisted(user: User) -> cl.PersistedUser:
    """A stored user in Chainlit's shape."""
    return cl.PersistedUser(
        id=str(user.id),
        createdAt=timestamp(user.created_at) or "",
        identifier=user.identifier,
        display_name=user.display_name,
        metadata=user.metadata,
    )


def summary_view(thread: ThreadSummary) -> dict[str, Any]:
    """A row of the sidebar. Its date is that of the last activity: the page groups by it."""
    return {
        "id": str(thread.id),
        "createdAt": timestamp(thread.updated_at),
        "name": thread.name,
        "userId": str(thread.user_id) if thread.user_id else None,
        "userIdentifier": thread.user_identifier,
        "tags": thread.tags,
        "metadata": thread.metadata,
        "steps": [],
        "elements": [],
    }


def step_of(view: StepDict) -> Step:
    """A step in our shape. Unknown keys are kept, so that a new field of Chainlit's is not lost."""
    fields: dict[str, Any] = dict(view)
    return Step(
        id=as_id(fields["id"]),
        thread_id=as_id(fields["threadId"]),
        kind=ROLE_OF.get(fields["type"], fields["type"]),
        parent_id=as_id(parent) if (parent := fields.get("parentId")) else None,
        name=fields.get("name") or "",
        text=fields.get("output") or "",
        input=fields.get("input") or "",
        status="streaming" if fields.get("streaming") else None,  # None keeps a stored `stopped` or `interrupted`
        is_error=fields.get("isError"),
        wait_for_answer=fields.get("waitForAnswer"),
        created_at=moment(fields.get("createdAt")),
        started_at=moment(fields.get("start")),
        ended_at=moment(fields.get("end")),
        metadata=fields.get("metadata") or {},
        tags=fields.get("tags") or [],
        modes=fields.get("modes") or {},
        command=fields.get("command"),
        generation=fields.get("generation") or {},
        show_input=fields.get("showInput"),
        default_open=fields.get("defaultOpen"),
        auto_collapse=fields.get("autoCollapse"),
        language=fields.get("language"),
        icon=fields.get("icon"),
        extra={key: value for key, value in fields.items() if key not in STEP_FIELDS and value is not None},
    )


def moment(text: str | None) -> datetime | None:
    """A time as the page writes it; the history wants it aware."""
    return datetime.fromisoformat(text) if text else None


def element_of(view: ElementDict) -> Element:
    """An element in our shape."""
    fields: dict[str, Any] = dict(view)
    return Element(
        id=as_id(fields["id"]),
        thread_id=as_id(fields["threadId"]),
        step_id=as_id(step) if (step := fields.get("forId")) else None,
        kind=fields["type"],
        name=fields.get("name") or "",
        display=fields.get("display"),
        mime=fields.get("mime"),
        url=fields.get("url"),
        object_key=fields.get("objectKey"),
        size=fields.get("size"),
        page=fields.get("page"),
        language=fields.get("language"),
        props=fields.get("props") or {},
        auto_play=fields.get("autoPlay"),
        player_config=fields.get("playerConfig") or {},
    )


def element_view_of(element: Element) -> ElementDict:
    """An element in Chainlit's shape."""
    return {
        "id": str(element.id),
        "threadId": str(element.thread_id),
        "forId": str(element.step_id) if element.step_id else None,
        "type": element.kind,  # type: ignore[typeddict-item]
        "name": element.name,
        "display": element.display or "inline",  # type: ignore[typeddict-item]
        "mime": element.mime,
        "url": element.url,
        "objectKey": element.object_key,
        "size": element.size,  # type: ignore[typeddict-item]
        "page": element.page,
        "language": element.language,
        "props": element.props,
        "autoPlay": element.auto_play,
        "playerConfig": element.player_config,
        "chainlitKey": None,
        "path": None,
    }
