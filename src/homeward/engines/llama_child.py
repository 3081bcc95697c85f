"""The program that runs llama.cpp's server on one model: `python -m homeward.engines.llama_child`.

Started by Homeward, not by hand; `child` describes how the two talk. The server listens on a random port of
127.0.0.1, answers only to the key that it was given, and opens no connection itself.
"""

import os
import signal
import sys
import threading
from typing import Any

from homeward.engines.child import attend


def main() -> None:
    """Load the model, serve until SIGTERM."""
    parent = attend()
    # Only now: from here on this process cannot be orphaned.
    import xllamacpp

    try:
        # Holds the interpreter's lock until the model is loaded. Until then SIGTERM simply kills.
        server = xllamacpp.Server(parameters(xllamacpp.CommonParams(), parent.settings))
    except RuntimeError:
        parent.failed(f"llama.cpp could not load the model “{parent.settings['model']}”.")
    if sys.platform != "win32":
        # No tidying up: nothing here is worth keeping, and the server's own end waits for its requests.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    parent.listening(server.listening_address)
    threading.Event().wait()


def parameters(params: Any, settings: dict[str, Any]) -> Any:
    """Set llama.cpp's parameters as the recipe's settings say, on a new `CommonParams`, which is given back."""
    slots, context_tokens = settings["slots"], settings["context_tokens"]
    if settings["pooling"] is not None:
        params.embedding = True
        params.pooling_type = settings["pooling"]
    params.model.path = settings["model_path"]
    params.model_alias = {settings["model"]}
    params.n_parallel = slots
    params.n_ctx = slots * context_tokens  # llama.cpp divides it among the slots
    params.n_batch = params.n_ubatch = settings["batch_tokens"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.cache_ram_mib = settings["prompt_cache_mib"]  # its default is 8 GiB
    params.n_ctx_checkpoints = 4  # per slot, of sliding-window models; its default 32 can take gigabytes
    params.fit_params = False  # or it would trade context for memory by itself
    params.ctx_shift = False  # a full context ends the answer (`length`) instead of forgetting its beginning

    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["api_key"]]
    params.cors_origins = ""  # its default lets every page in the browser read the answers
    params.cors_credentials = False
    params.cors_methods = ""
    params.cors_headers = ""
    params.timeout_read = 60  # seconds for a request to come in; the defaults are an hour
    params.timeout_write = 600  # … and for a slow reader to take some of the answer
    params.ui = False
    params.endpoint_props = False
    params.offline = True
    params.verbosity = 1  # errors only: its warnings quote requests
    return params


if __name__ == "__main__":
    main()
