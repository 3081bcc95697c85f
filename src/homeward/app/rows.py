"""The backends of this machine as data."""

from homeward.backends import BackendRow, Deadlines
from homeward.config import Settings
from homeward.protocol.place import Place

LLAMA, FOUNDRY = "llama", "foundry"


def service_row(kind: str, settings: Settings) -> BackendRow:
    """A service beside us as a backend."""
    return BackendRow(name=kind, place=Place.DEVICE, restarts=True, deadlines=deadlines(settings))


def llama_row(settings: Settings) -> BackendRow:
    """llama.cpp as a backend."""
    return BackendRow(
        name=LLAMA,
        place=Place.DEVICE,
        counts_tokens=True,
        restarts=True,
        at_a_time=settings.llama.slots,
        # llama.cpp notices only by this that its client left while it reads a long prompt.
        body={"return_progress": True},
        deadlines=deadlines(settings),
    )


def foundry_row(settings: Settings) -> BackendRow:
    """Foundry Local as a backend."""
    return BackendRow(
        name=FOUNDRY,
        place=Place.DEVICE,
        counts_tokens=True,
        restarts=True,
        at_a_time=settings.foundry.parallel,
        deadlines=deadlines(settings),
    )


def deadlines(settings: Settings) -> Deadlines:
    """For every backend of this machine."""
    chat = settings.chat
    return Deadlines(
        first_token_seconds=chat.first_token_seconds,
        event_seconds=chat.event_seconds,
        total_seconds=chat.total_seconds,
    )
