"""Backends against an upstream of our own that misbehaves on purpose."""
