"""Where an answer is made."""

from enum import StrEnum
from typing import Literal

PlaceName = Literal["device", "network", "cloud"]
"""A place that a rule or a request can name."""


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
