"""The audit log: what left this machine, one JSON line before it goes and one after. Never the text itself.

    {"event":"begun",…}   written and on disk before the first byte is sent; without it nothing may be sent
    {"event":"ended",…}   what really went out, what it cost, how it ended
    {"event":"note",…}    a consent, a change of the rules

A "begun" without its "ended" is an attempt in whose middle the program died. The file is only ever appended to, a
whole line in one write while nobody else writes, so several processes may share it. A line that a crash or a full disk
cut off stays where it is; the next one starts on a line of its own, and readers count what they can't understand.
"""

from homeward.observability.audit.lines import (
    AuditBegun,
    AuditEnded,
    AuditNote,
    Transfer,
    Unreadable,
    decode,
    read,
    read_raw,
    transfers,
)
from homeward.observability.audit.writing import Audit, Entry, append

FILE = "audit.jsonl"
"""Its name in the data folder."""

__all__ = [
    "FILE",
    "Audit",
    "AuditBegun",
    "AuditEnded",
    "AuditNote",
    "Entry",
    "Transfer",
    "Unreadable",
    "append",
    "decode",
    "read",
    "read_raw",
    "transfers",
]
