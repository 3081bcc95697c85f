"""What can happen to an engine, and what is then done: the words between `lifecycle` and `supervisor`."""

import msgspec


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a start or a child failed."""

    message: str
    next_step: str = ""
    detail: str = ""
    """For the log: exit code and last lines of output, without keys."""
    permanent: bool = False
    """Trying again is pointless until something outside has changed: a file, free memory, a setting."""


# Events: what callers want …


class ReadyWanted(msgspec.Struct, frozen=True):
    """A caller waits for the address (it stands in the supervisor's list already)."""


class LeasesGranted(msgspec.Struct, frozen=True):
    """So many of those who were answered hold a lease now."""

    count: int


class LeaseReturned(msgspec.Struct, frozen=True):
    """One lease less."""


class StopWanted(msgspec.Struct, frozen=True):
    """A caller waits for the child's end."""


class CloseWanted(msgspec.Struct, frozen=True):
    """A caller waits for the end of it all."""


# … and what happened.


class Launched(msgspec.Struct, frozen=True):
    """The child answers."""


class LaunchFailed(msgspec.Struct, frozen=True):
    """The child did not get ready; it is gone."""

    failure: Failure
    jitter: float = 0.5


class ChildFailed(msgspec.Struct, frozen=True):
    """The child that had been ready ended by itself, or hangs."""

    failure: Failure
    jitter: float = 0.5


class ChildEnded(msgspec.Struct, frozen=True):
    """The ending that was ordered is done: nothing of the child is left."""


class Tick(msgspec.Struct, frozen=True):
    """An instant passed that `wakes_at` had named."""


Event = (
    ReadyWanted
    | LeasesGranted
    | LeaseReturned
    | StopWanted
    | CloseWanted
    | Launched
    | LaunchFailed
    | ChildFailed
    | ChildEnded
    | Tick
)


# Actions: what the supervisor is to do, in this order.


class Launch(msgspec.Struct, frozen=True):
    """Start a child (once nothing of an earlier one is left) and report `Launched` or `LaunchFailed`."""


class Watch(msgspec.Struct, frozen=True):
    """Watch the child that is ready, and report `ChildFailed` when it ends or hangs."""


class End(msgspec.Struct, frozen=True):
    """Abort the launch or end the child, and report `ChildEnded`."""


class Clear(msgspec.Struct, frozen=True):
    """Kill what may be left of a child that failed; no report."""


class Answer(msgspec.Struct, frozen=True):
    """Give the address to all who wait for it, and report `LeasesGranted`."""


class Refuse(msgspec.Struct, frozen=True):
    """Raise `EngineStartError` in all who wait for the address, or `EngineClosedError` without a failure."""

    failure: Failure | None
    retry_after_seconds: float | None = None


class Confirm(msgspec.Struct, frozen=True):
    """Return to all who wait for the end."""


Action = Launch | Watch | End | Clear | Answer | Refuse | Confirm
