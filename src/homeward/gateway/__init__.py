"""OpenAI's protocol for other programs. So far it has the receipts alone."""

from homeward.gateway.routes import gateway_routes

__all__ = ["gateway_routes"]
