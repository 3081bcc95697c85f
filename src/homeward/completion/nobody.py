"""What a plan ends in that has nobody to ask."""

from homeward.protocol.errors import (
    BusyError,
    ContextLengthError,
    HomewardError,
    ImagesError,
    NoBackendError,
    NobodyAllowedError,
    NotAllowedError,
)
from homeward.routing import Dropped, Plan
from homeward.routing.words import reason_sentence


def nothing_to_ask(plan: Plan) -> HomewardError:
    """Why there is no answer: each backend that was dropped, and the reason."""
    reasons = " ".join(map(why_dropped, plan.dropped))
    match plan.nobody:
        case "busy":
            return BusyError(
                f"All models that may answer are busy. {reasons}",
                next_step="Try again later.",
                retry_after_seconds=plan.retry_after_seconds,
            )
        case "cant_see":
            return ImagesError(f"No model that may answer sees images. {reasons}")
        case "too_long":
            return ContextLengthError(prompt_tokens=None, available_tokens=None)
        case "wish":
            return NobodyAllowedError(
                f"What this request wishes leaves nobody to answer it. {reasons}",
                next_step="Ask for less: under `homeward`, or by the model's name.",
            )
        case "policy":
            return NotAllowedError(
                f"Your policy leaves nobody to answer this. {reasons}",
                next_step="Change it on the page /policy or in homeward.toml, or choose another model.",
            )
    return NoBackendError(
        f"No model can answer. {reasons}".strip(),
        next_step="Check the models and the policy, then try again.",
        retry_after_seconds=plan.retry_after_seconds,
    )


def why_dropped(dropped: Dropped) -> str:
    """Who was not asked, and why."""
    who = f"{dropped.backend}/{dropped.model}" if dropped.model else dropped.backend
    return f"{who}: {dropped.sentence or reason_sentence(dropped.reason, 'en')}"
