"""OpenAI's protocol for other programs."""

from homeward.gateway.names import Names
from homeward.gateway.routes import gateway_routes, internal_error
from homeward.gateway.sending import Receipts, Sender

__all__ = ["Names", "Receipts", "Sender", "gateway_routes", "internal_error"]
