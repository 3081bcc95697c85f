"""Tests of `homeward.engines`: its pure parts, the supervisor with a fake engine, the real llama.cpp."""
