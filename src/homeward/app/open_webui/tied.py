"""Runs a command of its own environment for as long as its parent wants it: `python -P tied.py "" homeward gateway`.

The parent keeps our standard input open. Its end, which comes however the parent ended, ends this process group.
Another environment runs this file, so it imports nothing of Homeward.
"""

import os
import signal
import sys
import threading
from importlib.metadata import entry_points


def main() -> None:
    """Run a console script: the arguments are host names (see `answer_only_to`), its name, and its own arguments."""
    threading.Thread(target=end_with_stdin, name="parent", daemon=True).start()
    hosts, sys.argv = sys.argv[1], sys.argv[2:]
    if hosts:
        answer_only_to(hosts.split(","))
    (script,) = entry_points(group="console_scripts", name=sys.argv[0])
    sys.exit(script.load()())


def end_with_stdin() -> None:
    """Wait for the end of standard input, then end everything."""
    while os.read(0, 4096):
        pass
    if sys.platform != "win32" and os.getpgrp() == os.getpid():  # else it was started by hand, from a shell
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def answer_only_to(hosts: list[str]) -> None:
    """Have uvicorn refuse requests under other host names.

    A page on the internet can have its own name point to this machine; to the browser it then is the server's own page.
    """
    import uvicorn
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from uvicorn.importer import import_from_string

    run = uvicorn.run

    def run_guarded(app: str, **options: object) -> None:
        run(TrustedHostMiddleware(import_from_string(app), allowed_hosts=hosts), **options)  # type: ignore[arg-type]

    uvicorn.run = run_guarded  # type: ignore[assignment]


if __name__ == "__main__":
    main()
