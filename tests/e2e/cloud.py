"""Somebody else's machine: an upstream on loopback that a Homeward under test takes for a cloud."""

import asyncio
import threading
from pathlib import Path

from tests.backends.fake_upstream import FakeUpstream, serving


class Cloud:
    """An upstream in a thread of its own: Playwright keeps a loop in the main one."""

    def __init__(self, pace: float = 0.02) -> None:
        self.upstream: FakeUpstream
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(pace),))
        self._thread.start()
        self._started.wait(10)

    async def _serve(self, pace: float) -> None:
        async with serving(pace=pace) as self.upstream:
            self._started.set()
            await self._ended.wait()

    @property
    def asked(self) -> int:
        """Requests for an answer that came in."""
        return sum(request.path.endswith("/chat/completions") for request in self.upstream.requests)

    def texts(self) -> str:
        """All words that were sent here."""
        return str([request.body for request in self.upstream.requests])

    def write_config(self, data_dir: Path, model: str = "ok-slow", more: str = "") -> None:
        """A homeward.toml with this as the cloud `azure`."""
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data_dir / "homeward.toml").write_text(
            f'[clouds.azure]\nurl = "{self.upstream.base_url}"\nmodel = "{model}"\nauth = "none"\n'
            f"input_price = 2.0\noutput_price = 8.0\n{more}\n",
            encoding="utf-8",
        )

    def close(self) -> None:
        """End it, and whatever it is still writing."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()
