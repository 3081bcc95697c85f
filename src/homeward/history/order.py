"""The order of a conversation; pure."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec

from homeward.history.rows import Step


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """`steps`, given in the order of their first save, with each parent before its children.

    Writers are not waited for, so a child can be saved before its parent: then the parent moves up to it. A
    parent that is not stored, or that is its own descendant, is dropped: pages do not show children of a step
    that they do not know.
    """
    by_id = {step.id: step for step in steps}
    placed: dict[UUID, Step] = {}
    for step in by_id.values():
        line: dict[UUID, Step] = {}
        member: Step | None = step
        while member is not None and member.id not in placed and member.id not in line:
            line[member.id] = member
            member = by_id.get(member.parent_id) if member.parent_id else None
        for member in reversed(line.values()):
            orphan = member.parent_id is not None and member.parent_id not in placed
            placed[member.id] = msgspec.structs.replace(member, parent_id=None) if orphan else member
    return tuple(placed.values())


def nearest_kept(parent_id: UUID | None, removed: Mapping[UUID, UUID | None]) -> UUID | None:
    """The first ancestor from `parent_id` upwards that is not in `removed`, which maps steps to parents."""
    seen: set[UUID] = set()
    while parent_id is not None and parent_id in removed:
        if parent_id in seen:
            return None
        seen.add(parent_id)
        parent_id = removed[parent_id]
    return parent_id
