"""What goes wrong in here, translated once.

    HistoryError              the conversation could not be stored or read: busy, full, damaged, unreachable
    └── RefusedError          the caller asked for what is not allowed; trying again does not help

The sentences never hold SQL, values or a text of the conversation; `detail` names the database's error, for
the log.
"""

import sqlite3
from typing import Literal

from sqlalchemy import exc

from homeward.protocol.errors import HistoryError

Reason = Literal[
    "busy", "closed", "damaged", "disk_error", "disk_full", "not_writable", "other", "refused", "unreachable"
]
"""Why an operation failed, as it is counted."""


class RefusedError(HistoryError):
    """The caller asked for what cannot or must not be done: a bad id, somebody else's conversation."""

    code = "history_refused"
    status = 400
    blame = "caller"


_SENTENCES: dict[Reason, tuple[str, str]] = {
    "busy": (
        "The history is busy: another program, or a long write, holds its lock.",
        "Close other programs that use the history, then try again.",
    ),
    "closed": ("The history is closed.", "Start Homeward again."),
    "damaged": (
        "The history is damaged.",
        "Stop Homeward, keep a copy of its file, and put a backup in its place or move it aside.",
    ),
    "disk_error": ("The disk reported an error.", "Check the disk, then try again."),
    "disk_full": ("The disk is full.", "Free some space, then try again."),
    "not_writable": (
        "The history cannot be written to.",
        "Check that its folder exists, and that you may write to it and to the file.",
    ),
    "other": ("The history could not be stored or read.", "Try again; the log names the cause."),
    "refused": ("The history does not hold what this refers to, or holds it elsewhere.", "Store that first."),
    "unreachable": (
        "The history's database cannot be reached.",
        "Check that it runs, and the address, user, password and certificate in its URL.",
    ),
}

_SQLITE: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "disk_error",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_READONLY: "not_writable",
    sqlite3.SQLITE_CANTOPEN: "not_writable",
    sqlite3.SQLITE_PERM: "not_writable",
    sqlite3.SQLITE_CONSTRAINT: "refused",
}

_POSTGRESQL: dict[str, Reason] = {
    "08": "unreachable",  # the connection
    "23": "refused",  # a constraint
    "28": "unreachable",  # user or password
    "3D": "unreachable",  # no such database
    "40": "busy",  # a deadlock
    "53": "unreachable",  # too many connections, no memory
    "5310": "disk_full",
    "55": "busy",  # a lock
    "57": "unreachable",  # it shuts down or starts up
    "58": "disk_error",
    "XX": "damaged",
}
"""By the beginning of the SQLSTATE; the longer one counts."""


def failure(reason: Reason, *, detail: str = "", where: str = "") -> HistoryError:
    """The error for `reason`, with its sentence and next step; `where` names a file."""
    sentence, next_step = _SENTENCES[reason]
    kind = RefusedError if reason == "refused" else HistoryError
    return kind(f"{sentence} ({where})" if where else sentence, next_step=next_step, detail=detail)


def translated(error: Exception, *, where: str = "") -> HistoryError:
    """The error that stands for `error`, which came from the database or its driver."""
    return failure(reason_of(error), detail=detail_of(error), where=where)


def reason_of(error: Exception) -> Reason:
    """Why `error`, from the database or its driver, came; most specific first."""
    if isinstance(error, exc.TimeoutError):
        return "busy"  # all connections of the pool are taken
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return "unreachable"
    origin = _origin(error)
    if isinstance(origin, sqlite3.Error):
        # The code's lower byte is the family; errors of Python's own module have none.
        return _SQLITE.get(getattr(origin, "sqlite_errorcode", 0) & 0xFF, "other")
    if state := _sqlstate(origin):
        return _POSTGRESQL.get(state[:4]) or _POSTGRESQL.get(state[:2], "other")
    return "unreachable" if isinstance(origin, OSError | TimeoutError) else "other"


def detail_of(error: Exception) -> str:
    """The database's name for `error`, for the log: no SQL, no values."""
    origin = _origin(error)
    code = getattr(origin, "sqlite_errorname", None) or _sqlstate(origin) or ""
    return f"{type(origin.__cause__ or origin).__name__} {code}".strip()


def _origin(error: Exception) -> BaseException:
    return error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error


def _sqlstate(error: BaseException) -> str:
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else ""
