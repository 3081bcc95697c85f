"""llama.cpp's server as people start it, without Homeward: `python llama_server.py MODEL [KEY]`.

It prints its address, and ends with its input.
"""

import os
import sys

import xllamacpp


def main() -> None:
    """Serve until stdin ends."""
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.model_alias = {"smollm2"}
    params.api_keys = sys.argv[2:]
    params.n_parallel = 2
    params.n_ctx = 2048
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_ram_mib = 16
    params.fit_params = False
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.offline = True
    params.verbosity = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)  # noqa: T201
    sys.stdin.read()
    os._exit(0)


main()
