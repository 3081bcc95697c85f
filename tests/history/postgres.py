"""A real PostgreSQL server in a temporary folder, on a loopback port."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path | None:
    """Where `initdb` is; Debian does not put it on the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent  # links to it may stand alone
    return next(
        (folder for folder in sorted(DEBIAN.glob("*/bin"), reverse=True) if (folder / "initdb").exists()),
        None,
    )


class PostgresServer:
    """One server; it refuses to run as root, so root becomes the user postgres for it."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self._programs = programs
        self._data = folder / "data"

    def start(self, *options: str) -> None:
        self._run("initdb", "-D", self._data, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        settings = f"-p {self.port} -k {self.folder} -h 127.0.0.1 {' '.join(options)}"
        self._control("-o", settings, "start")

    def restart(self, mode: str = "immediate") -> None:
        self._control("-m", mode, "restart")

    def stop(self, mode: str = "immediate") -> None:
        self._control("-m", mode, "stop")

    def serve_tls(self, certificate: Path, key: Path) -> None:
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            target = self._data / name
            shutil.copyfile(source, target)
            target.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(target, "postgres")
        self.execute("ALTER SYSTEM SET ssl = on")
        self.restart("fast")

    def url(self, database: str = "postgres", user: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        place = ("-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-d", database)
        commands = [part for statement in statements for part in ("-c", statement)]
        self._run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *place, *commands)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self.folder / "log", *arguments)

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        if os.geteuid() == 0 and program != "psql":
            command = ["runuser", "-u", "postgres", "--", *command]
        # No pipe: the server would inherit it, and reading it would not end.
        with tempfile.TemporaryFile("w+") as output:
            if subprocess.run(command, stdout=output, stderr=output, check=False, cwd="/").returncode:
                output.seek(0)
                raise RuntimeError(f"{program} failed: {output.read()}")


@contextlib.contextmanager
def serving(programs: Path, *options: str) -> Iterator[PostgresServer]:
    """A running server, gone afterwards."""
    # Not pytest's folder: another user must be able to enter it.
    with tempfile.TemporaryDirectory(prefix="homeward-postgres-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = PostgresServer(folder, programs)
        server.start(*options)
        try:
            yield server
        finally:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
