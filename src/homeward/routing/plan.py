"""The values that go into a decision and come out of it."""

from typing import Literal

import msgspec

from homeward.config.policy import Difficulty, May, Task
from homeward.protocol.chat import Mode
from homeward.protocol.place import Place, PlaceName

Reason = Literal[
    "place_not_allowed",
    "not_in_rule",
    "not_in_mode",
    "not_in_request",
    "not_chosen",
    "findings",
    "findings_unasked",
    "thread_stays_home",
    "no_consent",
    "budget_spent",
    "price_unknown",
    "cant_see",
    "too_long",
    "resting",
    "failed",
]
"""Why a backend is not asked. `resting`: it failed lately, or asked to be left alone."""

Nobody = Literal["busy", "for_now", "cant_see", "too_long", "wish", "policy"]
"""Why a plan has no attempt.

- `busy`: all that would be asked rest because they said that they are busy.
- `for_now`: somebody would be asked, but rests or has failed.
- `cant_see`, `too_long`: somebody would be asked, were it not for its images or its length.
- `wish`: what the request itself wishes leaves nobody; without that, somebody would be asked.
- `policy`: what the user has laid down does.
"""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a request before it runs. What is not known keeps the words at home."""

    mode: Mode = "auto"
    places: tuple[PlaceName, ...] | None = None
    """Where alone the request itself allows an answer; None where it says nothing."""
    chosen_backend: str | None = None
    """The backend that the user named, if any."""
    chosen_model: str = ""
    """The model that the user named with it, as that backend knows it; empty for none."""
    task: Task | None = None
    """None where it could not be told with certainty."""
    complexity: Difficulty | None = None
    """None where the text gives no evidence."""
    tokens: int = 0
    """Of the whole prompt, estimated; rather too many."""
    max_tokens: int = 0
    """Of the answer, at most."""
    findings: frozenset[str] = frozenset()
    """Kinds of what was found in any part of the request."""
    may_leave: May = "home"
    """What the user's choices make of the findings; `allow` where there are none, and without findings anything else
    says that the request could not be looked at completely."""
    approved: bool = False
    """Whether the user was asked about these findings, and agreed."""
    stays_home: bool = False
    """Whether an earlier turn of the conversation held findings that keep it at home."""
    attachments: bool = False
    images: bool = False
    """Whether whoever answers has to see images."""
    weekday: int = 0
    """Local; Monday is 0."""
    minute: int = 0
    """Local; of the day."""
    spent: float = 0.0
    """On clouds, in this month."""


class BackendView(msgspec.Struct, frozen=True, kw_only=True):
    """One backend as it stands when the request arrives."""

    name: str
    place: Place
    model: str = ""
    """What it answers with where the user named no model; empty leaves that to the backend."""
    state: Literal["ready", "loading", "resting", "failed"] = "ready"
    """`loading` is not failed: the request waits for it, as it does in the line of a busy one."""
    reason: str = ""
    """Why it failed or rests, as a sentence."""
    rests_seconds: float = 0.0
    """How long it will still rest."""
    busy: bool = False
    """Whether it rests because it said that it is busy, or that its quota is used up."""
    consented: bool = False
    """Whether the user agreed that words go there; of no meaning on this device."""
    sees_images: bool = True
    """False only where that is certain: who may be able to is asked, and says it."""
    context_tokens: int | None = None
    input_price: float | None = None
    """Per million tokens; None where unknown. A backend of this device costs nothing."""
    output_price: float | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """All configured backends, in the order of the configuration; their names differ."""

    backends: tuple[BackendView, ...]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One backend to ask."""

    backend: str
    place: Place
    model: str = ""
    reason: str
    """The rule that put it here: `chosen`, `mode`, `place_order`, or the name of a rule of the policy."""
    masked: bool = False
    """Whether findings are replaced by placeholders before anything goes there."""


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """One backend that is not asked, and why."""

    backend: str
    model: str = ""
    """What it would have answered with, where that is known."""
    reason: Reason
    sentence: str = ""
    """More than the reason says, where the backend itself says it."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask the user before the plan is carried out; unanswered, the plan stands as it is."""

    about: Literal["consent", "findings"]
    backend: str
    place: Place


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be tried, in order; no attempt is ever added while it is carried out."""

    attempts: tuple[Attempt, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    rule: str = "place_order"
    """What decided, in the words of `Attempt.reason`."""
    question: Question | None = None
    hedge: bool = False
    """Whether the second attempt may begin while the first one is late."""
    retry_after_seconds: float | None = None
    """Where there is no attempt: when a backend that rests may be asked again."""
    nobody: Nobody | None = None
    """Where there is no attempt: why."""
