"""Tests of `homeward.models`, and of what the real Foundry Local SDK does with models."""
