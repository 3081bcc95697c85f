"""Model services that already run on this machine: found when asked for, never started, never installed.

Only loopback is asked, and only where a service is known to be: the user's own address, the traces that Foundry
Local leaves, and the usual ports of Ollama, LM Studio, llama-server and vLLM. A service here is trusted to make
its answers here. Of those that pass some of them on, Ollama says which, and LM Studio (with its "LM Link") and
unknown ones don't say.
"""

from homeward.discovery.discover import discover, discover_kind
from homeward.discovery.found import Discovery, FoundService, Kind, ModelNotFound, NotFound, ServiceModel
from homeward.discovery.loading import ensure_loaded
from homeward.discovery.loopback import Refused, Root, loopback_root
from homeward.discovery.naming import resolve_model
from homeward.discovery.rules import Rules

__all__ = [
    "Discovery",
    "FoundService",
    "Kind",
    "ModelNotFound",
    "NotFound",
    "Refused",
    "Root",
    "Rules",
    "ServiceModel",
    "discover",
    "discover_kind",
    "ensure_loaded",
    "loopback_root",
    "resolve_model",
]
