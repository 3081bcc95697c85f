"""Homeward: private, local-first chat and an OpenAI-compatible gateway; every answer carries a receipt.

Importing this package does nothing: no network, no environment, no files.
"""

__version__ = "0.1.0"
