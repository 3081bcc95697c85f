"""Where services listen when nobody told them otherwise."""

from collections.abc import Mapping

from homeward.discovery.found import Kind
from homeward.discovery.identify import Candidate
from homeward.discovery.loopback import Refused, Root, loopback_root
from homeward.discovery.rules import OLLAMA_PORT, Rules


def usual_places(rules: Rules, environment: Mapping[str, str]) -> tuple[tuple[Candidate, Root], ...]:
    """What may run where."""
    return (
        _ollama(rules.ollama_port, environment.get("OLLAMA_HOST", "")),
        _usual(rules.lm_studio_port, "lm-studio"),
        # Each is often started on the port that is usual for the other.
        _usual(rules.llama_server_port, "llama-server", "vllm"),
        _usual(rules.vllm_port, "vllm", "llama-server"),
    )


def ollama_root(setting: str) -> Root | Refused:
    """The place that `OLLAMA_HOST` means, read as Ollama reads it: scheme, host and port may each be missing."""
    text = setting.strip().strip("\"'").strip().rstrip("/")
    scheme, _, place = text.rpartition("://")
    host, port = place, ""
    if "]:" in place or ("]" not in place and place.count(":") == 1):
        host, _, port = place.rpartition(":")
    if ":" in host and "[" not in host:
        host = f"[{host}]"
    usual_port = 80 if scheme == "http" else OLLAMA_PORT
    return loopback_root(f"{scheme or 'http'}://{host or '127.0.0.1'}:{port or usual_port}")


def _ollama(port: int, setting: str) -> tuple[Candidate, Root]:
    """Where the setting names another machine, Ollama is looked for here all the same, and not there."""
    root = ollama_root(setting) if setting.strip() else None
    if isinstance(root, Root):
        return Candidate(kind="ollama", expected=("ollama",), source="OLLAMA_HOST"), root
    return _usual(port, "ollama")


def _usual(port: int, *expected: Kind) -> tuple[Candidate, Root]:
    candidate = Candidate(kind=expected[0], expected=expected, source="its usual port")
    return candidate, Root("127.0.0.1", port)
