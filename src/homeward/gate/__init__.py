"""The outermost ASGI layer: who may talk to Homeward from a browser, and what every answer carries."""

from homeward.gate.gate import Gate

__all__ = ["Gate"]
