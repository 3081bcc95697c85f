"""A conversation as a file to keep."""

from typing import Any

import msgspec

from homeward.history.rows import ROLES, Thread

_ENDINGS = {
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "streaming": "still growing",
}


def to_plain(thread: Thread) -> dict[str, Any]:
    """The thread with all that belongs to it, as values that any JSON writer takes."""
    plain: dict[str, Any] = msgspec.to_builtins(thread)
    return plain


def to_markdown(thread: Thread) -> str:
    """The messages of the thread as Markdown, each under its author and time."""
    parts = [f"# {thread.name or 'Conversation'}"]
    for step in thread.steps:
        if step.kind in ROLES and step.text:
            ending = f", {_ENDINGS[step.status]}" if step.status in _ENDINGS else ""
            when = f"{step.created_at:%Y-%m-%d %H:%M} UTC" if step.created_at else ""
            parts.append(f"## {step.name or step.kind.capitalize()} ({when}{ending})\n\n{step.text}")
    return "\n\n".join(parts) + "\n"
