"""The models that pages in the browser are offered: the starter, and ONNX files that the user fetched for them.

The pages themselves can ask nobody but this program, so it is here that an address is fetched: on the user's command.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import aiohttp

from homeward.config import Settings
from homeward.engines.starter import starter_model_path
from homeward.models.errors import ModelError
from homeward.models.onnx_file import CutOffError, MalformedError, external_data
from homeward.protocol.errors import BackendError, BackendStatusError, BackendUnreachableError

Show = Callable[[str, float], None]

FOLDER = "browser"
ENDING = ".onnx"
MOST_BYTES = 500_000_000
"""A tab holds it in memory, twice for a moment."""
BLOCK_BYTES = 1 << 18
TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_read=30)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def browser_models(settings: Settings) -> Mapping[str, Path]:
    """By file name. Reads folders."""
    starter = starter_model_path()
    fetched = sorted((settings.data_dir / FOLDER).glob(f"*{ENDING}"))
    return {path.name: path for path in (*([starter] if starter else []), *fetched)}


async def fetch(settings: Settings, address: str, show: Show) -> str:
    """Bring an ONNX file here, so that pages are offered it; its name.

    Raises:
        ModelError: the address can't be used, or what came is no ONNX file that stands alone.
        BackendError: it could not be fetched.
    """
    name = name_of(address)
    folder = settings.data_dir / FOLDER
    partly = folder / f"{name}.partly"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    try:
        await download(address, partly, lambda what, part: show(f"{name}: {what}", part))
        await asyncio.to_thread(check, partly, name)
        await asyncio.to_thread(partly.replace, folder / name)
    finally:
        await asyncio.to_thread(partly.unlink, missing_ok=True)
    return name


def remove(settings: Settings, name: str) -> None:
    """Delete a fetched file. Raises ModelError: there is none of this name."""
    fetched = {path.name: path for path in (settings.data_dir / FOLDER).glob(f"*{ENDING}")}
    if name not in fetched:
        known = ", ".join(fetched) or "none was fetched"
        raise ModelError(f"There is no {name}.", next_step=f"Those that can be removed: {known}.")
    fetched[name].unlink()


def name_of(address: str) -> str:
    """The file's name in an address. Raises ModelError: it is no address of an ONNX file."""
    parts = urlsplit(address)
    name = PurePosixPath(unquote(parts.path)).name
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname:
        raise ModelError("A model is fetched from an https address only.", next_step="Name one: https://…/model.onnx")
    if not name.endswith(ENDING) or name.startswith(".") or "\\" in name:
        raise ModelError(f"The address ends in no {ENDING} file.", next_step="Name the file itself: …/model.onnx")
    return name


async def download(address: str, path: Path, show: Show) -> None:
    """The whole file. Raises BackendError, and ModelError where it is too large."""
    source = urlsplit(address).hostname
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT, auto_decompress=True) as session,
            session.get(address) as answer,
        ):
            if answer.status != 200:
                raise BackendStatusError(
                    f"{source} answered with status {answer.status}.",
                    upstream_status=answer.status,
                    next_step="Check the address in a browser.",
                )
            await save(answer, path, show)
    except (aiohttp.ClientPayloadError, TimeoutError) as error:
        raise BackendError(f"The connection to {source} broke.", next_step="Try again.") from error
    except aiohttp.ClientError as error:
        raise BackendUnreachableError(
            f"{source} could not be reached.", next_step="Check the address and your connection."
        ) from error


async def save(answer: aiohttp.ClientResponse, path: Path, show: Show) -> None:
    """Write the body to a file. Raises ModelError where it is too large."""
    size, arrived = answer.content_length or 0, 0
    with await asyncio.to_thread(path.open, "wb") as file:
        async for block in answer.content.iter_chunked(BLOCK_BYTES):
            arrived += len(block)
            if max(arrived, size) > MOST_BYTES:
                raise ModelError(
                    "The file is larger than a browser's tab should load.", next_step="At most 500 MB are fetched."
                )
            await asyncio.to_thread(file.write, block)
            of = f" of {size / 1e6:.1f}" if size else ""
            show(f"{arrived / 1e6:.1f}{of} MB", arrived / size if size else 0.0)


def check(path: Path, name: str) -> None:
    """Raises ModelError: it is no ONNX file, or not one that stands alone."""
    try:
        beside = external_data(path)
    except (CutOffError, MalformedError) as error:
        raise ModelError(f"What came is no sound ONNX file: {error}.", next_step="Check the address.") from error
    if beside:
        raise ModelError(
            f"{name} keeps its weights in other files ({', '.join(beside)}).",
            next_step="Pages can load models in one file only.",
        )
