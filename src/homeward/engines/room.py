"""Which engines must go so that another fits into memory: a pure function.

Never one under a request; of the others the one first that was used longest ago.
"""

from collections.abc import Sequence

import msgspec


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """An engine whose model is in memory."""

    name: str
    bytes: int
    """What its process holds, as measured: that much comes back when it ends."""
    used_at: float
    """When it was last asked; any clock."""
    busy: bool
    """A request is under way, or on its way."""


class Room(msgspec.Struct, frozen=True):
    """It fits."""


class Evict(msgspec.Struct, frozen=True):
    """It fits once these have gone."""

    names: tuple[str, ...]


class Wait(msgspec.Struct, frozen=True):
    """It fits once some of those that are busy have finished, and have gone."""


class TooBig(msgspec.Struct, frozen=True):
    """It would not fit if all others were gone: none has to go for that."""


Verdict = Room | Evict | Wait | TooBig


def make_room(need_bytes: int, free_bytes: int, limit_bytes: int | None, residents: Sequence[Resident]) -> Verdict:
    """How a model that needs so much comes to its memory.

    Args:
        need_bytes: what it will need.
        free_bytes: what the machine has left.
        limit_bytes: what all engines together may hold; None for no limit but the machine's.
        residents: the other engines that are in memory.
    """
    held = sum(resident.bytes for resident in residents)
    room = free_bytes if limit_bytes is None else min(free_bytes, limit_bytes - held)
    if need_bytes <= room:
        return Room()
    victims: list[Resident] = []
    for resident in sorted((each for each in residents if not each.busy), key=lambda each: each.used_at):
        victims.append(resident)
        room += resident.bytes
        if need_bytes <= room:
            return Evict(_needed(victims, room - need_bytes))
    room += sum(resident.bytes for resident in residents if resident.busy)
    return Wait() if need_bytes <= room else TooBig()


def _needed(victims: Sequence[Resident], to_spare: int) -> tuple[str, ...]:
    """Without those whose memory is not needed after all, those used last spared first."""
    names: list[str] = []
    for victim in reversed(victims):
        if victim.bytes <= to_spare:
            to_spare -= victim.bytes
        else:
            names.append(victim.name)
    return tuple(reversed(names))
