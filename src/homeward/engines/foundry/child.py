"""The program that runs one model in Foundry Local's runtime: `python -m homeward.engines.foundry.child`.

Started by Homeward, not by hand; `engines.child` describes how the two talk. The SDK's own web service is not
started: it has no key and no origin check.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from homeward.engines.child import Parent, attend, note


def main() -> None:
    """Load the model, serve until SIGTERM."""
    parent = attend()
    # Only now: from here on this process cannot be orphaned. And before the SDK is imported: its telemetry looks
    # at the environment once. With `CI` set it opens no connection and writes no file (measured; undocumented,
    # so a test watches it); the two documented switches leave a message about the machine.
    os.environ.update(CI="true", ORT_TELEMETRY_DISABLED="1")
    if sys.platform != "win32":
        # No tidying up: nothing here is worth keeping, and the runtime's own end may wait for ever.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    # Between the runtime's thread and the one that sends; by default either may keep the other waiting for 5 ms.
    sys.setswitchinterval(0.0005)
    asyncio.run(_serve(parent))


async def _serve(parent: Parent) -> None:
    settings: dict[str, Any] = parent.settings
    from foundry_local_sdk import FoundryLocalException

    from homeward.engines.foundry.guarded import listening
    from homeward.engines.foundry.runtime import ProviderMissingError, Runtime
    from homeward.engines.foundry.server import Server

    try:
        runtime = await asyncio.to_thread(Runtime.load, settings)
    except ProviderMissingError as error:
        parent.failed(
            f"The model “{settings['model']}” was made for {error}, which this machine does not have. "
            "Choose its variant for the processor (CPU)."
        )
    except FoundryLocalException as error:
        note(str(error))
        parent.failed(f"Foundry Local could not load the model “{settings['model']}”.")
    server = Server(
        runtime,
        model=settings["model"],
        api_key=settings["api_key"],
        parallel=settings["parallel"],
        calls_tools=settings["calls_tools"],
    )
    parent.listening(await listening(server.app()))
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
