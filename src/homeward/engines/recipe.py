"""How an engine's child is started and watched: another engine is another recipe, not another class."""

from collections.abc import Callable, Mapping

import msgspec

from homeward.engines.lifecycle import Rules

INHERITED_ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ", "PYTHONPATH", "PYTHONHOME"),
        *("VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "OMP_WAIT_POLICY"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
        *("PATHEXT", "COMSPEC", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
    }
)
"""What every child gets of Homeward's environment. The rest stays here: it may hold keys, proxies, and
switches that native code obeys (llama.cpp moves its port for `AIP_MODE`)."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is particular to one engine. Making one does nothing."""

    name: str
    """The engine's name, for people and metrics."""
    command: tuple[str, ...]
    """Program and arguments: a program that keeps the protocol described in `child`. Not a place for keys."""
    settings: Mapping[str, object] = {}
    """What the child is told through its stdin, as JSON; the API key is added at each start."""
    model: str
    """The name that requests are to give in their `model` field."""
    context_tokens: int | None = None
    """Tokens that prompt and answer of one request share; None where unknown."""
    prepare: Callable[["Recipe"], "Recipe"] | None = None
    """Called in a thread before each start, with this recipe; returns the one to start with.

    The place to look at files and free memory. Raises `EngineStartError` where a start would be pointless.
    """
    memory_bytes: Callable[[], int] | None = None
    """Called in a thread: an estimate of what the child will need. May raise what `prepare` raises."""
    environment: frozenset[str] = frozenset()
    """Names of further variables of Homeward's environment that the child gets."""
    health_path: str = "/health"
    """Answered with 200 as long as the engine works; asked with the API key."""
    api_path: str = "/v1"
    start_idle_seconds: float = 60.0
    """A child that loads and shows no sign of life for this long has failed to start."""
    start_total_seconds: float = 600.0
    """A child that is not ready after this long has failed to start, signs of life or not."""
    probe_interval_seconds: float = 15.0
    """From one health probe to the next while it is ready."""
    probe_timeout_seconds: float = 2.5
    """A probe without an answer in this time has failed; two in a row condemn the child."""
    grace_seconds: float = 5.0
    """From SIGTERM to SIGKILL."""
    rules: Rules = Rules()
    """Back-off, idle unload, patience with leases."""
