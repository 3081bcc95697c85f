"""A worker process: started by the keeper with the descriptors of two sockets."""

import asyncio
import socket
import sys

from homeward.app.workers.worker import work
from homeward.protocol.errors import HomewardError


def main() -> None:
    """Exit status 1, with a sentence, where it can't begin."""
    end, way = (socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:])
    try:
        asyncio.run(work(end, way))
    except HomewardError as error:
        sys.exit(f"A worker could not begin: {error}")


if __name__ == "__main__":
    main()
