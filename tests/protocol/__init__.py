"""The stream codec."""
