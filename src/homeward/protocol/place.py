"""Where an answer is made."""

from enum import StrEnum


class Place(StrEnum):
    """Where a backend's answers are made; what is private about an answer follows from it."""

    DEVICE = "device"
    """This machine: nothing leaves it."""
    NETWORK = "network"
    """Another machine of the user's own network."""
    CLOUD = "cloud"
    """Somebody else's machine."""
    BROWSER = "browser"
    """The tab that shows the page."""
