"""The `homeward` command."""

from homeward.cli.main import main

__all__ = ["main"]
