"""Make the README's picture: a real answer of the starter model, in Chromium.

make screenshot       writes docs/images/chat.png and chat-dark.png
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

TARGET = Path(__file__).resolve().parents[1] / "docs/images"
QUESTION = "Explain in three sentences why the sky is blue."


def main() -> None:
    """Start Homeward on a free port, ask, open the receipt, take the pictures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium found: install it, or set CHROMIUM.")
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [sys.executable, "-m", "homeward", "up", "--no-open", "--port", str(port), "--data-dir", folder],
            env={**os.environ, "HOMEWARD_CHAT_TEMPERATURE": "0"},
        )
        try:
            wait_until_ready(port)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
                picture(browser, port, "light", TARGET / "chat.png")
                picture(browser, port, "dark", TARGET / "chat-dark.png")
                browser.close()
        finally:
            server.terminate()
            server.wait(60)


def wait_until_ready(port: int) -> None:
    """Until `/readyz` says 200."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("Homeward did not get ready.")


def picture(browser: Browser, port: int, scheme: str, target: Path) -> None:
    """One picture of a fresh chat."""
    context = browser.new_context(viewport={"width": 1180, "height": 720}, locale="en-US", color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    page.locator("#chat-input").fill(QUESTION)
    page.locator("#chat-submit:not([disabled])").click()
    page.locator(".homeward-receipt summary").wait_for(timeout=180_000)
    page.locator(".homeward-receipt summary").click()
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    page.screenshot(path=target)
    context.close()


if __name__ == "__main__":
    main()
