"""An engine that keeps the child protocol, or breaks it as its flags say. No model, ready in a moment.

GET /health   200, or nothing at all once /mute was asked
GET /mute     from now on /health hangs
GET /crash    exits with code 7, leaving a line on stderr
GET /offspring  process id of the grandchild that --fork started
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from homeward.engines.child import Parent, attend


class _Handler(BaseHTTPRequestHandler):
    muted = threading.Event()
    offspring = 0
    key = ""
    health_status = 200

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {self.key}":
            self._answer(401, "wrong key")
        elif self.path == "/crash":
            _say("about to crash")
            os._exit(7)
        elif self.path == "/mute":
            self.muted.set()
            self._answer(200, "muted")
        elif self.path == "/offspring":
            self._answer(200, str(self.offspring))
        elif self.muted.is_set():
            threading.Event().wait()
        else:
            self._answer(self.health_status, "ok")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def _say(line: str) -> None:
    os.write(2, line.encode() + b"\n")


def _options() -> argparse.Namespace:
    flags = argparse.ArgumentParser()
    flags.add_argument("--die", type=int, help="exit with this code instead of getting ready")
    flags.add_argument("--die-until", type=int, default=1000, help="… but only in so many first starts")
    flags.add_argument("--count", type=Path, help="file with one character per start so far")
    flags.add_argument("--refuse", help="report that it failed, for this reason")
    flags.add_argument("--silent", action="store_true", help="never get ready and never say anything")
    flags.add_argument("--progress", type=float, nargs=2, help="so many lines on stderr, so many seconds apart")
    flags.add_argument("--report-progress", action="store_true", help="… as reports on stdout")
    flags.add_argument("--chatter", action="store_true", help="print on stderr without end")
    flags.add_argument("--leak", action="store_true", help="print the key and control characters, then exit")
    flags.add_argument("--garbage", action="store_true", help="print things on stdout that are no reports")
    flags.add_argument("--url", help="claim to listen there")
    flags.add_argument("--health-status", type=int, default=200)
    flags.add_argument("--ignore-term", action="store_true")
    flags.add_argument("--fork", action="store_true", help="start a grandchild that holds the pipes")
    return flags.parse_args()


def main() -> None:
    options = _options()
    parent = attend()
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.count:
        with options.count.open("a") as count:
            count.write("x")
        if options.die is not None and len(options.count.read_text()) > options.die_until:
            options.die = None
    _misbehave(options, parent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    _Handler.key = str(parent.settings["api_key"])
    _Handler.health_status = options.health_status
    if options.fork:
        _Handler.offspring = _start_offspring()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if not options.ignore_term:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    parent.listening(options.url or f"http://127.0.0.1:{server.server_address[1]}")
    if options.chatter:
        while True:
            _say("chatter " * 20)
    threading.Event().wait()


def _misbehave(options: argparse.Namespace, parent: Parent) -> None:
    if options.leak:
        _say(f"\x1b[31mkey\x1b[0m={parent.settings['api_key']}\x00 end")
        os._exit(3)
    if options.refuse:
        parent.failed(options.refuse)
    if options.die is not None:
        _say("the model is not to my taste")
        os._exit(options.die)
    if options.garbage:
        os.write(parent._reports, b'\xff\xfe\n{}\n[]\n{"event": "listening"}\n' + b"x" * 100_000 + b"\n")
    if options.progress:
        for number in range(int(options.progress[0])):
            time.sleep(options.progress[1])
            if options.report_progress:
                parent.progress(number / options.progress[0])
            else:
                _say(f"layer {number}")
    while options.silent:
        signal.pause()


def _start_offspring() -> int:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    offspring = subprocess.Popen([sys.executable, "-S", "-c", deaf], stdin=subprocess.DEVNULL, stdout=2)
    return offspring.pid


if __name__ == "__main__":
    main()
