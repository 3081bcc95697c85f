"""What is allowed in the settings, but hardly does what was meant."""

from collections.abc import Iterator
from pathlib import Path

from homeward.config.clouds import CloudSettings
from homeward.config.settings import Settings


def notes(settings: Settings) -> Iterator[str]:
    """Each as a sentence."""
    model, policy = settings.llama.model, settings.policy
    if settings.llama.enabled and isinstance(model, Path) and not model.exists():
        yield f"[llama] The model {model} does not exist."
    if policy.complex_from != "never" and policy.preset != "local-first":
        yield f'[policy] `complex_from` counts only with `preset = "local-first"`, not with "{policy.preset}".'
    for name, cloud in settings.clouds.items():
        if cloud.enabled and (sentence := note_on_prices(cloud, limited=settings.budget.month is not None)):
            yield f"[clouds.{name}] {sentence}"


def note_on_prices(cloud: CloudSettings, *, limited: bool) -> str:
    """What comes of prices that are missing, where the budget has a limit or not; empty where nothing does."""
    missing = [name for name in ("input_price", "output_price") if getattr(cloud, name) is None]
    if missing and limited and cloud.place == "cloud":
        return f"It is never asked: it has no {' and no '.join(missing)}, and [budget] has a limit."
    return f"What it costs is not known: it has no {missing[0]}." if len(missing) == 1 else ""
