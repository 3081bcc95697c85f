"""Somebody else's machine: an upstream on loopback that a Homeward under test takes for a cloud."""

from pathlib import Path

from tests.backends.fake_upstream import serving
from tests.e2e.background import SECONDS, Background


class Cloud:
    """An upstream, and what it was asked."""

    def __init__(self, pace: float = 0.02) -> None:
        self._background = Background(serving(pace=pace))
        self.upstream = self._background.value

    @property
    def asked(self) -> int:
        """Requests for an answer that came in."""
        return sum(request.path.endswith("/chat/completions") for request in self.upstream.requests)

    def texts(self) -> str:
        """All words that were sent here."""
        return str([request.body for request in self.upstream.requests])

    def wait_until_running(self, answers: int) -> None:
        """Until so many answers are being written, and no more. Raises TimeoutError."""
        self._background.run(self.upstream.until(lambda: self.upstream.running == answers, SECONDS / 2))

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
        self._background.close()
