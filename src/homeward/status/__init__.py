"""Whether the program lives and whether it can answer."""

from homeward.status.health import Readiness, health_routes

__all__ = ["Readiness", "health_routes"]
